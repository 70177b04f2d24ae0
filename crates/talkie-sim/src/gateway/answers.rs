//! The ICMP errors that a gateway sends itself, no more than so many in a second.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::config::Side;
use crate::packet::Packet;
use crate::packet::build::{self, Problem};

#[derive(Debug)]
pub(super) struct Answers {
    per_second: u32,
    /// Since when none has been sent, if they had been sent one by one at the limit: a bucket of
    /// tokens that holds a second's worth.
    since: Instant,
    queue: VecDeque<(Side, Vec<u8>)>,
    /// Buffers that have been sent.
    spare: Vec<Vec<u8>>,
}

/// The most that wait to be polled, so that a driver that forgets to do so loses answers and no memory.
const MOST_QUEUED: usize = 64;

impl Answers {
    pub(super) fn new(now: Instant, per_second: u32) -> Self {
        let since = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
        Self { per_second, since, queue: VecDeque::new(), spare: Vec::new() }
    }

    pub(super) fn say(
        &mut self,
        now: Instant,
        to: Side,
        from: IpAddr,
        problem: Problem,
        about: &Packet<&mut [u8]>,
    ) {
        if self.per_second == 0 || self.queue.len() >= MOST_QUEUED {
            return;
        }
        let since = match now.checked_sub(Duration::from_secs(1)) {
            Some(earliest) => self.since.max(earliest),
            None => self.since,
        };
        let next = since + Duration::from_secs(1) / self.per_second;
        if next > now {
            return;
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        if build::error(&mut bytes, from, problem, about) {
            self.since = next;
            self.queue.push_back((to, bytes));
        } else {
            self.spare.push(bytes);
        }
    }

    pub(super) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Side> {
        let (side, bytes) = self.queue.pop_front()?;
        buf.clear();
        buf.extend_from_slice(&bytes);
        self.spare.push(bytes);
        Some(side)
    }
}
