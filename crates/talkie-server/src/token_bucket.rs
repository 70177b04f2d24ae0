//! A rate that allows bursts.

use std::time::{Duration, Instant};

/// Allows `burst` at once and `rate` per second in the long run.
///
/// It keeps a single time, the one at which the bucket will be full again: each message moves it on
/// by one interval, and it may lie at most `burst` intervals ahead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenBucket {
    full_at: Instant,
}

/// The shape of a [`TokenBucket`], shared by all of a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    interval: Duration,
    depth: Duration,
}

impl Rate {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, depth: interval * burst.max(1) }
    }
}

impl TokenBucket {
    pub(crate) fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// When it will be full again: all that there is to know of it.
    pub(crate) fn full_at(&self) -> Instant {
        self.full_at
    }

    /// Takes one token if there is one.
    pub(crate) fn take(&mut self, now: Instant, rate: Rate) -> bool {
        let is_there = self.wait(now, rate).is_zero();
        if is_there {
            self.full_at = self.full_at.max(now) + rate.interval;
        }
        is_there
    }

    /// How long until there is a token.
    pub(crate) fn wait(&self, now: Instant, rate: Rate) -> Duration {
        let next = self.full_at.max(now) + rate.interval;
        next.saturating_duration_since(now).saturating_sub(rate.depth)
    }

    /// Whether at least half of the burst is there again.
    pub(crate) fn has_recovered(&self, now: Instant, rate: Rate) -> bool {
        self.full_at.saturating_duration_since(now) <= rate.depth / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_allows_the_burst_and_then_the_rate() {
        let rate = Rate::new(50, 200);
        let mut now = Instant::now();
        let mut bucket = TokenBucket::full(now);
        let burst = (0..1_000).filter(|_| bucket.take(now, rate)).count();
        assert_eq!(burst, 200);
        assert_eq!(bucket.wait(now, rate), Duration::from_millis(20));
        let mut later = 0;
        for _ in 0..1_000 {
            now += Duration::from_millis(10);
            later += usize::from(bucket.take(now, rate));
        }
        assert_eq!(later, 500);
        assert!(!bucket.has_recovered(now, rate));
        assert!(bucket.has_recovered(now + Duration::from_secs(2), rate));
    }
}
