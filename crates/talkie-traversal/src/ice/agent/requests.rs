//! Checks of the other side (RFC 8445 §7.3).

use std::net::SocketAddr;

use rand_core::Rng as _;

use super::context::Context;
use super::generation::Generation;
use super::pair::State;
use super::session::{Judgement, Proposal, Request};
use crate::ice::config::Role;
use crate::ice::event::Chapter;
use crate::ice::gather::LocalId;
use crate::stun::attributes::ErrorCode;
use crate::stun::{Message, TransactionId};

/// A check that came before the other side's parameters did, or after it has restarted (RFC 8445 §7.3): it
/// is answered at once, and followed when they are there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Early {
    pub(super) base: LocalId,
    pub(super) address: SocketAddr,
    pub(super) priority: u32,
    pub(super) id: TransactionId,
    nominates: Option<Proposal>,
}

/// The most checks remembered until the other side's parameters come.
const MOST_EARLY: usize = 16;

impl Generation {
    /// Takes a request; says whether it was for this generation.
    pub(super) fn handle_request(
        &mut self,
        context: &mut Context<'_>,
        base: LocalId,
        address: SocketAddr,
        message: &Message<'_>,
    ) -> bool {
        let request = match self.session.judge(message) {
            Judgement::Foreign => return false,
            Judgement::Wrong(code) => {
                self.answer(context, base, address, &self.session.error(message, code));
                return true;
            }
            Judgement::Theirs(request) => request,
        };
        if self.is_failed {
            return true;
        }
        if self.is_in_conflict(request) {
            let refusal = self.session.error(message, ErrorCode::ROLE_CONFLICT);
            self.answer(context, base, address, &refusal);
            return true;
        }
        let response = self.session.success(message.transaction_id(), address);
        self.answer(context, base, address, &response);
        let Request { priority, nominates, is_current, .. } = request;
        let check = Early { base, address, priority, id: message.transaction_id(), nominates };
        if is_current {
            self.hear(context, check);
        } else {
            self.remember_early(context, check);
        }
        true
    }

    fn answer(
        &mut self,
        context: &mut Context<'_>,
        base: LocalId,
        address: SocketAddr,
        bytes: &[u8],
    ) {
        // What cannot be sent is as lost as any packet may be.
        let _ = context.gatherer.send(context.now, base, address, bytes);
        if let Some(index) = self.find(base, address) {
            self.pairs[index].counts.responses_sent += 1;
        }
    }

    /// RFC 8445 §7.3.1.1: whoever has the greater tie-breaker stays or becomes controlling. Says whether
    /// the other side has to change.
    fn is_in_conflict(&mut self, request: Request) -> bool {
        let Some((role, tie_breaker)) = request.role.filter(|(role, _)| *role == self.role) else {
            return false;
        };
        let is_greater = self.tie_breaker >= tie_breaker;
        match (role, is_greater) {
            (Role::Controlling, true) | (Role::Controlled, false) => true,
            (Role::Controlling, false) | (Role::Controlled, true) => {
                self.set_role(role.other());
                false
            }
        }
    }

    /// Changes the role. What was said in the old one is repeated no more: checks under way are begun anew,
    /// and nominations of before do not count, since their numbers were another side's.
    pub(super) fn set_role(&mut self, role: Role) {
        if self.role == role {
            return;
        }
        self.role = role;
        self.proposed = None;
        self.orders = 0;
        for pair in &mut self.pairs {
            pair.asked = None;
            pair.nominated = None;
            // RFC 8445 §7.1.2: the controlled side never says USE-CANDIDATE.
            pair.stop();
            if pair.state == State::InProgress {
                pair.state = State::Waiting;
            }
        }
        self.prioritize();
    }

    /// The other side says that our role is its own (RFC 8445 §7.2.5.1).
    pub(super) fn yield_role(&mut self, context: &mut Context<'_>, mistaken: Role) {
        if self.role == mistaken {
            self.conflicts += 1;
            self.set_role(mistaken.other());
            self.tie_breaker = context.rng.next_u64();
        }
    }

    fn remember_early(&mut self, context: &mut Context<'_>, early: Early) {
        let same = |known: &&mut Early| (known.base, known.address) == (early.base, early.address);
        if let Some(known) = self.early.iter_mut().find(same) {
            known.nominates = early.nominates.or(known.nominates);
        } else if self.early.len() < MOST_EARLY {
            self.early.push(early);
        } else {
            context.counters.overflowing += 1;
        }
    }

    /// Whether a check has come from there that waits for its sender's credentials, to this base or to any.
    pub(super) fn was_heard_early(&self, address: SocketAddr, base: Option<LocalId>) -> bool {
        let is_it =
            |check: &Early| check.address == address && base.is_none_or(|base| base == check.base);
        self.early.iter().any(is_it)
    }

    /// Follows the checks that came too early.
    pub(super) fn follow_early(&mut self, context: &mut Context<'_>) {
        for check in std::mem::take(&mut self.early) {
            self.hear(context, check);
        }
    }

    /// A check of theirs has come along a pair, which may be new.
    fn hear(&mut self, context: &mut Context<'_>, check: Early) {
        let Early { base, address, nominates, .. } = check;
        let known = self.find(base, address);
        let is_hopeless = self.is_hopeless(context);
        if known.is_none() && is_hopeless {
            context.counters.overflowing += 1;
            return;
        }
        let Some(index) = known.or_else(|| self.learn(context, check)) else {
            return;
        };
        self.pairs[index].counts.requests_received += 1;
        if known.is_none() {
            // It was answered before there was a pair to count it.
            self.pairs[index].counts.responses_sent += 1;
        }
        if !self.pairs[index].was_heard {
            self.pairs[index].was_heard = true;
            context.story(&self.pairs[index], Chapter::Heard);
        }
        if let Some(proposal) = nominates.filter(|_| self.role == Role::Controlled) {
            self.pairs[index].asked = Some(proposal);
            // RFC 8445 §7.3.1.5: at once if the pair works, else when the triggered check is answered.
            if self.pairs[index].is_valid() {
                self.accept(context, index);
            }
        }
        // They can reach us along a pair that has not answered: is that over?
        if let Some(life) = &mut self.pairs[index].life
            && life.unanswered > 0
            && life.verdict_at.is_none()
        {
            life.probe_at = context.now;
        }
        if !is_hopeless {
            self.trigger(index);
        }
    }

    /// Whether checks have come and gone for twice as long as one takes, and none was answered: then those
    /// that still come are on ways that lead back to nobody, as between two NATs of which each shows another
    /// port to each remote. To answer them with checks would keep both sides at it for ever.
    fn is_hopeless(&self, context: &Context<'_>) -> bool {
        let patience = context.config.timers.patience;
        self.patience_until.is_some_and(|until| until + patience < context.now)
            && self.answered_at.is_none_or(|at| at + patience * 2 < context.now)
    }
}
