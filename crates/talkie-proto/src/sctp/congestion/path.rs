//! What acknowledgments tell of a path: how much it carries, how long it takes when its queue is empty,
//! and how much longer it takes when it is not.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Acked;

/// draft-ietf-ccwg-bbr-06 §2.16.1, MinRTTFilterLen: longer than there, since nothing bad follows from a
/// shortest round trip that is too short (others are thought to be there, and the window is CUBIC's).
const SHORTEST_KEPT: Duration = Duration::from_secs(120);
/// How long the range of round trips is remembered: twice that, at most. Several teeth of CUBIC's saw.
const RANGE_KEPT: Duration = Duration::from_secs(10);
/// A range of round trips that is no noise.
const PERCEPTIBLE: Duration = Duration::from_millis(1);
/// Round trips that are remembered by when their packets left, and how many in the shortest of them: a loss
/// is found out a round trip later, or two.
const TRIPS: usize = 64;
const TRIPS_IN_SHORTEST: u32 = 24;
/// How many rounds the greatest rate is remembered: twice that, at most.
const RATE_ROUNDS: u32 = 10;

#[derive(Clone, Debug)]
pub(super) struct Path {
    round_ends: u64,
    rounds: u32,
    /// Bytes per second: in this period, and in the one before.
    rate: [u64; 2],
    rate_since: u32,
    shortest: Option<(Duration, Instant)>,
    /// The shortest and longest round trip in this period, and in the one before.
    range: [Option<(Duration, Duration)>; 2],
    range_since: Instant,
    /// The two round trips measured before the latest.
    recent: [Duration; 2],
    latest: Duration,
    /// When packets left and how long they took.
    trips: VecDeque<(Instant, Duration)>,
    /// The shortest of this round.
    round_shortest: Option<Duration>,
    /// The shortest of the last whole round.
    last_round: Option<Duration>,
    /// Since when packets are watched, and the shortest round trip of one that left later.
    watched: Option<(Instant, Option<Duration>)>,
}

impl Path {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            round_ends: 0,
            rounds: 0,
            rate: [0; 2],
            rate_since: 0,
            shortest: None,
            range: [None; 2],
            range_since: now,
            recent: [Duration::ZERO; 2],
            latest: Duration::ZERO,
            trips: VecDeque::new(),
            round_shortest: None,
            last_round: None,
            watched: None,
        }
    }

    /// Whether a round trip has passed since the last one had.
    pub(super) fn on_acked(&mut self, now: Instant, acked: &Acked) -> bool {
        if let Some(rtt) = acked.rtt {
            self.measure(now, rtt);
        }
        let Some(sample) = acked.rate else { return false };
        let rate = sample.bytes_per_second();
        // draft-ietf-ccwg-bbr-06 §5.5.4: a rate that was limited by the application counts only if greater.
        if !sample.app_limited || rate > self.rate() {
            self.rate[0] = self.rate[0].max(rate);
        }
        // draft-ietf-ccwg-bbr-06 §5.5.1: a round ends when a packet is acknowledged that left after its
        // beginning.
        if sample.delivered_at_send < self.round_ends {
            return false;
        }
        self.round_ends = acked.delivered;
        self.rounds += 1;
        self.last_round = self.round_shortest.take();
        if self.rounds - self.rate_since >= RATE_ROUNDS {
            self.rate = [0, self.rate[0]];
            self.rate_since = self.rounds;
        }
        true
    }

    /// Bytes per second that the path has carried lately, at its best.
    pub(super) fn rate(&self) -> u64 {
        self.rate[0].max(self.rate[1])
    }

    /// The round trip without a queue.
    pub(super) fn shortest(&self) -> Duration {
        self.shortest.map_or(Duration::ZERO, |(rtt, _)| rtt)
    }

    /// Whether packets wait so long that the queue may be full.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_long(self.latest)
    }

    /// Whether they did when this one left, as far as those tell that left before and after it: when a loss is
    /// found out, a short queue may be empty again.
    pub(super) fn was_waiting(&self, left: Instant) -> bool {
        let after = self.trips.partition_point(|(at, _)| *at <= left);
        let nearest = [after.checked_sub(1), Some(after)]
            .into_iter()
            .filter_map(|index| self.trips.get(index?))
            .min_by_key(|(at, _)| {
                left.saturating_duration_since(*at).max(at.saturating_duration_since(left))
            });
        self.is_long(nearest.map_or(self.latest, |(_, rtt)| *rtt))
    }

    /// Longer than in the middle between the least and the most of late. A queue that others keep is never
    /// empty.
    fn is_long(&self, rtt: Duration) -> bool {
        let seen = || self.range.iter().flatten();
        let least = seen().map(|(least, _)| *least).min().unwrap_or_default();
        let most = seen().map(|(_, most)| *most).max().unwrap_or_default();
        most.saturating_sub(least) >= PERCEPTIBLE && rtt >= (least + most) / 2
    }

    /// How long every packet of the last round had to wait.
    pub(super) fn standing_wait(&self) -> Duration {
        self.last_round.map_or(Duration::ZERO, |rtt| rtt.saturating_sub(self.shortest()))
    }

    /// The shortest round trip of the last round.
    pub(super) fn last_round(&self) -> Duration {
        self.last_round.unwrap_or(self.latest)
    }

    /// Watches what leaves from now on, unless it does already.
    pub(super) fn watch(&mut self, now: Instant) {
        self.watched.get_or_insert((now, None));
    }

    /// Watches no more.
    pub(super) fn unwatch(&mut self) {
        self.watched = None;
    }

    /// The shortest round trip of what left while it was watched.
    pub(super) fn watched(&self) -> Option<Duration> {
        self.watched.and_then(|(_, rtt)| rtt)
    }

    /// Bytes that fill the path and not its queue.
    pub(super) fn volume(&self) -> u64 {
        (self.rate() as f64 * self.shortest().as_secs_f64()) as u64
    }

    /// The time that this many bytes take on the bottleneck.
    pub(super) fn span_of(&self, bytes: u64) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.rate().max(1) as f64)
            .min(Duration::from_secs(1))
    }

    fn remember(&mut self, now: Instant, rtt: Duration) {
        let Some(left) = now.checked_sub(rtt) else { return };
        let apart = self.shortest() / TRIPS_IN_SHORTEST;
        if self.trips.back().is_none_or(|(last, _)| left >= *last + apart) {
            if self.trips.len() == TRIPS {
                self.trips.pop_front();
            }
            self.trips.push_back((left, rtt));
        }
    }

    fn measure(&mut self, now: Instant, rtt: Duration) {
        self.latest = rtt;
        self.remember(now, rtt);
        if let Some((since, shortest)) = &mut self.watched
            && now.checked_sub(rtt).is_some_and(|left| left >= *since)
        {
            *shortest = Some(shortest.map_or(rtt, |shortest| shortest.min(rtt)));
        }
        self.round_shortest = Some(self.round_shortest.map_or(rtt, |shortest| shortest.min(rtt)));
        let is_shortest = self
            .shortest
            .is_none_or(|(shortest, since)| rtt <= shortest || now > since + SHORTEST_KEPT);
        if is_shortest {
            self.shortest = Some((rtt, now));
        }
        if now > self.range_since + RANGE_KEPT {
            self.range = [None, self.range[0]];
            self.range_since = now;
        }
        // A full queue shows in several round trips one after another; a single long one is a report that the
        // peer has kept back (RFC 9260 §6.2), and would make all others look short.
        let lasting = self.recent.iter().fold(rtt, |lasting, recent| lasting.min(*recent));
        self.recent = [rtt, self.recent[0]];
        let (least, most) = self.range[0].unwrap_or((rtt, lasting));
        self.range[0] = Some((least.min(rtt), most.max(lasting)));
    }
}
