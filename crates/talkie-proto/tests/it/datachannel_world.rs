//! Data channels of two ends, or of one and a bare association that may do as it likes, on a link in
//! virtual time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use talkie_proto::datachannel::{
    ChannelId, Config, DataChannels, Event, Kind, Message, Options, Role,
};
use talkie_proto::sctp::{self, Association, SendOptions};
use talkie_sansio::conformance::genesis;
use talkie_sansio::{Datagram, Genesis, Machine, Path, Transport};

pub(crate) const ADA: usize = 0;
pub(crate) const BOB: usize = 1;

/// What the link does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) delay: Duration,
    /// In a thousand.
    pub(crate) loss: u64,
    /// Bytes per second.
    pub(crate) rate: u64,
    pub(crate) seed: u64,
}

impl Default for Link {
    fn default() -> Self {
        Self { delay: Duration::from_millis(20), loss: 0, rate: u64::MAX, seed: 1 }
    }
}

/// What stands at an end of the link.
pub(crate) trait End: Machine {
    /// Notes what the end tells; true if there was anything.
    fn take(&mut self, seen: &mut Seen) -> bool;
}

/// What an end has told.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) events: Vec<Event>,
    pub(crate) messages: Vec<Message>,
    /// The same of a bare association.
    pub(crate) bare: Vec<sctp::Message>,
    pub(crate) resets: Vec<u16>,
}

impl End for DataChannels {
    fn take(&mut self, seen: &mut Seen) -> bool {
        let event = self.poll_event();
        let message = if event.is_none() { self.take_message() } else { None };
        let any = event.is_some() || message.is_some();
        seen.events.extend(event);
        seen.messages.extend(message);
        any
    }
}

impl End for Association {
    fn take(&mut self, seen: &mut Seen) -> bool {
        let event = self.poll_event();
        let message = if event.is_none() { self.take_message() } else { None };
        let any = event.is_some() || message.is_some();
        if let Some(sctp::Event::StreamsReset(streams)) = event {
            seen.resets.extend(streams);
        }
        seen.bare.extend(message);
        any
    }
}

/// Whether a packet of that end is lost.
type Lose = Box<dyn FnMut(usize, &[u8]) -> bool>;

pub(crate) struct World<B: End = DataChannels> {
    pub(crate) now: Instant,
    pub(crate) link: Link,
    pub(crate) ada: DataChannels,
    pub(crate) bob: B,
    pub(crate) seen: [Seen; 2],
    /// Packets that a test wants lost.
    pub(crate) lose: Option<Lose>,
    wire: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    busy: [Instant; 2],
    count: u64,
    random: u64,
}

pub(crate) fn path() -> Path {
    Path {
        transport: Transport::Udp,
        local: ([192, 0, 2, 1], 1).into(),
        remote: ([192, 0, 2, 2], 2).into(),
    }
}

fn born(seed: u8) -> Genesis {
    use std::sync::OnceLock;
    static BIRTH: OnceLock<Instant> = OnceLock::new();
    Genesis { now: *BIRTH.get_or_init(|| genesis().now), seed: [seed; 32], ..genesis() }
}

pub(crate) fn channels(seed: u8, config: Config) -> DataChannels {
    DataChannels::new(&born(seed), path(), config)
}

/// An end with a role and nothing else special.
pub(crate) fn end(seed: u8, role: Role) -> DataChannels {
    channels(seed, Config { role: Some(role), ..Config::default() })
}

pub(crate) fn bare(config: &sctp::Config) -> Association {
    Association::new(&born(9), path(), config.clone())
}

impl World {
    pub(crate) fn new(link: Link) -> Self {
        Self::with(link, end(1, Role::Client), end(2, Role::Server))
    }

    pub(crate) fn connected(link: Link) -> Self {
        let mut world = Self::new(link);
        world.connect();
        world
    }

    /// Opens a channel of Ada's and waits until Bob knows it; both names of it.
    pub(crate) fn open(&mut self, options: Options) -> [ChannelId; 2] {
        let ada = self.ada.open(self.now, options).expect("it may");
        let known = self.incoming(BOB).len();
        self.run_until(Duration::from_secs(60), |world| world.incoming(BOB).len() > known);
        [ada, self.incoming(BOB)[known]]
    }

    pub(crate) fn close(&mut self, end: usize, channel: ChannelId) {
        let now = self.now;
        let which = if end == ADA { &mut self.ada } else { &mut self.bob };
        which.close(now, channel);
    }

    pub(crate) fn send_from(&mut self, end: usize, channel: ChannelId, payload: impl Into<Bytes>) {
        let now = self.now;
        let which = if end == ADA { &mut self.ada } else { &mut self.bob };
        which.send(now, channel, Kind::Binary, payload.into()).expect("it has room");
    }
}

impl World<Association> {
    pub(crate) fn bare_send(&mut self, stream: u16, ppid: u32, payload: impl Into<Bytes>) {
        let (now, payload) = (self.now, payload.into());
        self.bob.send(now, stream, ppid, payload, SendOptions::default()).expect("it has room");
    }
}

impl<B: End> World<B> {
    pub(crate) fn with(link: Link, ada: DataChannels, bob: B) -> Self {
        let now = born(0).now;
        Self {
            now,
            link,
            ada,
            bob,
            seen: [Seen::default(), Seen::default()],
            lose: None,
            wire: BTreeMap::new(),
            busy: [now; 2],
            count: 0,
            random: link.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    pub(crate) fn connect(&mut self) {
        self.ada.connect(self.now).expect("it has not begun");
        self.run_until(Duration::from_secs(60), |world| world.ada.association().is_established());
    }

    pub(crate) fn incoming(&self, end: usize) -> Vec<ChannelId> {
        let incoming = |event: &Event| match event {
            Event::Incoming(id) => Some(*id),
            _ => None,
        };
        self.seen[end].events.iter().filter_map(incoming).collect()
    }

    pub(crate) fn saw(&self, end: usize, event: &Event) -> bool {
        self.seen[end].events.contains(event)
    }

    fn drain(&mut self) {
        loop {
            let (mut ada, mut bob) = (vec![], vec![]);
            let any = self.ada.poll_transmit(&mut ada).is_some()
                | self.bob.poll_transmit(&mut bob).is_some()
                | self.ada.take(&mut self.seen[ADA])
                | self.bob.take(&mut self.seen[BOB]);
            for (from, packet) in [(ADA, ada), (BOB, bob)] {
                if !packet.is_empty() {
                    self.carry(from, packet);
                }
            }
            if !any {
                return;
            }
        }
    }

    fn carry(&mut self, from: usize, packet: Vec<u8>) {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let unlucky = self.random % 1000 < self.link.loss;
        if unlucky || self.lose.as_mut().is_some_and(|lose| lose(from, &packet)) {
            return;
        }
        let span = Duration::from_nanos(packet.len() as u64 * 1_000_000_000 / self.link.rate);
        let left = self.busy[from].max(self.now) + span;
        self.busy[from] = left;
        self.count += 1;
        self.wire.insert((left + self.link.delay, self.count), (1 - from, packet));
    }

    fn step(&mut self, until: Instant) -> bool {
        self.drain();
        let arrival = self.wire.keys().next().map(|(at, _)| *at);
        let timers = [self.ada.poll_timeout(), self.bob.poll_timeout()];
        let Some(next) = timers.into_iter().flatten().chain(arrival).min() else { return false };
        if next > until {
            self.now = until;
            return false;
        }
        self.now = next.max(self.now);
        let now = self.now;
        while let Some(entry) = self.wire.first_entry()
            && entry.key().0 <= now
        {
            let (to, mut packet) = entry.remove();
            let datagram = Datagram { path: path(), payload: &mut packet };
            if to == ADA {
                self.ada.handle_datagram(now, datagram);
            } else {
                self.bob.handle_datagram(now, datagram);
            }
            self.drain();
        }
        if self.ada.poll_timeout().is_some_and(|at| at <= now) {
            self.ada.handle_timeout(now);
        }
        if self.bob.poll_timeout().is_some_and(|at| at <= now) {
            self.bob.handle_timeout(now);
        }
        self.drain();
        true
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        let until = self.now + span;
        while self.step(until) {}
        self.now = until;
    }

    /// Runs until `done`; panics if that takes longer than `span`.
    pub(crate) fn run_until(&mut self, span: Duration, mut done: impl FnMut(&mut Self) -> bool) {
        let until = self.now + span;
        self.drain();
        while !done(self) {
            assert!(self.step(until), "not within {span:?} (seed {})", self.link.seed);
        }
    }
}
