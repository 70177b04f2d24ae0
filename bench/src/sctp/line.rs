//! Two ends and what is under way between them, in virtual time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;

/// Each way.
const DELAY: Duration = Duration::from_millis(1);
/// No stack takes as long in virtual time, if it gets on.
const LONGEST: Duration = Duration::from_secs(3600);
/// Packets that arrive together: a driver receives in batches.
const BATCH: usize = 32;

/// How both ends are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) zero_checksum: bool,
    /// Bytes that may be in flight, and that the receiver has room for.
    pub(super) window: u32,
}

/// One side of an association.
pub(super) trait End {
    fn connect(&mut self, now: Instant);
    fn is_connected(&self) -> bool;
    /// Queues a message; false if there is no room for it now.
    fn send(&mut self, now: Instant, message: &Bytes) -> bool;
    /// Fetches messages: how many bytes.
    fn receive(&mut self) -> u64;
    /// Puts the next packet into an empty buffer; false if there is none.
    fn next_packet(&mut self, now: Instant, packet: &mut Vec<u8>) -> bool;
    fn handle_packet(&mut self, now: Instant, packet: &mut [u8]);
    fn next_timeout(&self) -> Option<Instant>;
    fn handle_timeout(&mut self, now: Instant);
    /// Bytes in flight, where an end tells.
    fn in_flight(&self) -> u64 {
        0
    }
}

pub(super) struct Line<E> {
    born: Instant,
    now: Instant,
    ends: [E; 2],
    wire: VecDeque<(Instant, usize, Vec<u8>)>,
    pool: Vec<Vec<u8>>,
    received: u64,
    /// Packets so far, both ways.
    pub(super) packets: u64,
    pub(super) most_in_flight: u64,
}

impl<E: End> Line<E> {
    pub(super) fn new((born, ends): (Instant, [E; 2])) -> Self {
        Self {
            born,
            now: born,
            ends,
            wire: VecDeque::new(),
            pool: Vec::new(),
            received: 0,
            packets: 0,
            most_in_flight: 0,
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

    /// Messages from the first end to the second, until so many bytes have arrived.
    pub(super) fn carry(&mut self, message: &Bytes, total: u64) -> Result<()> {
        let (mut sent, before) = (0, self.received);
        while self.received - before < total {
            while sent < total && self.ends[0].send(self.now, message) {
                sent += message.len() as u64;
            }
            self.drain();
            self.most_in_flight = self.most_in_flight.max(self.ends[0].in_flight());
            if self.received - before < total {
                self.step()?;
            }
        }
        Ok(())
    }

    pub(super) fn into_ends(self) -> [E; 2] {
        self.ends
    }

    fn drain(&mut self) {
        loop {
            let mut is_quiet = true;
            for (number, end) in self.ends.iter_mut().enumerate() {
                loop {
                    let mut packet = self.pool.pop().unwrap_or_default();
                    packet.clear();
                    if !end.next_packet(self.now, &mut packet) {
                        self.pool.push(packet);
                        break;
                    }
                    self.wire.push_back((self.now + DELAY, 1 - number, packet));
                    self.packets += 1;
                    is_quiet = false;
                }
                let received = end.receive();
                self.received += received;
                is_quiet &= received == 0;
            }
            if is_quiet {
                return;
            }
        }
    }

    /// The next thing that happens.
    fn step(&mut self) -> Result<()> {
        let arrival = self.wire.front().map(|(at, ..)| *at);
        let timers = self.ends.iter().filter_map(End::next_timeout);
        let next = timers.chain(arrival).min().context("both ends wait for ever")?;
        self.now = self.now.max(next);
        ensure!(self.now < self.born + LONGEST, "an hour has passed, and it is not over");
        for _ in 0..BATCH {
            if self.wire.front().is_none_or(|(at, ..)| *at > self.now) {
                break;
            }
            let Some((_, to, mut packet)) = self.wire.pop_front() else { break };
            self.ends[to].handle_packet(self.now, &mut packet);
            self.pool.push(packet);
        }
        for end in &mut self.ends {
            if end.next_timeout().is_some_and(|at| at <= self.now) {
                end.handle_timeout(self.now);
            }
        }
        self.drain();
        Ok(())
    }
}
