//! What is in flight, delivered and lost in all, and samples of the delivery rate from these
//! (draft-ietf-ccwg-bbr-06 §4.1).
//!
//! A SACK has no room for all blocks of a badly torn window, so that what was delivered long ago may be told
//! all at once when a hole is filled. No sample is greater than the rate at which the packets left.

use std::time::{Duration, Instant};

use crate::sctp::congestion::RateSample;

/// The books when a packet left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    pub(crate) sent_at: Instant,
    pub(crate) delivered: u64,
    pub(crate) delivered_at: Instant,
    first_sent_at: Instant,
    /// All bytes that had left by then, and by now.
    first_sent: u64,
    sent: u64,
    pub(crate) in_flight: u64,
    pub(crate) lost: u64,
    pub(crate) app_limited: bool,
    pub(crate) bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) in_flight: u64,
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    delivered_at: Instant,
    first_sent_at: Instant,
    first_sent: u64,
    sent: u64,
    /// Until this much is delivered, samples come from a time without enough to send.
    app_limited_until: u64,
}

impl Books {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            in_flight: 0,
            delivered: 0,
            lost: 0,
            delivered_at: now,
            first_sent_at: now,
            first_sent: 0,
            sent: 0,
            app_limited_until: 0,
        }
    }

    /// Of a packet that leaves with `bytes`.
    pub(crate) fn snapshot(&mut self, now: Instant, bytes: u64) -> Snapshot {
        if self.in_flight == 0 {
            self.first_sent_at = now;
            self.first_sent = self.sent;
            self.delivered_at = now;
        }
        self.in_flight += bytes;
        self.sent += bytes;
        Snapshot {
            sent_at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            first_sent: self.first_sent,
            sent: self.sent,
            in_flight: self.in_flight,
            lost: self.lost,
            app_limited: self.app_limited_until > self.delivered,
            bytes,
        }
    }

    pub(crate) fn handle_delivered(&mut self, bytes: u64, was_in_flight: bool) {
        self.delivered += bytes;
        if was_in_flight {
            self.in_flight -= bytes;
        }
    }

    /// Lost, given up or about to be sent again.
    pub(crate) fn handle_gone(&mut self, bytes: u64) {
        self.in_flight -= bytes;
    }

    /// Was not lost after all.
    pub(crate) fn handle_revived(&mut self, bytes: u64) {
        self.in_flight += bytes;
    }

    /// There is nothing to send, and the window has room.
    pub(crate) fn handle_app_limited(&mut self) {
        self.app_limited_until = (self.delivered + self.in_flight).max(1);
    }

    /// What the path carried while the newest packet of an acknowledgment was under way.
    pub(crate) fn sample(
        &mut self,
        now: Instant,
        newest: &Snapshot,
        least: Duration,
    ) -> Option<RateSample> {
        self.delivered_at = now;
        let sending = newest.sent_at.saturating_duration_since(newest.first_sent_at);
        let acknowledging = now.saturating_duration_since(newest.delivered_at);
        self.first_sent_at = newest.sent_at;
        self.first_sent = newest.sent;
        let delivered = self.delivered - newest.delivered;
        let sent = (newest.sent - newest.first_sent).max(1);
        let told_late = (delivered as f64 / sent as f64).max(1.0);
        let interval = sending.mul_f64(told_late).max(acknowledging);
        // Shorter than any round trip is no measurement.
        if interval.is_zero() || interval < least {
            return None;
        }
        Some(RateSample {
            delivered,
            interval,
            delivered_at_send: newest.delivered,
            in_flight_at_send: newest.in_flight,
            lost: self.lost.saturating_sub(newest.lost),
            app_limited: newest.app_limited,
        })
    }
}

#[cfg(test)]
mod tests {
    use talkie_sansio::conformance::genesis;

    use super::*;

    const PACKET: u64 = 1000;

    #[test]
    fn what_is_told_late_makes_no_path_faster() {
        let born = genesis().now;
        let at = |ms: u64| born + Duration::from_millis(ms);
        let mut books = Books::new(born);
        // A packet each millisecond, delivered 40 ms later.
        let mut left: Vec<Snapshot> = (0..40).map(|ms| books.snapshot(at(ms), PACKET)).collect();
        for ms in 40..120 {
            books.handle_delivered(PACKET, true);
            let sample = books.sample(at(ms), &left[ms as usize - 40], Duration::ZERO);
            let rate = sample.unwrap().bytes_per_second();
            assert!(ms < 80 || (990_000..=1_010_000).contains(&rate), "{ms} ms: {rate}");
            left.push(books.snapshot(at(ms), PACKET));
        }
        // A hole is filled, and with it comes what had been delivered before.
        for _ in 0..30 {
            books.handle_delivered(PACKET, true);
        }
        let rate = books.sample(at(120), &left[80], Duration::ZERO).unwrap().bytes_per_second();
        assert!(rate <= 1_010_000, "{rate}");
    }
}
