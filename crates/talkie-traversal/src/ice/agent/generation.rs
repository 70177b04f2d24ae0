//! One generation: what stands between two restarts (RFC 8445 §9). It has credentials, the candidates of
//! both sides, and the checklist of pairs.
//!
//! This is what a generation is; what it does is told by concept: candidates of [ours](super::ours) and of
//! [theirs](super::theirs), addresses that [checks have shown](super::strangers), the
//! [pairs](super::pairing) that they form, and then checks, consent and nomination.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::detour::Detour;
use super::ours::Local;
use super::pair::{Pair, State};
use super::requests::Early;
use super::session::Session;
use super::strangers::MOST_STRANGERS;
use super::theirs::Remote;
use crate::ice::config::Role;
use crate::ice::event::PairId;
use crate::ice::gather::LocalId;
use crate::ice::parameters::Parameters;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) session: Session,
    pub(super) role: Role,
    pub(super) tie_breaker: u64,
    /// How often the other side has said that the role is its own.
    pub(super) conflicts: u32,
    pub(super) locals: Vec<Local>,
    pub(super) remotes: Vec<Remote>,
    pub(super) pairs: Vec<Pair>,
    /// New pairs over a relay, whose permission is to be asked for: the base, and the peer.
    pub(super) unpermitted: Vec<(LocalId, IpAddr)>,
    pub(super) triggered: VecDeque<PairId>,
    pub(super) early: Vec<Early>,
    /// The pair that data takes.
    pub(super) selected: Option<PairId>,
    /// Whether it was nominated when the application was told of it; `None` if that knows of another one.
    pub(super) told_nominated: Option<bool>,
    /// The greatest number of a nomination so far.
    pub(super) orders: u32,
    /// The nomination that is not answered yet.
    pub(super) proposed: Option<(PairId, u32)>,
    pub(super) first_valid_at: Option<Instant>,
    pub(super) was_nominated: bool,
    pub(super) remote_ended: bool,
    /// RFC 8863: no failure before.
    pub(super) patience_until: Option<Instant>,
    pub(super) is_failed: bool,
    /// Ta: the longer of what either side wants (RFC 8839 §5.5).
    pub(super) interval: Duration,
    pub(super) paced_at: Instant,
    pub(super) tokens: u32,
    pub(super) granted_at: Instant,
    /// How many second looks there were.
    pub(super) second_looks: u32,
    /// Whether pairs were checked again since the selected one fell silent.
    pub(super) is_alarmed: bool,
    /// Whether the other side sends along another pair than the selected one.
    pub(super) is_deserted: bool,
    /// When it last turned out that the selected pair works all the same.
    pub(super) reassured_at: Option<Instant>,
    pub(super) is_retired: bool,
    /// When the other side last answered a check.
    pub(super) answered_at: Option<Instant>,
    pub(super) detour: Option<Detour>,
    /// How many addresses that nobody has told of may be followed now, as of when.
    pub(super) strangers: (u32, Instant),
}

impl Generation {
    /// A generation without candidates, which sends a check each `interval`.
    pub(super) fn new(
        now: Instant,
        parameters: Parameters,
        (role, tie_breaker): (Role, u64),
        interval: Duration,
    ) -> Self {
        Self {
            session: Session::new(parameters),
            role,
            tie_breaker,
            conflicts: 0,
            locals: Vec::new(),
            remotes: Vec::new(),
            pairs: Vec::new(),
            unpermitted: Vec::new(),
            triggered: VecDeque::new(),
            early: Vec::new(),
            selected: None,
            told_nominated: None,
            orders: 0,
            proposed: None,
            first_valid_at: None,
            was_nominated: false,
            remote_ended: false,
            patience_until: None,
            is_failed: false,
            interval,
            paced_at: now,
            tokens: 0,
            granted_at: now,
            second_looks: 0,
            is_alarmed: false,
            is_deserted: false,
            reassured_at: None,
            is_retired: false,
            answered_at: None,
            detour: None,
            strangers: (MOST_STRANGERS, now),
        }
    }

    pub(super) fn index(&self, id: PairId) -> Option<usize> {
        self.pairs.iter().position(|pair| pair.id == id)
    }

    pub(super) fn pair(&self, id: PairId) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.id == id)
    }

    pub(super) fn local(&self, number: u32) -> Option<&Local> {
        self.locals.iter().find(|local| local.number == number)
    }

    pub(super) fn remote(&self, number: u32) -> Option<&Remote> {
        self.remotes.iter().find(|remote| remote.number == number)
    }

    /// The pair that a packet belongs to.
    pub(super) fn find(&self, base: LocalId, address: SocketAddr) -> Option<usize> {
        self.pairs.iter().position(|pair| pair.base == base && pair.address == address)
    }

    /// Gives room back that is not needed: vectors begin with four, and who idles among thousands has one pair.
    pub(super) fn shrink(&mut self) {
        self.locals.shrink_to_fit();
        self.remotes.shrink_to_fit();
        self.pairs.shrink_to_fit();
        self.triggered.shrink_to_fit();
        self.unpermitted.shrink_to_fit();
    }

    /// Another generation takes its place: what it has goes on, and nothing new is begun.
    pub(super) fn retire(&mut self) {
        self.is_retired = true;
        self.triggered.clear();
        self.proposed = None;
        self.detour = None;
        for pair in &mut self.pairs {
            pair.active = None;
        }
    }

    /// It is the present one again, after one that came to nothing.
    pub(super) fn resume(&mut self, undone: &Self) {
        self.is_retired = false;
        self.keep_pace_of(undone);
        for pair in &mut self.pairs {
            if pair.state == State::InProgress && pair.active.is_none() {
                pair.state = State::Waiting;
            }
        }
    }
}
