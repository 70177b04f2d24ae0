//! Two associations and a link between them in virtual time: delay, rate with a queue, and loss,
//! reordering and duplication by a seed.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use talkie_proto::sctp::{Association, Config, Event, Message, SendOptions};
use talkie_sansio::conformance::genesis;
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};

pub(crate) const ADA: usize = 0;
pub(crate) const BOB: usize = 1;

/// What the link does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) delay: Duration,
    /// In a thousand.
    pub(crate) loss: u64,
    pub(crate) reorder: u64,
    pub(crate) duplicate: u64,
    /// Bytes per second.
    pub(crate) rate: Option<u64>,
    /// Bytes that wait for the rate.
    pub(crate) queue: u64,
    /// As many that they are marked, where both ends know of marks.
    pub(crate) marks: u64,
    pub(crate) seed: u64,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(20),
            loss: 0,
            reorder: 0,
            duplicate: 0,
            rate: None,
            queue: 1 << 20,
            marks: u64::MAX,
            seed: 1,
        }
    }
}

/// Whether a packet of that end is lost.
type Lose = Box<dyn FnMut(usize, &[u8]) -> bool>;

/// Two associations.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) born: Instant,
    pub(crate) link: Link,
    pub(crate) ends: [Association; 2],
    pub(crate) events: [Vec<Event>; 2],
    pub(crate) received: [Vec<Message>; 2],
    /// Whether messages are fetched as they come.
    pub(crate) reads: [bool; 2],
    /// Every packet that was sent, by whom, if they are recorded.
    pub(crate) sent: Option<Vec<(usize, Vec<u8>)>>,
    /// Packets that a test wants lost.
    pub(crate) lose: Option<Lose>,
    pub(crate) lost: u64,
    pub(crate) bytes: [u64; 2],
    wire: BTreeMap<(Instant, u64), (usize, Vec<u8>, bool)>,
    busy: [Instant; 2],
    count: u64,
    random: u64,
    buf: Vec<u8>,
}

pub(crate) fn path(port: u16) -> Path {
    Path {
        transport: Transport::Udp,
        local: ([192, 0, 2, 1], port).into(),
        remote: ([192, 0, 2, 2], port).into(),
    }
}

pub(crate) fn association(seed: u8, config: &Config) -> Association {
    Association::new(&Genesis { seed: [seed; 32], ..birth() }, path(seed.into()), config.clone())
}

/// Which of [`numbered()`] has TSNs that begin 1,326 before they come round.
pub(crate) const NEAR_THE_END: u64 = 52_681;

/// One from more seeds than a byte has.
pub(crate) fn numbered(number: u64, config: &Config) -> Association {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Association::new(&Genesis { seed, ..birth() }, path(1), config.clone())
}

/// One instant for all.
fn birth() -> Genesis {
    use std::sync::OnceLock;
    static BIRTH: OnceLock<Instant> = OnceLock::new();
    Genesis { now: *BIRTH.get_or_init(|| genesis().now), ..genesis() }
}

impl World {
    pub(crate) fn new(link: Link) -> Self {
        Self::with(link, &Config::default(), &Config::default())
    }

    pub(crate) fn with(link: Link, ada: &Config, bob: &Config) -> Self {
        let now = birth().now;
        Self {
            now,
            born: now,
            link,
            ends: [association(1, ada), association(2, bob)],
            events: [vec![], vec![]],
            received: [vec![], vec![]],
            reads: [true; 2],
            sent: None,
            lose: None,
            lost: 0,
            bytes: [0; 2],
            wire: BTreeMap::new(),
            busy: [now; 2],
            count: 0,
            random: link.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            buf: Vec::new(),
        }
    }

    /// Connected, and past the handshake.
    pub(crate) fn connected(link: Link) -> Self {
        let mut world = Self::new(link);
        world.connect();
        world
    }

    /// Ada asks, and nobody waits for what comes of it.
    pub(crate) fn ask(&mut self) {
        let now = self.now;
        self.ends[ADA].connect(now).expect("it has not begun");
        self.drain();
    }

    pub(crate) fn connect(&mut self) {
        let now = self.now;
        self.ends[ADA].connect(now).expect("it has not begun");
        self.run_until(Duration::from_secs(60), |world| {
            world.ends.iter().all(Association::is_established)
        });
    }

    pub(crate) fn chance(&mut self, in_thousand: u64) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % 1000 < in_thousand
    }

    pub(crate) fn send(&mut self, end: usize, stream: u16, payload: impl Into<Bytes>) {
        self.send_with(end, stream, payload, SendOptions::default());
    }

    pub(crate) fn send_with(
        &mut self,
        end: usize,
        stream: u16,
        payload: impl Into<Bytes>,
        options: SendOptions,
    ) {
        let now = self.now;
        self.ends[end].send(now, stream, 51, payload.into(), options).expect("it has room");
    }

    /// Takes everything that has come out.
    pub(crate) fn drain(&mut self) {
        for end in [ADA, BOB] {
            loop {
                self.buf.clear();
                if self.ends[end].poll_transmit(&mut self.buf).is_some() {
                    let packet = self.buf.clone();
                    self.carry(end, packet);
                } else if let Some(event) = self.ends[end].poll_event() {
                    self.events[end].push(event);
                } else if self.reads[end]
                    && let Some(message) = self.ends[end].take_message()
                {
                    self.received[end].push(message);
                } else {
                    break;
                }
            }
        }
    }

    fn carry(&mut self, from: usize, packet: Vec<u8>) {
        if let Some(sent) = &mut self.sent {
            sent.push((from, packet.clone()));
        }
        self.bytes[from] += packet.len() as u64;
        let unlucky = self.chance(self.link.loss);
        if unlucky || self.lose.as_mut().is_some_and(|lose| lose(from, &packet)) {
            self.lost += 1;
            return;
        }
        let mut at = self.now;
        let mut marked = false;
        if let Some(rate) = self.link.rate {
            let busy = self.busy[from].max(self.now);
            let waiting = (busy - self.now).as_nanos() as u64 / 1000 * rate / 1_000_000;
            if waiting > self.link.queue {
                self.lost += 1;
                return;
            }
            marked = waiting > self.link.marks && self.ends[from].is_ecn();
            at = busy + Duration::from_nanos(packet.len() as u64 * 1_000_000_000 / rate);
            self.busy[from] = at;
        }
        at += self.link.delay;
        if self.chance(self.link.reorder) {
            at += self.link.delay / 2 + Duration::from_millis(1);
        }
        if self.chance(self.link.duplicate) {
            self.count += 1;
            self.wire.insert((at, self.count), (1 - from, packet.clone(), marked));
        }
        self.count += 1;
        self.wire.insert((at, self.count), (1 - from, packet, marked));
    }

    /// Hands a packet to an end, as if it came from the other.
    pub(crate) fn inject(&mut self, to: usize, packet: &[u8]) {
        let (now, mut packet) = (self.now, packet.to_vec());
        let payload = &mut packet[..];
        self.ends[to].handle_datagram(now, Datagram { path: path(9), payload });
        self.drain();
    }

    /// The next thing that happens; false if nothing ever will.
    pub(crate) fn step(&mut self, until: Instant) -> bool {
        self.drain();
        let due = |end: &Association| end.poll_timeout();
        let timer = self.ends.iter().filter_map(due).min();
        let arrival = self.wire.keys().next().map(|(at, _)| *at);
        let Some(next) = [timer, arrival].into_iter().flatten().min() else { return false };
        if next > until {
            self.now = until;
            return false;
        }
        assert!(next >= self.now, "a deadline in the past");
        self.now = next;
        let now = next;
        let mut arrived = VecDeque::new();
        while let Some(entry) = self.wire.first_entry()
            && entry.key().0 <= now
        {
            arrived.push_back(entry.remove());
        }
        for (to, mut packet, marked) in arrived {
            let datagram = Datagram { path: path(9), payload: &mut packet[..] };
            if marked {
                self.ends[to].handle_marked(now, datagram);
            } else {
                self.ends[to].handle_datagram(now, datagram);
            }
            self.drain();
        }
        for end in &mut self.ends {
            if end.poll_timeout().is_some_and(|at| at <= now) {
                end.handle_timeout(now);
            }
        }
        self.drain();
        let due = self.ends.iter().filter_map(|end| end.poll_timeout()).min();
        assert!(due.is_none_or(|at| at > now), "rule 3: a deadline is due right after a drain");
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

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.born
    }
}
