//! RFC 9260 §7.2 with the windows of RFC 6928: doubles each round trip until something is lost, then
//! halves, and from there on grows by a packet each round trip. What is lost within one window counts
//! once.

use std::time::Instant;

use super::{Acked, Controller, Lost, Sent, Start};

/// The reference controller.
#[derive(Clone, Debug)]
pub struct NewReno {
    packet: u64,
    most: u64,
    window: u64,
    threshold: u64,
    /// Acknowledged since the window last grew by a packet.
    credit: u64,
    /// What left until then belongs to a window that has been reduced already.
    recovery_until: Option<Instant>,
    /// Window and threshold before the last reduction.
    undo: Option<(u64, u64)>,
    /// Window, threshold and recovery before the last timeout, or the first of several in a row.
    before_timeout: Option<(u64, u64, Option<Instant>)>,
    /// Whether nothing has been acknowledged since a timeout.
    collapsed: bool,
}

impl NewReno {
    /// At the beginning of an association.
    #[must_use]
    pub fn new(start: &Start) -> Self {
        Self {
            packet: start.packet,
            most: start.most,
            window: start.window().min(start.most),
            threshold: u64::MAX,
            credit: 0,
            recovery_until: None,
            undo: None,
            before_timeout: None,
            collapsed: false,
        }
    }

    fn reduce(&mut self, now: Instant, sent_at: Instant) {
        if self.recovery_until.is_some_and(|until| sent_at <= until) {
            return;
        }
        self.undo = Some((self.window, self.threshold));
        // RFC 9260 §7.2.3: ssthresh = max(cwnd/2, 4*PMDCS), cwnd = ssthresh.
        self.threshold = (self.window / 2).max(4 * self.packet);
        self.window = self.threshold;
        self.credit = 0;
        self.recovery_until = Some(now);
    }
}

impl Controller for NewReno {
    fn on_sent(&mut self, _now: Instant, _sent: &Sent) {}

    fn on_acked(&mut self, _now: Instant, acked: &Acked) {
        self.collapsed = false;
        // RFC 9260 §7.2.1: cwnd grows only if it was used up, and not in Fast Recovery.
        let recovering = self.recovery_until.is_some_and(|until| acked.newest_sent <= until);
        if !acked.window_limited || recovering {
            return;
        }
        if self.window < self.threshold {
            // Bytes, not acknowledgments, are counted: a peer that acknowledges in many small steps
            // gains nothing (RFC 3465). What was in flight before bounds what can be acknowledged.
            self.window += acked.bytes;
        } else {
            self.credit += acked.bytes;
            if self.credit >= self.window {
                self.credit -= self.window;
                self.window += self.packet;
            }
        }
        self.window = self.window.min(self.most);
    }

    fn on_lost(&mut self, now: Instant, lost: &Lost) {
        self.reduce(now, lost.sent_at);
    }

    fn on_spurious_loss(&mut self, _now: Instant) {
        if let Some((window, threshold)) = self.undo.take() {
            self.window = self.window.max(window);
            self.threshold = threshold;
            self.recovery_until = None;
        }
    }

    fn on_timeout(&mut self, now: Instant) {
        // RFC 9260 §7.2.3: back to one packet.
        self.undo = None;
        // RFC 5681 §3.1: the threshold stays the same when what has been sent again is lost again.
        if !self.collapsed {
            self.before_timeout = Some((self.window, self.threshold, self.recovery_until));
            self.threshold = (self.window / 2).max(4 * self.packet);
            self.collapsed = true;
        }
        self.window = self.packet;
        self.credit = 0;
        self.recovery_until = Some(now);
    }

    fn on_spurious_timeout(&mut self, _now: Instant) {
        let before = self.before_timeout.take().filter(|(window, ..)| self.window < *window);
        if let Some((window, threshold, recovery_until)) = before {
            (self.window, self.threshold) = (window, threshold);
            self.recovery_until = recovery_until;
        }
    }

    fn on_ecn(&mut self, now: Instant, sent_at: Instant) {
        self.reduce(now, sent_at);
    }

    fn on_packet_size(&mut self, bytes: u64) {
        self.packet = bytes;
    }

    fn window(&self) -> u64 {
        self.window
    }

    fn pacing_rate(&self) -> Option<u64> {
        None
    }
}
