//! How much silence proves.
//!
//! Where loss takes a share q of all round trips, n requests that would have been answered stay all
//! unanswered by chance with probability qⁿ. q is measured by requests that cannot but be answered,
//! sent beside those in doubt; n grows until qⁿ is less than one in a million.

use std::time::{Duration, Instant};

use super::probe::{Outcome, Probe, Purpose};

/// The fewest tries.
const FEWEST: usize = 8;
/// The most, which suffices where no more than three of four are lost.
pub(super) const MOST: usize = 60;
/// One in a million.
const CHANCE: f64 = 1e-6;

/// Requests that had to be answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evidence {
    pub(super) sent: usize,
    pub(super) answered: usize,
}

impl Evidence {
    /// What the probes of a run tell, those aside that may be on their way still.
    pub(super) fn of<'p>(
        probes: impl IntoIterator<Item = &'p Probe>,
        now: Instant,
        on_the_way: Duration,
    ) -> Self {
        let mut all = Self::default();
        for probe in probes {
            let is_contact = matches!(probe.purpose, Purpose::Contact(_));
            let counts = match &probe.outcome {
                Some(Outcome::Answer(_)) => probe.purpose.must_be_answered(),
                Some(Outcome::Silent) => is_contact,
                _ => false,
            };
            if !counts {
                continue;
            }
            let old = |at: &&Instant| now.saturating_duration_since(**at) >= on_the_way;
            // What is answered already is on its way no more.
            let old = probe.times.iter().filter(old).count();
            let sent = old.max(probe.answers.min(probe.sent()));
            all.sent += sent;
            all.answered += probe.answers.min(sent);
        }
        all
    }

    /// Whether `tries` without an answer are no accident.
    pub(super) fn proves(self, tries: usize) -> bool {
        tries >= FEWEST && self.loss().powi(i32::try_from(tries).unwrap_or(i32::MAX)) <= CHANCE
    }

    /// The share that is lost, by Laplace's rule: what was never seen is not impossible.
    fn loss(self) -> f64 {
        let lost = self.sent.saturating_sub(self.answered);
        (lost as f64 + 1.0) / (self.sent as f64 + 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_is_lost_the_more_tries_it_takes() {
        let tries = |sent, answered| (1..).find(|n| Evidence { sent, answered }.proves(*n));
        assert_eq!(tries(8, 8), Some(8));
        assert_eq!(tries(20, 16), Some(10));
        assert_eq!(tries(20, 10), Some(20));
        assert_eq!(tries(0, 0), Some(20), "who has seen nothing expects the worst");
        assert!(tries(20, 6) <= Some(MOST) && tries(20, 2) > Some(MOST));
    }
}
