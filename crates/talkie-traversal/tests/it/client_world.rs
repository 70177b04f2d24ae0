//! The client machine opposite the server machine, in virtual time, with a hand in between.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::{
    Datagram, Genesis, Machine as _, Path, Sink, Transmit, Transport, conformance, drain,
};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::turn::client::{Client, Config, Event};
use talkie_traversal::turn::server;

use crate::turn_world::{SERVER, World, addr};

pub(crate) const HERE: &str = "198.51.100.7:1000";

/// One client of a [`World`].
pub(crate) struct Pair {
    pub(crate) world: World,
    pub(crate) client: Client,
    pub(crate) events: Vec<Event>,
    /// What the client sent, in order, with the time since the start.
    pub(crate) sent: Vec<(Duration, Vec<u8>)>,
    /// What the server sent to peers.
    pub(crate) to_peers: VecDeque<(Path, Vec<u8>)>,
    /// Whether the way from client to server is open.
    pub(crate) is_up: bool,
    /// Changes what the server says before the client hears it.
    pub(crate) tamper: fn(&mut Vec<u8>),
    born: Instant,
    deadline: Option<Instant>,
}

#[derive(Default)]
struct Out {
    sent: Vec<(Path, Vec<u8>)>,
    events: Vec<Event>,
}

impl Sink<Client> for Out {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.sent.push((transmit.path, payload.to_vec()));
    }

    fn event(&mut self, _now: Instant, _client: &mut Client, event: Event) {
        self.events.push(event);
    }
}

pub(crate) fn path(transport: Transport) -> Path {
    Path { transport, local: addr(HERE), remote: addr(SERVER) }
}

pub(crate) fn ann() -> Option<LongTerm> {
    Some(LongTerm::new("ann", "pass").unwrap())
}

impl Pair {
    pub(crate) fn new(server: server::Config, client: Config) -> Self {
        Self::with(World::new(server), Transport::Udp, ann(), client)
    }

    pub(crate) fn with(
        world: World,
        transport: Transport,
        credential: Option<LongTerm>,
        config: Config,
    ) -> Self {
        // Another client in a world that has had one draws other ids.
        let seed = [world.events.len() as u8; 32];
        let genesis = Genesis { now: world.now, seed, ..conformance::genesis() };
        Self {
            client: Client::new(&genesis, path(transport), credential, config),
            born: world.now,
            world,
            events: Vec::new(),
            sent: Vec::new(),
            to_peers: VecDeque::new(),
            is_up: true,
            tamper: |_| {},
            deadline: None,
        }
    }

    /// An allocation that is there; its relayed address.
    pub(crate) fn allocated(server: server::Config) -> (Self, SocketAddr) {
        let mut pair = Self::new(server, Config::default());
        pair.settle();
        let Event::Allocated { relayed, .. } = pair.events.remove(0) else {
            panic!("no allocation: {:?}", pair.events);
        };
        (pair, relayed)
    }

    pub(crate) fn now(&self) -> Instant {
        self.world.now
    }

    /// Passes messages until both are silent.
    pub(crate) fn settle(&mut self) {
        loop {
            let mut out = Out::default();
            self.deadline = drain(&mut self.client, self.world.now, &mut Vec::new(), &mut out);
            self.events.append(&mut out.events);
            for (path, bytes) in out.sent {
                self.sent.push((self.world.now - self.born, bytes.clone()));
                if self.is_up {
                    let there = Path { local: path.remote, remote: path.local, ..path };
                    self.world.receive(there, &bytes);
                }
            }
            if self.world.sent.is_empty() {
                return;
            }
            while let Some((path, mut bytes)) = self.world.sent.pop_front() {
                if path.remote == addr(HERE) {
                    (self.tamper)(&mut bytes);
                    let here = Path { local: path.remote, remote: path.local, ..path };
                    self.hear(here, &bytes);
                } else {
                    self.to_peers.push_back((path, bytes));
                }
            }
        }
    }

    /// The client hears `bytes`.
    pub(crate) fn hear(&mut self, path: Path, bytes: &[u8]) {
        let mut payload = bytes.to_vec();
        let datagram = Datagram { path, payload: &mut payload };
        self.client.handle_datagram(self.world.now, datagram);
    }

    /// A peer sends to the relay's socket.
    pub(crate) fn peer_sends(&mut self, peer: &str, bytes: &[u8]) {
        let local = self.world.open_relays()[0];
        let path = Path { transport: Transport::Udp, local, remote: addr(peer) };
        self.world.receive(path, bytes);
        self.settle();
    }

    /// Lets time pass, firing every timer of both at its own instant.
    pub(crate) fn elapse(&mut self, span: Duration) {
        let until = self.world.now + span;
        loop {
            let due = [self.deadline, self.world.deadline].into_iter().flatten().min();
            let Some(due) = due.filter(|due| *due <= until) else {
                break;
            };
            self.world.elapse(due.saturating_duration_since(self.world.now));
            self.settle();
        }
        let rest = until - self.world.now;
        self.world.elapse(rest);
        self.settle();
    }

    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}
