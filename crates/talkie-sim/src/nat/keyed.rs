//! A hash with a secret. What stands in the tables comes from packets, so whoever sends them could choose
//! many that meet in one place if the hash were known, and each packet would search through all of them.
//!
//! Each word is multiplied into the state, and the halves of the product folded onto each other: that is
//! quick, and not to be steered by who does not know where it began. It is no cryptographic hash.

use std::hash::{BuildHasher, Hasher};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// Makes hashers that begin with a secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyed {
    begin: u64,
    factor: u64,
}

#[derive(Debug)]
pub(super) struct Folding {
    state: u64,
    factor: u64,
}

impl Keyed {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        // The first stream is for ports, which remotes get to see.
        let mut rng = ChaCha8Rng::from_seed(seed);
        rng.set_stream(1);
        Self { begin: rng.next_u64(), factor: rng.next_u64() | 1 }
    }
}

impl BuildHasher for Keyed {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        Folding { state: self.begin, factor: self.factor }
    }
}

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.factor);
        self.state = product as u64 ^ (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_that_differ_little_are_spread_evenly() {
        // By its upper and by its lower bits, of which hash tables take both.
        let keyed = Keyed::new([7; 32]);
        let hashes: Vec<u64> =
            (0..4096_u64).map(|n| keyed.hash_one((n & 63, (n >> 6) << 16))).collect();
        assert_eq!(hashes.iter().collect::<HashSet<_>>().len(), 4096);
        for shift in [0, 52] {
            let mut buckets = vec![0; 256];
            hashes.iter().for_each(|hash| buckets[(hash >> shift) as usize % 256] += 1);
            assert!(buckets.iter().all(|count| *count < 50), "{buckets:?}");
        }
    }

    #[test]
    fn where_words_meet_is_a_matter_of_the_seed() {
        let meets = |seed| {
            let keyed = Keyed::new([seed; 32]);
            (0..4096_u64).filter(|n| keyed.hash_one(n) & 63 == 0).collect::<HashSet<_>>()
        };
        let common = meets(1).intersection(&meets(2)).count();
        assert!(common < 16, "{common}");
    }
}
