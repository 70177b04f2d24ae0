//! Which TSNs have been received: all up to one, and beyond it ranges in ascending order.
//!
//! What cannot be told in a SACK is not taken: its blocks reach 65,535 beyond the cumulative TSN. That
//! bounds the ranges as well.

use std::collections::VecDeque;

use crate::sctp::serial::Tsn;

/// How far a block of a SACK reaches.
const REACH: u64 = u16::MAX as u64;

/// Duplicates told in one SACK at most.
const DUPLICATES: usize = 32;

/// Of the highest ranges, so many are told at least: each of them in as many SACKs one after another, as some
/// may be lost.
const HIGHEST: usize = 16;

/// Of what has come lately, in whatever order, so many runs are told at least.
const RECENT: usize = 64;

/// What has been received.
#[derive(Debug)]
pub(crate) struct Tracker {
    cumulative: u64,
    /// First and last, both included; never touching each other or the cumulative TSN.
    ranges: VecDeque<(u64, u64)>,
    duplicates: Vec<Tsn>,
    /// The last TSNs of what has come lately beyond the cumulative TSN, the newest last.
    recent: VecDeque<u64>,
}

/// What a TSN is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    New,
    Duplicate,
    /// Too far ahead.
    Beyond,
}

impl Tracker {
    /// Everything up to `cumulative` counts as received.
    pub(crate) fn new(cumulative: u64) -> Self {
        Self {
            cumulative,
            ranges: VecDeque::new(),
            duplicates: Vec::new(),
            recent: VecDeque::new(),
        }
    }

    pub(crate) fn cumulative(&self) -> u64 {
        self.cumulative
    }

    pub(crate) fn has_gaps(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// What `tsn` would be.
    pub(crate) fn classify(&self, tsn: u64) -> Seen {
        if tsn <= self.cumulative {
            return Seen::Duplicate;
        }
        if tsn > self.cumulative + REACH {
            return Seen::Beyond;
        }
        if self.ranges.back().is_none_or(|&(_, last)| last < tsn) {
            return Seen::New;
        }
        let at = self.ranges.partition_point(|&(_, last)| last < tsn);
        match self.ranges.get(at) {
            Some(&(first, _)) if first <= tsn => Seen::Duplicate,
            _ => Seen::New,
        }
    }

    pub(crate) fn record_duplicate(&mut self, tsn: Tsn) {
        if self.duplicates.len() < DUPLICATES {
            self.duplicates.push(tsn);
        }
        // Whoever sends it again has not been told that it is here.
        self.note_recent(tsn.widen(self.cumulative));
    }

    fn note_recent(&mut self, tsn: u64) {
        if let Some(last) = self.recent.back_mut().filter(|last| **last + 1 == tsn) {
            *last = tsn;
            return;
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(tsn);
    }

    /// Records a TSN that is [`Seen::New`].
    pub(crate) fn insert(&mut self, tsn: u64) {
        if tsn == self.cumulative + 1 {
            self.advance(tsn);
            return;
        }
        self.note_recent(tsn);
        let at = self.ranges.partition_point(|&(_, last)| last + 1 < tsn);
        let Some(range) = self.ranges.get_mut(at) else {
            self.ranges.push_back((tsn, tsn));
            return;
        };
        if range.1 + 1 == tsn {
            range.1 = tsn;
            if let Some(&(_, last)) = self.ranges.get(at + 1).filter(|next| next.0 == tsn + 1) {
                self.ranges[at].1 = last;
                self.ranges.remove(at + 1);
            }
        } else if range.0 == tsn + 1 {
            range.0 = tsn;
        } else {
            self.ranges.insert(at, (tsn, tsn));
        }
    }

    /// Everything up to `tsn` counts as received.
    pub(crate) fn advance(&mut self, tsn: u64) {
        self.cumulative = self.cumulative.max(tsn);
        while let Some(&(first, last)) = self.ranges.front() {
            if first > self.cumulative + 1 {
                break;
            }
            self.cumulative = self.cumulative.max(last);
            self.ranges.pop_front();
        }
    }

    /// The ranges as a SACK tells them, in ascending order. Where there are more than it takes, what has come
    /// lately (as RFC 2018 §4 has it: nothing else tells the sender what has become of what it has sent again),
    /// a few of the highest, and as many of the lowest as there is room for. RFC 9260 §6.7 would have the lowest
    /// only.
    pub(crate) fn blocks(&self, most: usize) -> Vec<(u16, u16)> {
        let offset = |tsn: u64| u16::try_from(tsn - self.cumulative).unwrap_or(u16::MAX);
        let len = self.ranges.len();
        let told = if len > most { self.few(most) } else { (0..len).collect() };
        let ranges = told.into_iter().filter_map(|at| self.ranges.get(at));
        ranges.map(|&(first, last)| (offset(first), offset(last))).collect()
    }

    /// Which of too many ranges are told.
    fn few(&self, most: usize) -> Vec<usize> {
        let len = self.ranges.len();
        let highest = HIGHEST.min(most / 2);
        let range_of = |tsn: &u64| self.ranges.partition_point(|(_, last)| last < tsn);
        let known = self.recent.iter().rev().filter(|tsn| **tsn > self.cumulative);
        let mut told: Vec<usize> = known.take(most / 2 - highest).map(range_of).collect();
        told.extend(len - highest..len);
        told.sort_unstable();
        told.dedup();
        // The lowest that are not among them.
        let mut others = told.clone().into_iter().peekable();
        let lowest = (0..len).filter(|at| others.next_if_eq(at).is_none());
        let lowest: Vec<usize> = lowest.take(most - told.len()).collect();
        told.extend(lowest);
        told.sort_unstable();
        told
    }

    pub(crate) fn take_duplicates(&mut self) -> Vec<Tsn> {
        std::mem::take(&mut self.duplicates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_grow_together_and_are_swallowed_by_the_cumulative_tsn() {
        let mut tracker = Tracker::new(100);
        for tsn in [103, 105, 107, 104] {
            assert_eq!(tracker.classify(tsn), Seen::New);
            tracker.insert(tsn);
        }
        assert_eq!(tracker.blocks(9), [(3, 5), (7, 7)]);
        tracker.insert(106);
        assert_eq!(tracker.blocks(9), [(3, 7)]);
        tracker.insert(102);
        tracker.insert(101);
        assert_eq!((tracker.cumulative(), tracker.has_gaps()), (107, false));
        assert_eq!(tracker.classify(101), Seen::Duplicate);
        assert_eq!(tracker.classify(107 + 65_536), Seen::Beyond);
    }

    #[test]
    fn what_fills_a_hole_is_told_though_there_are_too_many() {
        let mut tracker = Tracker::new(0);
        (1..=1000).for_each(|number| tracker.insert(number * 2));
        tracker.insert(901);
        assert!(tracker.blocks(290).contains(&(900, 902)));
        for number in 0..100 {
            tracker.insert(1301 + number * 2);
        }
        assert!(tracker.blocks(290).contains(&(1300, 1500)), "one range that has grown");
        // Whoever sends it again has missed all reports of it.
        tracker.record_duplicate(Tsn(902));
        let blocks = tracker.blocks(290);
        assert!(blocks.contains(&(900, 902)) && blocks.len() == 290);
        assert!(blocks.is_sorted() && blocks.windows(2).all(|two| two[0].1 < two[1].0));
    }

    #[test]
    fn the_highest_ranges_are_told_though_there_are_too_many() {
        let mut tracker = Tracker::new(0);
        (1..=100).for_each(|number| tracker.insert(number * 2));
        let blocks: Vec<_> = tracker.blocks(40);
        assert_eq!(blocks.len(), 40);
        assert_eq!((blocks[0], blocks[23]), ((2, 2), (48, 48)));
        assert_eq!((blocks[24], blocks[39]), ((170, 170), (200, 200)));
        assert_eq!(tracker.blocks(1), [(2, 2)]);
        assert_eq!(tracker.blocks(0).len(), 0);
        assert_eq!(tracker.blocks(100).len(), 100);
    }
}
