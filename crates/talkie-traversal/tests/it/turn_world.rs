//! A server in virtual time with a driver that opens every relay it is asked for, and clients that
//! speak TURN to it.

#![allow(clippy::unwrap_used, reason = "a test is allowed to end here")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Sink, Transmit, Transport, drain};
use talkie_traversal::stun::attributes::{
    Attribute, ErrorCode, Lifetime, Nonce, Realm, RequestedTransport, Username, XorPeerAddress,
    XorRelayedAddress,
};
use talkie_traversal::stun::auth::{Key, PasswordAlgorithm};
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};
use talkie_traversal::turn::server::{
    Config, Credentials, Event, OpenError, RelayId, Secret, TurnServer,
};

pub(crate) const UNIX: Duration = Duration::from_secs(1_800_000_000);
pub(crate) const SECRET: &[u8] = b"the shared secret";
pub(crate) const SERVER: &str = "192.0.2.1:3478";

pub(crate) fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn udp(local: &str, remote: &str) -> Path {
    Path { transport: Transport::Udp, local: addr(local), remote: addr(remote) }
}

/// The default configuration with a secret and a static user "ann" with password "pass".
pub(crate) fn config() -> Config {
    Config {
        realm: "test".into(),
        listeners: vec![addr(SERVER)],
        credentials: Credentials {
            secret: Some(Secret::new(SECRET)),
            users: vec![("ann".into(), "pass".into()), ("bob".into(), "word".into())],
        },
        ..Config::default()
    }
}

pub(crate) struct World {
    pub(crate) server: TurnServer,
    pub(crate) now: Instant,
    pub(crate) deadline: Option<Instant>,
    pub(crate) sent: VecDeque<(Path, Vec<u8>)>,
    pub(crate) events: Vec<Event>,
    /// How the next openings are answered; beyond its end they succeed.
    pub(crate) openings: VecDeque<Result<(), OpenError>>,
    /// Whether OpenRelay is left unanswered.
    pub(crate) silent: bool,
    /// Those that could not be opened.
    failed: Vec<RelayId>,
    ids: u64,
}

struct Driver<'w> {
    sent: &'w mut VecDeque<(Path, Vec<u8>)>,
    events: &'w mut Vec<Event>,
    openings: &'w mut VecDeque<Result<(), OpenError>>,
    failed: &'w mut Vec<RelayId>,
    silent: bool,
}

impl Sink<TurnServer> for Driver<'_> {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.sent.push_back((transmit.path, payload.to_vec()));
    }

    fn event(&mut self, now: Instant, server: &mut TurnServer, event: Event) {
        if let Event::OpenRelay { relay, .. } = event
            && !self.silent
        {
            let result = self.openings.pop_front().unwrap_or(Ok(()));
            if result.is_err() {
                self.failed.push(relay);
            }
            server.handle_relay_opened(now, relay, result);
        }
        self.events.push(event);
    }
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        Self::with_seed(config, [7; 32])
    }

    pub(crate) fn with_seed(config: Config, seed: [u8; 32]) -> Self {
        let now = talkie_sansio::conformance::genesis().now;
        let genesis = Genesis { now, unix: UNIX, seed };
        Self {
            server: TurnServer::new(genesis, config).unwrap(),
            now,
            deadline: None,
            sent: VecDeque::new(),
            events: Vec::new(),
            openings: VecDeque::new(),
            silent: false,
            failed: Vec::new(),
            ids: 0,
        }
    }

    pub(crate) fn drain(&mut self) {
        let mut driver = Driver {
            sent: &mut self.sent,
            events: &mut self.events,
            openings: &mut self.openings,
            failed: &mut self.failed,
            silent: self.silent,
        };
        self.deadline = drain(&mut self.server, self.now, &mut Vec::new(), &mut driver);
    }

    pub(crate) fn receive(&mut self, path: Path, bytes: &[u8]) {
        let mut payload = bytes.to_vec();
        self.server.handle_datagram(self.now, Datagram { path, payload: &mut payload });
        self.drain();
    }

    /// Receives `bytes` and takes the one datagram that comes out.
    pub(crate) fn exchange(&mut self, path: Path, bytes: &[u8]) -> Option<(Path, Vec<u8>)> {
        assert!(self.sent.is_empty(), "left over: {:?}", self.sent);
        self.receive(path, bytes);
        assert!(self.sent.len() <= 1, "more than one datagram: {:?}", self.sent);
        self.sent.pop_front()
    }

    pub(crate) fn opened(&mut self, relay: RelayId, result: Result<(), OpenError>) {
        self.server.handle_relay_opened(self.now, relay, result);
        self.drain();
    }

    /// Lets time pass, firing every timer at its own instant.
    pub(crate) fn elapse(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(due) = self.deadline.filter(|due| *due <= until) {
            self.now = due;
            self.server.handle_timeout(due);
            self.drain();
        }
        self.now = until;
        self.drain();
    }

    pub(crate) fn id(&mut self) -> TransactionId {
        self.ids += 1;
        let mut id = [0; 12];
        id[4..].copy_from_slice(&self.ids.to_be_bytes());
        TransactionId(id)
    }

    /// The local addresses of the relays asked for and neither refused nor closed.
    pub(crate) fn open_relays(&self) -> Vec<SocketAddr> {
        let mut open = Vec::new();
        for event in &self.events {
            match event {
                Event::OpenRelay { relay, local } if !self.failed.contains(relay) => {
                    open.push((*relay, *local));
                }
                Event::CloseRelay { relay, .. } if !self.failed.contains(relay) => {
                    let at = open.iter().position(|(other, _)| other == relay);
                    open.remove(at.expect("what is closed was open"));
                }
                _ => {}
            }
        }
        open.into_iter().map(|(_, local)| local).collect()
    }
}

/// A TURN client on one 5-tuple.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) path: Path,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) realm: String,
    pub(crate) nonce: String,
    pub(crate) algorithm: PasswordAlgorithm,
    pub(crate) sha256: bool,
}

/// A response, copied out.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) bytes: Vec<u8>,
}

impl Response {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).unwrap()
    }

    pub(crate) fn is_success(&self) -> bool {
        self.message().class() == Class::Success
    }

    /// The error code; 0 for success.
    pub(crate) fn code(&self) -> u16 {
        self.message().get::<ErrorCode<'_>>().unwrap().map_or(0, |error| error.code)
    }

    pub(crate) fn lifetime(&self) -> Option<u64> {
        self.message().get::<Lifetime>().unwrap().map(|Lifetime(lifetime)| lifetime.as_secs())
    }

    pub(crate) fn relayed(&self) -> Vec<SocketAddr> {
        let message = self.message();
        message
            .attributes()
            .filter(|(kind, _)| *kind == XorRelayedAddress::TYPE)
            .map(|(_, value)| XorRelayedAddress::decode(value, message.transaction_id()).unwrap().0)
            .collect()
    }
}

impl Client {
    pub(crate) fn new(path: Path, username: &str, password: &str) -> Self {
        Self {
            path,
            username: username.into(),
            password: password.into(),
            realm: "test".into(),
            nonce: String::new(),
            algorithm: PasswordAlgorithm::Md5,
            sha256: false,
        }
    }

    pub(crate) fn ann(remote: &str) -> Self {
        Self::new(udp(SERVER, remote), "ann", "pass")
    }

    pub(crate) fn bob(remote: &str) -> Self {
        Self::new(udp(SERVER, remote), "bob", "word")
    }

    /// A client with a time-limited credential that is good for an hour.
    pub(crate) fn limited(path: Path, name: &str, advertise: Option<&str>) -> Self {
        let advertise = advertise.map(|ip| ip.parse().unwrap());
        let issued = Secret::new(SECRET).issue(UNIX + secs(3600), name, advertise);
        Self::new(path, &issued.username, &issued.password)
    }

    pub(crate) fn key(&self) -> Key {
        Key::long_term(self.algorithm, &self.username, &self.realm, &self.password)
    }

    /// A signed request.
    pub(crate) fn signed(
        &self,
        id: TransactionId,
        method: Method,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Class::Request, method, id);
        fill(&mut writer);
        writer
            .attribute(&Username::new(&self.username).unwrap())
            .attribute(&Realm::new(&self.realm).unwrap())
            .attribute(&Nonce::new(&self.nonce).unwrap());
        if self.sha256 {
            writer.integrity_sha256(&self.key());
        } else {
            writer.integrity(&self.key());
        }
        bytes
    }

    /// Learns the nonce of a challenge.
    pub(crate) fn learn(&mut self, response: &Response) {
        let message = response.message();
        self.nonce = message.get::<Nonce<'_>>().unwrap().unwrap().as_str().to_owned();
        self.realm = message.get::<Realm<'_>>().unwrap().unwrap().as_str().to_owned();
    }

    /// Sends a request, signed, answering one challenge; the last response.
    pub(crate) fn request(
        &mut self,
        world: &mut World,
        method: Method,
        fill: impl Fn(&mut Writer<'_>),
    ) -> Response {
        let id = world.id();
        let response = self.send(world, &self.signed(id, method, &fill));
        if !matches!(response.code(), 401 | 438) {
            self.check_signed(&response);
            return response;
        }
        let before = std::mem::take(&mut self.nonce);
        self.learn(&response);
        if before == self.nonce {
            return response;
        }
        let id = world.id();
        let response = self.send(world, &self.signed(id, method, &fill));
        if response.code() != 401 {
            self.check_signed(&response);
        }
        response
    }

    /// RFC 8489 §9.2.4: what answers an authenticated request is signed as the request was.
    fn check_signed(&self, response: &Response) {
        let message = response.message();
        let (used, unused) = if self.sha256 {
            (message.check_integrity_sha256(&self.key()), message.check_integrity(&self.key()))
        } else {
            (message.check_integrity(&self.key()), message.check_integrity_sha256(&self.key()))
        };
        assert_eq!((used, unused), (Some(true), None), "{message:?}");
    }

    pub(crate) fn send(&self, world: &mut World, bytes: &[u8]) -> Response {
        let (path, bytes) = world.exchange(self.path, bytes).expect("no response");
        assert_eq!(path, self.path, "a response goes back where the request came from");
        Response { bytes }
    }

    pub(crate) fn allocate_with(
        &mut self,
        world: &mut World,
        fill: impl Fn(&mut Writer<'_>),
    ) -> Response {
        self.request(world, Method::ALLOCATE, |writer| {
            writer.attribute(&RequestedTransport::UDP);
            fill(writer);
        })
    }

    /// Allocates; the relayed address.
    pub(crate) fn allocate(&mut self, world: &mut World) -> SocketAddr {
        let response = self.allocate_with(world, |_| {});
        assert!(response.is_success(), "{}", response.code());
        response.relayed()[0]
    }

    pub(crate) fn refresh(&mut self, world: &mut World, lifetime: u64) -> Response {
        self.request(world, Method::REFRESH, |writer| {
            writer.attribute(&Lifetime(secs(lifetime)));
        })
    }

    /// CreatePermission; the error code, 0 for success.
    pub(crate) fn permit(&mut self, world: &mut World, peer: &str) -> u16 {
        self.permit_at(world, addr(peer))
    }

    pub(crate) fn permit_at(&mut self, world: &mut World, peer: SocketAddr) -> u16 {
        self.request(world, Method::CREATE_PERMISSION, |writer| {
            writer.attribute(&XorPeerAddress(peer));
        })
        .code()
    }

    /// ChannelBind; the error code, 0 for success.
    pub(crate) fn bind(&mut self, world: &mut World, number: u16, peer: SocketAddr) -> u16 {
        self.request(world, Method::CHANNEL_BIND, |writer| {
            writer
                .raw(talkie_traversal::stun::AttributeType::CHANNEL_NUMBER, |out| {
                    out.extend_from_slice(&number.to_be_bytes());
                    out.extend_from_slice(&[0, 0]);
                })
                .attribute(&XorPeerAddress(peer));
        })
        .code()
    }
}

/// A ChannelData message without padding.
pub(crate) fn channel_data(number: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A Send indication.
pub(crate) fn send_indication(peer: SocketAddr, payload: &[u8]) -> Vec<u8> {
    use talkie_traversal::stun::attributes::Data;
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Indication, Method::SEND, TransactionId([9; 12]))
        .attribute(&XorPeerAddress(peer))
        .attribute(&Data(payload));
    bytes
}

/// The peer and payload of a Data indication.
pub(crate) fn read_data(bytes: &[u8]) -> (SocketAddr, Vec<u8>) {
    use talkie_traversal::stun::attributes::Data;
    let message = Message::parse(bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
    let peer = message.get::<XorPeerAddress>().unwrap().unwrap().0;
    (peer, message.get::<Data<'_>>().unwrap().unwrap().0.to_vec())
}
