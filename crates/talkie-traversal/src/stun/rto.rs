//! How long to wait for a server before asking again (RFC 8489 §6.2.1, RFC 6298).

use std::time::{Duration, Instant};

/// A server's retransmission timeout, learned from the round trips of earlier transactions.
#[derive(Clone, Copy, Debug)]
pub struct Rto {
    initial: Duration,
    estimate: Option<Estimate>,
}

#[derive(Clone, Copy, Debug)]
struct Estimate {
    smoothed: Duration,
    variation: Duration,
    at: Instant,
}

/// RFC 8489 §6.2.1: an estimate that was not renewed for ten minutes is stale.
const STALE: Duration = Duration::from_secs(600);

/// RFC 6298 §2.5 allows a bound of 60 s or more; a transaction of seven requests then takes over an
/// hour, so it is tighter here.
const MAX: Duration = Duration::from_secs(3);

impl Rto {
    /// Starts with `initial`, which stays the lower bound.
    #[must_use]
    pub fn new(initial: Duration) -> Self {
        Self { initial, estimate: None }
    }

    /// The timeout to use for a transaction that starts now.
    #[must_use]
    pub fn current(&self, now: Instant) -> Duration {
        let Some(estimate) = self.fresh(now) else {
            return self.initial;
        };
        // RFC 6298 §2.3 with K = 4.
        let timeout = estimate.smoothed + estimate.variation.saturating_mul(4);
        timeout.clamp(self.initial, MAX.max(self.initial))
    }

    /// Takes the round trip of a transaction that was not retransmitted (Karn's algorithm).
    pub fn sample(&mut self, now: Instant, round_trip: Duration) {
        let (smoothed, variation) = match self.fresh(now) {
            None => (round_trip, round_trip / 2),
            Some(old) => (
                (old.smoothed * 7 + round_trip) / 8,
                (old.variation * 3 + old.smoothed.abs_diff(round_trip)) / 4,
            ),
        };
        self.estimate = Some(Estimate { smoothed, variation, at: now });
    }

    fn fresh(&self, now: Instant) -> Option<Estimate> {
        self.estimate.filter(|estimate| now.saturating_duration_since(estimate.at) < STALE)
    }
}
