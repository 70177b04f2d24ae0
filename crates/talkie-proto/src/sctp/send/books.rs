//! What is in flight, delivered and lost in all, and samples of the delivery rate from these
//! (draft-ietf-ccwg-bbr-06 §4.1).

use std::time::{Duration, Instant};

use crate::sctp::congestion::RateSample;

/// The books when a packet left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    pub(crate) sent_at: Instant,
    pub(crate) delivered: u64,
    pub(crate) delivered_at: Instant,
    first_sent_at: Instant,
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
            app_limited_until: 0,
        }
    }

    /// Of a packet that leaves with `bytes`.
    pub(crate) fn snapshot(&mut self, now: Instant, bytes: u64) -> Snapshot {
        if self.in_flight == 0 {
            self.first_sent_at = now;
            self.delivered_at = now;
        }
        self.in_flight += bytes;
        Snapshot {
            sent_at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
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
        let interval = sending.max(acknowledging);
        // Shorter than any round trip is no measurement.
        if interval.is_zero() || interval < least {
            return None;
        }
        Some(RateSample {
            delivered: self.delivered - newest.delivered,
            interval,
            delivered_at_send: newest.delivered,
            in_flight_at_send: newest.in_flight,
            lost: self.lost - newest.lost,
            app_limited: newest.app_limited,
        })
    }
}
