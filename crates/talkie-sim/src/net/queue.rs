//! What happens when: the queue of events in virtual time.
//!
//! A simulation never asks for the past, so the queue need not sort. An event lies at the level of the
//! highest group of six bits in which its time differs from the last one taken, in the slot of those six
//! bits; when a slot becomes the earliest, its events move to lower levels. Each event moves a few
//! times in its life however many others there are, and events of one time stay in the order in which
//! they came. (A radix heap, or a timing wheel with as many wheels as the clock has digits.)

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = u64::BITS.div_ceil(BITS) as usize;
const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Queue<T> {
    /// The time of the last event taken. Nothing earlier comes in.
    last: u64,
    slots: Box<[Slot]>,
    /// A bit for each level's slots that hold something.
    occupied: [u64; LEVELS],
    entries: Vec<Entry<T>>,
    free: u32,
}

/// A list of events, in the order in which they came.
#[derive(Clone, Copy, Debug)]
struct Slot {
    head: u32,
    tail: u32,
    earliest: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: u64,
    next: u32,
    item: T,
}

const EMPTY: Slot = Slot { head: NONE, tail: NONE, earliest: u64::MAX };

impl<T: Copy> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            last: 0,
            slots: vec![EMPTY; LEVELS * SLOTS].into_boxed_slice(),
            occupied: [0; LEVELS],
            entries: Vec::new(),
            free: NONE,
        }
    }

    /// Puts `item` at `at`, or at the time of the last event taken if that is later.
    pub(super) fn push(&mut self, at: u64, item: T) {
        let at = at.max(self.last);
        let entry = Entry { at, next: NONE, item };
        let index = if self.free == NONE {
            self.entries.push(entry);
            // Each entry stands for a packet in flight or a host: memory ends long before.
            u32::try_from(self.entries.len() - 1).expect("fewer than 2^32 events")
        } else {
            let index = self.free;
            self.free = self.entries[index as usize].next;
            self.entries[index as usize] = entry;
            index
        };
        self.link(index, at);
    }

    /// When the earliest event is.
    pub(super) fn next_at(&self) -> Option<u64> {
        let (level, slot) = self.earliest()?;
        Some(self.slots[level * SLOTS + slot].earliest)
    }

    /// The earliest event; of several, the one that was put in first.
    pub(super) fn pop(&mut self) -> Option<(u64, T)> {
        loop {
            let (level, slot) = self.earliest()?;
            let place = level * SLOTS + slot;
            let Slot { head, tail, earliest } = self.slots[place];
            self.last = earliest;
            if level == 0 || head == tail {
                return Some(self.take(level, slot));
            }
            self.slots[place] = EMPTY;
            self.occupied[level] &= !(1 << slot);
            let mut index = head;
            while index != NONE {
                let Entry { at, next, .. } = self.entries[index as usize];
                self.entries[index as usize].next = NONE;
                self.link(index, at);
                index = next;
            }
        }
    }

    fn earliest(&self) -> Option<(usize, usize)> {
        let level = self.occupied.iter().position(|slots| *slots != 0)?;
        Some((level, self.occupied[level].trailing_zeros() as usize))
    }

    /// The first of a slot's events.
    fn take(&mut self, level: usize, slot: usize) -> (u64, T) {
        let place = &mut self.slots[level * SLOTS + slot];
        let index = place.head;
        let entry = &mut self.entries[index as usize];
        let taken = (entry.at, entry.item);
        place.head = entry.next;
        if place.head == NONE {
            *place = EMPTY;
            self.occupied[level] &= !(1 << slot);
        }
        entry.next = self.free;
        self.free = index;
        taken
    }

    fn link(&mut self, index: u32, at: u64) {
        let differing = at ^ self.last;
        let level = differing.checked_ilog2().map_or(0, |bit| bit / BITS);
        let slot = (at >> (level * BITS)) as usize % SLOTS;
        self.occupied[level as usize] |= 1 << slot;
        let place = &mut self.slots[level as usize * SLOTS + slot];
        place.earliest = place.earliest.min(at);
        let before = std::mem::replace(&mut place.tail, index);
        if before == NONE {
            place.head = index;
        } else {
            self.entries[before as usize].next = index;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn events_of_one_time_keep_their_order() {
        let mut queue = Queue::new();
        for item in 0..5 {
            queue.push(1_000_000, item);
        }
        queue.push(999_999, 9);
        assert_eq!(queue.pop(), Some((999_999, 9)));
        queue.push(1_000_000, 5);
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(rest, (0..6).map(|item| (1_000_000, item)).collect::<Vec<_>>());
        assert_eq!(queue.next_at(), None);
    }

    proptest! {
        /// Whatever is put in and taken out in whatever order, it is what a sorted map would give.
        #[test]
        fn it_is_a_sorted_map(
            inputs in prop::collection::vec((0..4_u8, 0..50_u32, 0..16_u64), 1..400),
        ) {
            let (mut queue, mut model) = (Queue::new(), BTreeMap::new());
            let mut now = 0;
            for (number, (kind, shift, span)) in inputs.into_iter().enumerate() {
                if kind == 0 {
                    let expected = model.pop_first().map(|((at, _), item)| (at, item));
                    prop_assert_eq!(queue.next_at(), expected.map(|(at, _)| at));
                    prop_assert_eq!(queue.pop(), expected);
                    now = expected.map_or(now, |(at, _)| at);
                } else {
                    let at = now + (span << shift);
                    queue.push(at, number);
                    model.insert((at, number), number);
                }
            }
            while let Some(((at, _), item)) = model.pop_first() {
                prop_assert_eq!(queue.pop(), Some((at, item)));
            }
            prop_assert_eq!(queue.pop(), None);
        }
    }
}
