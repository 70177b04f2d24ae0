//! Straight ways are looked for again while data takes the detour over a relay.
//!
//! A direct pair that failed may work later: a NAT has forgotten a mapping that stood in the way, a firewall
//! was changed, the other side's checks have opened what was closed. So every few seconds some of them are
//! asked once more, taking turns, each with a single packet that is not repeated. An answer makes the pair
//! valid, and nomination moves to it as to any better one. It ends after a while: what has not opened in
//! minutes is left to a restart or a change of network.
//!
//! The same is done, with all pairs, while nothing works yet and the other side may still come: an application
//! whose signaling takes minutes (people who paste) says so by [`Timers::patience`](crate::ice::Timers). Each of
//! these packets also keeps open what the other side's first check needs: a NAT's filter, a relay's permission.
//! It ends with the patience.

use std::time::Instant;

use super::context::Context;
use super::generation::Generation;
use super::pair::{Pair, State};

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detour {
    search: Search,
    next: Instant,
    rounds: usize,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    /// Data goes over a relay.
    StraightWay,
    /// Data goes no way.
    AnyWay,
}

impl Detour {
    fn is_over(self) -> bool {
        self.search == Search::StraightWay && self.rounds >= MOST_ROUNDS
    }
}

/// Pairs asked at a time.
const AT_A_TIME: usize = 3;
/// At 5 s each, two minutes.
const MOST_ROUNDS: usize = 24;

impl Generation {
    /// Asks direct pairs again, if it is time to.
    pub(super) fn look_for_straight_way(&mut self, context: &mut Context<'_>) {
        let Some(search) = self.search(context.now) else {
            self.detour = None;
            return;
        };
        let next = context.now + context.config.timers.retry;
        let detour = self.detour.get_or_insert(Detour { search, next, rounds: 0 });
        if detour.search != search {
            *detour = Detour { search, next, rounds: 0 };
        }
        if detour.next > context.now || detour.is_over() {
            return;
        }
        let turn = detour.rounds;
        let straight = self.failed(search);
        let rounds = turn + usize::from(!straight.is_empty());
        self.detour = Some(Detour { search, next, rounds });
        for at in 0..AT_A_TIME.min(straight.len()) {
            let index = straight[(turn * AT_A_TIME + at) % straight.len()];
            self.send_check(context, index, None);
        }
    }

    fn search(&self, now: Instant) -> Option<Search> {
        if self.is_failed {
            return None;
        }
        match self.selected.and_then(|id| self.pair(id)) {
            Some(pair) => self.is_relayed(pair).then_some(Search::StraightWay),
            None => self.patience_until.is_some_and(|until| now < until).then_some(Search::AnyWay),
        }
    }

    /// Pairs that have failed, the best first. Those under way repeat their checks anyway, and a stream that
    /// was refused tells more than one more would.
    fn failed(&self, search: Search) -> Vec<usize> {
        let mut failed: Vec<usize> =
            (0..self.pairs.len()).filter(|index| self.is_asked_again(*index, search)).collect();
        failed.sort_by_key(|index| std::cmp::Reverse(self.pairs[*index].priority));
        failed
    }

    fn is_asked_again(&self, index: usize, search: Search) -> bool {
        let pair: &Pair = &self.pairs[index];
        let is_wanted = search == Search::AnyWay || !self.is_relayed(pair);
        // RFC 7675 §5.2: who has refused is not asked again, nor is a relay for what it forbids.
        let may_open = pair.state == State::Failed && !pair.is_refused;
        may_open && is_wanted && !self.is_stream(index)
    }

    /// When they are asked next.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let detour = self.detour.filter(|detour| !detour.is_over())?;
        let mut indices = 0..self.pairs.len();
        indices.any(|index| self.is_asked_again(index, detour.search)).then_some(detour.next)
    }
}
