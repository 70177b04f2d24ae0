//! The default: CUBIC's window where others want the path too, a model of the path where nobody does, and
//! in both only those losses count that are congestion.
//!
//! - **What is congestion?** The ledger keeps what is lost with a queue and without one, see there.
//! - **Alone**, what is in flight stays near what fills the path (the greatest rate of delivery times the
//!   shortest round trip, as in draft-ietf-ccwg-bbr), so that the queue stays empty. In each cycle of sixteen
//!   rounds one looks for more and one drains.
//! - **In company**, who keeps the queue empty starves. Others are there if the queue does not become empty
//!   when ours has been taken out of it. Then the window is CUBIC's (RFC 9438), and because it is reduced
//!   for the same losses, by the same factor, the shares are those of one more CUBIC flow. From time to
//!   time a round with less tells whether the others have left.

use std::time::{Duration, Instant};

use super::curve::{BETA, Curve};
use super::hystart::{Growth, HyStart};
use super::ledger::Ledger;
use super::path::Path;
use super::{Acked, Controller, Lost, Sent, Start};

/// Packets in flight beyond the path's volume: reports come for every second packet, and late.
const SLACK: u64 = 3;
/// Packets in flight at least where slow start ends.
const LEAST: u64 = 4;
/// Rounds of a cycle alone.
const CYCLE: u32 = 16;
/// Round trips after slow start in which what it has lost is found out, and sent again, and lost again.
const SETTLING: u32 = 32;
/// How long others are taken to stay.
const COMPANY: Duration = Duration::from_secs(16);
/// What is left of the window in company while we look whether the others have left.
const LESS: f64 = 0.75;
/// How long after a reduction who is alone looks for more by the curve only.
const PATIENCE: Duration = Duration::from_secs(4);
/// The bound on the curve of who is alone, in volumes: it does not matter there.
const CLAIM: f64 = 2.0;
/// What must be lost in a round so that slow start ends without a queue; its last round sends twice what
/// the path carries.
const START_TOLERANCE: f64 = 0.2;

/// The default controller.
#[derive(Clone, Debug)]
pub struct Adaptive {
    packet: u64,
    most: u64,
    curve: Curve,
    path: Path,
    ledger: Ledger,
    starting: Option<Starting>,
    step: Step,
    has_company: bool,
    /// The round trip before we looked.
    before: Duration,
    /// When the cycle began.
    since: Instant,
    recovery_until: Option<Instant>,
    /// What left until then has been answered for: the last of it is found out after the recovery.
    answered: Option<Instant>,
    last_ack: Option<Instant>,
    reduced_at: Option<Instant>,
    /// Until when losses may still be those of slow start.
    settling_until: Instant,
    /// Slow start and recovery before the last timeout.
    before_timeout: Option<(Option<Starting>, Option<Instant>)>,
}

#[derive(Clone, Debug, Default)]
struct Starting {
    hystart: HyStart,
    /// The rate of delivery that has to be surpassed.
    rate: u64,
    rounds: u32,
    threshold: Option<u64>,
}

/// Where in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// This many rounds have passed.
    Cruise(u32),
    /// A little more, for a round.
    Up,
    /// Ours is being taken out of the queue.
    Down,
    /// It is out; for a round, all see the queue without it.
    Look,
}

impl Adaptive {
    /// At the beginning of an association.
    #[must_use]
    pub fn new(start: &Start) -> Self {
        Self {
            packet: start.packet,
            most: start.most,
            curve: Curve::new(start.packet, start.window().min(start.most)),
            path: Path::new(start.now),
            ledger: Ledger::default(),
            starting: Some(Starting::default()),
            step: Step::Cruise(0),
            has_company: false,
            before: Duration::ZERO,
            since: start.now,
            recovery_until: None,
            answered: None,
            last_ack: None,
            reduced_at: None,
            settling_until: start.now,
            before_timeout: None,
        }
    }

    /// Times the path's volume, and what the granularity of packets asks for.
    fn volumes(&self, gain: f64) -> u64 {
        (self.path.volume() as f64 * gain) as u64 + SLACK * self.packet
    }

    /// What may be in flight by the model; none if only the curve decides.
    fn cap(&self) -> Option<u64> {
        if self.starting.is_some() {
            return None;
        }
        match self.step {
            Step::Down | Step::Look => Some(self.low()),
            _ if self.has_company => None,
            Step::Cruise(_) => Some(self.volumes(1.1)),
            Step::Up => Some(self.volumes(1.35)),
        }
    }

    /// What is in flight while we look for others: of the queue, nothing or visibly less.
    fn low(&self) -> u64 {
        let least = self.volumes(0.9);
        if self.has_company { least.max((self.curve.window() as f64 * LESS) as u64) } else { least }
    }

    fn packets(&self, bytes: u64) -> f64 {
        bytes as f64 / self.packet as f64
    }

    fn start_on(&mut self, now: Instant, acked: &Acked, has_round_ended: bool) {
        let Some(starting) = &mut self.starting else { return };
        let growth = starting.hystart.on_acked(acked);
        if has_round_ended {
            // draft-ietf-ccwg-bbr-06 §5.3.1.2: the pipe is full when the rate grows no more.
            if self.path.rate() as f64 >= starting.rate as f64 * 1.25 {
                starting.rate = self.path.rate();
                starting.rounds = 0;
            } else {
                starting.rounds += 1;
            }
        }
        let is_full = starting.rounds >= 3 || (starting.rounds >= 1 && starting.hystart.is_slow());
        let is_past = starting.threshold.is_some_and(|threshold| self.curve.window() > threshold);
        match growth {
            Growth::By(bytes) if !is_full && !is_past => self.curve.double(bytes, self.most),
            _ => self.end_start(now, self.curve.window().max(self.volumes(CLAIM))),
        }
    }

    fn end_start(&mut self, now: Instant, window: u64) {
        self.starting = None;
        self.settling_until = now + self.path.shortest() * SETTLING;
        self.curve.settle(window.max(LEAST * self.packet));
        self.step = Step::Down;
        self.path.unwatch();
    }

    fn reduce(&mut self, now: Instant, in_flight: u64) {
        self.curve.remember();
        self.recovery_until = Some(now);
        self.answered = Some(now);
        self.reduced_at = Some(now);
        self.ledger.settle();
        if self.starting.is_some() {
            // What was in flight when it was too much; the rate may not yet be known.
            let fits = (in_flight as f64 * BETA) as u64;
            return self.end_start(now, fits.max(self.volumes(1.0)));
        }
        // In company the window is the curve's, also while less of it is used to look whether the others have left.
        if !self.has_company && self.curve.window() > in_flight {
            self.curve.settle(in_flight);
        }
        self.curve.reduce();
        // What slow start has lost is found out over several round trips, in which less and less was in flight for
        // that very reason: where that is less than what one reduction leaves of what the path has carried, it was
        // the same overflow.
        let least = self.volumes(BETA);
        let is_echo = now < self.settling_until && in_flight < least;
        if is_echo && !self.has_company && self.curve.window() < least {
            self.curve.settle(least);
        }
    }

    /// A round trip has passed.
    fn turn(&mut self, now: Instant, in_flight: u64) {
        let tolerance = if self.starting.is_some() { START_TOLERANCE } else { 0.0 };
        if self.ledger.exceeds(tolerance) && self.recovery_until.is_none() {
            self.reduce(now, in_flight);
            self.ledger.try_less();
        }
        if self.ledger.less_was_no_help() {
            self.curve.restore();
        }
        if self.starting.is_some() {
            return;
        }
        let is_out = in_flight <= self.low();
        self.step = match self.step {
            Step::Down if is_out => Step::Look,
            Step::Down => Step::Down,
            // As long as only what was lost is sent again, no round trip is measured.
            Step::Look => self.path.watched().map_or(Step::Look, |rtt| self.look(now, rtt)),
            Step::Up => self.come_down(now),
            Step::Cruise(_) if self.has_company => {
                if now > self.since + COMPANY {
                    self.before = self.path.last_round();
                    Step::Down
                } else {
                    Step::Cruise(0)
                }
            }
            Step::Cruise(_) if self.path.standing_wait() > self.tolerable().mul_f64(1.5) => {
                self.look(now, self.path.last_round())
            }
            Step::Cruise(rounds) if rounds + 3 >= CYCLE => Step::Up,
            Step::Cruise(rounds) => Step::Cruise(rounds + 1),
        };
    }

    /// More has been tried.
    fn come_down(&mut self, now: Instant) -> Step {
        let is_long_ago = self.reduced_at.is_none_or(|at| now > at + PATIENCE);
        if is_long_ago && self.curve.window() < self.volumes(CLAIM) {
            self.curve.settle((self.curve.window() as f64 * 1.25) as u64);
        }
        Step::Down
    }

    /// The wait that nobody else has to explain.
    fn tolerable(&self) -> Duration {
        // What is in flight beyond the path's volume while we look, and the packet that may surpass a window
        // (RFC 9260 §6.1 B), wait for each other.
        self.path.shortest() / 10
            + self.path.span_of(SLACK * self.packet)
            + Duration::from_millis(1)
    }

    /// Judges by the shortest round trip that there was.
    fn look(&mut self, now: Instant, rtt: Duration) -> Step {
        let had_company = self.has_company;
        self.since = now;
        self.path.unwatch();
        // Alone, the round trip is what is in flight over what the path carries: less of the one is as
        // much less of the other.
        let shrunk = self.before.mul_f64(1.0 - (1.0 - LESS) * 0.75);
        let is_mine = had_company && self.step == Step::Look && rtt <= shrunk;
        let wait = rtt.saturating_sub(self.path.shortest());
        self.has_company = !is_mine && wait > self.tolerable();
        let is_alone = !had_company && !self.has_company;
        if is_alone && self.curve.window() > self.volumes(CLAIM) {
            // What was reached long ago is no claim on what is shared.
            self.curve.settle(self.volumes(CLAIM));
        }
        Step::Cruise(0)
    }
}

impl Controller for Adaptive {
    fn on_sent(&mut self, _now: Instant, _sent: &Sent) {}

    fn on_acked(&mut self, now: Instant, acked: &Acked) {
        self.curve.measure(acked.smoothed_rtt);
        let has_round_ended = self.path.on_acked(now, acked);
        if self.step == Step::Down && acked.in_flight <= self.low() {
            self.path.watch(now);
        }
        let idle = self.last_ack.replace(now).map_or(Duration::ZERO, |last| now - last);
        if self.recovery_until.is_some_and(|until| acked.newest_sent > until) {
            self.recovery_until = None;
            self.ledger.settle();
        }
        if self.recovery_until.is_none() {
            self.ledger.deliver(self.packets(acked.bytes), self.path.is_waiting());
        }
        let is_held_by_curve = self.cap().is_none_or(|cap| cap >= self.curve.window());
        if !acked.window_limited || !is_held_by_curve || self.recovery_until.is_some() {
            self.curve.pause(idle);
        } else if self.starting.is_some() {
            self.start_on(now, acked, has_round_ended);
        } else {
            self.curve.grow(now, acked.smoothed_rtt, acked.bytes, self.most);
        }
        if has_round_ended {
            self.turn(now, acked.in_flight);
        }
    }

    fn on_lost(&mut self, now: Instant, lost: &Lost) {
        // What was sent before the last reduction has been answered for, and tells nothing of the link.
        if self.recovery_until.max(self.answered).is_some_and(|until| lost.sent_at <= until) {
            return;
        }
        let was_waiting = self.path.was_waiting(lost.sent_at);
        self.ledger.lose(now, self.packets(lost.bytes), was_waiting);
        if was_waiting && self.ledger.blames_queue() {
            // A queue that overflows without more of ours in it is filled by others.
            self.has_company |= self.starting.is_none() && matches!(self.step, Step::Cruise(_));
            self.reduce(now, lost.in_flight_at_send);
        }
    }

    fn on_spurious_loss(&mut self, _now: Instant) {
        if self.curve.restore() {
            self.recovery_until = None;
            self.answered = None;
        }
    }

    fn on_timeout(&mut self, now: Instant) {
        let is_repeated = self.curve.is_collapsed();
        if !is_repeated {
            self.before_timeout = Some((self.starting.take(), self.recovery_until));
        }
        let threshold = self.curve.collapse();
        // A path that was silent for long is measured anew from the model's window, and not from one packet.
        let threshold = Some(if is_repeated { LEAST * self.packet } else { threshold });
        self.starting = Some(Starting { threshold, ..Starting::default() });
        self.recovery_until = Some(now);
    }

    fn on_spurious_timeout(&mut self, _now: Instant) {
        let before = self.before_timeout.take();
        if let Some(before) = before.filter(|_| self.curve.rise()) {
            (self.starting, self.recovery_until) = before;
        }
    }

    fn on_ecn(&mut self, now: Instant, sent_at: Instant) {
        // RFC 3168 §6.1.2: as for a loss, once in a window; a mark is never chance.
        if self.recovery_until.max(self.answered).is_none_or(|until| sent_at > until) {
            self.reduce(now, self.curve.window() / 2);
        }
    }

    fn on_packet_size(&mut self, bytes: u64) {
        self.packet = bytes;
        self.curve.resize(bytes);
    }

    fn window(&self) -> u64 {
        let window = self.curve.window();
        self.cap().map_or(window, |cap| cap.min(window)).max(2 * self.packet)
    }

    fn pacing_rate(&self) -> Option<u64> {
        self.curve.pacing_rate(self.window(), self.starting.is_some())
    }
}
