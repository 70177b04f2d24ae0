//! Whether a valid pair still works: consent (RFC 7675) and keepalives (RFC 8445 §11).
//!
//! The selected pair is asked every 5 s, spread by 20 %; a few others are, less often, so that there is
//! something to fall back to and their NAT bindings stay. A question that is not answered in time is
//! followed by others soon after: RFC 7675 §5.1 puts its lower bound of 4 s on consent checks that are
//! due, which says nothing about finding out whether a path that has fallen silent is broken. Without an
//! answer for 30 s consent is gone, and so is the pair.

use std::time::{Duration, Instant};

use rand_core::Rng as _;

use super::context::Context;
use super::generation::Generation;
use super::pair::{MOST_UNANSWERED, Pair, State};
use super::responses::spread;
use crate::ice::event::{Chapter, PairFailure, PairId};

/// Between two questions to a pair that has not answered the last.
pub(super) const DOUBT: Duration = Duration::from_millis(700);
/// The least time that an answer may take.
const LEAST_WAIT: Duration = Duration::from_millis(500);
/// RFC 7675 §5.1: the least time between two consent checks where nothing is wrong. Two sides that have each
/// selected another pair send along both for good, and have asked each other once.
const PEACE: Duration = Duration::from_secs(4);

impl Generation {
    /// Asks who is to be asked, and draws the conclusions. `is_in_use`: data is sent in this generation.
    pub(super) fn watch(&mut self, context: &mut Context<'_>, is_in_use: bool) {
        if self.is_failed {
            return;
        }
        let most = context.config.limits.spare_pairs;
        for index in (0..self.pairs.len()).rev() {
            let Some(life) = self.pairs[index].life else { continue };
            let expires_at = life.proven_at + context.config.timers.consent_expiry;
            if expires_at <= context.now {
                self.expire(context, index);
                continue;
            }
            if life.verdict_at.is_some_and(|at| at <= context.now) {
                self.miss(context, index);
            }
            let due = self.pairs[index].life.is_some_and(|life| life.probe_at <= context.now);
            if due {
                let is_asked = is_in_use && self.is_asked(index, most);
                self.probe(context, index, is_asked);
            }
        }
        self.sound_alarm(context.now);
    }

    /// Whether it is the selected pair or one of the best few of the others.
    fn is_asked(&self, index: usize, most: usize) -> bool {
        let pair = &self.pairs[index];
        if self.selected == Some(pair.id) {
            return true;
        }
        let worth = |pair: &Pair| (pair.is_healthy(), pair.priority);
        let is_ahead = |other: &&Pair| {
            other.is_valid() && self.selected != Some(other.id) && worth(other) > worth(pair)
        };
        self.pairs.iter().filter(is_ahead).count() < most
    }

    fn probe(&mut self, context: &mut Context<'_>, index: usize, is_asked: bool) {
        let is_selected = self.selected == Some(self.pairs[index].id);
        let timers = context.config.timers;
        let interval = if is_selected { timers.consent_interval } else { timers.keepalive };
        let next = context.now + spread(interval, context.rng.next_u32());
        // A nomination that is not answered yet goes with each question: the line may lose much.
        let nominates = self.proposal(index);
        if is_asked && self.send_check(context, index, nominates).is_none() {
            return;
        }
        let pair = &mut self.pairs[index];
        let wait = pair.round_trip.map_or(LEAST_WAIT, |span| (span * 2).max(LEAST_WAIT));
        if is_asked {
            pair.counts.consent_requests_sent += 1;
        }
        let Some(life) = &mut pair.life else { return };
        life.probe_at = if life.unanswered > 0 { context.now + DOUBT.max(wait) } else { next };
        if is_asked {
            life.verdict_at = Some(context.now + wait);
        }
    }

    fn miss(&mut self, context: &mut Context<'_>, index: usize) {
        let now = context.now;
        let Some(life) = &mut self.pairs[index].life else { return };
        life.verdict_at = None;
        life.unanswered += 1;
        life.probe_at = life.probe_at.min(now + DOUBT);
        // Whoever sends along another pair has a reason.
        if self.is_deserted && life.unanswered >= 2 {
            life.unanswered = life.unanswered.max(MOST_UNANSWERED);
        }
        if life.unanswered == MOST_UNANSWERED {
            context.story(&self.pairs[index], Chapter::Silent);
        }
    }

    /// RFC 7675 §5.1: no answer for 30 s, and nothing may be sent any more. If there was no chance to ask
    /// (the machine slept), the pair is checked anew and not given up.
    pub(super) fn expire(&mut self, context: &mut Context<'_>, index: usize) {
        let had_chance =
            self.pairs[index].life.is_some_and(|life| life.unanswered >= MOST_UNANSWERED);
        self.fail(context, index, PairFailure::ConsentExpired);
        if !had_chance {
            self.pairs[index].state = State::Waiting;
        }
        if self.selected == Some(self.pairs[index].id) {
            self.selected = None;
        }
    }

    /// When the selected pair gets into doubt, every other one is tried at once: by the time it is given up
    /// it is known what there is instead.
    fn sound_alarm(&mut self, now: Instant) {
        // One is about to be chosen.
        if self.selected.is_none() && self.pairs.iter().any(Pair::is_healthy) {
            return;
        }
        let selected = self.selected.and_then(|id| self.index(id));
        let doubts = selected.and_then(|index| self.pairs[index].life).map(|life| life.unanswered);
        match doubts {
            Some(0) => self.is_alarmed = false,
            Some(1) => {}
            _ if !self.is_alarmed && self.first_valid_at.is_some() => {
                self.is_alarmed = true;
                self.check_all_again(now);
            }
            _ => {}
        }
    }

    /// Data has come along a pair. If it is not the selected one, is that still there?
    pub(super) fn doubt(&mut self, now: Instant, came_along: PairId) {
        let Some(id) = self.selected.filter(|id| *id != came_along) else {
            self.is_deserted = false;
            return;
        };
        let is_reassured = self.reassured_at.is_some_and(|at| now < at + PEACE);
        if self.is_deserted || self.is_retired || is_reassured {
            return;
        }
        let selected = self.pairs.iter_mut().find(|pair| pair.id == id);
        if let Some(life) = selected.and_then(|pair| pair.life.as_mut())
            && life.verdict_at.is_none()
            && now >= life.proven_at + DOUBT
        {
            self.is_deserted = true;
            life.probe_at = now;
        }
    }

    /// Everything that is not known to work is checked again, but for what the other side or a relay has refused.
    pub(super) fn check_all_again(&mut self, now: Instant) {
        for pair in &mut self.pairs {
            match &mut pair.life {
                Some(life) => life.probe_at = life.probe_at.min(now + Duration::from_millis(1)),
                None if pair.state == State::Failed && !pair.is_refused => {
                    pair.state = State::Waiting
                }
                None => {}
            }
        }
    }

    /// When consent expires next.
    pub(super) fn next_expiry(&self, context: &Context<'_>) -> Option<Instant> {
        let lives = self.pairs.iter().filter_map(|pair| pair.life);
        lives.map(|life| life.proven_at + context.config.timers.consent_expiry).min()
    }
}
