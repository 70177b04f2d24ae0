//! Addresses of the other side that nobody has told of: checks come from there (RFC 8445 §7.3.1.3).
//!
//! A check proves that its sender knows the password, or has seen somebody who does. So who is followed is bounded
//! in time, in number and for one and the same check, apart from the candidates that were told.

use std::time::{Duration, Instant};

use super::context::Context;
use super::generation::Generation;
use super::ours::Local;
use super::pair::State;
use super::requests::Early;
use super::theirs::Remote;
use crate::ice::candidate::{Candidate, CandidateType, Protocol, TcpType};
use crate::ice::event::Chapter;
use crate::stun::TransactionId;

/// How many peer-reflexive candidates may come at once; one more is granted each [`STRANGERS_APART`]. Two NATs
/// that give each remote a port of its own, and let everybody in, show a new address with each check that
/// answers one, and anybody can repeat a check of the other side from wherever he likes. The other side's own
/// checks are repeated as well, so that one of them finds a gap.
pub(super) const MOST_STRANGERS: u32 = 16;
const STRANGERS_APART: Duration = Duration::from_millis(500);
/// From how many addresses one and the same check is followed: the NAT may have changed its mapping since the
/// first time. Whoever repeats one that he has seen gets no further.
const MOST_PLACES: usize = 4;
/// How long an address that was shown has to be answered from, before another one may take its place.
const LEAST_STAY: Duration = Duration::from_secs(3);

impl Generation {
    /// Whether there is room for one more peer-reflexive candidate; forgets one that came to nothing if
    /// need be. They are bounded apart from those that are told, so that whoever repeats a check of the
    /// other side from many addresses can crowd out none of those.
    fn has_room_to_learn(&mut self, context: &mut Context<'_>) -> bool {
        let (now, room) = (context.now, context.config.limits.learned_candidates);
        let is_learned = |remote: &&Remote| !remote.is_told();
        if self.remotes.iter().filter(is_learned).count() < room {
            return true;
        }
        let of = |remote: &Remote| {
            let number = remote.number;
            self.pairs.iter().filter(move |pair| pair.remote == number)
        };
        let has_failed = |remote: &Remote| of(remote).all(|pair| pair.state == State::Failed);
        let is_silent = |remote: &Remote| {
            let since = remote.shown_by.map(|(_, since)| since);
            since.is_none_or(|since| since + LEAST_STAY <= now)
                && of(remote).all(|pair| pair.state != State::Succeeded)
        };
        let learned = || self.remotes.iter().filter(is_learned);
        // Who came first has had the longest time to answer.
        let gone = learned()
            .find(|remote| has_failed(remote))
            .or_else(|| learned().find(|remote| is_silent(remote)));
        let Some(number) = gone.map(|remote| remote.number) else { return false };
        self.remotes.retain(|remote| remote.number != number);
        self.pairs.retain(|pair| {
            let stays = pair.remote != number;
            if !stays {
                context.story(pair, Chapter::Removed);
            }
            stays
        });
        true
    }

    /// Whether one more address that nobody has told of may be followed.
    fn admits_stranger(&mut self, now: Instant, check: TransactionId) -> bool {
        let is_same = |remote: &&Remote| remote.shown_by.is_some_and(|(by, _)| by == check);
        if self.remotes.iter().filter(is_same).count() >= MOST_PLACES {
            return false;
        }
        let (left, since) = &mut self.strangers;
        let passed = now.saturating_duration_since(*since).as_millis();
        let granted = passed / STRANGERS_APART.as_millis();
        if granted >= u128::from(MOST_STRANGERS - *left) {
            (*left, *since) = (MOST_STRANGERS, now);
        } else {
            let granted = u32::try_from(granted).unwrap_or(MOST_STRANGERS);
            *left += granted;
            *since += STRANGERS_APART * granted;
        }
        *left > 0
    }

    /// The candidate of an address that a check of theirs came from (RFC 8445 §7.3.1.3).
    pub(super) fn learn(&mut self, context: &mut Context<'_>, check: Early) -> Option<usize> {
        let Early { base, address, priority, id, .. } = check;
        let is_tcp = |local: &Local| matches!(local.candidate.protocol, Protocol::Tcp(_));
        let local = self.locals.iter().find(|local| local.id == base)?;
        let (tcp, local) = (is_tcp(local), local.number);
        let same = |remote: &Remote| {
            let theirs = matches!(remote.candidate.protocol, Protocol::Tcp(_));
            remote.address == Some(address) && theirs == tcp
        };
        let known = self.remotes.iter().find(|remote| same(remote)).map(|remote| remote.number);
        if let Some(remote) = known {
            return self.insert(context, local, remote, address);
        }
        if !self.admits_stranger(context.now, id) || !self.has_room_to_learn(context) {
            context.counters.overflowing += 1;
            return None;
        }
        self.strangers.0 -= 1;
        let number = context.number();
        let protocol = if tcp { Protocol::Tcp(TcpType::Active) } else { Protocol::Udp };
        // RFC 8445 §7.3.1.3: a foundation different from all others.
        let foundation = format!("prflx{number}");
        let kind = CandidateType::PeerReflexive;
        let mut candidate = Candidate::new(kind, protocol, address, priority, foundation);
        candidate.username_fragment =
            self.session.remote().map(|theirs| theirs.username_fragment.clone());
        let shown_by = Some((id, context.now));
        self.remotes.push(Remote { number, address: Some(address), candidate, shown_by });
        self.insert(context, local, number, address)
    }
}
