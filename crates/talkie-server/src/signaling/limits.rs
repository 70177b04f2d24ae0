//! Who may have how much: a token bucket for the messages of a session, and counts of what each
//! address holds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::address_key::AddressKey;

/// What one address holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) sockets: usize,
    pub(super) sessions: usize,
}

/// The holdings of all addresses that hold anything.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    holdings: BTreeMap<AddressKey, Holding>,
}

impl Accounts {
    pub(super) fn of(&self, key: AddressKey) -> Holding {
        self.holdings.get(&key).copied().unwrap_or_default()
    }

    pub(super) fn change(&mut self, key: AddressKey, change: impl FnOnce(&mut Holding)) {
        let holding = self.holdings.entry(key).or_default();
        change(holding);
        if *holding == Holding::default() {
            self.holdings.remove(&key);
        }
    }
}

/// Allows `burst` at once and `rate` per second in the long run.
///
/// It keeps a single time, the one at which the bucket will be full again: each message moves it on
/// by one interval, and it may lie at most `burst` intervals ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenBucket {
    full_at: Instant,
}

/// The shape of a [`TokenBucket`], shared by all of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    interval: Duration,
    depth: Duration,
}

impl Rate {
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, depth: interval * burst.max(1) }
    }
}

impl TokenBucket {
    pub(super) fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one token if there is one.
    pub(super) fn take(&mut self, now: Instant, rate: Rate) -> bool {
        let next = self.full_at.max(now) + rate.interval;
        if next.saturating_duration_since(now) > rate.depth {
            return false;
        }
        self.full_at = next;
        true
    }

    /// Whether at least half of the burst is there again.
    pub(super) fn has_recovered(&self, now: Instant, rate: Rate) -> bool {
        self.full_at.saturating_duration_since(now) <= rate.depth / 2
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn the_bucket_allows_the_burst_and_then_the_rate() {
        let rate = Rate::new(50, 200);
        let mut now = Instant::now();
        let mut bucket = TokenBucket::full(now);
        let burst = (0..1_000).filter(|_| bucket.take(now, rate)).count();
        assert_eq!(burst, 200);
        let mut later = 0;
        for _ in 0..1_000 {
            now += Duration::from_millis(10);
            later += usize::from(bucket.take(now, rate));
        }
        assert_eq!(later, 500);
        assert!(!bucket.has_recovered(now, rate));
        assert!(bucket.has_recovered(now + Duration::from_secs(2), rate));
    }

    #[test]
    fn an_account_without_holdings_is_forgotten() {
        let mut accounts = Accounts::default();
        let key = AddressKey::from(IpAddr::from([192, 0, 2, 1]));
        accounts.change(key, |holding| holding.sockets += 1);
        assert_eq!(accounts.of(key).sockets, 1);
        accounts.change(key, |holding| holding.sockets -= 1);
        assert!(accounts.holdings.is_empty());
    }
}
