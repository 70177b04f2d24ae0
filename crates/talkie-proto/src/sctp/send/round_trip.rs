//! The round trip, smoothed, and the timeout that follows from it (RFC 9260 §6.3.1).

use std::time::Duration;

/// Bounds of the timeout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) initial: Duration,
    pub(crate) least: Duration,
    pub(crate) most: Duration,
}

#[derive(Clone, Debug)]
pub(crate) struct RoundTrip {
    bounds: Bounds,
    smoothed: Option<Duration>,
    variation: Duration,
    least: Option<Duration>,
    backoff: u32,
}

impl RoundTrip {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, smoothed: None, variation: Duration::ZERO, least: None, backoff: 0 }
    }

    pub(crate) fn handle_sample(&mut self, sample: Duration) {
        // RFC 9260 §6.3.3: only a measurement ends the doubling. Where the path has become longer than the
        // timeout, everything is sent again before it is acknowledged, and what is sent again measures
        // nothing (§6.3.1 C5).
        self.backoff = 0;
        self.least = Some(self.least.map_or(sample, |least| least.min(sample)));
        let Some(smoothed) = self.smoothed else {
            // RFC 9260 §6.3.1 C2.
            self.smoothed = Some(sample);
            self.variation = sample / 2;
            return;
        };
        // C3: RTO.Beta is 1/4, RTO.Alpha 1/8.
        self.variation = (self.variation * 3 + smoothed.abs_diff(sample)) / 4;
        self.smoothed = Some((smoothed * 7 + sample) / 8);
    }

    /// So long after it was made a cookie has come back. Whether it was sent twice is known only if nobody sends
    /// anything twice so soon (RFC 9260 §6.3.1 C5); if not, the timeout is longer than that all the same, as
    /// if it had been ours that passed.
    pub(crate) fn handle_age(&mut self, age: Duration) {
        if age < self.bounds.least {
            return self.handle_sample(age);
        }
        while self.timeout() <= age && self.timeout() < self.bounds.most {
            self.back_off();
        }
    }

    /// Another path: the shortest there has been says nothing of it, nor does that nothing came back.
    pub(crate) fn handle_path_change(&mut self) {
        (self.backoff, self.least) = (0, None);
    }

    /// RFC 9260 §6.3.3 E2.
    pub(crate) fn back_off(&mut self) {
        self.backoff = (self.backoff + 1).min(16);
    }

    pub(crate) fn timeout(&self) -> Duration {
        let Bounds { initial, least, most } = self.bounds;
        let base = self.smoothed.map_or(initial, |smoothed| smoothed + self.variation * 4);
        base.max(least).saturating_mul(1 << self.backoff).min(most)
    }

    pub(crate) fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }

    /// The shortest there has been.
    pub(crate) fn least(&self) -> Option<Duration> {
        self.least
    }
}
