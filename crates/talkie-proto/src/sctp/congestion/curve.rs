//! The curve of RFC 9438: the window since it was last reduced, as a cube of the time. It rises fast to
//! where it was reduced, stays there for a while, and then looks for more, faster and faster. It never
//! lies below what Reno would do, so that short paths get no less with it.

use std::time::{Duration, Instant};

/// RFC 9438 §5.1: in packets per cubic second.
const C: f64 = 0.4;
/// RFC 9438 §4.6: what is left of a window that was too large.
pub(super) const BETA: f64 = 0.7;
/// RFC 9438 §4.3: Reno's growth that has the same average if windows are reduced to `BETA`.
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

#[derive(Clone, Debug)]
pub(super) struct Curve {
    packet: f64,
    /// In packets, as is all that follows.
    window: f64,
    /// Where the curve is flat.
    plateau: f64,
    /// The window before it was last reduced.
    prior: f64,
    /// What Reno's would be.
    reno: f64,
    epoch: Option<Epoch>,
}

#[derive(Clone, Copy, Debug)]
struct Epoch {
    start: Instant,
    /// RFC 9438 §4.2: the time until the plateau, in seconds.
    k: f64,
}

impl Curve {
    pub(super) fn new(packet: u64, window: u64) -> Self {
        let packet = packet as f64;
        let window = window as f64 / packet;
        Self { packet, window, plateau: 0.0, prior: 0.0, reno: 0.0, epoch: None }
    }

    pub(super) fn window(&self) -> u64 {
        (self.window * self.packet) as u64
    }

    /// Takes another window for its own, as the place to stay at.
    pub(super) fn settle(&mut self, bytes: u64) {
        self.window = bytes as f64 / self.packet;
        self.plateau = self.window;
        self.prior = self.window;
        self.epoch = None;
    }

    /// Grows by what was acknowledged, as in slow start.
    pub(super) fn double(&mut self, bytes: u64, most: u64) {
        self.window = (self.window + bytes as f64 / self.packet).min(most as f64 / self.packet);
    }

    /// Time that the curve did not run (RFC 9438 §4.2, §5.8: nothing to send, or not held back by the window).
    pub(super) fn pause(&mut self, by: Duration) {
        if let Some(epoch) = &mut self.epoch {
            epoch.start += by;
        }
    }

    /// Grows after an acknowledgment of `bytes`.
    pub(super) fn grow(&mut self, now: Instant, rtt: Duration, bytes: u64, most: u64) {
        let acked = bytes as f64 / self.packet;
        let epoch = match self.epoch {
            Some(epoch) => epoch,
            None => self.begin(now),
        };
        let since = now.saturating_duration_since(epoch.start).as_secs_f64();
        let at = |t: f64| C * (t - epoch.k).powi(3) + self.plateau;
        // RFC 9438 §4.3: at α until where the window was, as fast as Reno from there on.
        let alpha = if self.reno >= self.prior { 1.0 } else { ALPHA };
        self.reno += alpha * acked / self.window;
        if at(since) < self.reno {
            self.window = self.window.max(self.reno);
        } else {
            // RFC 9438 §4.4 and §4.5: towards where the curve is a round trip later, and by no more than
            // half a window in that time.
            let target = at(since + rtt.as_secs_f64()).clamp(self.window, 1.5 * self.window);
            self.window += (target - self.window) / self.window * acked;
        }
        self.window = self.window.min(most as f64 / self.packet);
    }

    /// RFC 9438 §4.6 and §4.7: less by `BETA`, and the plateau below where it was if the window had not
    /// even reached the last one: others are growing (fast convergence).
    pub(super) fn reduce(&mut self) {
        self.prior = self.window;
        self.plateau =
            if self.window < self.plateau { self.window * (1.0 + BETA) / 2.0 } else { self.window };
        self.window = (self.window * BETA).max(2.0);
        self.epoch = None;
    }

    /// Begins anew with one packet. RFC 9438 §4.8: where slow start ends, the curve is flat.
    pub(super) fn collapse(&mut self) {
        self.prior = self.window;
        self.plateau = 0.0;
        self.window = 1.0;
        self.epoch = None;
    }

    pub(super) fn resize(&mut self, packet: u64) {
        let scale = self.packet / packet as f64;
        self.packet = packet as f64;
        for packets in [&mut self.window, &mut self.plateau, &mut self.prior, &mut self.reno] {
            *packets *= scale;
        }
    }

    fn begin(&mut self, now: Instant) -> Epoch {
        // RFC 9438 §4.2; §4.8 and §4.10: with no loss to go by, the curve is flat where it begins.
        self.plateau = self.plateau.max(self.window);
        let k = ((self.plateau - self.window) / C).cbrt();
        self.reno = self.window;
        let epoch = Epoch { start: now, k };
        self.epoch = Some(epoch);
        epoch
    }
}
