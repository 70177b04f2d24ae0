//! What is seen of an agent at work: the path it takes, how fast others are, and when to stop looking.

use std::time::Duration;

use talkie_traversal::ice::{self, ConnectionState, Event, Pair, Stats};
use tokio::time::Instant;

use super::tried::{Failure, Found, Tried};
use crate::report::Millis;

/// Beyond the longest attempt and its measurement, with somebody who is far.
const WHOLE: Duration = Duration::from_secs(60);
/// How long to measure once there is a direct path.
const MEASURE: Duration = Duration::from_secs(1);
/// How long a direct path may still come when a relayed one is agreed on.
const HOPE: Duration = Duration::from_secs(3);

/// What is seen of an agent at work.
pub(super) struct Watch {
    began: Instant,
    /// When to stop looking, as far as is known now.
    pub(super) ends_at: Instant,
    selected: Option<(ice::PairId, Found)>,
    /// The path that was agreed on last, or else taken.
    path: Option<Found>,
    has_failed: bool,
    was_heard: bool,
    direct: Option<Duration>,
    relayed: Option<Duration>,
    had_relay: bool,
}

impl Watch {
    pub(super) fn new(had_relay: bool) -> Self {
        let began = Instant::now();
        Self {
            began,
            ends_at: began + WHOLE,
            selected: None,
            path: None,
            has_failed: false,
            was_heard: false,
            direct: None,
            relayed: None,
            had_relay,
        }
    }

    /// Takes an event; returns a path if both have just agreed on it.
    pub(super) fn hear(&mut self, event: Event) -> Option<Found> {
        match event {
            Event::Selected(pair) => self.select(&pair),
            Event::ConnectionState(ConnectionState::Failed) => {
                self.has_failed = true;
                self.ends_at = Instant::now();
                None
            }
            _ => None,
        }
    }

    fn select(&mut self, pair: &Pair) -> Option<Found> {
        let now = Instant::now();
        let found = match self.selected {
            // Since it was taken, not since it was agreed on.
            Some((id, found)) if id == pair.id => found,
            _ => found(pair, now.saturating_duration_since(self.began)),
        };
        self.selected = Some((pair.id, found));
        if !pair.is_nominated {
            self.path.get_or_insert(found);
            self.ends_at = self.began + WHOLE;
            return None;
        }
        self.path = Some(found);
        let round_trip = pair.round_trip.unwrap_or_default();
        let more = if found.direct { MEASURE } else { HOPE };
        self.ends_at = now + more.max(round_trip * 12);
        Some(found)
    }

    /// Takes what was measured so far.
    pub(super) fn look(&mut self, stats: &Stats) {
        for pair in &stats.candidate_pairs {
            self.was_heard |= pair.requests_received > 0;
            let Some(round_trip) = pair.current_round_trip_time else { continue };
            let local = stats.local_candidates.iter().find(|it| it.id == pair.local_candidate_id);
            let remote =
                stats.remote_candidates.iter().find(|it| it.id == pair.remote_candidate_id);
            let (Some(local), Some(remote)) = (local, remote) else { continue };
            // A relay may be seen under another address than it gave.
            let relayed = local.relay_protocol.is_some() || remote.candidate_type == "relay";
            let best = if relayed { &mut self.relayed } else { &mut self.direct };
            *best = Some(best.map_or(round_trip, |best| best.min(round_trip)));
        }
    }

    pub(super) fn tried(&self) -> Tried {
        let failure = match (self.has_failed, self.path) {
            (false, Some(_)) => None,
            (_, Some(_)) => Some(Failure::Lost),
            (true, None) if self.was_heard => Some(Failure::OneWay),
            (true, None) => Some(Failure::Silence),
            (false, None) => Some(Failure::Lost),
        };
        Tried {
            path: self.path.filter(|_| failure.is_none()),
            direct: self.direct.map(Millis),
            relayed: self.relayed.map(Millis),
            failure,
            had_relay: self.had_relay,
        }
    }
}

fn found(pair: &Pair, after: Duration) -> Found {
    Found {
        direct: pair.is_direct(),
        local: pair.local.kind.into(),
        remote: pair.remote.kind.into(),
        local_address: pair.local.socket_address().unwrap_or(pair.base),
        remote_address: pair.remote_address,
        after: Millis(after),
    }
}

#[cfg(test)]
mod tests {
    use talkie_traversal::ice::{Agent, CandidateStats, Config};
    use talkie_traversal::ice::{Candidate, CandidatePairState, CandidatePairStats, PairId};

    use super::*;
    use crate::pair::CandidateType;

    fn pair(number: u32, is_nominated: bool, remote: &str) -> Event {
        let host = "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host";
        let remote: Candidate = remote.parse().unwrap();
        Event::Selected(Box::new(Pair {
            id: PairId(number),
            local: host.parse().unwrap(),
            base: "192.0.2.1:5000".parse().unwrap(),
            remote_address: remote.socket_address().unwrap(),
            remote,
            is_nominated,
            round_trip: Some(Duration::from_millis(20)),
        }))
    }

    fn relayed(number: u32, is_nominated: bool) -> Event {
        pair(number, is_nominated, "candidate:2 1 udp 16777215 198.51.100.1 6000 typ relay")
    }

    fn direct(number: u32, is_nominated: bool) -> Event {
        pair(number, is_nominated, "candidate:2 1 udp 1694498815 198.51.100.7 6000 typ srflx")
    }

    /// Of a direct pair and a relayed one.
    fn stats(round_trips: [Option<u64>; 2], heard: u64) -> Stats {
        let genesis = talkie_net::genesis().unwrap();
        let mut stats = Agent::new(&genesis, Config::default()).stats();
        let candidate = |id, candidate_type| CandidateStats {
            id,
            address: "198.51.100.7".to_owned(),
            port: 6000,
            protocol: "udp",
            candidate_type,
            priority: 1,
            url: None,
            relay_protocol: None,
            foundation: "1".to_owned(),
            related_address: None,
            related_port: None,
            username_fragment: None,
            tcp_type: None,
        };
        stats.local_candidates = vec![candidate(1, "host")];
        stats.remote_candidates = vec![candidate(2, "srflx"), candidate(3, "relay")];
        let pairs = round_trips.iter().zip(2..).map(|(millis, remote)| CandidatePairStats {
            state: CandidatePairState::Succeeded,
            current_round_trip_time: millis.map(Duration::from_millis),
            requests_received: heard,
            ..CandidatePairStats::new(PairId(remote), 1, remote)
        });
        stats.candidate_pairs = pairs.collect();
        stats
    }

    fn millis(count: u64) -> Option<Millis> {
        Some(Millis(Duration::from_millis(count)))
    }

    #[tokio::test]
    async fn the_path_is_the_one_agreed_on_last_and_the_shortest_round_trips_are_kept() {
        let mut watch = Watch::new(true);
        assert!(watch.hear(relayed(1, false)).is_none());
        let patient = watch.ends_at;
        assert!(watch.hear(relayed(1, true)).is_some_and(|found| !found.direct));
        assert!(watch.ends_at < patient);
        let found = watch.hear(direct(2, true)).unwrap();
        assert_eq!((found.local, found.remote), (CandidateType::Host, CandidateType::Srflx));
        for round_trips in [[Some(20), None], [Some(30), Some(40)], [None, Some(35)]] {
            watch.look(&stats(round_trips, 1));
        }
        let tried = watch.tried();
        assert!(tried.path.is_some_and(|path| path.direct) && tried.failure.is_none());
        assert_eq!((tried.direct, tried.relayed), (millis(20), millis(35)));
    }

    #[test]
    fn an_end_is_named_by_the_address_that_is_of_its_kind() {
        let Event::Selected(mut pair) = direct(1, true) else { unreachable!() };
        let seen =
            "candidate:1 1 udp 1694498815 203.0.113.9 40000 typ srflx raddr 192.0.2.1 rport 1";
        pair.local = seen.parse().unwrap();
        let found = found(&pair, Duration::ZERO);
        assert_eq!(found.local, CandidateType::Srflx);
        assert_eq!(found.local_address, "203.0.113.9:40000".parse().unwrap());
    }

    #[tokio::test]
    async fn a_failure_says_whether_anything_was_heard() {
        for (heard, failure) in [(0, Failure::Silence), (1, Failure::OneWay)] {
            let mut watch = Watch::new(false);
            watch.look(&stats([None; 2], heard));
            watch.hear(Event::ConnectionState(ConnectionState::Failed));
            assert_eq!(watch.tried().failure, Some(failure));
        }
        let mut watch = Watch::new(false);
        watch.hear(direct(1, true));
        watch.hear(Event::ConnectionState(ConnectionState::Failed));
        assert_eq!((watch.tried().failure, watch.tried().path), (Some(Failure::Lost), None));
    }
}
