//! A network in virtual time: hosts, links, routers and NATs, from a seed.
//!
//! A host is anything that speaks [`Machine`]; the network knows no protocol above UDP and TCP. Boxes
//! form a tree. At its top is the internet ([`Network::add_internet`]), which carries public addresses
//! only. Below it are routers, NATs and hosts, each attached by a [`Link`] of its own with delay, loss,
//! rate and whatever else makes life hard. Behind a NAT there may be more NATs, so that a home router
//! behind a provider's is two boxes. A host with two interfaces is attached twice.
//!
//! ```
//! use std::net::IpAddr;
//! use std::time::Duration;
//!
//! use talkie_sansio::conformance::genesis;
//! use talkie_sim::nat;
//! use talkie_sim::net::{Link, Network};
//! # use std::collections::VecDeque;
//! # use std::time::Instant;
//! # use talkie_sansio::{Datagram, Machine, Path, Transmit, Transport};
//! # /// Sends back what it gets and tells of it.
//! # #[derive(Default)]
//! # struct Echo { out: VecDeque<(Path, Vec<u8>)>, seen: VecDeque<Path>, answers: bool }
//! # impl Machine for Echo {
//! #     type Event = Path;
//! #     fn handle_datagram(&mut self, _now: Instant, datagram: Datagram<'_>) {
//! #         self.seen.push_back(datagram.path);
//! #         if self.answers { self.out.push_back((datagram.path, datagram.payload.to_vec())); }
//! #     }
//! #     fn handle_timeout(&mut self, _now: Instant) {}
//! #     fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
//! #         let (path, payload) = self.out.pop_front()?;
//! #         buf.extend_from_slice(&payload);
//! #         Some(Transmit { path, len: payload.len() })
//! #     }
//! #     fn poll_event(&mut self) -> Option<Path> { self.seen.pop_front() }
//! #     fn poll_timeout(&self) -> Option<Instant> { None }
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//!
//! let ip = |text: &str| text.parse::<IpAddr>();
//! let mut network = Network::new(&genesis());
//! let internet = network.add_internet("internet");
//! // A server on the internet, and somebody at home.
//! let server = network.add_host("server", Echo { answers: true, ..Echo::default() });
//! network.attach(server, internet, Link::default(), [ip("198.51.100.1")?]);
//! let config = nat::Config::port_restricted_cone([ip("192.0.2.1")?]);
//! let home = network.add_nat("home", internet, Link::with_delay(Duration::from_millis(10)), config);
//! let ada = network.add_host("ada", Echo::default());
//! network.attach(ada, home, Link::default(), [ip("10.0.0.2")?]);
//! network.record(1000);
//!
//! // Whatever is done to a machine is done by `call`, which then sends what the machine has to send.
//! let path = Path {
//!     transport: Transport::Udp,
//!     local: "10.0.0.2:5000".parse()?,
//!     remote: "198.51.100.1:3478".parse()?,
//! };
//! network.call(ada, |machine, _now| machine.out.push_back((path, b"hello".to_vec())));
//! network.run_for(Duration::from_secs(1));
//!
//! // The server saw what the NAT made of Ada's address, and its answer came back to her.
//! assert_eq!(network.poll_event(server).map(|path| path.remote), Some("192.0.2.1:5000".parse()?));
//! assert_eq!(network.poll_event(ada), Some(path));
//! assert_eq!(network.rows(home).len(), 1);
//! let story: Vec<String> = network.trace().entries().map(|entry| entry.what.to_string()).collect();
//! assert_eq!(story[1], "translated (out) to 192.0.2.1:5000 > 198.51.100.1:3478");
//! # Ok(())
//! # }
//! ```
//!
//! # Which address a machine sends from
//! [`Path::local`] says so. If its address is unspecified (`0.0.0.0`, `::`), the packet leaves by the
//! host's first interface that is up and has an address of the family, with that address. A packet from an
//! address that the host does not have is dropped ([`Cause::NoSuchAddress`](crate::trace::Cause)). What
//! arrives has the address that it was sent to as `local`, never an unspecified one. All ports of a host
//! are its machine's.
//!
//! # TCP and TLS
//! A path of another transport than UDP is a reliable stream of messages. The host that is to take
//! connections must [`listen`](Network::listen); sending, or [`connect`](Network::connect), opens one.
//! [`poll_stream`](Network::poll_stream) tells of connections that open and end.
//!
//! # Time and chance
//! Time stands still while machines work and jumps from one happening to the next. The same seed, the
//! same calls and the same machines give the same packets at the same nanoseconds: each link and each NAT
//! has its own generator, seeded by the network's in the order in which they are added.

mod change;
mod counters;
mod courier;
mod dice;
mod fabric;
mod handles;
mod hosted;
mod link;
mod multicast;
mod pool;
mod queue;
mod routes;
mod seat;
mod stream;
mod translation;

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::{Genesis, Machine, Path, Transport};

pub use change::Change;
pub use counters::Counters;
pub use courier::{Courier, Post};
pub use handles::{Attachment, Host, NatBox, NodeId, Place, Router};
pub use hosted::Resolver;
pub use link::{Duplex, Link, Loss, Oversize, Reordering};
pub use pool::Content;
pub use stream::{End, StreamEvent};

use crate::nat::{self, Nat, Prefix, Row};
use crate::trace::Trace;
pub(crate) use dice::Dice;
use fabric::{Fabric, Happening, Kind};
use hosted::{Names, Voice};
pub(crate) use link::nanos;
use pool::Pool;
use queue::Queue;
use seat::{Answer, Chair, Seat};
use stream::{Parcel, Ports, Streams};

/// A network in virtual time. See the [module documentation](self).
pub struct Network {
    fabric: Fabric,
    /// By node; `None` for what is no host.
    seats: Vec<Option<Box<dyn Seat>>>,
    /// When each node's machine is to be woken, `u64::MAX` if not.
    wakes: Vec<u64>,
    changes: Vec<Option<Change>>,
    unix: Duration,
    rng: ChaCha8Rng,
    buf: Vec<u8>,
}

impl Network {
    /// A network without anything in it.
    #[must_use]
    pub fn new(genesis: &Genesis) -> Self {
        let mut rng = ChaCha8Rng::from_seed(genesis.seed);
        Self {
            fabric: Fabric {
                origin: genesis.now,
                now: 0,
                queue: Queue::new(),
                pool: Pool::default(),
                nodes: Vec::new(),
                attached: Vec::new(),
                trace: Trace::new(genesis.unix),
                counters: Counters::default(),
                streams: Streams::default(),
                names: Names::default(),
                gateways: Vec::new(),
                dice: Dice::new(rng.next_u64()),
            },
            seats: Vec::new(),
            wakes: Vec::new(),
            changes: Vec::new(),
            unix: genesis.unix,
            rng,
            buf: Vec::new(),
        }
    }

    /// For a machine that is born now. Each has a seed of its own, which follows from the network's.
    pub fn genesis(&mut self) -> Genesis {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        Genesis { now: self.now(), unix: self.unix + self.elapsed(), seed }
    }

    /// Adds a router that carries public addresses only: neither source nor destination may be private.
    pub fn add_internet(&mut self, name: &str) -> Router {
        Router(self.add_node(name, Kind::Router { is_internet: true }, None))
    }

    /// Adds a router that belongs to no other: a local network without the rest of the world.
    pub fn add_lan(&mut self, name: &str) -> Router {
        Router(self.add_node(name, Kind::Router { is_internet: false }, None))
    }

    /// Adds a router below `place`. It carries everything.
    pub fn add_router(
        &mut self,
        name: &str,
        place: impl Into<Place>,
        link: impl Into<Duplex>,
    ) -> Router {
        let id = self.add_node(name, Kind::Router { is_internet: false }, None);
        self.link_to(id, place.into(), link.into(), Vec::new());
        Router(id)
    }

    /// Adds a NAT below `place`, where it has the outside addresses of `config`. An address family
    /// without any is not translated: addresses inside are seen from outside, and filtered.
    pub fn add_nat(
        &mut self,
        name: &str,
        place: impl Into<Place>,
        link: impl Into<Duplex>,
        config: nat::Config,
    ) -> NatBox {
        self.add_translator(name, place.into(), link.into(), config, None)
    }

    /// Adds a NAT64 (RFC 6146) below `place`: an IPv6 host inside reaches an IPv4 host by the address of
    /// `prefix` that stands for it, and is seen at one of the IPv4 addresses of `config`. Other IPv6
    /// packets are handed on both ways, as by a router.
    pub fn add_nat64(
        &mut self,
        name: &str,
        place: impl Into<Place>,
        link: impl Into<Duplex>,
        config: nat::Config,
        prefix: Prefix,
    ) -> NatBox {
        self.add_translator(name, place.into(), link.into(), config, Some(prefix))
    }

    /// Adds a host, which is then to be attached. Its machine is polled when the network runs.
    pub fn add_host<M>(&mut self, name: &str, machine: M) -> Host<M>
    where
        M: Machine + Send + 'static,
        M::Event: Send,
    {
        self.seat(name, machine, None, None)
    }

    /// Adds a host whose machine's events are answered at once by `answer`, as a driver does that opens
    /// a socket; what it returns waits for [`poll_event`](Self::poll_event).
    pub fn add_answered_host<M>(
        &mut self,
        name: &str,
        machine: M,
        answer: impl FnMut(Instant, &mut M, M::Event) -> Option<M::Event> + Send + 'static,
    ) -> Host<M>
    where
        M: Machine + Send + 'static,
        M::Event: Send,
    {
        self.seat(name, machine, Some(Box::new(answer)), None)
    }

    /// Gives a host an interface with these addresses.
    pub fn attach<M>(
        &mut self,
        host: Host<M>,
        place: impl Into<Place>,
        link: impl Into<Duplex>,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Attachment {
        let addresses = addresses.into_iter().collect();
        self.link_to(host.0, place.into(), link.into(), addresses)
    }

    /// The link by which a NAT or router is attached; `None` at the top.
    #[must_use]
    pub fn uplink(&self, place: impl Into<Place>) -> Option<Attachment> {
        self.fabric.nodes[place.into().0 as usize].uplink.map(Attachment)
    }

    /// Changes the network now.
    pub fn change(&mut self, change: Change) {
        self.fabric.change(change);
    }

    /// Changes the network when that time has come.
    pub fn schedule(&mut self, at: Instant, change: Change) {
        let index = u32::try_from(self.changes.len()).expect("fewer than 2^32 changes");
        self.changes.push(Some(change));
        let at = nanos(at.saturating_duration_since(self.fabric.origin));
        self.fabric.queue.push(at.max(self.fabric.now), Happening::Change(index));
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.fabric.instant()
    }

    /// How long the network has been running.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.fabric.now)
    }

    /// A host's machine.
    #[must_use]
    pub fn machine<M: Machine + Send + 'static>(&self, host: Host<M>) -> &M
    where
        M::Event: Send,
    {
        &self.chair(host).machine
    }

    /// Does something to a host's machine, then sends what it has to send.
    pub fn call<M, R>(&mut self, host: Host<M>, act: impl FnOnce(&mut M, Instant) -> R) -> R
    where
        M: Machine + Send + 'static,
        M::Event: Send,
    {
        let now = self.now();
        let result = act(&mut self.chair_mut(host).machine, now);
        self.drain(host.0);
        result
    }

    /// The next event of a host's machine.
    pub fn poll_event<M>(&mut self, host: Host<M>) -> Option<M::Event>
    where
        M: Machine + Send + 'static,
        M::Event: Send,
    {
        self.chair_mut(host).events.pop_front()
    }

    /// How many events of a host's machine were lost since nobody took them.
    #[must_use]
    pub fn lost_events<M>(&self, host: Host<M>) -> u64
    where
        M: Machine + Send + 'static,
        M::Event: Send,
    {
        self.chair(host).lost_events
    }

    /// A NAT's table as of now, oldest mapping first.
    pub fn rows(&mut self, nat: NatBox) -> Vec<Row> {
        let now = self.now();
        let Kind::Nat { nat, .. } = &mut self.fabric.nodes[nat.0 as usize].kind else {
            return Vec::new();
        };
        nat.handle_timeout(now);
        nat.rows()
    }

    /// Holds a port of a NAT open for an address inside until then ([`Nat::forward`]); whether it can be had.
    pub fn forward(
        &mut self,
        nat: NatBox,
        protocol: nat::Kind,
        outside: SocketAddr,
        inside: SocketAddr,
        until: Instant,
    ) -> bool {
        let now = self.now();
        let Kind::Nat { nat, .. } = &mut self.fabric.nodes[nat.0 as usize].kind else {
            return false;
        };
        nat.forward(now, protocol, outside, inside, until)
    }

    /// Whether a host has this address now.
    #[must_use]
    pub fn has_address<M>(&self, host: Host<M>, address: IpAddr) -> bool {
        self.fabric.has_address(host.0, address)
    }

    /// Keeps what happens to packets from here on, the newest `most` entries; 0 keeps nothing, which is
    /// how a network begins.
    pub fn record(&mut self, most: usize) {
        self.fabric.trace.limit(most);
    }

    /// What happened to packets.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.fabric.trace
    }

    /// Forgets what happened to packets, and goes on recording.
    pub fn clear_trace(&mut self) {
        self.fabric.trace.clear();
    }

    /// What became of all packets.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.fabric.counters
    }

    /// How many packets are on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.fabric.pool.len()
    }

    /// When something happens next.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        let at = self.fabric.queue.next_at()?;
        Some(self.fabric.origin + Duration::from_nanos(at))
    }

    /// Lets the next thing happen, whenever that is; `false` if nothing ever will.
    pub fn step(&mut self) -> bool {
        let Some((at, happening)) = self.fabric.queue.pop() else { return false };
        self.fabric.now = self.fabric.now.max(at);
        self.fabric.counters.happenings += 1;
        match happening {
            Happening::Arrival { packet, attachment, up } => {
                if let Some(node) = self.fabric.arrive(packet, attachment, up) {
                    self.deliver(node, packet);
                }
            }
            Happening::Loopback { packet, node } => {
                if let Some(node) = self.fabric.deliver(node, None, packet) {
                    self.deliver(node, packet);
                }
            }
            Happening::Stream { index, generation } => self.fabric.wake_stream(index, generation),
            Happening::Wake { node } => {
                // An earlier call may have been answered by a later deadline.
                if self.wakes[node as usize] <= self.fabric.now {
                    self.wakes[node as usize] = u64::MAX;
                    self.fabric.counters.wakes += 1;
                    self.drain(node);
                }
            }
            Happening::Answer { node } => self.hand_answers(node),
            Happening::Interfaces { node } => self.hand_interfaces(node),
            Happening::Change(index) => {
                if let Some(change) = self.changes[index as usize].take() {
                    self.fabric.change(change);
                }
            }
        }
        while let Some((node, parcel)) = self.fabric.streams.inbox.pop_front() {
            self.hand_parcel(node, parcel);
        }
        true
    }

    /// Lets everything happen up to `until`, then it is `until`.
    pub fn run_until(&mut self, until: Instant) {
        let until = nanos(until.saturating_duration_since(self.fabric.origin));
        while self.fabric.queue.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.fabric.now = self.fabric.now.max(until);
    }

    /// Lets time go on.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.now() + span);
    }

    /// Lets time go on until `find` finds something, for `most` at the longest. `find` is asked after
    /// each thing that happens.
    pub fn run_until_some<T>(
        &mut self,
        most: Duration,
        mut find: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let until = self.now() + most;
        loop {
            if let Some(found) = find(self) {
                return Some(found);
            }
            if self.next_at().is_none_or(|at| at > until) {
                self.run_until(until);
                return None;
            }
            self.step();
        }
    }

    /// Lets time go on until a host's machine has an event, for `most` at the longest.
    pub fn run_until_event<M>(&mut self, host: Host<M>, most: Duration) -> Option<M::Event>
    where
        M: Machine + Send + 'static,
        M::Event: Send,
    {
        self.run_until_some(most, |network| network.poll_event(host))
    }

    fn add_node(&mut self, name: &str, kind: Kind, seat: Option<Box<dyn Seat>>) -> u32 {
        self.seats.push(seat);
        self.wakes.push(u64::MAX);
        self.fabric.add_node(name, kind)
    }

    fn seat<M>(
        &mut self,
        name: &str,
        machine: M,
        answer: Option<Answer<M>>,
        voice: Option<Voice<M>>,
    ) -> Host<M>
    where
        M: Machine + Send + 'static,
        M::Event: Send,
    {
        let chair = Chair { machine, events: VecDeque::new(), lost_events: 0, answer, voice };
        let kind = Kind::Host { interfaces: Vec::new(), ports: Ports::default(), hosting: None };
        let id = self.add_node(name, kind, Some(Box::new(chair)));
        self.wake(id, self.fabric.now);
        Host(id, PhantomData)
    }

    fn add_translator(
        &mut self,
        name: &str,
        place: Place,
        link: Duplex,
        config: nat::Config,
        prefix: Option<Prefix>,
    ) -> NatBox {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let outside = config.outside.clone();
        let nat = Box::new(Nat::new(config, seed));
        let id = self.add_node(name, Kind::Nat { nat, prefix }, None);
        self.link_to(id, place, link, outside);
        NatBox(id)
    }

    fn link_to(
        &mut self,
        child: u32,
        place: Place,
        link: Duplex,
        addresses: Vec<IpAddr>,
    ) -> Attachment {
        let rng = &mut self.rng;
        Attachment(self.fabric.attach(child, place.0, link, addresses, || rng.next_u64()))
    }

    fn deliver(&mut self, node: u32, id: u32) {
        let packet = self.fabric.pool.get_mut(id);
        let (local, remote) = (packet.destination, packet.source);
        let mut payload = std::mem::take(&mut packet.payload);
        self.hand_over(node, Path { transport: Transport::Udp, local, remote }, &mut payload);
        self.fabric.pool.get_mut(id).payload = payload;
        self.fabric.pool.remove(id);
    }

    fn hand_parcel(&mut self, node: u32, parcel: Parcel) {
        let now = self.now();
        let (path, mut message) = match parcel {
            Parcel::Message(path, message) => (path, message),
            Parcel::Event(event) => {
                if let Some(answer) = self.fabric.stream_answer(node, event) {
                    self.hand_answer(node, now, answer);
                }
                return;
            }
        };
        if self.fabric.hosting(node).is_none() {
            return self.hand_over(node, path, &mut message);
        }
        let (frames, end) = self.fabric.read_stream(node, path, &message);
        for mut frame in frames {
            self.hand_over(node, path, &mut frame);
        }
        if let Some(answer) = end {
            self.hand_answer(node, now, answer);
        }
    }

    fn hand_over(&mut self, node: u32, path: Path, payload: &mut [u8]) {
        let now = self.now();
        if let Some(seat) = &mut self.seats[node as usize] {
            seat.handle_datagram(now, path, payload);
            self.drain(node);
        }
    }

    fn drain(&mut self, node: u32) {
        let now = self.now();
        let Self { fabric, seats, buf, .. } = self;
        let Some(seat) = &mut seats[node as usize] else { return };
        if let Some(deadline) = seat.drain(now, buf, fabric, node) {
            self.wake(node, nanos(deadline.saturating_duration_since(self.fabric.origin)));
        }
    }

    fn wake(&mut self, node: u32, at: u64) {
        if at < self.wakes[node as usize] {
            self.wakes[node as usize] = at;
            self.fabric.queue.push(at, Happening::Wake { node });
        }
    }

    fn chair<M>(&self, host: Host<M>) -> &Chair<M>
    where
        M: Machine + Send + 'static,
        M::Event: Send,
    {
        let seat = self.seats[host.0 as usize].as_deref();
        let seat: Option<&dyn Any> = seat.map(|seat| seat as &dyn Any);
        seat.and_then(<dyn Any>::downcast_ref).expect("a host of another network")
    }

    fn chair_mut<M>(&mut self, host: Host<M>) -> &mut Chair<M>
    where
        M: Machine + Send + 'static,
        M::Event: Send,
    {
        let seat = self.seats[host.0 as usize].as_deref_mut();
        let seat: Option<&mut dyn Any> = seat.map(|seat| seat as &mut dyn Any);
        seat.and_then(<dyn Any>::downcast_mut).expect("a host of another network")
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("elapsed", &self.elapsed())
            .field("boxes", &self.fabric.nodes.len())
            .field("in_flight", &self.in_flight())
            .field("counters", &self.fabric.counters)
            .finish_non_exhaustive()
    }
}
