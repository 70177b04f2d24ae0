//! One deadline per key, earliest first.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

#[derive(Debug)]
pub(crate) struct Timers<K> {
    queue: BTreeSet<(Instant, K)>,
    armed: BTreeMap<K, Instant>,
}

impl<K: Ord + Copy> Timers<K> {
    pub(crate) fn new() -> Self {
        Self { queue: BTreeSet::new(), armed: BTreeMap::new() }
    }

    /// Sets, moves or clears the deadline of `key`.
    pub(crate) fn set(&mut self, key: K, deadline: Option<Instant>) {
        let before = match deadline {
            Some(at) => self.armed.insert(key, at),
            None => self.armed.remove(&key),
        };
        if before == deadline {
            return;
        }
        if let Some(at) = before {
            self.queue.remove(&(at, key));
        }
        if let Some(at) = deadline {
            self.queue.insert((at, key));
        }
    }

    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.queue.first().map(|&(at, _)| at)
    }

    /// The deadline of `key`.
    pub(crate) fn of(&self, key: K) -> Option<Instant> {
        self.armed.get(&key).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.armed.len()
    }

    /// Takes one key whose deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        let &(at, key) = self.queue.first()?;
        if at > now {
            return None;
        }
        self.pop_first();
        Some(key)
    }

    /// Takes the earliest, whether its deadline has come or not.
    pub(crate) fn pop_first(&mut self) -> Option<K> {
        let (_, key) = self.queue.pop_first()?;
        self.armed.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn deadlines_move_and_come_in_order() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut timers = Timers::new();
        timers.set(1, Some(at(5)));
        timers.set(2, Some(at(3)));
        timers.set(1, Some(at(1)));
        timers.set(3, Some(at(2)));
        timers.set(3, None);
        assert_eq!(timers.earliest(), Some(at(1)));
        assert_eq!(timers.pop_due(at(0)), None);
        assert_eq!(timers.pop_due(at(9)), Some(1));
        assert_eq!(timers.pop_due(at(9)), Some(2));
        assert_eq!(timers.pop_due(at(9)), None);
        assert_eq!(timers.earliest(), None);
    }
}
