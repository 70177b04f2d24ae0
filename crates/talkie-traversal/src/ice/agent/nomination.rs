//! Which pair it will be (RFC 8445 §8).
//!
//! Data takes the best pair that works from the moment one does. The controlling side nominates once
//! nothing better can be expected soon: a direct pair as soon as better ones have had their chance, a
//! relayed one a moment later. After that it moves to a better pair only if both sides know renomination
//! (draft-thatcher-ice-renomination); to any working pair if the nominated one has stopped to answer, which
//! RFC 8445 §8.1.1 leaves to a restart, but which every known implementation accepts and saves a round of
//! signaling. The controlled side takes the last numbered nomination, or the best of those without a number
//! (which is how RFC 5245's aggressive nomination was meant), among the pairs that answer.

use std::time::{Duration, Instant};

use super::context::Context;
use super::generation::Generation;
use super::pair::Pair;
use super::session::Proposal;
use crate::ice::candidate::CandidateType;
use crate::ice::config::Role;
use crate::ice::event::{Chapter, Event, PairId};

impl Generation {
    /// They have proposed a pair that is valid.
    pub(super) fn accept(&mut self, context: &mut Context<'_>, index: usize) {
        let Some(Proposal(number)) = self.pairs[index].asked.take() else { return };
        let order = number.unwrap_or(0);
        // A number that is not greater than the last is a packet that was overtaken.
        let is_stale = number.is_some_and(|number| number < self.orders);
        if is_stale || self.pairs[index].nominated.is_some_and(|known| known >= order) {
            return;
        }
        self.orders = self.orders.max(order);
        self.pairs[index].nominated = Some(order);
        self.was_nominated = true;
        context.story(&self.pairs[index], Chapter::Nominated);
    }

    /// Chooses what data takes, and proposes a pair if it is ours to do.
    pub(super) fn choose(&mut self, context: &mut Context<'_>) {
        if self.is_failed {
            return;
        }
        if self.role == Role::Controlling {
            self.propose(context);
        }
        self.select(context);
    }

    fn propose(&mut self, context: &mut Context<'_>) {
        let is_healthy = |id| self.pair(id).is_some_and(Pair::is_healthy);
        if self.proposed.is_some_and(|(id, _)| is_healthy(id)) {
            return;
        }
        let Some(best) = self.best_valid() else { return };
        let nominated = self.nominated();
        let worth = match nominated {
            None => self.was_nominated || self.settles_at(best, context).is_none(),
            Some(current) => {
                current != best
                    && self.session.can_renominate()
                    && is_better(&self.pairs[best], &self.pairs[current])
            }
        };
        if !worth {
            return;
        }
        // What was proposed before is proposed no more.
        let before = self.proposed.take().and_then(|(id, _)| self.index(id));
        if let Some(before) = before {
            self.pairs[before].stop();
        }
        self.orders = self.orders.saturating_add(1);
        self.proposed = Some((self.pairs[best].id, self.orders));
        context.story(&self.pairs[best], Chapter::Nominating);
        let proposal = self.proposal(best);
        self.begin(context, best, proposal);
    }

    /// What a check of this pair has to say, if it is the one that is proposed.
    pub(super) fn proposal(&self, index: usize) -> Option<Proposal> {
        let (_, order) = self.proposed.filter(|(id, _)| *id == self.pairs[index].id)?;
        Some(Proposal(self.session.can_renominate().then_some(order)))
    }

    fn best_valid(&self) -> Option<usize> {
        let answering = self.pairs.iter().enumerate().filter(|(_, pair)| pair.is_healthy());
        answering.max_by_key(|(_, pair)| pair.priority).map(|(index, _)| index)
    }

    /// The nominated pair that answers.
    fn nominated(&self) -> Option<usize> {
        let nominated = |pair: &Pair| pair.is_healthy().then_some(pair.nominated?);
        let all = self.pairs.iter().enumerate();
        let ranked = all.filter_map(|(index, pair)| Some((nominated(pair)?, pair.priority, index)));
        ranked.max().map(|(.., index)| index)
    }

    /// Until when better pairs than the best so far are waited for; `None` if there is nothing to wait for.
    fn settles_at(&self, best: usize, context: &Context<'_>) -> Option<Instant> {
        let first = self.first_valid_at?;
        let timers = context.config.timers;
        let pair = &self.pairs[best];
        let is_relayed = self.is_relayed(pair);
        let latest = first + if is_relayed { timers.settle_relayed } else { timers.settle_direct };
        let chance = |other: &Pair| -> Option<Instant> {
            if other.priority <= pair.priority || !other.is_unfinished() {
                return None;
            }
            if is_relayed {
                return Some(latest);
            }
            // A better one that goes as straight would have answered by then.
            let patience = pair.round_trip.unwrap_or(context.config.pace.timeout) * 2
                + Duration::from_millis(20);
            let begun = other.checks.front().map_or(latest, |check| check.sent_at + patience);
            Some(begun.min(latest))
        };
        self.pairs.iter().filter_map(chance).max().filter(|until| *until > context.now)
    }

    pub(super) fn is_relayed(&self, pair: &Pair) -> bool {
        let is_ours =
            self.local(pair.local).is_some_and(|local| local.candidate.relay_protocol.is_some());
        let theirs = self.remote(pair.remote).map(|remote| remote.candidate.kind);
        is_ours || theirs == Some(CandidateType::Relayed)
    }

    /// When the best pair so far is nominated.
    pub(super) fn next_choice(&self, context: &Context<'_>) -> Option<Instant> {
        let waits = self.role == Role::Controlling
            && !self.was_nominated
            && self.proposed.is_none()
            && !self.is_failed;
        self.best_valid().filter(|_| waits).and_then(|best| self.settles_at(best, context))
    }

    pub(super) fn select(&mut self, context: &mut Context<'_>) {
        let rank = |pair: &Pair| {
            (pair.is_healthy(), pair.nominated.is_some(), pair.nominated, pair.priority)
        };
        let valid = self.pairs.iter().enumerate().filter(|(_, pair)| pair.is_valid());
        let Some((index, _)) = valid.max_by_key(|(_, pair)| rank(pair)) else {
            self.selected = None;
            return;
        };
        let pair = &self.pairs[index];
        let is_nominated = pair.nominated.is_some();
        let told = self.told_nominated.filter(|_| self.selected == Some(pair.id));
        if told == Some(is_nominated) {
            return;
        }
        let is_new = told.is_none();
        self.selected = Some(pair.id);
        self.told_nominated = Some(is_nominated);
        if is_nominated {
            context.gatherer.bind(context.now, pair.base, pair.address);
        }
        if is_new {
            *context.changes += 1;
            self.is_deserted = false;
            self.reassured_at = None;
            context.story(&self.pairs[index], Chapter::Selected);
        }
        if let Some(pair) = self.describe(self.pairs[index].id) {
            context.tell(Event::Selected(Box::new(pair)));
        }
    }

    /// A pair as the application sees it.
    pub(super) fn describe(&self, id: PairId) -> Option<crate::ice::event::Pair> {
        let pair = self.pair(id)?;
        Some(crate::ice::event::Pair {
            id,
            local: self.local(pair.local)?.candidate.clone(),
            base: pair.base_address,
            remote: self.remote(pair.remote)?.candidate.clone(),
            remote_address: pair.address,
            is_nominated: pair.nominated.is_some(),
            round_trip: pair.round_trip,
        })
    }
}

/// Whether to move is worth it: a higher priority and not much slower.
fn is_better(new: &Pair, old: &Pair) -> bool {
    let slack = Duration::from_millis(10);
    let is_slow = match (new.round_trip, old.round_trip) {
        (Some(new), Some(old)) => new > old + old / 2 + slack,
        _ => false,
    };
    new.priority > old.priority && !is_slow
}
