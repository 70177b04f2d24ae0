//! A TURN server whose clients, peers, sockets and clock are the input: it never panics, never asks
//! to be woken in the past, holds no more than its limits, and sends nothing to peers that its policy
//! forbids, whichever addresses of its own come and go.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{
    Datagram, Genesis, Machine as _, Path, Sink, Transmit, Transport, conformance, drain,
};
use talkie_traversal::stun::attributes::{
    AdditionalAddressFamily, AddressFamily, ChangeRequest, ChannelNumber, Data, EvenPort, Lifetime,
    Nonce, Padding, RequestedAddressFamily, RequestedTransport, ReservationToken, ResponsePort,
    XorPeerAddress,
};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::stun::{AttributeType, Class, Message, Method, TransactionId, Writer};
use talkie_traversal::turn::server::{
    Config, Credentials, Discovery, Event, Forward, HEADROOM, Limits, OpenError, Packet, RelayId,
    TAILROOM, TurnServer,
};

use super::input::Input;

/// What came out.
#[derive(Default)]
struct Out {
    /// Sent along the path of one of the clients.
    replies: Vec<(Path, Vec<u8>)>,
    datagrams: usize,
    /// Relays asked for and not answered.
    asked: Vec<(RelayId, SocketAddr)>,
    /// Relays that are open.
    open: Vec<(RelayId, SocketAddr)>,
    /// The addresses that clients were told last.
    relayed: Vec<SocketAddr>,
    /// The port that was reserved last.
    token: Option<ReservationToken>,
}

impl Sink<TurnServer> for Out {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.datagrams += 1;
        if PORTS.contains(&transmit.path.local.port()) {
            let remote = transmit.path.remote;
            assert_eq!(remote.ip(), CLIENTS, "an answer to {remote}, who is no client");
            assert!(remote.port() > 1023 || (1000..1004).contains(&remote.port()));
            self.replies.push((transmit.path, payload.to_vec()));
            return;
        }
        let peer = transmit.path.remote;
        assert!(!LOCALS.map(IpAddr::V4).contains(&peer.ip()), "a packet out to {peer}");
    }

    fn event(&mut self, _now: Instant, _server: &mut TurnServer, event: Event) {
        match event {
            Event::OpenRelay { relay, local } => self.asked.push((relay, local)),
            Event::Allocated { relayed, .. } => {
                self.relayed.extend(relayed.into_iter().flatten());
                let old = self.relayed.len().saturating_sub(4);
                self.relayed.drain(..old);
            }
            Event::CloseRelay { relay, .. } => {
                self.asked.retain(|(asked, _)| *asked != relay);
                self.open.retain(|(open, _)| *open != relay);
            }
            _ => {}
        }
    }
}

const LIMITS: Limits = Limits {
    allocations: 3,
    allocations_per_user: 2,
    allocations_per_address: 3,
    permissions_per_allocation: 3,
    channels_per_allocation: 3,
    queued_datagrams: 16,
    queued_bytes: 1 << 16,
    queued_events: 16,
};

/// Where the clients are.
const CLIENTS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

/// What clients are answered from; they write to the first.
const PORTS: [u16; 2] = [3478, 3479];

/// Where clients reach the server. The second one is its own as long as somebody does.
const LOCALS: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(10, 0, 0, 1)];

fn server() -> (TurnServer, Genesis) {
    let genesis = conformance::genesis();
    let config = Config {
        realm: "test".into(),
        listeners: vec![SocketAddr::from(([192, 0, 2, 1], 3478))],
        credentials: Credentials {
            users: vec![("ann".into(), "pass".into()), ("bob".into(), "word".into())],
            ..Credentials::default()
        },
        limits: LIMITS,
        discovery: vec![Discovery::full(LOCALS.map(IpAddr::V4), PORTS)],
        ..Config::default()
    };
    (TurnServer::new(genesis.clone(), config).expect("a plain configuration"), genesis)
}

/// One of four clients: two users, two transports.
struct Client {
    path: Path,
    credential: LongTerm,
}

fn client(index: u8) -> Client {
    let (name, password) = if index & 1 == 0 { ("ann", "pass") } else { ("bob", "word") };
    Client {
        path: Path {
            transport: if index & 2 == 0 { Transport::Udp } else { Transport::Tcp },
            local: SocketAddr::from((LOCALS[usize::from(index >> 1 & 1)], 3478)),
            remote: SocketAddr::new(CLIENTS, 1000 + u16::from(index)),
        },
        credential: LongTerm::new(name, password).expect("a plain name and password"),
    }
}

/// A peer; `relayed`: addresses that were told to clients.
fn peer(byte: u8, relayed: &[SocketAddr]) -> SocketAddr {
    match byte % 8 {
        // Another family, the server itself, its relays.
        0 => "[2001:4860:4860::8888]:53".parse().expect("an address"),
        1 => SocketAddr::from((LOCALS[1], 53)),
        2 => SocketAddr::from((LOCALS[0], 3478)),
        3 if !relayed.is_empty() => relayed[usize::from(byte >> 3) % relayed.len()],
        last => SocketAddr::from(([8, 8, 8, last], 5000)),
    }
}

/// A request of `client`, protected once it was challenged.
fn request(input: &mut Input<'_>, client: &Client, out: &Out, id: TransactionId) -> Vec<u8> {
    let shape = input.byte();
    let method = [
        Method::ALLOCATE,
        Method::REFRESH,
        Method::CREATE_PERMISSION,
        Method::CHANNEL_BIND,
        Method::BINDING,
    ][usize::from(shape % 5)];
    let more = input.byte();
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Request, method, id);
    let family = AddressFamily(more % 4);
    match method {
        Method::ALLOCATE => {
            writer.attribute(&RequestedTransport::UDP);
            match more >> 4 {
                1 => drop(writer.attribute(&RequestedAddressFamily(family))),
                2 => drop(writer.attribute(&AdditionalAddressFamily(family))),
                3 => drop(writer.attribute(&EvenPort { reserve_next: more & 1 == 0 })),
                4 => drop(writer.attribute(&out.token.unwrap_or(ReservationToken([more; 8])))),
                _ => {}
            }
        }
        Method::REFRESH => {
            writer.attribute(&Lifetime(Duration::from_secs(u64::from(more) * 5)));
        }
        Method::CREATE_PERMISSION => {
            writer
                .attribute(&XorPeerAddress(peer(more, &out.relayed)))
                .attribute(&XorPeerAddress(peer(input.byte(), &out.relayed)));
        }
        Method::CHANNEL_BIND => {
            let number = ChannelNumber::new(0x4000 + u16::from(more >> 4)).expect("in range");
            writer.attribute(&number).attribute(&XorPeerAddress(peer(input.byte(), &out.relayed)));
        }
        _ => {
            let wish = ChangeRequest { ip: more & 1 != 0, port: more & 2 != 0 };
            writer.optional((more & 4 != 0).then_some(wish).as_ref());
            let padding = [0; 100];
            writer.optional((more & 8 != 0).then_some(Padding(&padding)).as_ref());
            let port = ResponsePort(1024 + (u16::from(more >> 4) << 5));
            writer.optional((more & 16 != 0).then_some(port).as_ref());
        }
    }
    if shape & 0x80 != 0 {
        let kind = AttributeType(u16::from_be_bytes([input.byte(), input.byte()]));
        let value = input.block();
        writer.raw(kind, |out| out.extend_from_slice(value));
    }
    let _ = client.credential.protect(&mut writer);
    bytes
}

/// The fast path; what it leaves goes the slow way.
fn forward(server: &mut TurnServer, now: Instant, path: Path, payload: &[u8]) {
    let mut buffer = vec![0; HEADROOM];
    buffer.extend_from_slice(payload);
    buffer.resize(buffer.len() + TAILROOM, 0);
    let range = HEADROOM..HEADROOM + payload.len();
    let mut packet = Packet { buffer: &mut buffer, range: range.clone() };
    match server.forward(now, path, &mut packet) {
        Forward::Send { range, .. } => assert!(range.end <= buffer.len()),
        Forward::Slow => {
            assert_eq!(&buffer[range.clone()], payload, "a packet left alone is unchanged");
            let payload = &mut buffer[range];
            server.handle_datagram(now, Datagram { path, payload });
        }
        _ => {}
    }
}

pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let (mut server, genesis) = server();
    let mut now = genesis.now;
    let mut clients: Vec<Client> = (0..4).map(client).collect();
    let mut out = Out::default();
    let mut buf = Vec::new();
    let mut id = [0_u8; 12];
    while !input.0.is_empty() {
        let choice = input.byte();
        let index = usize::from(choice >> 4) % clients.len();
        let path = clients[index].path;
        id[0] = id[0].wrapping_add(1);
        match choice % 10 {
            0 => {
                let mut payload = input.block().to_vec();
                server.handle_datagram(now, Datagram { path, payload: &mut payload });
            }
            1 => now += Duration::from_millis(u64::from(input.byte()).pow(2) * 10),
            2..=4 => {
                let mut payload = request(&mut input, &clients[index], &out, TransactionId(id));
                server.handle_datagram(now, Datagram { path, payload: &mut payload });
            }
            5 => {
                let mut payload = Vec::new();
                let id = TransactionId(id);
                Writer::new(&mut payload, Class::Indication, Method::SEND, id)
                    .attribute(&XorPeerAddress(peer(input.byte(), &out.relayed)))
                    .attribute(&Data(input.block()));
                server.handle_datagram(now, Datagram { path, payload: &mut payload });
            }
            6 => {
                let number = [0x40, input.byte() % 16];
                let body = input.block();
                let length = [0, body.len() as u8];
                let message = [&number[..], &length, body].concat();
                forward(&mut server, now, path, &message);
            }
            7 => {
                let at = usize::from(input.byte());
                let remote = peer(input.byte(), &out.relayed);
                if let Some((_, local)) = out.open.get(at % out.open.len().max(1)) {
                    let path = Path { transport: Transport::Udp, local: *local, remote };
                    forward(&mut server, now, path, input.block());
                }
            }
            8 => {
                if let Some((relay, local)) = out.asked.pop() {
                    let result = match choice >> 4 {
                        0 => Err(OpenError::PortTaken),
                        1 => Err(OpenError::Failed),
                        _ => Ok(()),
                    };
                    if result.is_ok() {
                        out.open.push((relay, local));
                    }
                    server.handle_relay_opened(now, relay, result);
                }
            }
            _ if choice > 200 => server.handle_disconnect(now, path),
            _ => continue,
        }
        let sent = out.datagrams;
        let deadline = drain(&mut server, now, &mut buf, &mut out);
        assert!(deadline.is_none_or(|at| at > now), "it wants to be woken in the past");
        assert!(out.datagrams - sent <= LIMITS.queued_datagrams);
        assert!(server.allocations() <= LIMITS.allocations);
        for (path, bytes) in std::mem::take(&mut out.replies) {
            learn(&mut clients, &mut out.token, path, &bytes);
        }
    }
}

/// What a client takes from a challenge, or a token from a success.
fn learn(clients: &mut [Client], token: &mut Option<ReservationToken>, path: Path, bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else {
        return;
    };
    if let Ok(Some(reserved)) = message.get::<ReservationToken>() {
        *token = Some(reserved);
    }
    if !matches!(message.get::<Nonce<'_>>(), Ok(Some(_))) {
        return;
    }
    if let Some(client) = clients.iter_mut().find(|client| client.path == path) {
        // A 438 renews the nonce whatever was tried before.
        let _ = client.credential.handle_challenge(438, &message);
    }
}
