//! Which stream is next, by their clocks.
//!
//! The first is kept apart from the others, so that a stream that sends alone costs no search.

use std::collections::BTreeSet;

/// A clock and its stream.
type Turn = (u64, u16);

#[derive(Debug, Default)]
pub(super) struct Turns {
    first: Option<Turn>,
    /// All but the first.
    others: BTreeSet<Turn>,
}

impl Turns {
    pub(super) fn first(&self) -> Option<Turn> {
        self.first
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn insert(&mut self, turn: Turn) {
        match self.first {
            None => self.first = Some(turn),
            Some(first) if turn < first => {
                self.others.insert(first);
                self.first = Some(turn);
            }
            Some(first) if turn > first => _ = self.others.insert(turn),
            Some(_) => {}
        }
    }

    pub(super) fn remove(&mut self, turn: Turn) {
        if self.first == Some(turn) {
            self.first = self.others.pop_first();
        } else {
            self.others.remove(&turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_whose_clock_is_furthest_behind_is_first_whatever_comes_and_goes() {
        let mut turns = Turns::default();
        let mut all = BTreeSet::new();
        for step in 0..1000_u64 {
            let turn = (step * 7919 % 13, (step * 31 % 7) as u16);
            if step % 3 == 0 {
                turns.remove(turn);
                all.remove(&turn);
            } else {
                turns.insert(turn);
                all.insert(turn);
            }
            assert_eq!(turns.first(), all.first().copied());
            assert_eq!(turns.is_empty(), all.is_empty());
        }
    }
}
