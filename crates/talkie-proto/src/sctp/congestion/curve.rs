//! The curve of RFC 9438: the window since it was last reduced, as a cube of the time. It rises fast to
//! where it was reduced, stays there for a while, and then looks for more, faster and faster. It never
//! lies below what Reno would do, so that short paths get no less with it.
//!
//! With it goes what all do that follow it: how a window is spread over a round trip, and how a reduction is
//! taken back that has proved to be wrong.

use std::time::{Duration, Instant};

/// RFC 9438 §5.1: in packets per cubic second.
const C: f64 = 0.4;
/// RFC 9438 §4.6: what is left of a window that was too large.
pub(super) const BETA: f64 = 0.7;
/// RFC 9438 §4.3: Reno's growth that has the same average if windows are reduced to `BETA`.
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

/// Faster than the window passes, so that the window decides and pacing only spreads it.
const SPREAD: f64 = 1.25;
/// The same in slow start, where the window doubles in each round trip.
const SPREAD_IN_START: f64 = 2.0;

#[derive(Clone, Debug)]
pub(super) struct Curve {
    packet: f64,
    rtt: Option<Duration>,
    course: Course,
    /// What there was before the last reduction.
    before: Option<Course>,
    /// What there was before the last timeout, or the first of several in a row, and whether nothing has been
    /// acknowledged since.
    collapsed: Option<(Course, bool)>,
}

/// In packets.
#[derive(Clone, Copy, Debug)]
struct Course {
    window: f64,
    /// Where the curve is flat.
    plateau: f64,
    /// The window before it was last reduced.
    prior: f64,
    /// What Reno's would be.
    reno: f64,
    epoch: Option<Epoch>,
}

impl Course {
    fn at(window: f64) -> Self {
        Self { window, plateau: 0.0, prior: 0.0, reno: 0.0, epoch: None }
    }
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
        Self { packet, rtt: None, course: Course::at(window), before: None, collapsed: None }
    }

    pub(super) fn window(&self) -> u64 {
        (self.course.window * self.packet) as u64
    }

    /// The smoothed round trip is known.
    pub(super) fn measure(&mut self, rtt: Duration) {
        self.rtt = Some(rtt);
    }

    /// How many bytes per second may leave so that this many are spread over a round trip.
    pub(super) fn pacing_rate(&self, window: u64, is_starting: bool) -> Option<u64> {
        let rtt = self.rtt?.as_secs_f64().max(1e-6);
        let gain = if is_starting { SPREAD_IN_START } else { SPREAD };
        Some((gain * window as f64 / rtt) as u64)
    }

    /// Takes another window for its own, as the place to stay at.
    pub(super) fn settle(&mut self, bytes: u64) {
        self.course.window = bytes as f64 / self.packet;
        self.course.plateau = self.course.window;
        self.course.prior = self.course.window;
        self.course.epoch = None;
    }

    /// Grows by what was acknowledged, as in slow start.
    pub(super) fn double(&mut self, bytes: u64, most: u64) {
        self.note_progress();
        self.course.window =
            (self.course.window + bytes as f64 / self.packet).min(most as f64 / self.packet);
    }

    /// Time that the curve did not run (RFC 9438 §4.2, §5.8: nothing to send, or not held back by the window).
    pub(super) fn pause(&mut self, by: Duration) {
        if let Some(epoch) = &mut self.course.epoch {
            epoch.start += by;
        }
    }

    /// Grows after an acknowledgment of `bytes`.
    pub(super) fn grow(&mut self, now: Instant, rtt: Duration, bytes: u64, most: u64) {
        self.note_progress();
        let acked = bytes as f64 / self.packet;
        let epoch = match self.course.epoch {
            Some(epoch) => epoch,
            None => self.begin(now),
        };
        let since = now.saturating_duration_since(epoch.start).as_secs_f64();
        let at = |t: f64| C * (t - epoch.k).powi(3) + self.course.plateau;
        // RFC 9438 §4.3: at α until where the window was, as fast as Reno from there on.
        let alpha = if self.course.reno >= self.course.prior { 1.0 } else { ALPHA };
        self.course.reno += alpha * acked / self.course.window;
        if at(since) < self.course.reno {
            self.course.window = self.course.window.max(self.course.reno);
        } else {
            // RFC 9438 §4.4 and §4.5: towards where the curve is a round trip later, and by no more than
            // half a window in that time.
            let target =
                at(since + rtt.as_secs_f64()).clamp(self.course.window, 1.5 * self.course.window);
            self.course.window += (target - self.course.window) / self.course.window * acked;
        }
        self.course.window = self.course.window.min(most as f64 / self.packet);
    }

    /// RFC 9438 §4.6 and §4.7: less by `BETA`, and the plateau below where it was if the window had not
    /// even reached the last one: others are growing (fast convergence).
    pub(super) fn reduce(&mut self) {
        self.course.prior = self.course.window;
        self.course.plateau = if self.course.window < self.course.plateau {
            self.course.window * (1.0 + BETA) / 2.0
        } else {
            self.course.window
        };
        self.course.window = (self.course.window * BETA).max(2.0);
        self.course.epoch = None;
    }

    /// Remembers what there is, in case that it is reduced for nothing.
    pub(super) fn remember(&mut self) {
        self.before = Some(self.course);
    }

    /// RFC 9438 §4.9.2: the last reduction was for nothing. Tells whether it is taken back: unless the window
    /// has grown beyond that meanwhile.
    pub(super) fn restore(&mut self) -> bool {
        let before = self.before.take().filter(|before| self.course.window < before.window);
        self.course = before.unwrap_or(self.course);
        before.is_some()
    }

    /// A timeout: begins anew with one packet (RFC 9438 §4.8: as RFC 9260 §7.2.3 has it), and where slow start
    /// ends, the curve is flat. That place, in bytes, is less than the window was by the curve's own factor.
    pub(super) fn collapse(&mut self) -> u64 {
        // RFC 5681 §3.1: where slow start ends stays the same when what has been sent again is lost again.
        let (before, _) = *self
            .collapsed
            .insert(self.collapsed.filter(|(_, in_row)| *in_row).unwrap_or((self.course, true)));
        let prior = before.window;
        self.course = Course { prior, ..Course::at(1.0) };
        self.before = None;
        ((prior * BETA).max(4.0) * self.packet) as u64
    }

    /// Whether nothing has been acknowledged since the last timeout.
    pub(super) fn is_collapsed(&self) -> bool {
        self.collapsed.is_some_and(|(_, in_row)| in_row)
    }

    /// RFC 9438 §4.9.1: the last timeout was for nothing, and those before it in a row. Tells whether it is
    /// taken back.
    pub(super) fn rise(&mut self) -> bool {
        self.before = self.collapsed.take().map(|(before, _)| before);
        self.restore()
    }

    fn note_progress(&mut self) {
        if let Some((_, in_row)) = &mut self.collapsed {
            *in_row = false;
        }
    }

    pub(super) fn resize(&mut self, packet: u64) {
        let scale = self.packet / packet as f64;
        self.packet = packet as f64;
        let collapsed = self.collapsed.as_mut().map(|(before, _)| before);
        for course in
            [Some(&mut self.course), self.before.as_mut(), collapsed].into_iter().flatten()
        {
            for packets in
                [&mut course.window, &mut course.plateau, &mut course.prior, &mut course.reno]
            {
                *packets *= scale;
            }
        }
    }

    fn begin(&mut self, now: Instant) -> Epoch {
        // RFC 9438 §4.2; §4.8 and §4.10: with no loss to go by, the curve is flat where it begins.
        self.course.plateau = self.course.plateau.max(self.course.window);
        let k = ((self.course.plateau - self.course.window) / C).cbrt();
        self.course.reno = self.course.window;
        let epoch = Epoch { start: now, k };
        self.course.epoch = Some(epoch);
        epoch
    }
}
