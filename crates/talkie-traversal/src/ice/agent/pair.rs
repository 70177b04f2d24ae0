//! One candidate pair: its state, its checks under way, and what is known of it.
//!
//! A pair is a base of ours and an address of theirs, because that is all that a packet can tell. The RFC
//! forms pairs of server-reflexive candidates too, puts the base in their place and prunes them (RFC 8445
//! §6.1.2.4), and keeps a separate list of valid pairs; here the valid pair is the same one, with the local
//! candidate that the other side has seen.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::session::Proposal;
use crate::ice::config::Role;
use crate::ice::event::PairId;
use crate::ice::gather::LocalId;
use crate::ice::priority;
use crate::stun::TransactionId;

/// RFC 8445 §6.1.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Frozen,
    Waiting,
    InProgress,
    Succeeded,
    Failed,
}

/// One pair.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) id: PairId,
    pub(super) base: LocalId,
    pub(super) base_address: SocketAddr,
    /// The other side's address.
    pub(super) address: SocketAddr,
    /// The number of our candidate: as formed, then as the other side sees it.
    pub(super) local: u32,
    /// The number of theirs.
    pub(super) remote: u32,
    pub(super) foundation: (String, String),
    pub(super) priority: u64,
    pub(super) state: State,
    /// Whether it has failed because the other side said so, or our relay: it is asked again only if the other side
    /// asks.
    pub(super) is_refused: bool,
    /// Whether a check was answered, but from another address than it went to.
    pub(super) was_answered_elsewhere: bool,
    /// Requests that may still be answered, the last one last.
    pub(super) checks: VecDeque<Check>,
    /// The request that is repeated until it is answered.
    pub(super) active: Option<Active>,
    pub(super) triggered_at: Option<Instant>,
    /// How often it was looked at again before its check was repeated.
    pub(super) second_looks: u8,
    /// Whether a check of theirs has come this way.
    pub(super) was_heard: bool,
    /// What they have proposed, if we are controlled.
    pub(super) asked: Option<Proposal>,
    /// The order of nominations that both sides agree on; `None` if it is not nominated.
    pub(super) nominated: Option<u32>,
    pub(super) life: Option<Life>,
    pub(super) round_trip: Option<Duration>,
    pub(super) counts: Counts,
}

/// What a valid pair has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// When the other side answered last.
    pub(super) proven_at: Instant,
    /// When it is asked again.
    pub(super) probe_at: Instant,
    /// When the last question counts as unanswered.
    pub(super) verdict_at: Option<Instant>,
    /// How many in a row are unanswered.
    pub(super) unanswered: u32,
}

/// A request that may still be answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    pub(super) id: TransactionId,
    pub(super) sent_at: Instant,
    /// Sent more than once: no round trip can be told (Karn's algorithm).
    pub(super) is_repeated: bool,
    pub(super) role: Role,
    pub(super) priority: u32,
    pub(super) nominates: Option<Proposal>,
}

/// A request that is repeated.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) id: TransactionId,
    pub(super) bytes: Vec<u8>,
    pub(super) sent: u32,
    pub(super) rto: Duration,
    pub(super) deadline: Instant,
}

/// What statistics count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) requests_sent: u64,
    pub(super) requests_received: u64,
    pub(super) responses_sent: u64,
    pub(super) responses_received: u64,
    pub(super) consent_requests_sent: u64,
    pub(super) packets_sent: u64,
    pub(super) packets_received: u64,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
    pub(super) packets_discarded: u64,
    pub(super) bytes_discarded: u64,
    pub(super) last_sent: Option<Instant>,
    pub(super) last_received: Option<Instant>,
    pub(super) total_round_trip: Duration,
}

/// The most requests of a pair whose answers are waited for.
const MOST_CHECKS: usize = 8;
/// When a check that is not answered is followed by another one, in tenths of its RTO.
const SECOND_LOOKS: [u32; 2] = [2, 5];
/// So many unanswered questions in a row, and data takes another pair if there is one.
pub(super) const MOST_UNANSWERED: u32 = 6;

/// RFC 8445 §6.1.2.3: the same on both sides.
pub(super) fn rank(role: Role, local: u32, remote: u32) -> u64 {
    match role {
        Role::Controlling => priority::pair(local, remote),
        Role::Controlled => priority::pair(remote, local),
    }
}

impl Pair {
    /// Whether data may be sent: the other side has answered a check of ours not long ago.
    pub(super) fn is_valid(&self) -> bool {
        self.life.is_some()
    }

    /// Whether it is valid and answers.
    pub(super) fn is_healthy(&self) -> bool {
        self.life.is_some_and(|life| life.unanswered < MOST_UNANSWERED)
    }

    /// Whether it has still to show what it is worth.
    pub(super) fn is_unfinished(&self) -> bool {
        matches!(self.state, State::Frozen | State::Waiting | State::InProgress)
    }

    /// Remembers a request; the oldest makes room, but not the one that is still repeated.
    pub(super) fn remember(&mut self, check: Check) {
        if self.checks.len() >= MOST_CHECKS {
            let repeated = self.active.as_ref().map(|active| active.id);
            let oldest = self.checks.iter().position(|known| Some(known.id) != repeated);
            self.checks.remove(oldest.unwrap_or(0));
        }
        self.checks.push_back(check);
    }

    /// Takes the request that a response answers; a second response to it finds none.
    pub(super) fn take_check(&mut self, id: TransactionId) -> Option<Check> {
        let at = self.checks.iter().position(|check| check.id == id)?;
        self.checks.remove(at)
    }

    /// Stops repeating a request; an answer still counts (RFC 8445 §7.3.1.4).
    pub(super) fn stop(&mut self) {
        self.active = None;
    }

    /// When its check is worth another one, though it is not to be repeated yet.
    pub(super) fn second_look_at(&self) -> Option<Instant> {
        let active = self.active.as_ref().filter(|active| active.sent == 1)?;
        let tenths = SECOND_LOOKS.get(usize::from(self.second_looks))?;
        active.deadline.checked_sub(active.rto * (10 - tenths) / 10)
    }

    /// When something has to be done about it.
    pub(super) fn due(&self) -> Option<Instant> {
        let life =
            self.life.map(|life| life.verdict_at.map_or(life.probe_at, |at| at.min(life.probe_at)));
        [self.active.as_ref().map(|active| active.deadline), life].into_iter().flatten().min()
    }
}
