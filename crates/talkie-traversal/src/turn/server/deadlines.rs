//! When the server has to act next: a heap of instants.
//!
//! A deadline that moves later stays where it is and is armed again when it comes up, which is
//! right for allocations, whose refreshes outnumber their ends. One that is given up stays too, and
//! is swept out when the dead outnumber the living, so that the heap's size is bound to theirs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

pub(super) struct Deadlines<K> {
    heap: BinaryHeap<Reverse<(Instant, K)>>,
}

/// Below this size sweeping is not worth it.
const SWEEP_FROM: usize = 64;

impl<K: Ord + Copy> Deadlines<K> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new() }
    }

    pub(super) fn arm(&mut self, at: Instant, key: K) {
        self.heap.push(Reverse((at, key)));
    }

    /// Drops the entries that `wanted` refuses if there are many more than `living`.
    pub(super) fn sweep(&mut self, living: usize, mut wanted: impl FnMut(Instant, K) -> bool) {
        if self.heap.len() > SWEEP_FROM + 2 * living {
            self.heap.retain(|Reverse((at, key))| wanted(*at, *key));
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Instant, K)> {
        let Reverse((at, _)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_dead_do_not_pile_up() {
        let start = talkie_sansio::conformance::genesis().now;
        let mut deadlines = Deadlines::new();
        for key in 0..10_000_u32 {
            deadlines.arm(start + Duration::from_secs(600), key);
            // Only the last one lives.
            deadlines.sweep(1, |_, other| other == key);
            assert!(deadlines.len() <= SWEEP_FROM + 2);
        }
        let due = deadlines.pop_due(start + Duration::from_secs(600));
        assert!(due.is_some(), "the living one was swept too");
    }

    #[test]
    fn deadlines_come_up_in_order_and_not_early() {
        let start = talkie_sansio::conformance::genesis().now;
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut deadlines = Deadlines::new();
        for (seconds, key) in [(3, 'c'), (1, 'a'), (2, 'b')] {
            deadlines.arm(at(seconds), key);
        }
        assert_eq!(deadlines.next(), Some(at(1)));
        assert_eq!(deadlines.pop_due(start), None);
        assert_eq!(deadlines.pop_due(at(2)), Some((at(1), 'a')));
        assert_eq!(deadlines.pop_due(at(2)), Some((at(2), 'b')));
        assert_eq!(deadlines.pop_due(at(2)), None);
    }
}
