//! Never be refused as too fast.
//!
//! The server takes a message when it arrives, and the network delays some and bunches them: what
//! this side spaced out may arrive at once. So all that is not acknowledged counts as arriving now,
//! and all else as arrived when its acknowledgement came (docs/signaling.md, "Sealed payloads"). Of
//! the server's burst some is kept for what carries no sequence number: pings, acknowledgements and
//! WebSocket's own pongs.

use std::time::{Duration, Instant};

/// Kept for messages without a sequence number.
const SPARE: f64 = 16.0;
/// The part of the server's rate that this side stays below.
const SHARE: f64 = 0.8;

/// A leaky bucket of acknowledged messages.
#[derive(Debug)]
pub(super) struct Pace {
    /// Messages a second.
    rate: f64,
    /// Messages at once.
    burst: f64,
    /// What counts as arrived lately, at `at`.
    level: f64,
    at: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant, per_second: u32, burst: u32) -> Self {
        let burst = f64::from(burst);
        Self {
            rate: (f64::from(per_second) * SHARE).max(0.5),
            // A tiny burst still lets one message through.
            burst: (burst * SHARE).min(burst - SPARE).max(1.0),
            level: 0.0,
            at: now,
        }
    }

    /// So many messages are known to have arrived.
    pub(super) fn arrived(&mut self, now: Instant, count: u64) {
        self.level = self.level_at(now) + count as f64;
        self.at = now;
    }

    /// When another message may be sent while `unacknowledged` are on their way: now, later, or not
    /// before one of them is acknowledged.
    pub(super) fn next(&self, now: Instant, unacknowledged: u64) -> Turn {
        let room = self.burst - unacknowledged as f64 - 1.0;
        if room < 0.0 {
            return Turn::AfterAck;
        }
        let over = self.level_at(now) - room;
        if over <= 0.0 {
            return Turn::Now;
        }
        Turn::At(now + Duration::from_secs_f64((over / self.rate).max(0.001)))
    }

    fn level_at(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        (self.level - passed * self.rate).max(0.0)
    }
}

/// When a message may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Now,
    At(Instant),
    AfterAck,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(start, 50, 200);
        let mut now = start;
        let mut sent = Vec::new();
        // Each is acknowledged at once.
        while sent.len() < 400 {
            match pace.next(now, 0) {
                Turn::Now => {
                    sent.push(now);
                    pace.arrived(now, 1);
                }
                Turn::At(later) => {
                    assert!(later > now);
                    now = later;
                }
                Turn::AfterAck => panic!("nothing is on its way"),
            }
        }
        assert_eq!(sent[159], start);
        assert!(sent[160] > start);
        let took = (sent[399] - sent[160]).as_secs_f64();
        assert!((5.5..6.5).contains(&took), "{took}");
    }

    #[test]
    fn what_is_on_its_way_counts_as_arriving_now() {
        let start = Instant::now();
        let pace = Pace::new(start, 50, 200);
        assert_eq!(pace.next(start, 159), Turn::Now);
        assert_eq!(pace.next(start + Duration::from_secs(60), 160), Turn::AfterAck);
    }

    #[test]
    fn limits_that_make_no_sense_stop_nothing_for_ever() {
        let start = Instant::now();
        for (rate, burst) in [(0, 0), (u32::MAX, u32::MAX), (0, u32::MAX)] {
            let mut pace = Pace::new(start, rate, burst);
            assert_eq!(pace.next(start, 0), Turn::Now);
            pace.arrived(start, 1);
            assert_ne!(pace.next(start, 0), Turn::AfterAck);
        }
    }
}
