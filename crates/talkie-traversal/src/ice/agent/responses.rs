//! Answers to our checks (RFC 8445 §7.2.5).

use std::net::SocketAddr;
use std::time::Duration;

use rand_core::Rng as _;

use super::context::Context;
use super::generation::Generation;
use super::ours::Local;
use super::pair::{Check, Life, Pair, State};
use super::session::{Proposal, Reply};
use crate::ice::candidate::{Candidate, CandidateType};
use crate::ice::config::Role;
use crate::ice::event::{Chapter, PairFailure};
use crate::ice::gather::LocalId;
use crate::stun::Message;
use crate::stun::attributes::ErrorCode;

impl Generation {
    /// Takes a response; says whether it answers a check of this generation.
    ///
    /// One that came another way than its check went, or that does not prove whose it is, is dropped as if
    /// it never came. RFC 8445 §7.2.5.2.1 would have the pair fail at once in the first case; so, whoever
    /// can repeat a packet of the other side from elsewhere could break any pair. The pair fails by its
    /// timeout as well.
    pub(super) fn handle_response(
        &mut self,
        context: &mut Context<'_>,
        base: LocalId,
        address: SocketAddr,
        message: &Message<'_>,
    ) -> bool {
        let id = message.transaction_id();
        let asks = |pair: &Pair| pair.checks.iter().any(|check| check.id == id);
        let Some(index) = self.find(base, address).filter(|index| asks(&self.pairs[*index])) else {
            // If nothing else comes, that is why.
            let elsewhere = self.pairs.iter().position(asks);
            if let Some(index) = elsewhere.filter(|_| self.session.reply(message).is_some()) {
                self.pairs[index].was_answered_elsewhere = true;
            }
            return false;
        };
        let Some(reply) = self.session.reply(message) else { return false };
        if self.is_failed {
            // W3C webrtc-pc: that is final until a restart. What was asked last came to nothing.
            return true;
        }
        let expiry = context.config.timers.consent_expiry;
        if self.pairs[index].life.is_some_and(|life| life.proven_at + expiry <= context.now) {
            // RFC 7675 §5.1: an answer after consent has expired does not bring it back.
            self.expire(context, index);
            return true;
        }
        let Some(check) = self.pairs[index].take_check(id) else { return false };
        let pair = &mut self.pairs[index];
        pair.counts.responses_received += 1;
        if pair.active.as_ref().is_some_and(|active| active.id == id) {
            pair.active = None;
        }
        match reply {
            Reply::Success { mapped } => self.succeed(context, index, check, mapped),
            Reply::Error { code } => self.refuse(context, index, check, code),
        }
        true
    }

    fn refuse(&mut self, context: &mut Context<'_>, index: usize, check: Check, code: u16) {
        context.story(&self.pairs[index], Chapter::Refused(code));
        let is_conflict = code == ErrorCode::ROLE_CONFLICT.code;
        if is_conflict && self.conflicts < MOST_CONFLICTS {
            // RFC 8445 §7.2.5.1: change, and check again.
            self.yield_role(context, check.role);
            if self.pairs[index].state != State::Succeeded {
                self.pairs[index].state = State::Waiting;
            }
            self.trigger(index);
            return;
        }
        // RFC 7675 §5.2: 403 takes consent back at once. RFC 8445 §7.2.5.3.4, §7.2.5.2.4: what is not taken
        // as nominated is not valid either, nor is what never was.
        let is_revoked = code == ErrorCode::FORBIDDEN.code;
        if is_revoked || check.nominates.is_some() || !self.pairs[index].is_valid() {
            self.fail(context, index, PairFailure::Refused(code));
        }
    }

    fn succeed(
        &mut self,
        context: &mut Context<'_>,
        index: usize,
        check: Check,
        mapped: SocketAddr,
    ) {
        let round_trip =
            (!check.is_repeated).then(|| context.now.saturating_duration_since(check.sent_at));
        self.name_local(context, index, mapped, check.priority);
        let jitter = context.rng.next_u32();
        let pair = &mut self.pairs[index];
        let was_valid = pair.is_valid();
        if let Some(round_trip) = round_trip {
            pair.round_trip = Some(round_trip);
            pair.counts.total_round_trip += round_trip;
        }
        pair.state = State::Succeeded;
        let kept = pair.life.map(|life| life.probe_at);
        let rested = pair.life.is_none_or(|life| life.unanswered == 0);
        let next = context.now + spread(context.config.timers.consent_interval, jitter);
        pair.life = Some(Life {
            proven_at: context.now,
            probe_at: kept.filter(|_| rested).unwrap_or(next),
            verdict_at: None,
            unanswered: 0,
        });
        if self.selected == Some(pair.id) && self.is_deserted {
            self.is_deserted = false;
            self.reassured_at = Some(context.now);
        }
        self.answered_at = Some(context.now);
        if !was_valid {
            // The answer may be to a second look, and the check itself has been lost.
            self.pairs[index].stop();
            context.story(&self.pairs[index], Chapter::Answered { round_trip, mapped });
            self.first_valid_at.get_or_insert(context.now);
            self.unfreeze(index);
        }
        if let Some(proposal) = check.nominates {
            self.agree(context, index, proposal);
        }
        if self.pairs[index].asked.is_some() && self.role == Role::Controlled {
            self.accept(context, index);
        }
    }

    /// RFC 8445 §7.2.5.3.3: pairs that look alike are worth a check now.
    fn unfreeze(&mut self, index: usize) {
        let foundation = self.pairs[index].foundation.clone();
        for pair in &mut self.pairs {
            if pair.state == State::Frozen && pair.foundation == foundation {
                pair.state = State::Waiting;
            }
        }
    }

    /// Finds the candidate that the other side sees us as (RFC 8445 §7.2.5.3.1, §7.2.5.3.2).
    fn name_local(
        &mut self,
        context: &mut Context<'_>,
        index: usize,
        mapped: SocketAddr,
        priority: u32,
    ) {
        let (id, base) = (self.pairs[index].base, self.pairs[index].base_address);
        let is_seen = |local: &&Local| {
            let itself = local.candidate.kind == CandidateType::Host && local.base == mapped;
            local.id == id && (itself || local.candidate.socket_address() == Some(mapped))
        };
        if let Some(local) = self.locals.iter().find(is_seen) {
            self.pairs[index].local = local.number;
            return;
        }
        // What the other side sees changes with every NAT that forgets: only what it sees now is kept.
        let (pairs, own) = (&self.pairs, self.pairs[index].id);
        let is_seen_by_another =
            |number: u32| pairs.iter().any(|pair| pair.local == number && pair.id != own);
        self.locals.retain(|local| local.is_told() || is_seen_by_another(local.number));
        let shown = self.locals.iter().filter(|local| !local.is_told()).count();
        let Some(first) = self.locals.iter().find(|local| local.id == id) else { return };
        if shown >= context.config.limits.local_candidates {
            self.pairs[index].local = first.number;
            context.counters.overflowing += 1;
            return;
        }
        let Some(first) = self.locals.iter().find(|local| local.id == id) else { return };
        let protocol = first.candidate.protocol;
        let relay_protocol = first.candidate.relay_protocol;
        let number = context.number();
        let foundation = format!("prflx{number}");
        let kind = CandidateType::PeerReflexive;
        let mut candidate = Candidate::new(kind, protocol, mapped, priority, foundation);
        candidate.related = Some(base);
        // A relay stays one under whatever address it is seen.
        candidate.relay_protocol = relay_protocol;
        candidate.username_fragment = Some(self.session.local().username_fragment.clone());
        self.locals.push(Local { number, id, base, candidate });
        self.pairs[index].local = number;
    }

    /// A nomination of ours has been answered.
    fn agree(&mut self, context: &mut Context<'_>, index: usize, proposal: Proposal) {
        // A late answer to an earlier one: of the present one the other side need not have heard.
        if self.proposal(index) != Some(proposal) {
            return;
        }
        let Some((_, order)) = self.proposed.take() else { return };
        // The answer may be to a later question, and the first has been lost: it is repeated no more, so that its
        // end is not taken for the pair's.
        self.pairs[index].stop();
        self.pairs[index].nominated = Some(order);
        self.was_nominated = true;
        context.story(&self.pairs[index], Chapter::Nominated);
    }
}

/// How often a generation changes its role because it is told to: two sides have settled it after one change, or
/// after two if they cross. Who is content with neither role gets no further check for it.
const MOST_CONFLICTS: u32 = 8;

/// RFC 7675 §5.1: 0.8 to 1.2 times the interval.
pub(super) fn spread(interval: Duration, random: u32) -> Duration {
    interval.mul_f64(0.8 + 0.4 * f64::from(random) / f64::from(u32::MAX))
}
