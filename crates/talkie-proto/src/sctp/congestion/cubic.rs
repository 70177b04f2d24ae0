//! CUBIC (RFC 9438) with HyStart++ (RFC 9406): what most TCP senders do, and so what a data channel
//! shares its bottleneck with. The window follows the time since the last loss and not the round trips.

use std::time::{Duration, Instant};

use super::curve::Curve;
use super::hystart::{Growth, HyStart};
use super::{Acked, Controller, Lost, Sent, Start};

/// The controller of RFC 9438.
#[derive(Clone, Debug)]
pub struct Cubic {
    packet: u64,
    most: u64,
    curve: Curve,
    /// Slow start, as long as it lasts.
    starting: Option<HyStart>,
    /// Where slow start ends that begins after a timeout.
    threshold: u64,
    /// What left until then belongs to a window that has been reduced already.
    recovery_until: Option<Instant>,
    last_ack: Option<Instant>,
    /// The slow start that the last reduction ended.
    ended: Option<HyStart>,
    before_timeout: Option<BeforeTimeout>,
}

/// What a timeout ends beside the curve.
#[derive(Clone, Debug)]
struct BeforeTimeout {
    starting: Option<HyStart>,
    threshold: u64,
    recovery_until: Option<Instant>,
}

impl Cubic {
    /// At the beginning of an association.
    #[must_use]
    pub fn new(start: &Start) -> Self {
        Self {
            packet: start.packet,
            most: start.most,
            curve: Curve::new(start.packet, start.window().min(start.most)),
            starting: Some(HyStart::default()),
            threshold: u64::MAX,
            recovery_until: None,
            last_ack: None,
            ended: None,
            before_timeout: None,
        }
    }

    fn reduce(&mut self, now: Instant, sent_at: Instant) {
        // RFC 9438 §4.6: once for each window.
        if self.recovery_until.is_some_and(|until| sent_at <= until) {
            return;
        }
        self.ended = self.starting.take();
        self.curve.remember();
        self.curve.reduce();
        self.recovery_until = Some(now);
    }
}

impl Controller for Cubic {
    fn on_sent(&mut self, _now: Instant, _sent: &Sent) {}

    fn on_acked(&mut self, now: Instant, acked: &Acked) {
        self.curve.measure(acked.smoothed_rtt);
        let idle = self.last_ack.replace(now).map_or(Duration::ZERO, |last| now - last);
        let recovering = self.recovery_until.is_some_and(|until| acked.newest_sent <= until);
        if !acked.window_limited {
            return self.curve.pause(idle);
        }
        if recovering {
            return;
        }
        let growth = match &mut self.starting {
            Some(starting) if self.curve.window() < self.threshold => starting.on_acked(acked),
            Some(_) => Growth::Over,
            None => return self.curve.grow(now, acked.smoothed_rtt, acked.bytes, self.most),
        };
        match growth {
            Growth::By(bytes) => self.curve.double(bytes, self.most),
            Growth::Over => self.starting = None,
        }
    }

    fn on_lost(&mut self, now: Instant, lost: &Lost) {
        self.reduce(now, lost.sent_at);
    }

    fn on_spurious_loss(&mut self, _now: Instant) {
        if self.curve.restore() {
            self.starting = self.ended.take();
            self.recovery_until = None;
        }
    }

    fn on_timeout(&mut self, now: Instant) {
        if !self.curve.is_collapsed() {
            self.before_timeout = Some(BeforeTimeout {
                starting: self.starting.take(),
                threshold: self.threshold,
                recovery_until: self.recovery_until,
            });
        }
        self.threshold = self.curve.collapse();
        self.starting = Some(HyStart::default());
        self.recovery_until = Some(now);
    }

    fn on_spurious_timeout(&mut self, _now: Instant) {
        let before = self.before_timeout.take();
        if let Some(before) = before.filter(|_| self.curve.rise()) {
            self.starting = before.starting;
            self.threshold = before.threshold;
            self.recovery_until = before.recovery_until;
        }
    }

    fn on_ecn(&mut self, now: Instant, sent_at: Instant) {
        self.reduce(now, sent_at);
    }

    fn on_packet_size(&mut self, bytes: u64) {
        self.packet = bytes;
        self.curve.resize(bytes);
    }

    fn window(&self) -> u64 {
        self.curve.window()
    }

    fn pacing_rate(&self) -> Option<u64> {
        self.curve.pacing_rate(self.window(), self.starting.is_some())
    }
}
