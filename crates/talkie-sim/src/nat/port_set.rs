//! A set of ports, 64 to a word, in which the next one that is missing is found within a thousand steps.

use super::behavior::LOWEST_PORT;

const WORDS: usize = 0x1_0000 / 64;
/// Each even one.
const EVEN: u64 = 0x5555_5555_5555_5555;

#[derive(Debug)]
pub(super) struct PortSet {
    words: Box<[u64; WORDS]>,
    /// How many there are that can be given away.
    len: usize,
}

impl Default for PortSet {
    fn default() -> Self {
        Self { words: Box::new([0; WORDS]), len: 0 }
    }
}

impl PortSet {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, port: u16) {
        let (word, bit) = place(port);
        self.len += usize::from(self.words[word] & bit == 0);
        self.words[word] |= bit;
    }

    pub(super) fn remove(&mut self, port: u16) {
        let (word, bit) = place(port);
        self.len -= usize::from(self.words[word] & bit != 0);
        self.words[word] &= !bit;
    }

    /// Those of 1024 and above that are missing, from the one behind `after` on and around; only the even
    /// or odd ones if `parity` is 0 or 1.
    pub(super) fn free(&self, after: u16, parity: Option<u16>) -> impl Iterator<Item = u16> {
        let first = usize::from(LOWEST_PORT) / 64;
        let words = WORDS - first;
        let start = usize::from(after.max(LOWEST_PORT)) / 64 - first;
        let fits = match parity {
            None => u64::MAX,
            Some(parity) => EVEN << (parity % 2),
        };
        // The word of `after` comes first for what is behind it, and last for what is before.
        let behind = (u64::MAX << (after % 64)) << 1;
        (0..=words).flat_map(move |turn| {
            let at = first + (start + turn) % words;
            let part = match turn {
                0 => behind,
                turn if turn == words => !behind,
                _ => u64::MAX,
            };
            bits(!self.words[at] & fits & part).map(move |bit| (at as u16) << 6 | bit)
        })
    }
}

fn place(port: u16) -> (usize, u64) {
    (usize::from(port) / 64, 1 << (port % 64))
}

/// Which bits are set, the lowest first.
fn bits(mut word: u64) -> impl Iterator<Item = u16> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as u16);
        word &= word.wrapping_sub(1);
        bit
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_missing_is_found_from_any_port_on_and_all_of_it() {
        let mut set = PortSet::default();
        let mut model = BTreeSet::new();
        for n in 0..120_000_u32 {
            let port = LOWEST_PORT + (n * 7919 % 64_512) as u16;
            if n % 5 == 4 {
                set.remove(port);
                model.remove(&port);
            } else {
                set.insert(port);
                model.insert(port);
            }
        }
        assert_eq!(set.len(), model.len());
        for after in [1, 1023, 1024, 1087, 1088, 40_000, 65_534, 65_535] {
            for parity in [None, Some(0), Some(1)] {
                let fits =
                    |port: &u16| !model.contains(port) && parity.is_none_or(|it| port % 2 == it);
                let start = after.max(LOWEST_PORT - 1);
                let expected: Vec<u16> =
                    (start..=65_535).skip(1).chain(LOWEST_PORT..=start).filter(fits).collect();
                let mut found: Vec<u16> = set.free(after, parity).collect();
                // Below the lowest there is nothing to be behind of.
                if after < LOWEST_PORT {
                    found.sort_unstable();
                }
                assert_eq!(found, expected, "{after} {parity:?}");
            }
        }
    }

    #[test]
    fn a_full_set_has_nothing_and_one_that_misses_one_has_that() {
        let mut set = PortSet::default();
        (LOWEST_PORT..=u16::MAX).for_each(|port| set.insert(port));
        assert_eq!((set.len(), set.free(5000, None).next()), (64_512, None));
        set.remove(4999);
        assert_eq!(set.free(5000, None).collect::<Vec<_>>(), [4999]);
        assert_eq!(set.free(5000, Some(0)).next(), None);
    }
}
