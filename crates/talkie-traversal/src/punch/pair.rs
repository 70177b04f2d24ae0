//! A pair: from one of our sockets or relays to one of their addresses.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::description::Kind;
use crate::stun::TransactionId;

/// Requests that may be answered still. Where the way is long many are under way at once, since each of
/// the other side's checks brings forth one of ours.
const OUTSTANDING: usize = 32;

#[derive(Debug)]
pub(super) struct Pair {
    /// Index of the base.
    pub(super) base: usize,
    pub(super) remote: SocketAddr,
    pub(super) remote_kind: Kind,
    /// Whether no relay is on the way.
    pub(super) is_direct: bool,
    /// When to send next; `None` if there is no need.
    pub(super) due: Option<Instant>,
    pub(super) tries: u32,
    outstanding: VecDeque<Try>,
    /// The shortest round trip; there if it works.
    pub(super) round_trip: Option<Duration>,
    pub(super) answered_at: Option<Instant>,
    /// How they see us.
    pub(super) mapped: Option<SocketAddr>,
    /// Whether the controlling side wants it.
    pub(super) is_nominated: bool,
    /// Whether it was nominated in vain.
    pub(super) is_dropped: bool,
}

#[derive(Debug)]
struct Try {
    id: TransactionId,
    at: Instant,
    nominates: bool,
}

impl Pair {
    pub(super) fn new(base: usize, remote: SocketAddr, remote_kind: Kind, is_direct: bool) -> Self {
        Self {
            base,
            remote,
            remote_kind,
            is_direct,
            due: None,
            tries: 0,
            outstanding: VecDeque::new(),
            round_trip: None,
            answered_at: None,
            mapped: None,
            is_nominated: false,
            is_dropped: false,
        }
    }

    pub(super) fn works(&self) -> bool {
        self.round_trip.is_some() && !self.is_dropped
    }

    pub(super) fn note(&mut self, now: Instant, id: TransactionId, nominates: bool) {
        if self.outstanding.len() == OUTSTANDING {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back(Try { id, at: now, nominates });
        self.tries = self.tries.saturating_add(1);
    }

    pub(super) fn awaits(&self, id: TransactionId) -> bool {
        self.outstanding.iter().any(|it| it.id == id)
    }

    /// Takes an answer; whether it was one to a nomination.
    pub(super) fn answer(&mut self, now: Instant, id: TransactionId, mapped: SocketAddr) -> bool {
        let Some(at) = self.outstanding.iter().position(|it| it.id == id) else { return false };
        let Some(sent) = self.outstanding.remove(at) else { return false };
        let round_trip = now.saturating_duration_since(sent.at);
        self.round_trip = Some(self.round_trip.map_or(round_trip, |best| best.min(round_trip)));
        self.answered_at = Some(now);
        self.mapped = Some(mapped);
        sent.nominates
    }
}
