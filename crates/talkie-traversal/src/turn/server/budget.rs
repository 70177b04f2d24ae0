//! How much a source may have of answers that are longer than a bare server's.
//!
//! Over UDP anybody can put somebody else's address on a request. What RFC 5780 has a server add to
//! an answer (three more addresses), and answers that come from a socket the source never wrote to,
//! are therefore given out by the source's budget: enough for whoever explores a NAT, or for all
//! behind one, and not for a flood. A place in the table is shared by all sources that fall on it,
//! so it has a fixed size and forgetting is never needed; a neighbour in want of budget gets the
//! bare answer, which is all that a call needs.

use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rustc_hash::FxSeededState;

/// Answers that may come at once: one discovery takes about twenty, and about forty-five behind a NAT
/// that filters, where it asks again, so that at least two behind one address may begin together.
pub(super) const BURST: u32 = 128;
/// The time that earns one more: in the long run 16 a second, 1.1 kB/s at a victim.
pub(super) const INTERVAL: Duration = Duration::from_micros(62_500);
/// Sources are spread over so many places: 64 kB.
const PLACES: usize = 4096;

pub(super) struct Budget {
    /// When each place has its whole burst again; `None`: it has.
    full_at: Box<[Option<Instant>]>,
    hasher: FxSeededState,
}

impl Budget {
    pub(super) fn new(hasher: FxSeededState) -> Self {
        Self { full_at: vec![None; PLACES].into(), hasher }
    }

    /// Takes one answer from the budget of `source`; false if there is none left.
    pub(super) fn take(&mut self, now: Instant, source: IpAddr) -> bool {
        let place = self.place(source);
        let full_at = self.full_at[place].map_or(now, |at| at.max(now)) + INTERVAL;
        let granted = full_at - now <= INTERVAL * BURST;
        if granted {
            self.full_at[place] = Some(full_at);
        }
        granted
    }

    /// An IPv6 customer has a whole /64.
    fn place(&self, source: IpAddr) -> usize {
        let key = match source.to_canonical() {
            IpAddr::V4(ip) => u64::from(ip.to_bits()),
            IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64,
        };
        // The high bits are the well-mixed ones.
        (self.hasher.hash_one(key) >> 32) as usize % PLACES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> (Budget, Instant) {
        (Budget::new(FxSeededState::with_seed(7)), talkie_sansio::conformance::genesis().now)
    }

    #[test]
    fn a_source_has_a_burst_and_a_rate() {
        let (mut budget, now) = budget();
        let source = "192.0.2.1".parse().unwrap();
        let granted =
            |budget: &mut Budget, now| (0..1_000).filter(|_| budget.take(now, source)).count();
        assert_eq!(granted(&mut budget, now), BURST as usize);
        assert_eq!(granted(&mut budget, now + Duration::from_secs(1)), 16);
        assert_eq!(granted(&mut budget, now + Duration::from_secs(3600)), BURST as usize);
    }

    #[test]
    fn a_whole_64_is_one_source_and_neighbours_are_others() {
        let (mut budget, now) = budget();
        while budget.take(now, "2001:db8::1".parse().unwrap()) {}
        assert!(!budget.take(now, "2001:db8::ffff:1".parse().unwrap()));
        let free = (1..=1_000_u32)
            .filter(|network| {
                let ip = (0x2001_0db8_u128 << 96) | (u128::from(*network) << 64);
                budget.take(now, IpAddr::V6(ip.into()))
            })
            .count();
        assert!(free > 990, "{free} of 1,000 other networks");
    }
}
