//! Our machines and other implementations, on a link in virtual time: delay, loss, reordering and
//! duplicates by a seed.
//!
//! [`Peer`] is what an implementation has to do to take part; the scenarios run with each of them.

mod channels;
mod dcsctp;
mod endings;
mod modes;
mod sctp_proto;
mod streams;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use talkie_proto::datachannel::DataChannels;
use talkie_proto::sctp::{Association, Config, Message, SendOptions};
use talkie_sansio::{Datagram, Machine, Path, Transport};

use crate::sctp_world::{Link, World, association};

/// A message as it is sent and as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) stream: u16,
    pub(crate) ppid: u32,
    pub(crate) payload: Bytes,
}

/// What the other implementation tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Connected,
    Restarted,
    Said(Said),
    /// The messages that we send on the stream begin anew.
    Reset(u16),
    /// The stream may be used again.
    ResetDone(u16),
    /// Something of ours was not as it should be.
    Complained(String),
    /// In order.
    Closed,
    /// Or not.
    Aborted,
}

/// Another implementation.
pub(crate) trait Peer {
    fn connect(&mut self, now: Instant);
    fn handle_packet(&mut self, now: Instant, packet: &[u8]);
    fn poll_packet(&mut self, now: Instant) -> Option<Vec<u8>>;
    fn poll_told(&mut self, now: Instant) -> Option<Told>;
    fn poll_timeout(&self) -> Option<Instant>;
    fn handle_timeout(&mut self, now: Instant);
    /// False if it cannot be sent now.
    fn send(&mut self, now: Instant, said: &Said, options: SendOptions) -> bool;
    /// Has the stream that it sends on begin anew; false if it cannot.
    fn reset(&mut self, now: Instant, stream: u16) -> bool;
    fn shutdown(&mut self, now: Instant);
    fn abort(&mut self, now: Instant);
}

/// Makes one.
pub(crate) type MakePeer = fn() -> Box<dyn Peer>;

/// Ours: an association, or the data channels over one.
pub(crate) trait Ours: Machine {
    type Message;
    fn begin(&mut self, now: Instant);
    fn fetch(&mut self) -> Option<Self::Message>;
    fn is_connected(&self) -> bool;
}

impl Ours for Association {
    type Message = Message;

    fn begin(&mut self, now: Instant) {
        self.connect(now).expect("it has not begun");
    }

    fn fetch(&mut self) -> Option<Message> {
        self.take_message()
    }

    fn is_connected(&self) -> bool {
        self.is_established()
    }
}

impl Ours for DataChannels {
    type Message = talkie_proto::datachannel::Message;

    fn begin(&mut self, now: Instant) {
        self.connect(now).expect("it has not begun");
    }

    fn fetch(&mut self) -> Option<Self::Message> {
        self.take_message()
    }

    fn is_connected(&self) -> bool {
        self.association().is_established()
    }
}

/// Who begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    We,
    They,
    Both,
}

pub(crate) struct Meeting<O: Ours> {
    pub(crate) now: Instant,
    pub(crate) link: Link,
    pub(crate) ours: O,
    pub(crate) theirs: Box<dyn Peer>,
    pub(crate) events: Vec<O::Event>,
    pub(crate) got: Vec<O::Message>,
    /// Whether we fetch what comes.
    pub(crate) reads: bool,
    pub(crate) told: Vec<Told>,
    /// What they have received, apart from messages that open channels.
    pub(crate) they_got: Vec<Said>,
    /// What is still to be sent by them, as soon as they take it.
    unsent: VecDeque<(Said, SendOptions)>,
    /// Packets that have left, by whether they are ours.
    pub(crate) sent: Vec<(bool, Vec<u8>)>,
    wire: BTreeMap<(Instant, u64), (bool, Vec<u8>)>,
    count: u64,
    random: u64,
}

fn path() -> Path {
    let local = ([192, 0, 2, 1], 5000).into();
    Path { transport: Transport::Udp, local, remote: local }
}

/// The instant at which everything begins.
pub(crate) fn birth() -> Instant {
    World::new(Link::default()).now
}

/// A link as bad as they come.
pub(crate) fn bad(seed: u64) -> Link {
    Link { loss: 50, reorder: 50, duplicate: 30, seed, ..Link::default() }
}

/// Bytes that differ from place to place.
pub(crate) fn pattern(length: usize, salt: usize) -> Bytes {
    (0..length).map(|at| (at * 7 + at / 251 + salt) as u8).collect::<Vec<u8>>().into()
}

/// An association of ours and a peer, connected.
pub(crate) fn meet(
    link: Link,
    config: &Config,
    theirs: Box<dyn Peer>,
    begins: Begins,
) -> Meeting<Association> {
    let mut meeting = Meeting::new(link, association(3, config), theirs);
    meeting.begin(begins);
    meeting
}

impl Meeting<Association> {
    pub(crate) fn send(&mut self, said: Said, options: SendOptions) {
        let Said { stream, ppid, payload } = said;
        self.ours.send(self.now, stream, ppid, payload, options).expect("it has room");
    }

    pub(crate) fn we_got(&self) -> Vec<Said> {
        let said = |message: &Message| Said {
            stream: message.stream,
            ppid: message.ppid,
            payload: message.payload.clone(),
        };
        self.got.iter().map(said).collect()
    }
}

impl<O: Ours> Meeting<O> {
    pub(crate) fn new(link: Link, ours: O, theirs: Box<dyn Peer>) -> Self {
        Self {
            now: birth(),
            link,
            ours,
            theirs,
            events: vec![],
            got: vec![],
            reads: true,
            told: vec![],
            they_got: vec![],
            unsent: VecDeque::new(),
            sent: vec![],
            wire: BTreeMap::new(),
            count: 0,
            random: link.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    /// Connects.
    pub(crate) fn begin(&mut self, begins: Begins) {
        if begins != Begins::They {
            self.ours.begin(self.now);
        }
        if begins != Begins::We {
            self.theirs.connect(self.now);
        }
        self.run_until(|meeting| meeting.ours.is_connected() && meeting.has_told(&Told::Connected));
    }

    pub(crate) fn has_told(&self, told: &Told) -> bool {
        self.told.contains(told)
    }

    pub(crate) fn they_send(&mut self, said: Said, options: SendOptions) {
        self.unsent.push_back((said, options));
        self.drain();
    }

    fn chance(&mut self, in_thousand: u64) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % 1000 < in_thousand
    }

    fn carry(&mut self, ours: bool, packet: Vec<u8>) {
        self.sent.push((ours, packet.clone()));
        if self.chance(self.link.loss) {
            return;
        }
        let mut at = self.now + self.link.delay;
        if self.chance(self.link.reorder) {
            at += self.link.delay / 2 + Duration::from_millis(1);
        }
        if self.chance(self.link.duplicate) {
            self.count += 1;
            self.wire.insert((at, self.count), (ours, packet.clone()));
        }
        self.count += 1;
        self.wire.insert((at, self.count), (ours, packet));
    }

    pub(crate) fn drain(&mut self) {
        loop {
            let mut buf = Vec::new();
            let mut any = false;
            while self.ours.poll_transmit(&mut buf).is_some() {
                any = true;
                self.carry(true, std::mem::take(&mut buf));
            }
            while let Some(event) = self.ours.poll_event() {
                any = true;
                self.events.push(event);
            }
            while self.reads
                && let Some(message) = self.ours.fetch()
            {
                any = true;
                self.got.push(message);
            }
            while let Some((said, options)) = self.unsent.front() {
                if !self.theirs.send(self.now, said, *options) {
                    break;
                }
                any = true;
                self.unsent.pop_front();
            }
            while let Some(told) = self.theirs.poll_told(self.now) {
                any = true;
                self.note(told);
            }
            while let Some(packet) = self.theirs.poll_packet(self.now) {
                any = true;
                self.carry(false, packet);
            }
            if !any {
                return;
            }
        }
    }

    /// They answer what opens a channel, as an application would.
    fn note(&mut self, told: Told) {
        match told {
            Told::Said(Said { stream, ppid: 50, payload }) => {
                if payload.first() == Some(&3) {
                    let ack = Said { stream, ppid: 50, payload: Bytes::from_static(&[2]) };
                    self.unsent.push_back((ack, SendOptions::default()));
                }
            }
            Told::Said(said) => self.they_got.push(said),
            other => self.told.push(other),
        }
    }

    fn step(&mut self, until: Instant) -> bool {
        self.drain();
        let arrival = self.wire.keys().next().map(|(at, _)| *at);
        let timers = [self.ours.poll_timeout(), self.theirs.poll_timeout()];
        let Some(next) = timers.into_iter().flatten().chain(arrival).min() else { return false };
        if next > until {
            return false;
        }
        self.now = next.max(self.now);
        while let Some(entry) = self.wire.first_entry()
            && entry.key().0 <= self.now
        {
            let (ours, mut packet) = entry.remove();
            if ours {
                self.theirs.handle_packet(self.now, &packet);
            } else {
                let datagram = Datagram { path: path(), payload: &mut packet };
                self.ours.handle_datagram(self.now, datagram);
            }
            self.drain();
        }
        if self.ours.poll_timeout().is_some_and(|at| at <= self.now) {
            self.ours.handle_timeout(self.now);
        }
        if self.theirs.poll_timeout().is_some_and(|at| at <= self.now) {
            self.theirs.handle_timeout(self.now);
        }
        self.drain();
        true
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        let until = self.now + span;
        while self.step(until) {}
        self.now = until;
    }

    /// Runs until `done`, five minutes at most.
    pub(crate) fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        let until = self.now + Duration::from_secs(300);
        self.drain();
        while !done(self) {
            assert!(
                self.step(until),
                "not within five minutes: {} and {} messages, {:?}, {:?}",
                self.got.len(),
                self.they_got.len(),
                self.told,
                self.link
            );
        }
    }
}
