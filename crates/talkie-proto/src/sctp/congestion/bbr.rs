//! BBR, version 3 (draft-ietf-ccwg-bbr): a model of the path and no curve.
//!
//! What the path carries is the greatest delivery rate of late, how long it takes the shortest round trip;
//! their product is in flight. Each few seconds a bit more is sent for a round trip, to see whether the
//! path carries it, and then less, to empty the queue that this has left. Losses count only where a round
//! trip loses more than two in a hundred, and then bound what is in flight: for long if they came of
//! sending more, until the next probe if not. From time to time almost nothing is in flight, to measure the
//! shortest round trip anew.
//!
//! Sections are those of version 06 of the draft. Coarser than there: a round trip's losses are judged when it is
//! over, not packet by packet (§5.5.10.2); left out are precautionary probes (§5.3.3.6), what acknowledgments
//! bring at once (§5.5.9) and going back after a loss that was none (§5.5.11), but for the short-term bounds. The
//! shortest round trip is looked for no more often than each eight of them, which matters on paths of a second.
//!
//! It is here as the reference of its kind, as [`NewReno`](super::NewReno) is of another. Against CUBIC its
//! share depends on the buffer, and links that lose two packets in a hundred are congested to it, which is
//! why it is not the default.

use std::time::{Duration, Instant};

use super::{Acked, Controller, Lost, Sent, Start};

/// §2.5, StartupPacingGain: the rate doubles each round trip.
const STARTUP_GAIN: f64 = 2.77;
/// §2.6, DefaultCwndGain: what is in flight is twice the volume at most.
const WINDOW_GAIN: f64 = 2.0;
/// §2.8, LossThresh: a round trip may lose as much.
const LOSS_THRESHOLD: f64 = 0.02;
/// §2.8, Beta: what is left of a bound after too much was lost.
const BETA: f64 = 0.7;
/// §2.8, Headroom: room for others, below what was too much.
const HEADROOM: f64 = 0.15;
/// §2.16.1, MinRTTFilterLen: how long a shortest round trip holds.
const SHORTEST_KEPT: Kept = Kept { least: Duration::from_secs(10), rounds: 16 };
/// §2.16.2: how often there is little in flight, and how long. Where a round trip takes seconds it is not that
/// often: there would never be time to look for a higher rate in between.
const PROBE_RTT_EVERY: Kept = Kept { least: Duration::from_secs(5), rounds: 8 };
const PROBE_RTT_SPAN: Duration = Duration::from_millis(200);
/// Packets beyond the model, since reports come for several at once; §5.6.4.2 has a budget for offloading here.
const SLACK: u64 = 3;
/// §2.5, PacingMarginPercent: less than the rate, so that queues that stay shrink.
const MARGIN: f64 = 0.99;

/// How long a round trip is remembered: at least, and in round trips.
#[derive(Clone, Copy, Debug)]
struct Kept {
    least: Duration,
    rounds: u32,
}

impl Kept {
    fn is_over(self, now: Instant, (rtt, at): (Duration, Instant)) -> bool {
        now.saturating_duration_since(at) > rtt.saturating_mul(self.rounds).max(self.least)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Startup,
    Drain,
    Down,
    Cruise,
    Refill,
    Up,
    ProbeRtt,
}

/// The controller of draft-ietf-ccwg-bbr.
#[derive(Clone, Debug)]
pub struct Bbr {
    packet: u64,
    most: u64,
    state: State,
    chance: u64,
    // Rounds.
    round_ends: u64,
    rounds: u64,
    round_delivered: u64,
    round_lost: u64,
    lost_before: u64,
    // The model.
    /// The greatest rate of this cycle and of the last one.
    rate: [u64; 2],
    shortest: Option<(Duration, Instant)>,
    /// Probed every five seconds; the model's holds twice as long.
    probed: Option<(Duration, Instant)>,
    in_flight_bound: Option<u64>,
    short_term: Option<(u64, f64)>,
    latest_rate: u64,
    latest_delivered: u64,
    // Startup.
    full_rate: u64,
    full_rounds: u32,
    is_full: bool,
    // Cycles.
    cycle_at: Instant,
    cycle_round: u64,
    wait: Duration,
    up_rounds: u32,
    up_at: u64,
    probe_until: Option<Instant>,
    window: u64,
    /// The window before the last timeout, or the first of several in a row.
    before_timeout: Option<u64>,
    started: Option<Duration>,
}

impl Bbr {
    /// At the beginning of an association.
    #[must_use]
    pub fn new(start: &Start) -> Self {
        Self {
            packet: start.packet,
            most: start.most,
            state: State::Startup,
            chance: start.seed,
            round_ends: 0,
            rounds: 0,
            round_delivered: 0,
            round_lost: 0,
            lost_before: 0,
            rate: [0; 2],
            shortest: None,
            probed: None,
            in_flight_bound: None,
            short_term: None,
            latest_rate: 0,
            latest_delivered: 0,
            full_rate: 0,
            full_rounds: 0,
            is_full: false,
            cycle_at: start.now,
            cycle_round: 0,
            wait: Duration::ZERO,
            up_rounds: 0,
            up_at: 0,
            probe_until: None,
            window: start.window().min(start.most),
            before_timeout: None,
            started: None,
        }
    }

    fn max_rate(&self) -> u64 {
        self.rate[0].max(self.rate[1])
    }

    /// §5.5.10.3: the rate that the model sends at.
    fn bounded_rate(&self) -> u64 {
        match self.short_term {
            Some((rate, _)) => self.max_rate().min(rate),
            None => self.max_rate(),
        }
    }

    fn shortest(&self) -> Duration {
        self.shortest.map_or(Duration::from_millis(100), |(rtt, _)| rtt)
    }

    fn volume(&self, gain: f64) -> u64 {
        (self.bounded_rate() as f64 * self.shortest().as_secs_f64() * gain) as u64
    }

    fn gains(&self) -> (f64, f64) {
        // §5.6.1: of the rate, and of the window.
        match self.state {
            State::Startup => (STARTUP_GAIN, WINDOW_GAIN),
            State::Drain => (0.5, WINDOW_GAIN),
            State::Down => (0.9, WINDOW_GAIN),
            State::Cruise | State::Refill => (1.0, WINDOW_GAIN),
            State::Up => (1.25, 2.25),
            State::ProbeRtt => (1.0, 0.5),
        }
    }

    fn least(&self) -> u64 {
        4 * self.packet
    }

    /// §5.3.3.8.2: a share of the time between probes, by chance, so that flows don't probe together.
    fn pick_wait(&mut self) {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.wait = Duration::from_millis(2000 + (self.chance >> 33) % 1000);
    }

    fn measure(&mut self, now: Instant, rtt: Duration) {
        let was_stale = self.probed.is_some_and(|probed| PROBE_RTT_EVERY.is_over(now, probed));
        if was_stale || self.probed.is_none_or(|(probed, _)| rtt < probed) {
            self.probed = Some((rtt, now));
            // §5.3.4.3: it has been long since the queue was known to be empty.
            if was_stale && self.state != State::ProbeRtt && self.is_full {
                self.state = State::ProbeRtt;
                self.probe_until = None;
            }
        }
        let is_stale = |shortest| SHORTEST_KEPT.is_over(now, shortest);
        if self.shortest.is_none_or(|shortest| rtt <= shortest.0 || is_stale(shortest)) {
            self.shortest = Some((rtt, now));
        }
    }

    /// §5.5.10: at a round's end, bounds that hold until the next probe.
    fn adapt_bounds(&mut self) {
        let sent = self.round_delivered + self.round_lost;
        let is_lossy = self.round_lost as f64 > LOSS_THRESHOLD * sent as f64;
        match self.state {
            State::Startup if is_lossy && self.round_lost >= 6 * self.packet => {
                // §5.3.1.3: a queue overflows.
                self.is_full = true;
                self.in_flight_bound = Some(self.volume(1.0).max(self.latest_delivered));
            }
            State::Up | State::Refill if is_lossy => self.too_much(),
            State::Down | State::Cruise if self.round_lost > 0 => {
                let (rate, volume) =
                    self.short_term.unwrap_or_else(|| (self.max_rate(), self.window as f64));
                let rate = self.latest_rate.max((rate as f64 * BETA) as u64);
                let volume = (self.latest_delivered as f64).max(volume * BETA);
                self.short_term = Some((rate, volume));
            }
            _ => {}
        }
    }

    /// §5.5.10.2: what was in flight is more than the path bears.
    fn too_much(&mut self) {
        let target = self.volume(1.0).min(self.window) as f64 * BETA;
        let bound = (self.latest_delivered as f64).max(target) as u64;
        self.in_flight_bound = Some(bound.max(self.least()));
        if self.state == State::Up {
            self.state = State::Down;
        }
    }

    fn end_round(&mut self, now: Instant, acked: &Acked) {
        self.adapt_bounds();
        if self.state == State::Startup && !self.is_full {
            // §5.3.1.2: three rounds without a quarter more.
            if self.max_rate() as f64 >= self.full_rate as f64 * 1.25 {
                self.full_rate = self.max_rate();
                self.full_rounds = 0;
            } else {
                self.full_rounds += 1;
                self.is_full = self.full_rounds >= 3;
            }
        }
        if self.state == State::Up {
            // §5.3.3.5: the bound rises faster the longer it was none.
            self.up_rounds += 1;
            let more = self.packet << self.up_rounds.min(20);
            self.in_flight_bound = self.in_flight_bound.map(|bound| bound + more);
            let is_queued = acked.in_flight > self.volume(1.25);
            if self.rounds > self.up_at + 1 && is_queued {
                self.begin_down(now);
            }
        }
        if self.state == State::Refill && self.rounds > self.cycle_round {
            self.state = State::Up;
            self.up_rounds = 0;
            self.up_at = self.rounds;
        }
        self.round_delivered = 0;
        self.round_lost = 0;
        (self.latest_rate, self.latest_delivered) = (0, 0);
    }

    fn begin_down(&mut self, now: Instant) {
        self.state = State::Down;
        self.short_term = None;
        self.rate = [0, self.rate[0]];
        self.cycle_at = now;
        self.cycle_round = self.rounds;
        self.pick_wait();
    }

    fn step(&mut self, now: Instant, acked: &Acked) {
        match self.state {
            State::Startup if self.is_full => self.state = State::Drain,
            State::Drain if acked.in_flight <= self.volume(1.0) => self.begin_down(now),
            State::Down | State::Cruise if self.is_time_to_probe(now) => {
                self.short_term = None;
                self.state = State::Refill;
                self.cycle_round = self.rounds + 1;
            }
            State::Down => {
                let bound = self.in_flight_bound.unwrap_or(u64::MAX) as f64 * (1.0 - HEADROOM);
                if acked.in_flight as f64 <= bound && acked.in_flight <= self.volume(1.0) {
                    self.state = State::Cruise;
                }
            }
            State::ProbeRtt => self.probe_rtt(now, acked),
            _ => {}
        }
    }

    /// §5.3.3.8.2: after two to three seconds, or sooner where Reno would be back sooner.
    fn is_time_to_probe(&self, now: Instant) -> bool {
        let reno = (self.volume(1.0) / self.packet.max(1)).min(63);
        now > self.cycle_at + self.wait || self.rounds > self.cycle_round + reno.max(1)
    }

    fn probe_rtt(&mut self, now: Instant, acked: &Acked) {
        match self.probe_until {
            None if acked.in_flight <= self.volume(0.5) + SLACK * self.packet => {
                self.probe_until = Some(now + PROBE_RTT_SPAN.max(self.shortest()));
            }
            Some(until) if now > until => {
                self.probed = self.probed.map(|(rtt, _)| (rtt, now));
                self.probe_until = None;
                self.begin_down(now);
                self.state = State::Cruise;
            }
            _ => {}
        }
    }

    /// §5.6.4.6: towards what the model says, by what is acknowledged.
    fn set_window(&mut self, acked: &Acked) {
        let (_, gain) = self.gains();
        let target = self.volume(gain) + SLACK * self.packet;
        if self.is_full {
            self.window = (self.window + acked.bytes).min(target);
        } else if self.window < target || acked.delivered < 20 * self.packet {
            self.window += acked.bytes;
        }
        // §5.6.4.7.
        let bound = match (self.state, self.in_flight_bound) {
            (_, None) | (State::Startup, _) => u64::MAX,
            (State::Cruise | State::ProbeRtt, Some(bound)) => {
                (bound as f64 * (1.0 - HEADROOM)) as u64
            }
            (_, Some(bound)) => bound,
        };
        let short = self.short_term.map_or(u64::MAX, |(_, volume)| volume as u64);
        let bound = bound.min(short).min(self.most);
        self.window = self.window.min(bound).max(self.least());
    }
}

impl Controller for Bbr {
    fn on_sent(&mut self, _now: Instant, _sent: &Sent) {}

    fn on_acked(&mut self, now: Instant, acked: &Acked) {
        self.started.get_or_insert(acked.smoothed_rtt);
        if let Some(rtt) = acked.rtt {
            self.measure(now, rtt);
        }
        self.round_delivered += acked.bytes;
        self.round_lost += acked.lost.saturating_sub(self.lost_before);
        self.lost_before = acked.lost;
        let Some(sample) = acked.rate else { return };
        let rate = sample.bytes_per_second();
        // §5.5.4.
        if !sample.app_limited || rate >= self.max_rate() {
            self.rate[0] = self.rate[0].max(rate);
        }
        self.latest_rate = self.latest_rate.max(rate);
        self.latest_delivered = self.latest_delivered.max(sample.delivered);
        if sample.delivered_at_send >= self.round_ends {
            self.round_ends = acked.delivered;
            self.rounds += 1;
            self.end_round(now, acked);
        }
        self.step(now, acked);
        self.set_window(acked);
    }

    fn on_lost(&mut self, _now: Instant, _lost: &Lost) {}

    fn on_spurious_loss(&mut self, _now: Instant) {
        self.short_term = None;
    }

    fn on_timeout(&mut self, _now: Instant) {
        // §5.6.4.4: one packet, and the model keeps what it knows.
        if self.window > self.packet {
            self.before_timeout = Some(self.window);
        }
        self.window = self.packet;
    }

    fn on_spurious_timeout(&mut self, _now: Instant) {
        self.window = self.window.max(self.before_timeout.take().unwrap_or(0));
        self.round_lost = 0;
    }

    fn on_ecn(&mut self, _now: Instant, _sent_at: Instant) {
        // Counts as a loss does in a round trip.
        self.round_lost += self.packet;
    }

    fn on_packet_size(&mut self, bytes: u64) {
        self.packet = bytes;
    }

    fn window(&self) -> u64 {
        self.window
    }

    fn pacing_rate(&self) -> Option<u64> {
        let started = self.started?;
        let (gain, _) = self.gains();
        let rate = (self.bounded_rate() as f64 * gain * MARGIN) as u64;
        // §5.6.2: until the model knows better, the window over a round trip.
        let first = (self.window as f64 / started.as_secs_f64().max(1e-3) * gain) as u64;
        Some(if self.is_full { rate } else { rate.max(first) }.max(self.packet))
    }
}
