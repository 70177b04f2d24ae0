//! Where we may be reached: gathering candidates (RFC 8445 §5.1.1) and sending from them.
//!
//! A [`Gatherer`] opens a UDP socket on each usable address of this host and asks, from all of them and
//! all servers at the same time, how the sockets look from outside and for relayed addresses. Each
//! answer becomes a candidate at once; [`Event::Complete`] says that nothing more will come. What it
//! needs of the outside (sockets, connections, names) it says by [`poll_want`](Gatherer::poll_want).
//!
//! Packets leave from a base: a socket, a TCP port or an allocation, named by a [`LocalId`] that the
//! candidates carry. [`send`](Gatherer::send) hides what lies between (permissions, channels,
//! connections, framing), [`receive`](Gatherer::receive) takes what servers say and tells of all else
//! from which base and peer it came.
//!
//! Behind a NAT that gives each remote another port the next ones may be [guessed](Config::predict), and a
//! gateway may be [asked](Config::portmap) for a port; both become server-reflexive candidates.
//!
//! Addresses that come and go are followed: a new one gets a socket and its candidates, the candidates
//! of one that is lost are [`Gone`](Event::Gone). An allocation that the server lost is asked for again.

mod addresses;
mod config;
mod emit;
mod event;
mod framing;
mod gateway;
mod guess;
mod problem;
mod reflexive;
mod relay;
mod renewed;
mod server;
mod socket;
mod stage;
mod stream;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::{Answer, Genesis, Interface, Path, Transmit, Transport, Want, WantId};

pub use config::{
    Config, Families, Filter, Policy, PortMapping, Server, ServerError, SetServersError, Tcp,
};
pub use event::{Event, Received};
pub use problem::{Problem, SendError};

use self::emit::Emitted;
use self::gateway::Doors;
use self::reflexive::Query;
use self::relay::{Leg, LegId};
use self::renewed::Renewed;
use self::server::Asked;
use self::socket::Socket;
use self::stage::{Stage, Start};
use self::stream::{Streams, TcpBase};

/// Names what packets leave from: a socket, a TCP port or an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalId(u32);

/// Gathers candidates and sends from them.
#[derive(Debug)]
pub struct Gatherer {
    config: Config,
    rng: ChaCha20Rng,
    /// The wall clock's part of the genesis of children.
    genesis: Genesis,
    username_fragment: String,
    stage: Stage,
    interfaces: Option<Vec<Interface>>,
    /// Local addresses in use, and their place among each other: 0 is tried first.
    ranks: BTreeMap<IpAddr, u16>,
    /// Boxed, since a node of a map has room for eleven and most agents have one.
    sockets: BTreeMap<LocalId, Box<Socket>>,
    names: BTreeMap<String, server::Name>,
    asked: Vec<Asked>,
    starts: VecDeque<Start>,
    /// When the next transaction may begin.
    next_start: Instant,
    queries: Vec<Query>,
    legs: BTreeMap<LegId, Leg>,
    tcp: BTreeMap<LocalId, TcpBase>,
    streams: Streams,
    doors: Doors,
    emitted: Emitted,
    last_id: u32,
    last_want: u64,
    wants: VecDeque<Want>,
    events: VecDeque<Event>,
    outbox: VecDeque<(Path, Vec<u8>)>,
    renewed: Option<Box<Renewed>>,
    /// Whether its UDP sockets are others' as well.
    shares_sockets: bool,
    /// Whether our own addresses are told no more, and what goes there goes on.
    is_closing_up: bool,
    deadline: Option<Instant>,
}

/// How long servers are waited for when all is given back.
const CLOSING: Duration = Duration::from_secs(2);

impl Gatherer {
    /// A gatherer that does nothing yet.
    #[must_use]
    pub fn new(genesis: &Genesis, config: Config) -> Self {
        let config = config.bounded();
        let mut rng = ChaCha20Rng::from_seed(genesis.seed);
        let mut secret = [0; 16];
        rng.fill_bytes(&mut secret);
        Self {
            rng,
            genesis: genesis.clone(),
            username_fragment: String::new(),
            stage: Stage::New,
            interfaces: None,
            ranks: BTreeMap::new(),
            sockets: BTreeMap::new(),
            names: BTreeMap::new(),
            asked: vec![Asked::default(); config.servers.len()],
            starts: VecDeque::new(),
            next_start: genesis.now,
            queries: Vec::new(),
            legs: BTreeMap::new(),
            tcp: BTreeMap::new(),
            streams: Streams::default(),
            doors: Doors::default(),
            emitted: Emitted::new(secret),
            last_id: 0,
            last_want: 0,
            wants: VecDeque::new(),
            events: VecDeque::new(),
            outbox: VecDeque::new(),
            renewed: None,
            shares_sockets: false,
            is_closing_up: false,
            deadline: None,
            config,
        }
    }

    /// Gathers candidates with this user name fragment. Called again after an ICE restart, it tells the
    /// candidates of the sockets and allocations that are there, and asks again whom it could not reach.
    pub fn gather(&mut self, now: Instant, username_fragment: &str) {
        if self.is_closed() {
            return;
        }
        username_fragment.clone_into(&mut self.username_fragment);
        self.apply_renewed(now);
        self.stage = Stage::Gathering { until: now + self.config.limit };
        self.tell_again();
        self.forget_lost_legs();
        self.forget_failures();
        self.resolve_names();
        self.follow_addresses(now);
        self.settle(now);
    }

    /// All addresses of this host: before gathering and whenever they change. The same ones again mean
    /// that the host may have slept: servers are asked whether what they gave is still there.
    pub fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]) {
        if self.interfaces.as_deref() == Some(interfaces) && self.stage == Stage::Complete {
            self.renew_mappings_now(now);
            self.verify_legs(now);
        }
        self.interfaces = Some(interfaces.to_vec());
        self.doors.handle_interfaces(now, interfaces);
        if matches!(self.stage, Stage::Gathering { .. } | Stage::Complete) {
            self.follow_addresses(now);
        }
        self.settle(now);
    }

    /// The addresses that it was told last.
    pub(super) fn interfaces(&self) -> &[Interface] {
        self.interfaces.as_deref().unwrap_or_default()
    }

    /// What has come of a want.
    pub fn handle_answer(&mut self, now: Instant, answer: Answer) {
        if self.door_answered(now, &answer) {
            return self.settle(now);
        }
        match answer {
            Answer::Bound { id, local } => self.bound(id, local),
            Answer::Connected { id, path } => self.connected(now, id, path),
            Answer::Accepted { id, path } => self.accepted(now, id, path),
            Answer::Resolved { id, addresses } => self.resolved(id, addresses),
            Answer::Failed { id, error } => self.want_failed(now, id, &error),
            Answer::Closed { path } => self.stream_closed(now, path),
            _ => {}
        }
        self.settle(now);
    }

    /// Takes a datagram of one of the sockets or streams: what servers say is dealt with, a peer's is
    /// handed back without what relay and stream have put around it.
    pub fn receive<'p>(&mut self, now: Instant, path: Path, payload: &'p mut [u8]) -> Received<'p> {
        if self.doors.receive(now, path, payload) {
            self.settle(now);
            return Received::Taken;
        }
        if let Some(leg) = self.leg_of(path) {
            if self.answers_query(now, path, payload) {
                self.settle(now);
                return Received::Taken;
            }
            return self.receive_relayed(now, leg, path, payload);
        }
        if path.transport != Transport::Udp {
            return self.receive_framed(path, payload);
        }
        // Its socket may be none for peers.
        if self.answers_query(now, path, payload) {
            self.settle(now);
            return Received::Taken;
        }
        let Some(local) = self.socket_at(path.local) else { return Received::Dropped };
        if self.config.policy == Policy::Relay && !self.is_closing_up {
            // Who reaches us directly gets no answer that would tell him so.
            return Received::Dropped;
        }
        Received::From { local, remote: path.remote, payload }
    }

    /// Sends to a peer from a base. Over a relay it asks for the permission, from an active TCP
    /// candidate it connects, and keeps a few packets until that is done.
    ///
    /// # Errors
    /// If it cannot go now or never.
    pub fn send(
        &mut self,
        now: Instant,
        local: LocalId,
        remote: SocketAddr,
        payload: &[u8],
    ) -> Result<(), SendError> {
        if self.is_closed() {
            return Err(SendError::NoBase);
        }
        if let Some(socket) = self.sockets.get(&local) {
            let from = socket.local.ok_or(SendError::NoBase)?;
            if from.is_ipv4() != remote.is_ipv4() {
                return Err(SendError::Unreachable);
            }
            let path = Path { transport: Transport::Udp, local: from, remote };
            self.put(path, payload.to_vec())?;
            if self.config.predict > 0 {
                self.note_sent(now, local, remote, false);
            }
            return Ok(());
        }
        let result = if self.tcp.contains_key(&local) {
            self.send_framed(now, local, remote, payload)
        } else {
            self.send_relayed(now, local, remote, payload)
        };
        self.schedule();
        result
    }

    /// Has a relay let peers through before anything is sent to them, so that the first packet need not wait for
    /// it. Nothing happens elsewhere.
    pub fn permit(&mut self, now: Instant, local: LocalId, peers: &[IpAddr]) {
        self.permit_relayed(now, local, peers);
        self.settle(now);
    }

    /// Makes sending over a relay to this peer cheaper: by a channel. Nothing happens elsewhere.
    pub fn bind(&mut self, now: Instant, local: LocalId, remote: SocketAddr) {
        self.bind_relayed(now, local, remote);
        self.settle(now);
    }

    /// Gives back what servers hold for us, then closes all sockets.
    pub fn close(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.stage = Stage::Closing { until: now + CLOSING };
        self.queries.clear();
        self.starts.clear();
        self.close_tcp();
        self.close_legs(now);
        self.settle(now);
    }

    /// Whether [`close()`](Self::close) was called.
    fn is_closed(&self) -> bool {
        matches!(self.stage, Stage::Closing { .. } | Stage::Closed)
    }

    /// The next thing that it needs.
    pub fn poll_want(&mut self) -> Option<Want> {
        self.wants.pop_front()
    }

    /// The next thing that it tells.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        // Gathering tells a dozen at once, and then hardly anything comes any more.
        if self.events.is_empty() && self.stage == Stage::Complete {
            self.events.shrink_to_fit();
            self.emitted.shrink();
        }
        Some(event)
    }

    /// Appends the next datagram to `buf`.
    pub fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let mut queries = self.queries.iter_mut();
        if let Some(transmit) = queries.find_map(|query| query.transaction.poll_transmit(buf)) {
            return Some(transmit);
        }
        if let Some(transmit) = self.legs.values_mut().find_map(|leg| leg.poll_transmit(buf)) {
            return Some(transmit);
        }
        if let Some(transmit) = self.doors.poll_transmit(buf) {
            return Some(transmit);
        }
        let (path, bytes) = self.outbox.pop_front()?;
        buf.extend_from_slice(&bytes);
        Some(Transmit { path, len: bytes.len() })
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.time_out_queries(now);
        self.time_out_legs(now);
        self.time_out_streams(now);
        self.doors.handle_timeout(now);
        self.settle(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Queues a datagram.
    fn put(&mut self, path: Path, bytes: Vec<u8>) -> Result<(), SendError> {
        if self.outbox.len() >= self.config.queue {
            return Err(SendError::Full);
        }
        self.outbox.push_back((path, bytes));
        Ok(())
    }

    fn new_id(&mut self) -> LocalId {
        self.last_id += 1;
        LocalId(self.last_id)
    }

    fn new_want(&mut self) -> WantId {
        self.last_want += 1;
        WantId(self.last_want)
    }

    fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        seed
    }
}

const _: fn() = || {
    fn assert_send<T: Send>() {}
    assert_send::<Gatherer>();
};
