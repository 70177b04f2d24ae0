//! Spreads packets over time, so that a window does not leave as one burst.

use std::time::{Duration, Instant};

/// What may leave at once after idleness, and what a late timer may catch up with.
const BURST_PACKETS: u64 = 10;

/// Timers of drivers are about this exact.
const BURST_TIME: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub(crate) struct Pacer {
    /// When the next packet is due; in the past if credit has been saved up.
    next: Instant,
}

impl Pacer {
    pub(crate) fn new(now: Instant) -> Self {
        Self { next: now }
    }

    /// A packet has left, at `rate` bytes per second.
    pub(crate) fn handle_sent(&mut self, now: Instant, bytes: u64, rate: u64) {
        let span =
            |bytes: u64| Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / rate.max(1));
        let credit = span(bytes * BURST_PACKETS).max(BURST_TIME);
        let earliest = now.checked_sub(credit).unwrap_or(now);
        self.next = self.next.max(earliest) + span(bytes);
    }

    /// When the next packet may leave, if not now.
    pub(crate) fn blocked_until(&self, now: Instant) -> Option<Instant> {
        (self.next > now).then_some(self.next)
    }
}
