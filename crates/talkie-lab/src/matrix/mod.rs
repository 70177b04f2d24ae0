//! Who reaches whom: all pairs of some types of NAT, each tried with one seed or many.

mod picture;
mod table;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use serde::Serialize;
use talkie_sim::nat::Preset;

use crate::outcome::{Kind, Outcome, Verdict, milliseconds};
use crate::stage::{self, Setting};

/// What is to be tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The types, in order.
    pub kinds: Vec<Preset>,
    /// How often each pair is tried: with the setting's seed and those after it.
    pub seeds: u32,
    /// All else.
    pub setting: Setting,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// What was tried.
    pub plan: Plan,
    /// For each left type, for each right type, for each seed.
    pub outcomes: Vec<Vec<Vec<Outcome>>>,
}

impl Plan {
    /// Tries every pair. `now` is the time at which the virtual clocks begin; it changes nothing.
    /// `progress` is told of each pair that is done, and of how many.
    #[must_use]
    pub fn run(self, now: Instant, mut progress: impl FnMut(usize, usize)) -> Matrix {
        let pairs = self.kinds.len() * self.kinds.len();
        let mut done = 0;
        let mut outcomes = Vec::with_capacity(self.kinds.len());
        for left in &self.kinds {
            let mut row = Vec::with_capacity(self.kinds.len());
            for right in &self.kinds {
                let seeds = (0..u64::from(self.seeds)).map(|n| self.setting.seed.wrapping_add(n));
                let setting = |seed| Setting { seed, ..self.setting };
                row.push(
                    seeds.map(|seed| stage::outcome(*left, *right, &setting(seed), now)).collect(),
                );
                done += 1;
                progress(done, pairs);
            }
            outcomes.push(row);
        }
        Matrix { plan: self, outcomes }
    }
}

impl Matrix {
    /// The sum of the attempts of one pair, by the places of its types in the plan.
    #[must_use]
    pub fn verdict(&self, left: usize, right: usize) -> Verdict {
        Verdict::of(&self.outcomes[left][right])
    }

    /// How many pairs there are of each verdict: direct, sometimes, relay, none.
    #[must_use]
    pub fn counts(&self) -> [usize; 4] {
        let mut counts = [0; 4];
        for (left, row) in self.outcomes.iter().enumerate() {
            for right in 0..row.len() {
                counts[self.verdict(left, right).kind() as usize] += 1;
            }
        }
        counts
    }

    /// For programs. The names of the fields are part of the interface.
    ///
    /// # Panics
    /// Never: the value has no map with keys that are no text.
    #[must_use]
    pub fn json(&self) -> String {
        let kinds = &self.plan.kinds;
        let pairs = kinds.iter().enumerate().flat_map(|(row, left)| {
            kinds.iter().enumerate().map(move |(column, right)| (row, column, left, right))
        });
        let file = File {
            seed: self.plan.setting.seed,
            seeds: self.plan.seeds,
            delay_ms: self.plan.setting.delay.as_secs_f64() * 1000.0,
            loss: self.plan.setting.loss,
            predict: self.plan.setting.predict,
            types: kinds.iter().map(|kind| kind.name()).collect(),
            pairs: pairs
                .map(|(row, column, left, right)| {
                    let outcomes = &self.outcomes[row][column];
                    let verdict = self.verdict(row, column);
                    Pair {
                        left: left.name(),
                        right: right.name(),
                        result: verdict.kind(),
                        direct: outcomes.iter().filter(|outcome| outcome.is_direct()).count(),
                        runs: outcomes.len(),
                        after_ms: median_after(outcomes),
                        relay_over: [left, right].map(|kind| stage::relay_of(*kind).to_string()),
                    }
                })
                .collect(),
        };
        serde_json::to_string_pretty(&file).expect("plain values") + "\n"
    }

    /// What "relay" means.
    fn relay_words(&self) -> &'static str {
        match self.plan.kinds.iter().any(|kind| stage::relay_of(*kind).is_reliable()) {
            true => "by the relay (over TCP where UDP is blocked)",
            false => "by the relay: no way through both NATs was found",
        }
    }

    /// In a few words: how it was tried.
    fn conditions(&self) -> String {
        let Setting { seed, delay, loss, predict } = self.plan.setting;
        let mut words = match self.plan.seeds {
            1 => format!("seed {seed}"),
            seeds => format!("{seeds} seeds from {seed}"),
        };
        words += &format!(", {} ms from host to host", milliseconds(delay));
        if predict {
            words += ", ports are guessed";
        }
        if loss > 0.0 {
            words += &format!(", {}% loss", (loss * 1000.0).round() / 10.0);
        }
        words
    }
}

fn median_after(outcomes: &[Outcome]) -> Option<u64> {
    let mut spans: Vec<Duration> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Direct { after } | Outcome::Relayed { after } => Some(*after),
            Outcome::Failed => None,
        })
        .collect();
    spans.sort_unstable();
    spans.get(spans.len() / 2).and_then(|span| u64::try_from(milliseconds(*span)).ok())
}

#[derive(Serialize)]
struct File<'a> {
    seed: u64,
    seeds: u32,
    delay_ms: f64,
    loss: f64,
    predict: bool,
    types: Vec<&'a str>,
    pairs: Vec<Pair<'a>>,
}

#[derive(Serialize)]
struct Pair<'a> {
    left: &'a str,
    right: &'a str,
    result: Kind,
    direct: usize,
    runs: usize,
    after_ms: Option<u64>,
    /// By what each side reaches the relay, whether or not it is needed.
    relay_over: [String; 2],
}
