//! How long to wait for what: at least as long as [`Config`] says, and longer where the way is long.
//!
//! How far the other side is nobody knows before it has answered. But both have a way to the server, by
//! which they found each other; so a check and its answer take about two round trips to the server, if
//! the other side is as far from it as this one is, and so they do over the relay.

use std::time::{Duration, Instant};

use talkie_sansio::Path;

use super::pair::Pair;
use super::{Config, Punch};

/// Farther than a server over a satellite and a phone. What a server pretends beyond it gains nothing.
pub(super) const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(3);
/// RFC 8489 §6.2.1's RTO: the longest wait between two checks of a pair.
const LONGEST_INTERVAL: Duration = Duration::from_millis(500);
/// Between two measurements.
const MEASURE_INTERVAL: Duration = Duration::from_millis(100);
/// How long a nomination may go unanswered.
const NOMINATION: Duration = Duration::from_secs(2);

/// The times of one attempt.
pub(super) struct Patience {
    pub(super) gather: Duration,
    pub(super) relay_after: Duration,
    pub(super) give_up: Duration,
    pub(super) measure: Duration,
    pub(super) nomination: Duration,
}

impl Punch {
    /// A server has been heard. Whatever was sent again makes it look farther than it is, which costs
    /// patience and nothing else.
    pub(super) fn hear(&mut self, now: Instant, path: Path) {
        let server = (path.transport, path.remote);
        if !self.heard.contains(&server) {
            self.heard.push(server);
            let seen = now.saturating_duration_since(self.began).min(LONGEST_ROUND_TRIP);
            self.round_trip = self.round_trip.max(seen);
        }
    }

    pub(super) fn patience(&self) -> Patience {
        let Config { gather, relay_after, give_up, measure, .. } = self.config;
        let trips = |count: u32| self.round_trip * count;
        Patience {
            // A relay answers twice (RFC 8489 §9.2.4: the first time with its nonce).
            gather: gather.max(trips(3)),
            // Their check is here; ours has to go there and its answer to come.
            relay_after: relay_after.max(trips(3)),
            // A permission on the relay, a check, and a nomination, with as much for what is lost, and
            // for the time by which the other side begins later.
            give_up: give_up.max(trips(12)),
            measure: measure.max(trips(4)),
            nomination: NOMINATION.max(trips(4)),
        }
    }

    /// How long to wait after a check of a pair that has had `tries`, and so long at the least that its
    /// answer comes before the request is forgotten.
    pub(super) fn interval(&self, pair: &Pair) -> Duration {
        let doubled = self.config.interval.saturating_mul(1 << (pair.tries.max(1) - 1).min(8));
        let longest = LONGEST_INTERVAL.max(self.spacing(pair));
        doubled.clamp(Duration::from_millis(10), longest)
    }

    /// The same where both sides wait for the answer.
    pub(super) fn urgent_interval(&self, pair: &Pair) -> Duration {
        self.config.interval.max(Duration::from_millis(10)).max(self.spacing(pair))
    }

    pub(super) fn measure_interval(&self, pair: &Pair) -> Duration {
        MEASURE_INTERVAL.max(self.spacing(pair))
    }

    fn spacing(&self, pair: &Pair) -> Duration {
        pair.round_trip.unwrap_or(self.round_trip * 2) / 4
    }
}
