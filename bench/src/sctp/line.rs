//! Two ends and what is under way between them, in virtual time.
//!
//! Messages are made, and packets brought from one end to the other, where nobody counts; only the calls of a
//! stack's own functions do. A packet is taken from the wire into memory that is used again and again, as a
//! socket would give it: how much is under way then costs a stack what it makes of that, and not what it
//! costs to keep it for the wire.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;

use super::case::{Case, Load};
use super::meter::Meter;

/// Each way.
const DELAY: Duration = Duration::from_millis(1);
/// No stack takes as long in virtual time, if it gets on.
const LONGEST: Duration = Duration::from_secs(3600);
/// Packets that leave or arrive together, messages that are sent together: a driver works in batches.
const BATCH: usize = 64;

/// One side of an association.
pub(super) trait End {
    /// A packet as the stack wants it or gives it.
    type Packet: AsRef<[u8]>;
    /// A message as the stack wants it.
    type Payload;

    fn packet(bytes: &[u8], spare: Option<Self::Packet>) -> Self::Packet;
    fn payload(bytes: &Bytes) -> Self::Payload;

    fn connect(&mut self, now: Instant);
    fn is_connected(&self) -> bool;
    /// Queues messages, each for a stream.
    fn send(&mut self, now: Instant, messages: Vec<(u16, Self::Payload)>, load: &Load);
    /// Fetches messages: how many there were.
    fn receive(&mut self) -> u64;
    /// The next packet; what is spare may be used for it.
    fn next_packet(&mut self, now: Instant, spare: &mut Vec<Self::Packet>) -> Option<Self::Packet>;
    fn handle_packet(&mut self, now: Instant, packet: &mut Self::Packet);
    fn next_timeout(&self) -> Option<Instant>;
    fn handle_timeout(&mut self, now: Instant);
}

pub(super) struct Line<E: End> {
    born: Instant,
    now: Instant,
    ends: [E; 2],
    wire: VecDeque<(Instant, usize, Vec<u8>)>,
    pool: Vec<Vec<u8>>,
    spare: Vec<E::Packet>,
    batch: Vec<E::Packet>,
    pub(super) meter: Meter,
    sent: u64,
    received: u64,
    /// Packets from the first end to the second so far.
    pub(super) packets: u64,
    /// Bytes on the wire to the second end, now and at most.
    under_way: usize,
    pub(super) most_under_way: usize,
}

impl<E: End> Line<E> {
    pub(super) fn new((born, ends): (Instant, [E; 2])) -> Self {
        Self {
            born,
            now: born,
            ends,
            wire: VecDeque::new(),
            pool: Vec::new(),
            spare: Vec::new(),
            batch: Vec::new(),
            meter: Meter::default(),
            sent: 0,
            received: 0,
            packets: 0,
            under_way: 0,
            most_under_way: 0,
        }
    }

    pub(super) fn connect(&mut self) -> Result<()> {
        self.ends[0].connect(self.now);
        self.drain();
        while !self.ends.iter().all(End::is_connected) {
            self.step()?;
        }
        Ok(())
    }

    /// Carries messages until as much is under way as there may be.
    pub(super) fn settle(&mut self, case: &Case) -> Result<()> {
        self.carry(case, 4 * case.messages(case.setting.waiting.max(256 << 10)))
    }

    /// So many messages from the first end to the second, in turn on all streams.
    pub(super) fn carry(&mut self, case: &Case, messages: u64) -> Result<()> {
        let bytes = Bytes::from(vec![7; case.load.message]);
        let waiting = case.messages(case.setting.waiting);
        let end = self.received + messages;
        while self.received < end {
            self.send(&case.load, &bytes, end.min(self.received + waiting));
            self.drain();
            if self.received < end {
                self.step()?;
            }
        }
        Ok(())
    }

    pub(super) fn into_ends(self) -> [E; 2] {
        self.ends
    }

    /// Sends messages until there have been so many.
    fn send(&mut self, load: &Load, bytes: &Bytes, until: u64) {
        while self.sent < until {
            let count = (until - self.sent).min(BATCH as u64);
            let next = self.sent..self.sent + count;
            self.sent = next.end;
            let messages = next.map(|next| (load.stream(next), E::payload(bytes))).collect();
            let (end, now) = (&mut self.ends[0], self.now);
            self.meter.count(|| end.send(now, messages, load));
        }
    }

    /// Takes what comes out of both ends, until nothing does.
    fn drain(&mut self) {
        for number in 0..2 {
            while self.take(number) {}
        }
    }

    /// Fetches an end's messages and puts packets of it on the wire; false if those were all.
    fn take(&mut self, number: usize) -> bool {
        let (end, batch, now) = (&mut self.ends[number], &mut self.batch, self.now);
        let spare = &mut self.spare;
        self.received += self.meter.count(|| {
            let received = end.receive();
            while batch.len() < BATCH
                && let Some(packet) = end.next_packet(now, spare)
            {
                batch.push(packet);
            }
            received
        });
        let is_full = self.batch.len() == BATCH;
        for packet in self.batch.drain(..) {
            let bytes = packet.as_ref();
            let mut kept = self.pool.pop().unwrap_or_default();
            kept.clear();
            kept.extend_from_slice(bytes);
            if number == 0 {
                self.packets += 1;
                self.under_way += bytes.len();
                self.most_under_way = self.most_under_way.max(self.under_way);
            }
            self.wire.push_back((self.now + DELAY, 1 - number, kept));
            self.spare.push(packet);
        }
        self.spare.truncate(BATCH);
        is_full
    }

    /// The next thing that happens.
    fn step(&mut self) -> Result<()> {
        let arrival = self.wire.front().map(|(at, ..)| *at);
        let timers = self.ends.iter().filter_map(End::next_timeout);
        let next = timers.chain(arrival).min().context("both ends wait for ever")?;
        self.now = self.now.max(next);
        ensure!(self.now < self.born + LONGEST, "it does not get on");
        let to = self.arrive();
        let (ends, batch, now) = (&mut self.ends, &mut self.batch, self.now);
        self.meter.count(|| {
            for packet in &mut *batch {
                ends[to].handle_packet(now, packet);
            }
            for end in ends {
                if end.next_timeout().is_some_and(|at| at <= now) {
                    end.handle_timeout(now);
                }
            }
        });
        self.spare.append(batch);
        self.spare.truncate(BATCH);
        self.drain();
        Ok(())
    }

    /// Takes packets that are due from the wire: which end they are for.
    fn arrive(&mut self) -> usize {
        let Some(&(_, to, _)) = self.wire.front() else { return 0 };
        while self.batch.len() < BATCH
            && self.wire.front().is_some_and(|(at, other, _)| *at <= self.now && *other == to)
        {
            let Some((_, _, bytes)) = self.wire.pop_front() else { break };
            self.under_way -= if to == 1 { bytes.len() } else { 0 };
            self.batch.push(E::packet(&bytes, self.spare.pop()));
            self.pool.push(bytes);
        }
        to
    }
}
