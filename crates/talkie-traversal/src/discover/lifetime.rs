//! How long a mapping lasts (RFC 5780 §4.6).
//!
//! A socket makes a mapping and falls silent. After a time another one asks the server to answer to the
//! first one's outside port. If the answer arrives there, the mapping was alive. The time is doubled
//! until one is found after which the mapping is gone, and the end is then searched between the two by
//! halves. At last the second socket alone keeps packets coming: if the mapping lives on, packets from
//! outside renew it.

use std::time::{Duration, Instant};

use super::probe::{Outcome, Purpose};
use super::report::{Finding, Lifetime, Reason};
use super::{Discovery, IDLE, Test};

/// The first time tried.
const SHORTEST: Duration = Duration::from_secs(15);
/// How closely the end is searched: a tenth of it, and no less than this.
const FINEST: Duration = Duration::from_secs(3);

/// The search for the end.
#[derive(Debug)]
pub(super) struct Search {
    longest: Duration,
    round: u32,
    /// It was alive after this.
    low: Duration,
    /// It was gone after this.
    high: Option<Duration>,
    phase: Phase,
    goal: Goal,
}

#[derive(Debug)]
enum Phase {
    /// The other tests go first: they measure whether the server answers.
    Begin,
    Bind,
    Rest {
        since: Instant,
        until: Instant,
    },
    Check {
        after: Duration,
    },
}

/// What a round is for.
#[derive(Debug)]
enum Goal {
    /// Whether such a check works at all.
    Calibrate,
    End,
    /// Whether checks keep it alive, and how long they did so far.
    Refresh {
        since: Option<Instant>,
    },
}

impl Search {
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            longest: longest.max(SHORTEST),
            round: 0,
            low: Duration::ZERO,
            high: None,
            phase: Phase::Begin,
            goal: Goal::Calibrate,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Rest { until, .. } => Some(until),
            Phase::Begin | Phase::Bind | Phase::Check { .. } => None,
        }
    }

    /// How long to rest in this round.
    fn rest(&self) -> Duration {
        match (&self.goal, self.high) {
            (Goal::Calibrate, _) => Duration::ZERO,
            (Goal::Refresh { .. }, _) => (self.low / 2).max(Duration::from_secs(1)),
            (Goal::End, None) => (self.low * 2).clamp(SHORTEST, self.longest),
            (Goal::End, Some(high)) => (self.low + high) / 2,
        }
    }

    /// Whether the end is known closely enough.
    fn is_close(&self) -> bool {
        match self.high {
            Some(high) => high - self.low <= FINEST.max(self.low / 10),
            None => self.low >= self.longest,
        }
    }

    fn finding(&self, inbound_refresh: Option<bool>) -> Finding<Lifetime> {
        Finding::Known(Lifetime { at_least: self.low, below: self.high, inbound_refresh })
    }

    /// Takes the outcome of a check; the finding if it was the last.
    fn learn(
        &mut self,
        now: Instant,
        after: Duration,
        outcome: &Outcome,
    ) -> Option<Finding<Lifetime>> {
        let is_alive = match outcome {
            // On the other socket it comes if that one was given the port that has become free.
            Outcome::Answer(answer) => answer.on == IDLE,
            Outcome::Refused(code) => return Some(Finding::Unknown(Reason::Refused(*code))),
            Outcome::Silent => false,
            Outcome::Unsure => return Some(Finding::Unknown(Reason::Lossy)),
        };
        self.round += 1;
        self.phase = Phase::Bind;
        match self.goal {
            Goal::Calibrate if !is_alive => return Some(Finding::Unknown(Reason::Ignored)),
            Goal::Calibrate => self.goal = Goal::End,
            Goal::End => {
                if is_alive {
                    self.low = self.low.max(after);
                } else {
                    self.high = Some(self.high.map_or(after, |high| high.min(after)));
                }
                // What outlives the test needs nobody to renew it.
                match self.high {
                    Some(_) if self.is_close() => self.goal = Goal::Refresh { since: None },
                    None if self.is_close() => return Some(self.finding(None)),
                    _ => {}
                }
            }
            Goal::Refresh { since } => {
                let high = self.high.unwrap_or(self.longest);
                let since = since.or_else(|| now.checked_sub(after)).unwrap_or(now);
                let so_far = now.saturating_duration_since(since);
                if !is_alive || so_far > high + high / 4 {
                    return Some(self.finding(Some(is_alive)));
                }
                // Not bound anew: that would renew it from inside.
                self.goal = Goal::Refresh { since: Some(since) };
                self.phase = Phase::Rest { since: now, until: now + self.rest() };
                return None;
            }
        }
        None
    }
}

impl Discovery {
    /// What there is to say where no search takes place.
    pub(super) fn without_search(&mut self) {
        if self.search.is_none() && self.found.lifetime.is_none() {
            let reason = match self.config.lifetime {
                Some(_) => Reason::Sockets,
                None => Reason::NotAsked,
            };
            self.found.lifetime = Some(Finding::Unknown(reason));
        }
    }

    pub(super) fn search(&mut self, now: Instant) {
        if self.found.lifetime.is_some() {
            return;
        }
        let Some(mut search) = self.search.take() else { return };
        let finding = self.search_on(now, &mut search);
        if let Some(finding) = finding {
            self.found.lifetime = Some(finding);
            self.tell(Test::Lifetime, &finding);
            self.forget_rounds();
        }
        self.search = Some(search);
    }

    fn search_on(&mut self, now: Instant, search: &mut Search) -> Option<Finding<Lifetime>> {
        match search.phase {
            Phase::Begin => {
                if let Some(reason) = self.contact_failure()? {
                    return Some(Finding::Unknown(reason));
                }
                search.phase = Phase::Bind;
                self.waiting.push_back(Purpose::Bind(search.round));
            }
            Phase::Bind => {
                let outcome = self.outcome(Purpose::Bind(search.round))?;
                let mapped = match outcome {
                    Outcome::Answer(answer) => answer.mapped,
                    _ => return Some(Finding::Unknown(Reason::NoAnswer)),
                };
                // RESPONSE-PORT names a port of the address that asks.
                let ip = |mapped: Option<std::net::SocketAddr>| mapped.map(|mapped| mapped.ip());
                if ip(mapped) != ip(self.mapped(super::FILTERED)) {
                    return Some(Finding::Unknown(Reason::Ignored));
                }
                search.phase = Phase::Rest { since: now, until: now + search.rest() };
                return self.search_on(now, search);
            }
            Phase::Rest { since, until } => {
                if now >= until {
                    let after = now.saturating_duration_since(since);
                    search.phase = Phase::Check { after };
                    self.waiting.push_back(Purpose::Check(search.round));
                }
            }
            Phase::Check { after } => {
                let outcome = self.outcome(Purpose::Check(search.round))?.clone();
                let bound = search.round;
                if matches!(outcome, Outcome::Silent) && self.is_throttled_since(bound) {
                    return Some(Finding::Unknown(Reason::Throttled));
                }
                let finding = search.learn(now, after, &outcome);
                if finding.is_none() {
                    self.renew_round(search, bound);
                }
                return finding;
            }
        }
        None
    }

    fn outcome(&self, purpose: Purpose) -> Option<&Outcome> {
        self.probes.iter().find(|probe| probe.purpose == purpose)?.outcome.as_ref()
    }

    /// Whether the server told less than usual while a round's check was under way.
    fn is_throttled_since(&self, round: u32) -> bool {
        let begun = self.probe(Purpose::Check(round)).map(|probe| probe.begun);
        self.probes.iter().any(|probe| probe.throttled_at >= begun && begun.is_some())
    }

    /// Prepares the next round, of which the last one's probes are no part.
    fn renew_round(&mut self, search: &Search, bound: u32) {
        if matches!(search.phase, Phase::Bind) {
            self.forget_rounds();
            self.waiting.push_back(Purpose::Bind(search.round));
            return;
        }
        // The mapping stays, only the check is another.
        self.probes.retain(|probe| probe.purpose != Purpose::Check(bound));
        for probe in &mut self.probes {
            if probe.purpose == Purpose::Bind(bound) {
                probe.purpose = Purpose::Bind(search.round);
            }
        }
    }

    fn forget_rounds(&mut self) {
        let of_a_round = |purpose| matches!(purpose, Purpose::Bind(_) | Purpose::Check(_));
        self.probes.retain(|probe| !of_a_round(probe.purpose));
    }
}
