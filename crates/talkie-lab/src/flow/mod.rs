//! Bulk transfers through one bottleneck, in virtual time: what congestion control makes of a path.
//!
//! The flows are real associations, handshake and all (`ends`); the line, its queue and the delays are
//! [`talkie_sim::flow`]'s. A [`Plan`] is played into a [`Recording`]: 600 states of everything, and sums.
//! `plot` draws it on a terminal, `picture` as SVG, both from the same `panels`.

mod conditions;
mod controllers;
mod ends;
mod json;
mod panels;
mod picture;
mod plot;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use talkie_proto::sctp::Config;
use talkie_sim::flow::{Bottleneck, Gauge, QueueBook, Route, Run, Sample};

pub use conditions::{Queue, UnknownQueue};
pub use controllers::{Controller, UnknownController};

use ends::Ends;

/// States that are kept, beside the one at the beginning.
const SAMPLES: u32 = 600;
/// Progress is told so often.
const STEPS: u32 = 200;

/// No longer than this each, as fast lines take their time to be played.
const STEP_MOST: Duration = Duration::from_millis(250);
/// How long messages may be: not so short that they cost much, not so long that rates look like stairs.
const MESSAGES: std::ops::RangeInclusive<usize> = 1024..=16 * 1024;

/// What is to be played.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The line's bits per second.
    pub rate: u64,
    /// There and back, without a queue.
    pub rtt: Duration,
    /// The share of packets that is lost by chance on the way there.
    pub loss: f64,
    /// How many packets are lost in a row on average; one if each is lost by itself.
    pub burst: f64,
    /// Who has to leave the queue.
    pub queue: Queue,
    /// Bytes that can wait for the line.
    pub buffer: usize,
    /// A flow for each.
    pub controllers: Vec<Controller>,
    /// How long after the one before it a flow begins.
    pub stagger: Duration,
    /// How long all of it takes.
    pub span: Duration,
    /// All chance follows from it.
    pub seed: u64,
}

/// What became of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Its handshake was not over at the end.
    NeverConnected,
    /// It was sending at the end.
    Connected,
    /// The other side did not answer any more.
    GaveUp,
    /// It ended in another way.
    Broke,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What was played.
    pub plan: Plan,
    samples: Vec<Sample>,
    queue: QueueBook,
    fates: Vec<Fate>,
}

/// A flow's sums, from when all had begun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Its controller.
    pub controller: Controller,
    /// Bits of messages in a second.
    pub goodput: f64,
    /// The share of its bytes that it took for lost.
    pub lost: f64,
    /// The mean of its smoothed round trips.
    pub rtt: Option<Duration>,
    /// Whether it was there to the end.
    pub fate: Fate,
}

impl Plan {
    /// When the last flow begins: from then on is counted.
    #[must_use]
    pub fn counted_from(&self) -> Duration {
        self.stagger * u32::try_from(self.controllers.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Plays it. `now` is the time at which the virtual clock begins; it changes nothing. `progress` is told
    /// how much has been played of how much.
    #[must_use]
    pub fn run(self, now: Instant, mut progress: impl FnMut(Duration, Duration)) -> Recording {
        let line = Bottleneck::new(self.rate, self.buffer);
        let line = Bottleneck { discipline: self.queue.discipline(), loss: self.losses(), ..line };
        let mut run = Run::new(now, self.seed, line);
        for (number, controller) in (0_u32..).zip(&self.controllers) {
            let starts = self.stagger * number;
            let config = Config {
                congestion: controller.algorithm(),
                ecn: self.queue.marks(),
                ..Config::default()
            };
            let ends = Ends::new(now + starts, self.seed_of(number), &config, self.message());
            run.add(ends, Route::each_way(self.rtt / 2).starting(starts));
        }
        run.sample_every(self.span / SAMPLES);
        let from = self.counted_from();
        let most = self.span.div_duration_f64(STEP_MOST).ceil() as u32;
        let steps = STEPS.max(most);
        for step in 1..=steps {
            let (before, until) = (self.span * (step - 1) / steps, self.span * step / steps);
            if (before..until).contains(&from) {
                run.run_until(from);
                run.open_queue_book();
            }
            run.run_until(until);
            progress(until, self.span);
        }
        let fates = (0..self.controllers.len()).map(|number| run.flow(number).fate()).collect();
        let (samples, queue) = (run.samples().to_vec(), run.queue().clone());
        Recording { plan: self, samples, queue, fates }
    }

    fn seed_of(&self, flow: u32) -> [u8; 32] {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_be_bytes());
        seed[8..12].copy_from_slice(&flow.to_be_bytes());
        seed
    }

    /// Bytes of a message: what the line carries between two states.
    fn message(&self) -> usize {
        let between = self.rate as f64 / 8.0 * (self.span / SAMPLES).as_secs_f64();
        (between as usize).clamp(*MESSAGES.start(), *MESSAGES.end())
    }
}

impl Recording {
    /// The sums of each flow.
    #[must_use]
    pub fn outcomes(&self) -> Vec<Outcome> {
        let counted = self.counted();
        let (Some(first), Some(last)) = (counted.first(), counted.last()) else {
            return Vec::new();
        };
        let seconds = (last.at - first.at).as_secs_f64().max(1e-9);
        let flows = self.plan.controllers.iter().zip(&self.fates).enumerate();
        flows
            .map(|(number, (controller, fate))| {
                let (before, after) = (first.flows[number], last.flows[number]);
                let delivered = (after.delivered - before.delivered) as f64;
                let lost = after.lost.saturating_sub(before.lost) as f64;
                Outcome {
                    controller: *controller,
                    goodput: delivered * 8.0 / seconds,
                    lost: if lost > 0.0 { lost / (delivered + lost) } else { 0.0 },
                    rtt: mean(counted.iter().map(|sample| &sample.flows[number])),
                    fate: *fate,
                }
            })
            .collect()
    }

    /// What of the line's time was used, by all that was sent and got as far.
    #[must_use]
    pub fn line_used(&self) -> f64 {
        let seconds = (self.plan.span - self.plan.counted_from()).as_secs_f64();
        self.queue.bytes as f64 * 8.0 / (self.plan.rate as f64 * seconds)
    }

    /// What the queue has seen since all had begun.
    #[must_use]
    pub fn queue(&self) -> &QueueBook {
        &self.queue
    }

    /// How equal the flows' shares are (Jain's index): 1 if all are, 1/n if one has everything. None if there
    /// is but one.
    #[must_use]
    pub fn fairness(&self) -> Option<f64> {
        let shares: Vec<f64> = self.outcomes().iter().map(|outcome| outcome.goodput).collect();
        let sum: f64 = shares.iter().sum();
        let squares: f64 = shares.iter().map(|share| share * share).sum();
        (shares.len() > 1 && squares > 0.0).then(|| sum * sum / (shares.len() as f64 * squares))
    }

    /// The states since all had begun.
    fn counted(&self) -> &[Sample] {
        let from = self.plan.counted_from();
        let first = self.samples.partition_point(|sample| sample.at < from);
        &self.samples[first..]
    }
}

/// The mean round trip of a flow's states, where there is one.
fn mean<'a>(gauges: impl Iterator<Item = &'a Gauge>) -> Option<Duration> {
    let known: Vec<Duration> = gauges.map(|gauge| gauge.rtt).filter(|rtt| !rtt.is_zero()).collect();
    let count = u32::try_from(known.len()).ok().filter(|count| *count > 0)?;
    Some(known.iter().sum::<Duration>() / count)
}
