//! A gatherer whose servers, peers, driver, application and clock are the input: it never panics, never
//! asks to be woken in the past, tells nothing that it must not, and holds no more than its bounds.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::{Answer, Interface, Path, Transport, Want, WantError, WantId, conformance};
use talkie_traversal::ice::CandidateType;
use talkie_traversal::ice::gather::{
    Config, Event, Gatherer, LocalId, Policy, PortMapping, Received, Server, Tcp,
};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::stun::{Class, Message};

use super::input::Input;
use super::turn_client::respond;

/// What the driver has, and what it has been asked for.
struct World {
    gatherer: Gatherer,
    now: Instant,
    policy: Policy,
    wants: VecDeque<Want>,
    listeners: Vec<(WantId, SocketAddr)>,
    paths: BTreeSet<Path>,
    requests: Vec<(Path, Vec<u8>)>,
    known: BTreeSet<LocalId>,
    told: usize,
}

fn address(byte: u8) -> IpAddr {
    match byte % 6 {
        5 => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7]),
        host => IpAddr::from([10, 0, 0, host + 1]),
    }
}

fn peer(byte: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, byte % 8], 5000 + u16::from(byte)))
}

fn config(shape: u8) -> Config {
    let server = |uri: &str| {
        let credential = LongTerm::new("user", "password").expect("a plain name and password");
        Server { uri: uri.parse().expect("a URI"), credential: Some(credential) }
    };
    let servers = [
        "stun:198.51.100.1",
        "stun:stun.example",
        "turn:198.51.100.2",
        "turn:198.51.100.2?transport=tcp",
        "turns:turn.example",
    ];
    Config {
        servers: servers.map(server).into(),
        policy: if shape & 1 == 0 { Policy::All } else { Policy::Relay },
        tcp: [Tcp::Off, Tcp::Active, Tcp::Passive, Tcp::SimultaneousOpen]
            [usize::from(shape >> 1 & 3)],
        predict: usize::from(shape >> 3 & 15),
        portmap: if shape & 128 == 0 { PortMapping::Off } else { PortMapping::Routed },
        external: vec![(address(0), IpAddr::from([203, 0, 113, 1]))],
        streams: 4,
        queue: 16,
        addresses: 3,
        allocations: 4,
        ..Config::default()
    }
}

impl World {
    fn drain(&mut self) {
        let mut sent = 0;
        loop {
            let mut buf = Vec::new();
            if let Some(transmit) = self.gatherer.poll_transmit(&mut buf) {
                sent += 1;
                assert!(sent < 600, "no end of datagrams");
                assert_eq!(transmit.len, buf.len());
                self.paths.insert(transmit.path);
                let is_request = Message::parse(&buf).is_ok_and(|it| it.class() == Class::Request);
                if is_request {
                    self.requests.push((transmit.path, buf));
                }
            } else if let Some(want) = self.gatherer.poll_want() {
                self.wants.push_back(want);
            } else if let Some(event) = self.gatherer.poll_event() {
                self.told += 1;
                self.judge(event);
            } else if self.gatherer.poll_timeout().is_some_and(|at| at <= self.now) {
                self.gatherer.handle_timeout(self.now);
                let deadline = self.gatherer.poll_timeout();
                assert!(deadline.is_none_or(|at| at > self.now), "it wakes in the past");
            } else {
                return;
            }
        }
    }

    fn judge(&mut self, event: Event) {
        match event {
            Event::Candidate { id, candidate, .. } => {
                let is_relayed = candidate.kind == CandidateType::Relayed;
                assert!(is_relayed || self.policy == Policy::All, "{candidate:?} is told");
                self.known.insert(id);
                assert!(self.known.len() < 64, "no end of bases");
            }
            Event::Withdrawn { id, .. } => assert!(self.known.contains(&id), "{id:?} is gone"),
            Event::Gone(id) => assert!(self.known.remove(&id), "{id:?} was not there"),
            _ => {}
        }
    }

    /// Answers the oldest want as the input says.
    fn answer(&mut self, shape: u8) {
        let Some(want) = self.wants.pop_front() else { return };
        let port = 40_000 + u16::from(shape);
        let answer = match want {
            Want::Bind { id, .. }
            | Want::Join { id, .. }
            | Want::Listen { id, .. }
            | Want::Connect { id, .. }
            | Want::Gateway { id, .. }
                if shape & 7 == 0 =>
            {
                Answer::Failed { id, error: WantError::Unsupported }
            }
            Want::Bind { id, local, .. } => {
                Answer::Bound { id, local: SocketAddr::new(local, port) }
            }
            Want::Join { id, interface, group } => {
                Answer::Bound { id, local: SocketAddr::new(interface, group.port()) }
            }
            Want::Gateway { id, .. } => Answer::Gateway { id, gateway: address(4) },
            Want::Listen { id, local, .. } => {
                let local = SocketAddr::new(local, port);
                self.listeners.push((id, local));
                Answer::Bound { id, local }
            }
            Want::Connect { id, transport, remote, local, .. } => {
                let mut local = local.expect("it names where from");
                local.set_port(port);
                Answer::Connected { id, path: Path { transport, local, remote } }
            }
            Want::Resolve { id, .. } if shape & 1 == 0 => {
                Answer::Resolved { id, addresses: vec![peer(shape).ip(); 20] }
            }
            Want::Resolve { id, .. } => Answer::Failed { id, error: WantError::NoAddress },
            _ => return,
        };
        self.gatherer.handle_answer(self.now, answer);
    }

    fn hear(&mut self, path: Path, bytes: &[u8]) {
        let mut payload = bytes.to_vec();
        let received = self.gatherer.receive(self.now, path, &mut payload);
        if let Received::From { payload, .. } = received {
            assert!(payload.len() <= bytes.len());
        }
    }

    fn accept(&mut self, from: u8) {
        let Some((id, local)) = self.listeners.get(usize::from(from) % 3).copied() else { return };
        let path = Path { transport: Transport::Tcp, local, remote: peer(from) };
        self.paths.insert(path);
        self.gatherer.handle_answer(self.now, Answer::Accepted { id, path });
    }

    fn path(&self, byte: u8) -> Option<Path> {
        let index = usize::from(byte) % self.paths.len().max(1);
        self.paths.iter().nth(index).copied()
    }
}

pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let shape = input.byte();
    let config = config(shape);
    let genesis = conformance::genesis();
    let policy = config.policy;
    let mut world = World {
        gatherer: Gatherer::new(&genesis, config),
        now: genesis.now,
        policy,
        wants: VecDeque::new(),
        listeners: Vec::new(),
        paths: BTreeSet::new(),
        requests: Vec::new(),
        known: BTreeSet::new(),
        told: 0,
    };
    while !input.0.is_empty() {
        step(&mut world, &mut input);
    }
}

fn step(world: &mut World, input: &mut Input<'_>) {
    let choice = input.byte();
    let now = world.now;
    match choice % 11 {
        0 => {
            if choice > 192 {
                // What waits to be told was found under the policy of before.
                world.drain();
                let shape = input.byte();
                let mut servers = config(shape).servers;
                servers.rotate_left(usize::from(shape >> 1) % 5);
                servers.truncate(usize::from(shape >> 4) % 6);
                world.policy = config(shape).policy;
                world.gatherer.set_servers(servers, world.policy).expect("no socket is shared");
            }
            world.gatherer.gather(now, "frag");
        }
        1 => {
            let interface = |byte: &u8| Interface::new("eth0", address(*byte));
            let count = usize::from(input.byte() % 5);
            let interfaces: Vec<_> = input.bytes(count).iter().map(interface).collect();
            world.gatherer.handle_interfaces(now, &interfaces);
        }
        2 | 3 => world.answer(input.byte()),
        4 | 5 => {
            if let Some((path, request)) = world.requests.pop() {
                let request = Message::parse(&request).expect("it parsed before");
                let bytes = respond(input, &request);
                world.hear(path, &bytes);
            }
        }
        6 => {
            if let Some(path) = world.path(input.byte()) {
                world.hear(path, input.block());
            }
        }
        7 => {
            let to = peer(input.byte());
            let ids: Vec<_> = world.known.iter().copied().collect();
            for id in ids {
                let _ = world.gatherer.send(now, id, to, input.bytes(20));
            }
        }
        8 => {
            let to = peer(input.byte());
            if let Some(id) = world.known.first().copied() {
                world.gatherer.bind(now, id, to);
            }
            if let Some(path) = world.path(input.byte()) {
                world.gatherer.handle_answer(now, Answer::Closed { path });
            }
        }
        9 => world.accept(input.byte()),
        _ if choice > 250 => world.gatherer.close(now),
        _ => world.now += Duration::from_millis(u64::from(input.byte()).pow(2)),
    }
    let before = world.told;
    // Now and then nobody drains.
    if choice & 32 == 0 {
        world.drain();
        assert!(world.told - before < 200, "no end of events");
    }
}
