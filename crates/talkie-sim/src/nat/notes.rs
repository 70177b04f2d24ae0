//! Flows that came uninvited and are remembered all the same
//! ([`Unsolicited::Tracked`](super::Unsolicited)).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::time::Instant;

use super::keyed::Keyed;
use super::protocol::Kind;

/// By which protocol it came, the outside address that was sent to, and who did.
type Flow = (Kind, SocketAddr, SocketAddr);

#[derive(Debug)]
pub(super) struct Notes {
    until: HashMap<Flow, Instant, Keyed>,
    deadlines: BinaryHeap<Reverse<(Instant, Flow)>>,
}

impl Notes {
    pub(super) fn new(keyed: Keyed) -> Self {
        Self { until: HashMap::with_hasher(keyed), deadlines: BinaryHeap::new() }
    }

    pub(super) fn has(&self, flow: &Flow) -> bool {
        self.until.contains_key(flow)
    }

    /// One more than `most` is not taken down.
    pub(super) fn set(&mut self, flow: Flow, until: Instant, most: usize) {
        if let Some(known) = self.until.get_mut(&flow) {
            *known = until;
        } else if self.until.len() < most {
            self.until.insert(flow, until);
            self.deadlines.push(Reverse((until, flow)));
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(&Reverse((at, flow))) = self.deadlines.peek()
            && at <= now
        {
            self.deadlines.pop();
            match self.until.get(&flow) {
                Some(until) if *until > now => self.deadlines.push(Reverse((*until, flow))),
                _ => drop(self.until.remove(&flow)),
            }
        }
    }
}
