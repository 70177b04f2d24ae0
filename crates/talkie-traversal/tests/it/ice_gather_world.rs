//! A gatherer opposite the real TURN server and STUN servers of the test's own, behind a NAT that keeps
//! ports, with a driver that answers its wants.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{
    Answer, Genesis, Interface, Path, Transport, Want, WantError, WantId, conformance,
};
use talkie_traversal::ice::gather::{
    Config, Event, Gatherer, LocalId, Problem, Received, SendError, Server,
};
use talkie_traversal::ice::{Candidate, CandidateType};
use talkie_traversal::stun::attributes::XorMappedAddress;
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::stun::{Class, Message, Method, Writer};
use talkie_traversal::turn::server;

use crate::portmap_world::{GATEWAY, Gateway};
use crate::turn_world::{self, SERVER, World, addr};

pub(crate) const HERE: &str = "10.0.0.2";
pub(crate) const OUTSIDE: &str = "198.51.100.7";
/// Hosts that answer Binding requests and nothing else.
pub(crate) const STUNS: [&str; 2] = ["192.0.2.50:3478", "192.0.2.51:3478"];

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn interfaces(addresses: &[&str]) -> Vec<Interface> {
    let interface =
        |(index, address): (usize, &&str)| Interface::new(format!("eth{index}"), ip(address));
    addresses.iter().enumerate().map(interface).collect()
}

pub(crate) fn stun(uri: &str) -> Server {
    Server { uri: uri.parse().unwrap(), credential: None }
}

pub(crate) fn turn(transport: Transport, user: &str) -> Server {
    let uri = match transport {
        Transport::Udp => "turn:192.0.2.1",
        Transport::Tcp => "turn:192.0.2.1?transport=tcp",
        Transport::Tls => "turns:192.0.2.1:3478",
    };
    let credential = Some(LongTerm::new(user, "pass").unwrap());
    Server { uri: uri.parse().unwrap(), credential }
}

pub(crate) fn config(servers: Vec<Server>) -> Config {
    Config { servers, ..Config::default() }
}

/// A server that relays to documentation addresses.
pub(crate) fn relay() -> server::Config {
    let peers = server::PeerPolicy {
        allow: ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]
            .map(|it| it.parse().unwrap())
            .into(),
        ..server::PeerPolicy::default()
    };
    // Bound to one address, so that what it sends says where it comes from.
    let relay_v4 = Some(server::RelayAddress::local(addr(SERVER).ip()));
    server::Config { peers, relay_v4, ..turn_world::config() }
}

pub(crate) struct Site {
    pub(crate) gatherer: Gatherer,
    pub(crate) world: World,
    /// Where our addresses appear outside, if elsewhere.
    pub(crate) nat: BTreeMap<IpAddr, IpAddr>,
    pub(crate) names: BTreeMap<String, Vec<IpAddr>>,
    /// Remote addresses that nothing comes back from.
    pub(crate) dark: BTreeSet<SocketAddr>,
    /// Whom the default route leads to.
    pub(crate) gateway: Option<Gateway>,
    /// Whether all sockets have the same port, as where many share one.
    pub(crate) shares_port: bool,
    /// Whether wants for connections are answered with a failure.
    pub(crate) refuses_streams: bool,
    /// What a server of the test's own answers.
    pub(crate) scripted: fn(Path, &Message<'_>) -> Option<Vec<u8>>,
    pub(crate) events: Vec<Event>,
    pub(crate) wants: Vec<Want>,
    /// What came from peers.
    pub(crate) received: Vec<(LocalId, SocketAddr, Vec<u8>)>,
    /// What went to peers directly.
    pub(crate) direct: Vec<(Path, Vec<u8>)>,
    /// What the relay sent to peers.
    pub(crate) relayed: VecDeque<(Path, Vec<u8>)>,
    /// All that was sent, with the time since the start.
    pub(crate) sent: Vec<(Duration, Path, Vec<u8>)>,
    born: Instant,
    next_port: u16,
}

impl Site {
    pub(crate) fn new(config: Config) -> Self {
        Self::with(config, relay())
    }

    pub(crate) fn with(config: Config, server: server::Config) -> Self {
        let world = World::new(server);
        let genesis = Genesis { now: world.now, ..conformance::genesis() };
        Self {
            gatherer: Gatherer::new(&genesis, config),
            born: world.now,
            world,
            nat: BTreeMap::from([(ip(HERE), ip(OUTSIDE))]),
            names: BTreeMap::new(),
            dark: BTreeSet::new(),
            gateway: None,
            shares_port: false,
            refuses_streams: false,
            scripted: |_, _| None,
            events: Vec::new(),
            wants: Vec::new(),
            received: Vec::new(),
            direct: Vec::new(),
            relayed: VecDeque::new(),
            sent: Vec::new(),
            next_port: 50_000,
        }
    }

    /// Gathers at [`HERE`] until the gatherer waits for time.
    pub(crate) fn gathered(config: Config) -> Self {
        let mut site = Self::new(config);
        site.gather(&[HERE]);
        site
    }

    pub(crate) fn gather(&mut self, addresses: &[&str]) {
        self.gatherer.handle_interfaces(self.world.now, &interfaces(addresses));
        self.gatherer.gather(self.world.now, "frag");
        self.settle();
        // The pace of requests.
        self.elapse(Duration::from_millis(300));
    }

    pub(crate) fn outside(&self, local: SocketAddr) -> SocketAddr {
        let ip = self.nat.get(&local.ip()).copied();
        SocketAddr::new(ip.unwrap_or_else(|| local.ip()), local.port())
    }

    fn inside(&self, outer: SocketAddr) -> Option<SocketAddr> {
        let mut nat = self.nat.iter();
        let ip = nat.find_map(|(inner, outside)| (*outside == outer.ip()).then_some(*inner));
        ip.map(|ip| SocketAddr::new(ip, outer.port()))
    }

    pub(crate) fn settle(&mut self) {
        loop {
            let mut buf = Vec::new();
            if let Some(transmit) = self.gatherer.poll_transmit(&mut buf) {
                let bytes = buf.split_off(buf.len() - transmit.len);
                self.transmit(transmit.path, bytes);
            } else if let Some(want) = self.gatherer.poll_want() {
                self.wants.push(want.clone());
                assert!(self.wants.len() < 10_000, "it never has enough");
                self.answer(want);
            } else if let Some(event) = self.gatherer.poll_event() {
                self.events.push(event);
            } else if let Some((path, bytes)) = self.world.sent.pop_front() {
                self.server_sent(path, bytes);
            } else if self.gatherer.poll_timeout().is_some_and(|at| at <= self.world.now) {
                self.gatherer.handle_timeout(self.world.now);
                let next = self.gatherer.poll_timeout();
                assert!(next.is_none_or(|at| at > self.world.now), "a busy loop");
            } else {
                return;
            }
        }
    }

    fn transmit(&mut self, path: Path, bytes: Vec<u8>) {
        self.sent.push((self.world.now - self.born, path, bytes.clone()));
        if self.dark.contains(&path.remote) {
            return;
        }
        if path.remote.ip() == IpAddr::V4(GATEWAY) {
            let at_door = self.gateway.as_mut().filter(|_| path.remote.port() == 5351);
            let answer = at_door.and_then(|it| it.knock(self.world.now, &bytes));
            return answer.into_iter().for_each(|answer| self.hear(path, &answer));
        }
        let answer = Message::parse(&bytes).ok().and_then(|it| (self.scripted)(path, &it));
        if let Some(answer) = answer {
            return self.hear(path, &answer);
        }
        let outside = self.outside(path.local);
        if path.remote == addr(SERVER) {
            let there = Path { local: path.remote, remote: outside, ..path };
            self.world.receive(there, &bytes);
        } else if STUNS.map(addr).contains(&path.remote) {
            let request = Message::parse(&bytes).unwrap();
            assert_eq!(request.method(), Method::BINDING);
            let mut response = Vec::new();
            Writer::new(&mut response, Class::Success, Method::BINDING, request.transaction_id())
                .attribute(&XorMappedAddress(outside));
            self.hear(path, &response);
        } else {
            self.direct.push((path, bytes));
        }
    }

    fn server_sent(&mut self, path: Path, bytes: Vec<u8>) {
        // From the relay's listener it is for us, from a relayed address for a peer.
        match self.inside(path.remote).filter(|_| path.local == addr(SERVER)) {
            Some(local) => self.hear(Path { local, remote: path.local, ..path }, &bytes),
            None if path.local == addr(SERVER) => {
                let here = Path { local: path.remote, remote: path.local, ..path };
                self.hear(here, &bytes);
            }
            None => self.relayed.push_back((path, bytes)),
        }
    }

    /// The gatherer hears `bytes`.
    pub(crate) fn hear(&mut self, path: Path, bytes: &[u8]) {
        let mut payload = bytes.to_vec();
        let received = self.gatherer.receive(self.world.now, path, &mut payload);
        if let Received::From { local, remote, payload } = received {
            self.received.push((local, remote, payload.to_vec()));
        }
    }

    /// A peer sends to a relayed address.
    pub(crate) fn peer_sends(&mut self, peer: &str, relayed: SocketAddr, bytes: &[u8]) {
        let path = Path { transport: Transport::Udp, local: relayed, remote: addr(peer) };
        self.world.receive(path, bytes);
        self.settle();
    }

    pub(crate) fn answer(&mut self, want: Want) {
        let port = self.next_port;
        self.next_port += u16::from(!self.shares_port);
        let answer = match want {
            Want::Bind { id, local, .. } | Want::Listen { id, local, .. } => {
                Answer::Bound { id, local: SocketAddr::new(local, port) }
            }
            Want::Join { id, interface, group } => {
                Answer::Bound { id, local: SocketAddr::new(interface, group.port()) }
            }
            Want::Gateway { id, .. } if self.gateway.is_some() => {
                Answer::Gateway { id, gateway: GATEWAY.into() }
            }
            Want::Gateway { id, .. } => Answer::Failed { id, error: WantError::NoGateway },
            Want::Resolve { id, name } => match self.names.get(&name) {
                Some(addresses) => Answer::Resolved { id, addresses: addresses.clone() },
                None => Answer::Failed { id, error: WantError::NoAddress },
            },
            Want::Connect { id, .. } if self.refuses_streams => {
                let error = WantError::Io(std::io::ErrorKind::ConnectionRefused);
                Answer::Failed { id, error }
            }
            Want::Connect { id, transport, local, remote, .. } => {
                let mut local = local.unwrap();
                if local.port() == 0 {
                    local.set_port(port);
                }
                Answer::Connected { id, path: Path { transport, local, remote } }
            }
            _ => return,
        };
        self.gatherer.handle_answer(self.world.now, answer);
    }

    pub(crate) fn tell(&mut self, answer: Answer) {
        self.gatherer.handle_answer(self.world.now, answer);
        self.settle();
    }

    /// A server in the place of the one before, which knows nothing of what was.
    pub(crate) fn restart_server(&mut self) {
        let now = self.world.now;
        self.world = World::with_seed(relay(), [8; 32]);
        self.world.now = now;
    }

    pub(crate) fn send(
        &mut self,
        local: LocalId,
        remote: &str,
        bytes: &[u8],
    ) -> Result<(), SendError> {
        let sent = self.gatherer.send(self.world.now, local, addr(remote), bytes);
        self.settle();
        sent
    }

    /// Lets time pass, firing every timer of both at its own instant.
    pub(crate) fn elapse(&mut self, span: Duration) {
        let until = self.world.now + span;
        loop {
            let due = [self.gatherer.poll_timeout(), self.world.deadline];
            let Some(due) = due.into_iter().flatten().min().filter(|due| *due <= until) else {
                break;
            };
            self.world.elapse(due.saturating_duration_since(self.world.now));
            self.settle();
        }
        self.world.elapse(until - self.world.now);
        self.settle();
    }

    pub(crate) fn candidates(&self) -> Vec<(LocalId, Candidate)> {
        let mut told = Vec::new();
        for event in &self.events {
            if let Event::Candidate { id, candidate, .. } = event {
                told.push((*id, candidate.clone()));
            }
        }
        told
    }

    pub(crate) fn of_kind(&self, kind: CandidateType) -> Vec<(LocalId, SocketAddr)> {
        let candidates = self.candidates().into_iter().filter(|(_, it)| it.kind == kind);
        candidates.map(|(id, it)| (id, it.socket_address().unwrap())).collect()
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        let is_problem = |event: &Event| match event {
            Event::Error(problem) => Some(problem.clone()),
            _ => None,
        };
        self.events.iter().filter_map(is_problem).collect()
    }

    pub(crate) fn gone(&self) -> Vec<LocalId> {
        let is_gone = |event: &Event| match event {
            Event::Gone(id) => Some(*id),
            _ => None,
        };
        self.events.iter().filter_map(is_gone).collect()
    }

    /// The sockets that were wanted and not closed.
    pub(crate) fn open(&self) -> BTreeSet<WantId> {
        let mut open = BTreeSet::new();
        for want in &self.wants {
            match want {
                Want::Bind { id, .. } | Want::Join { id, .. } => open.insert(*id),
                Want::Close { id } => open.remove(id),
                _ => false,
            };
        }
        open
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.events.contains(&Event::Complete)
    }

    pub(crate) fn listeners(&self) -> Vec<WantId> {
        let is_listener = |want: &Want| match want {
            Want::Listen { id, .. } => Some(*id),
            _ => None,
        };
        self.wants.iter().filter_map(is_listener).collect()
    }

    pub(crate) fn hung_up(&self) -> Vec<Path> {
        let is_it = |want: &Want| match want {
            Want::HangUp { path } => Some(*path),
            _ => None,
        };
        self.wants.iter().filter_map(is_it).collect()
    }

    pub(crate) fn allocations_asked(&self) -> usize {
        let is_it =
            |bytes: &[u8]| Message::parse(bytes).is_ok_and(|it| it.method() == Method::ALLOCATE);
        self.sent.iter().filter(|(_, _, bytes)| is_it(bytes)).count()
    }
}
