//! Which check goes when (RFC 8445 §6.1.4).
//!
//! The first ordinary check goes at once and one more each Ta. Triggered checks, which answer checks of the
//! other side, do not wait for their turn: a handful may go at once, and one more is granted each Ta; the
//! same pair is triggered once per Ta. Each check is repeated as STUN has it until it is answered.
//!
//! A check that came before the other side's NAT was open is lost, and RFC 8445 §14.3 lets nobody repeat it before
//! 500 ms have passed. But the slots of Ta are empty meanwhile once all pairs have had their turn. While nothing works
//! yet, they go to *second looks*: other checks of pairs that wait for an answer, one packet each that is not
//! repeated, a fifth and a half of the RTO after the first. They are a few in all, each in a slot of its own, so
//! that no more is sent in any time than by an agent with some pairs more.

use std::time::{Duration, Instant};

use super::consent::DOUBT;
use super::context::Context;
use super::generation::Generation;
use super::pair::{Active, Check, Pair, State};
use super::pairing::is_outside;
use super::session::{Content, Proposal};
use crate::ice::candidate::{CandidateType, Protocol};
use crate::ice::config::Role;
use crate::ice::event::{Chapter, PairFailure, PairId};
use crate::ice::gather::SendError;

impl Generation {
    /// Sends what is due.
    pub(super) fn check(&mut self, context: &mut Context<'_>) {
        if self.session.remote().is_none() || self.is_failed {
            return;
        }
        self.ask_for_permissions(context);
        self.repeat_checks(context);
        self.send_triggered(context);
        while self.paced_at <= context.now {
            let Some(index) = self.next_ordinary(context) else { break };
            self.paced_at = context.now + self.interval;
            self.begin(context, index, None);
        }
        while self.paced_at <= context.now
            && let Some(index) = self.next_second_look(context.now)
        {
            self.paced_at = context.now + self.interval;
            self.second_looks += 1;
            self.pairs[index].second_looks += 1;
            self.send_check(context, index, None);
        }
    }

    /// The pair whose second look is due for the longest time.
    fn next_second_look(&self, now: Instant) -> Option<usize> {
        let (at, index) = self.looks_again().min()?;
        (at <= now).then_some(index)
    }

    /// When pairs may be looked at again. Once one works there is no hurry.
    fn looks_again(&self) -> impl Iterator<Item = (Instant, usize)> {
        let is_over = self.is_retired
            || self.second_looks >= MOST_SECOND_LOOKS
            || self.pairs.iter().any(Pair::is_valid);
        let pairs = self.pairs.iter().enumerate().filter(move |_| !is_over);
        pairs.filter_map(|(index, pair)| Some((pair.second_look_at()?, index)))
    }

    /// Asks relays to let through whom new pairs lead to, all at once (RFC 8656 §9): when the check has its turn,
    /// it need not wait for that.
    pub(super) fn ask_for_permissions(&mut self, context: &mut Context<'_>) {
        let mut new = std::mem::take(&mut self.unpermitted);
        while let Some((base, _)) = new.first().copied() {
            let of_it = new.extract_if(.., |(id, _)| *id == base);
            let peers: Vec<_> = of_it.map(|(_, ip)| ip).collect();
            context.gatherer.permit(context.now, base, &peers);
        }
    }

    /// Goes on at the pace of the generation before: who restarts again and again, or makes this side do so, gets
    /// no more checks than who does not.
    pub(super) fn keep_pace_of(&mut self, before: &Self) {
        self.paced_at = before.paced_at;
        self.tokens = before.tokens;
        self.granted_at = before.granted_at;
        self.strangers = before.strangers;
    }

    /// The highest-priority pair that waits; if none does, frozen ones are let go (RFC 8445 §6.1.4.2).
    fn next_ordinary(&mut self, context: &Context<'_>) -> Option<usize> {
        if let Some(index) = self.best_in(context, State::Waiting) {
            return Some(index);
        }
        let index = self.best_in(context, State::Frozen)?;
        self.pairs[index].state = State::Waiting;
        Some(index)
    }

    fn best_in(&self, context: &Context<'_>, state: State) -> Option<usize> {
        let spare = context.config.limits.spare_pairs;
        let waits = |pair: &Pair| pair.state == state && self.is_wanted(pair, spare);
        let rank = |pair: &Pair| (self.is_foretold(context, pair), pair.priority);
        let waiting = self.pairs.iter().enumerate().filter(|(_, pair)| waits(pair));
        waiting.max_by_key(|(_, pair)| rank(pair)).map(|(index, _)| index)
    }

    /// Whether the other side was told where the next new mapping of this base is expected to be, and this is
    /// the pair that it is to be made by. RFC 8445 §6.1.4.2 knows no such order; any other check first would
    /// take the mapping that was guessed for this one.
    fn is_foretold(&self, context: &Context<'_>, pair: &Pair) -> bool {
        context.gatherer.foretells(pair.base)
            && self
                .remote(pair.remote)
                .is_some_and(|it| is_outside(it.candidate.kind, pair.address))
    }

    /// Whether a pair that is not valid is worth a check. Once a pair is nominated, only better ones are
    /// (RFC 8445 §8.1.2), or any while there are too few to fall back to: not half of the `spare` ones.
    fn is_wanted(&self, pair: &Pair, spare: usize) -> bool {
        let Some(selected) = self.selected.and_then(|id| self.pair(id)) else { return true };
        if selected.nominated.is_none() || !selected.is_healthy() || self.is_alarmed {
            return true;
        }
        pair.priority > selected.priority
            || self.pairs.iter().filter(|pair| pair.is_valid()).count() <= spare / 2
    }

    /// Begins a check of a pair.
    pub(super) fn begin(
        &mut self,
        context: &mut Context<'_>,
        index: usize,
        nominates: Option<Proposal>,
    ) {
        let rto = self.timeout(context);
        let Some((id, bytes)) = self.send_check(context, index, nominates) else { return };
        let pair = &mut self.pairs[index];
        if pair.state != State::Succeeded {
            pair.state = State::InProgress;
        }
        let is_stream = self.is_stream(index);
        let pace = context.config.pace;
        // RFC 8489 §6.2.2: over a stream once, and as long as it would take over UDP.
        let wait = if is_stream { whole(pace.timeout, pace.requests, pace.last_wait) } else { rto };
        let sent = if is_stream { pace.requests } else { 1 };
        let deadline = context.now + wait;
        self.pairs[index].active = Some(Active { id, bytes, sent, rto, deadline });
        context.story(&self.pairs[index], Chapter::Sent(1));
    }

    /// Sends one request that is not repeated.
    pub(super) fn send_check(
        &mut self,
        context: &mut Context<'_>,
        index: usize,
        nominates: Option<Proposal>,
    ) -> Option<(crate::stun::TransactionId, Vec<u8>)> {
        let id = context.transaction_id();
        let priority = self.shown_priority(index);
        let (role, tie_breaker) = (self.role, self.tie_breaker);
        let content = Content { priority, role, tie_breaker, nominates };
        let Some(bytes) = self.session.request(id, content) else {
            self.fail(context, index, PairFailure::Unsendable);
            return None;
        };
        let pair = &mut self.pairs[index];
        match context.gatherer.send(context.now, pair.base, pair.address, &bytes) {
            // What finds no room now is lost as any packet may be, and is repeated.
            Ok(()) | Err(SendError::Full) => {}
            Err(error) => {
                let why = match error {
                    SendError::Forbidden => PairFailure::Forbidden,
                    _ => PairFailure::Unsendable,
                };
                self.fail(context, index, why);
                return None;
            }
        }
        pair.counts.requests_sent += 1;
        let sent_at = context.now;
        pair.remember(Check { id, sent_at, is_repeated: false, role, priority, nominates });
        Some((id, bytes))
    }

    /// PRIORITY: what the candidate would have that the other side may see in this check (RFC 8445 §7.1.1).
    /// A check through a relay says so, as the relayed candidate does: else the other side, if it does not
    /// know the relay yet, would prefer it to a direct path.
    fn shown_priority(&self, index: usize) -> u32 {
        const PEER_REFLEXIVE: u32 = 110 << 24;
        let Some(local) = self.local(self.pairs[index].local) else { return PEER_REFLEXIVE };
        let candidate = &local.candidate;
        if candidate.kind == CandidateType::Relayed {
            return candidate.priority;
        }
        // Never above what the candidate itself has: TCP stays behind UDP.
        (PEER_REFLEXIVE | (candidate.priority & 0x00FF_FFFF)).min(candidate.priority)
    }

    pub(super) fn is_stream(&self, index: usize) -> bool {
        let local = self.local(self.pairs[index].local);
        local.is_some_and(|local| matches!(local.candidate.protocol, Protocol::Tcp(_)))
    }

    /// RFC 8445 §14.3, with one checklist.
    fn timeout(&self, context: &Context<'_>) -> Duration {
        let pace = context.config.pace;
        let pending = self
            .pairs
            .iter()
            .filter(|pair| matches!(pair.state, State::Waiting | State::InProgress));
        let spread =
            self.interval.saturating_mul(u32::try_from(pending.count()).unwrap_or(u32::MAX));
        pace.timeout.max(spread)
    }

    /// Repeats the checks that are unanswered, or gives them up.
    fn repeat_checks(&mut self, context: &mut Context<'_>) {
        let spare = context.config.limits.spare_pairs;
        for index in 0..self.pairs.len() {
            let active = self.pairs[index].active.as_ref();
            if active.is_none_or(|active| active.deadline > context.now) {
                continue;
            }
            // RFC 8445 §8.1.2: what is not needed any more is not repeated.
            let is_needed =
                self.pairs[index].is_valid() || self.is_wanted(&self.pairs[index], spare);
            let pair = &mut self.pairs[index];
            if !is_needed {
                pair.state = State::Waiting;
                pair.active = None;
                continue;
            }
            let pace = context.config.pace;
            // The answer to a nomination is missed like that to any question.
            if let Some(life) = &mut pair.life {
                life.unanswered += 1;
                life.probe_at = life.probe_at.min(context.now + DOUBT);
            }
            // On a line that loses much, questions of later have been answered, and only this one has not.
            let pair_answers = pair.is_healthy();
            let silence = match pair.was_answered_elsewhere {
                true => PairFailure::Asymmetric,
                false => PairFailure::TimedOut,
            };
            let active = pair.active.as_mut().expect("it was there a moment ago");
            if active.sent < pace.requests {
                active.sent += 1;
                let is_last = active.sent == pace.requests;
                let times = if is_last { pace.last_wait } else { 1 << (active.sent - 1).min(16) };
                let base = if is_last { pace.timeout } else { active.rto };
                active.deadline = context.now + base.saturating_mul(times);
                let sent = active.sent;
                let _ = context.gatherer.send(context.now, pair.base, pair.address, &active.bytes);
                if let Some(check) = pair.checks.iter_mut().find(|check| check.id == active.id) {
                    check.is_repeated = true;
                }
                context.story(&self.pairs[index], Chapter::Sent(sent));
            } else if let Some(proposal) = self.proposal(index).filter(|_| pair_answers) {
                self.begin(context, index, Some(proposal));
            } else {
                self.fail(context, index, silence);
            }
        }
    }

    /// A pair will not be used.
    pub(super) fn fail(&mut self, context: &mut Context<'_>, index: usize, why: PairFailure) {
        let pair = &mut self.pairs[index];
        pair.state = State::Failed;
        // RFC 8656 §10.2: the rules of a relay stay as they are, too.
        pair.is_refused = matches!(why, PairFailure::Refused(_) | PairFailure::Forbidden);
        pair.life = None;
        // The other side need not have noticed anything. What it proposed holds when the pair works again.
        if let Some(order) = pair.nominated.take()
            && self.role == Role::Controlled
        {
            pair.asked.get_or_insert_with(|| Proposal((order > 0).then_some(order)));
        }
        pair.active = None;
        pair.checks.clear();
        if self.proposed.is_some_and(|(id, _)| id == pair.id) {
            self.proposed = None;
        }
        context.story(&self.pairs[index], Chapter::Failed(why));
    }

    /// Queues a check that answers one of theirs (RFC 8445 §7.3.1.4).
    pub(super) fn trigger(&mut self, index: usize) {
        if self.is_retired {
            return;
        }
        let pair = &mut self.pairs[index];
        match pair.state {
            State::Succeeded => return,
            State::InProgress => {}
            State::Frozen | State::Waiting | State::Failed => pair.state = State::Waiting,
        }
        let id = pair.id;
        if !self.triggered.contains(&id) {
            self.triggered.push_back(id);
        }
    }

    fn send_triggered(&mut self, context: &mut Context<'_>) {
        if self.triggered.is_empty() {
            return;
        }
        self.grant(context);
        for id in std::mem::take(&mut self.triggered) {
            let Some(index) = self.index(id) else { continue };
            if matches!(self.pairs[index].state, State::Succeeded | State::Failed) {
                continue;
            }
            if self.tokens == 0 || self.rested_at(index, context) > context.now {
                self.triggered.push_back(id);
                continue;
            }
            self.tokens -= 1;
            // The check under way is not repeated, but may still be answered.
            self.pairs[index].stop();
            self.pairs[index].triggered_at = Some(context.now);
            self.begin(context, index, None);
        }
    }

    /// Gives the triggered checks of the time that has passed.
    fn grant(&mut self, context: &Context<'_>) {
        let pace = context.config.pace;
        let passed = context.now.saturating_duration_since(self.granted_at);
        let interval = self.interval.max(Duration::from_millis(1));
        let granted = u32::try_from(passed.as_millis() / interval.as_millis()).unwrap_or(u32::MAX);
        if granted >= pace.burst.saturating_sub(self.tokens) {
            self.tokens = pace.burst;
            self.granted_at = context.now;
        } else {
            self.tokens += granted;
            self.granted_at += interval * granted;
        }
    }

    fn rested_at(&self, index: usize, context: &Context<'_>) -> Instant {
        let last = self.pairs[index].triggered_at;
        last.map_or(context.now, |at| at + self.interval)
    }

    /// When checks want to be sent next.
    pub(super) fn next_check(&self, context: &Context<'_>) -> Option<Instant> {
        if self.session.remote().is_none() || self.is_failed {
            return None;
        }
        let interval = self.interval.max(Duration::from_millis(1));
        let spare = context.config.limits.spare_pairs;
        let waits = |pair: &Pair| {
            matches!(pair.state, State::Waiting | State::Frozen) && self.is_wanted(pair, spare)
        };
        let is_waiting = !self.is_retired && self.pairs.iter().any(waits);
        let ordinary = is_waiting.then_some(self.paced_at);
        let granted = if self.tokens == 0 { self.granted_at + interval } else { context.now };
        let rested = |id: &PairId| self.index(*id).map(|index| self.rested_at(index, context));
        let triggered =
            self.triggered.iter().filter_map(rested).min().map(|rested| rested.max(granted));
        let look = if is_waiting { None } else { self.looks_again().min() };
        let look = look.map(|(at, _)| at.max(self.paced_at));
        let repeats = self.pairs.iter().filter_map(Pair::due);
        repeats.chain(ordinary).chain(triggered).chain(look).min()
    }
}

/// How many second looks a generation has: both of eight pairs.
const MOST_SECOND_LOOKS: u32 = 16;

/// How long a check takes that is not answered.
fn whole(timeout: Duration, requests: u32, last_wait: u32) -> Duration {
    let doubled = (1_u32 << requests.saturating_sub(1).min(16)) - 1;
    timeout.saturating_mul(last_wait.saturating_add(doubled))
}
