//! The time that a machine is told.
//!
//! While a host sleeps its monotonic clock stands still, but what a machine keeps alive elsewhere grows
//! old: mappings of NATs, permissions, consent. So the time asleep is added to what the clock shows. It
//! leaps once, when the sleep is noticed, and never runs back.

use std::time::{Duration, Instant};

/// A machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// How much later it is to the machine than to the runtime.
    asleep: Duration,
}

impl Clock {
    pub(crate) fn now(self) -> Instant {
        Instant::now() + self.asleep
    }

    /// The host has slept so long since the machine's birth.
    pub(crate) fn has_slept(&mut self, asleep: Duration) {
        self.asleep = self.asleep.max(asleep);
    }

    /// When the machine's `at` is to the runtime.
    pub(crate) fn outside(self, at: Instant) -> Instant {
        at.checked_sub(self.asleep).unwrap_or(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaps_by_the_time_asleep_and_never_back() {
        let mut clock = Clock::default();
        let before = clock.now();
        clock.has_slept(Duration::from_secs(3600));
        let after = clock.now();
        assert!(after >= before + Duration::from_secs(3600));
        assert!(after < before + Duration::from_secs(3700));
        clock.has_slept(Duration::from_secs(60));
        assert!(clock.now() >= after);
        let soon = clock.outside(clock.now() + Duration::from_secs(5));
        assert!(soon <= Instant::now() + Duration::from_secs(5));
        assert!(soon > Instant::now());
    }
}
