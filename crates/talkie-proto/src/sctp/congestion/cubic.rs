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
    rtt: Option<Duration>,
    /// What there was before the last reduction.
    undo: Option<(Curve, Option<HyStart>)>,
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
            rtt: None,
            undo: None,
        }
    }

    fn reduce(&mut self, now: Instant, sent_at: Instant) {
        // RFC 9438 §4.6: once for each window.
        if self.recovery_until.is_some_and(|until| sent_at <= until) {
            return;
        }
        self.undo = Some((self.curve.clone(), self.starting.take()));
        self.curve.reduce();
        self.recovery_until = Some(now);
    }
}

impl Controller for Cubic {
    fn on_sent(&mut self, _now: Instant, _sent: &Sent) {}

    fn on_acked(&mut self, now: Instant, acked: &Acked) {
        self.rtt = Some(acked.smoothed_rtt);
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
        // RFC 9438 §4.9.2: unless the window has grown beyond that meanwhile.
        let before = self.undo.take();
        let lower = |(curve, _): &(Curve, _)| self.curve.window() < curve.window();
        if let Some((curve, starting)) = before.filter(lower) {
            self.curve = curve;
            self.starting = starting;
            self.recovery_until = None;
        }
    }

    fn on_timeout(&mut self, now: Instant) {
        // RFC 9438 §4.8: the window as RFC 9260 §7.2.3 has it, the threshold by the curve's own factor.
        self.undo = None;
        let window = self.curve.window();
        self.curve.collapse();
        self.threshold = ((window as f64 * super::curve::BETA) as u64).max(4 * self.packet);
        self.starting = Some(HyStart::default());
        self.recovery_until = Some(now);
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
        let rtt = self.rtt?.as_secs_f64().max(1e-6);
        // Faster than the window passes, so that the window decides and pacing only spreads it.
        let gain = if self.starting.is_some() { 2.0 } else { 1.25 };
        Some((gain * self.window() as f64 / rtt) as u64)
    }
}
