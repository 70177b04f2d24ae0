//! Straight ways are looked for again while data takes the detour over a relay.
//!
//! A direct pair that failed may work later: a NAT has forgotten a mapping that stood in the way, a firewall
//! was changed, the other side's checks have opened what was closed. So every few seconds some of them are
//! asked once more, taking turns, each with a single packet that is not repeated. An answer makes the pair
//! valid, and nomination moves to it as to any better one. It ends after a while: what has not opened in
//! minutes is left to a restart or a change of network.

use std::time::Instant;

use super::context::Context;
use super::generation::Generation;
use super::pair::{Pair, State};

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detour {
    next: Instant,
    rounds: usize,
}

/// Pairs asked at a time.
const AT_A_TIME: usize = 3;
/// At 5 s each, two minutes.
const MOST_ROUNDS: usize = 24;

impl Generation {
    /// Asks direct pairs again, if it is time to.
    pub(super) fn look_for_straight_way(&mut self, context: &mut Context<'_>) {
        let selected = self.selected.and_then(|id| self.pair(id));
        if self.is_failed || !selected.is_some_and(|pair| self.is_relayed(pair)) {
            self.detour = None;
            return;
        }
        let next = context.now + context.config.timers.retry;
        let detour = self.detour.get_or_insert(Detour { next, rounds: 0 });
        if detour.next > context.now || detour.rounds >= MOST_ROUNDS {
            return;
        }
        let turn = detour.rounds;
        let straight = self.straight();
        let rounds = turn + usize::from(!straight.is_empty());
        self.detour = Some(Detour { next, rounds });
        for at in 0..AT_A_TIME.min(straight.len()) {
            let index = straight[(turn * AT_A_TIME + at) % straight.len()];
            self.send_check(context, index, None);
        }
    }

    /// Direct pairs that have failed, the best first. Those under way repeat their checks anyway, and a stream
    /// that was refused tells more than one more would.
    fn straight(&self) -> Vec<usize> {
        let mut straight: Vec<usize> =
            (0..self.pairs.len()).filter(|index| self.is_straight(*index)).collect();
        straight.sort_by_key(|index| std::cmp::Reverse(self.pairs[*index].priority));
        straight
    }

    fn is_straight(&self, index: usize) -> bool {
        let pair: &Pair = &self.pairs[index];
        pair.state == State::Failed && !self.is_relayed(pair) && !self.is_stream(index)
    }

    /// When they are asked next.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let detour = self.detour.filter(|detour| detour.rounds < MOST_ROUNDS)?;
        (0..self.pairs.len()).any(|index| self.is_straight(index)).then_some(detour.next)
    }
}
