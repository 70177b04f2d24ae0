//! A bottleneck and senders of several kinds.

use std::time::{Duration, Instant};

use talkie_proto::sctp::congestion::{Algorithm, Start};
use talkie_sansio::conformance::genesis;
use talkie_sim::flow::{Bottleneck, Flow as _, Route, Run};
use talkie_sim::net::Loss;

use crate::model::{Model, PACKET};

pub(crate) const ADAPTIVE: Algorithm = Algorithm::Adaptive;
pub(crate) const BBR: Algorithm = Algorithm::Bbr;
pub(crate) const CUBIC: Algorithm = Algorithm::Cubic;
pub(crate) const RENO: Algorithm = Algorithm::NewReno;

pub(crate) const MEGABIT: u64 = 1_000_000;
/// 20 ms each way, unless told otherwise.
pub(crate) const EACH_WAY: Duration = Duration::from_millis(20);

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A line with a buffer of so many times what fills a path of that delay.
pub(crate) fn line(rate: u64, each_way: Duration, buffer: f64) -> Bottleneck {
    let volume = rate as f64 / 8.0 * 2.0 * each_way.as_secs_f64();
    Bottleneck::new(rate, (volume * buffer).max(3.0 * PACKET as f64) as usize)
}

pub(crate) fn random(percent: f64) -> Loss {
    if percent > 0.0 { Loss::Random(percent / 100.0) } else { Loss::None }
}

/// Ten packets in a row, once in about a thousand.
pub(crate) fn bursts() -> Loss {
    Loss::Burst { worsens: 0.001, recovers: 0.1, good: 0.0, bad: 1.0 }
}

pub(crate) struct Stage {
    pub(crate) run: Run<Model>,
    pub(crate) line: Bottleneck,
    born: Instant,
    flows: usize,
}

impl Stage {
    pub(crate) fn new(line: Bottleneck, seed: u64) -> Self {
        let born = genesis().now;
        Self { run: Run::new(born, seed, line.clone()), line, born, flows: 0 }
    }

    pub(crate) fn add(&mut self, algorithm: Algorithm, route: Route) {
        let now = self.born + route.starts;
        let seed = self.flows as u64;
        let start = Start { now, packet: PACKET, most: 256 << 20, seed };
        self.run.add(Model::new(now, algorithm.start(&start)), route);
        self.flows += 1;
    }

    /// The share of the line that each flow has between two times.
    pub(crate) fn shares(&mut self, from: Duration, until: Duration) -> Vec<f64> {
        self.run.run_until(from);
        let before = self.delivered();
        self.run.open_queue_book();
        self.run.run_until(until);
        let all = self.line.rate as f64 / 8.0 * (until - from).as_secs_f64();
        let after = self.delivered();
        after.iter().zip(before).map(|(after, before)| (after - before) as f64 / all).collect()
    }

    fn delivered(&self) -> Vec<u64> {
        (0..self.flows).map(|flow| self.run.flow(flow).gauge().delivered).collect()
    }
}

/// One flow alone, from its beginning: its share of the line, and the run.
pub(crate) fn alone(
    algorithm: Algorithm,
    line: Bottleneck,
    each_way: Duration,
    span: Duration,
) -> (f64, Stage) {
    alone_with(7, algorithm, line, each_way, span)
}

/// The same with another chance.
pub(crate) fn alone_with(
    seed: u64,
    algorithm: Algorithm,
    line: Bottleneck,
    each_way: Duration,
    span: Duration,
) -> (f64, Stage) {
    let mut stage = Stage::new(line, seed);
    stage.add(algorithm, Route::each_way(each_way));
    let share = stage.shares(Duration::ZERO, span)[0];
    (share, stage)
}

/// How equal shares are (Jain's index): 1 if all are, 1/n if one has everything.
pub(crate) fn jain(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    sum * sum / (shares.len() as f64 * squares)
}

/// Who begins when.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Together,
    First,
    Last,
}

/// One flow of a kind among others, for a minute after the last has begun: its share, relative to an equal
/// one, Jain's index, and the run.
pub(crate) fn among(
    algorithm: Algorithm,
    (others, other): (usize, Algorithm),
    line: Bottleneck,
    order: Order,
) -> (f64, f64, Stage) {
    let mut stage = Stage::new(line, 7);
    let mine = if matches!(order, Order::Last) { others } else { 0 };
    let gap = if matches!(order, Order::Together) { 0 } else { 3 };
    for number in 0..=others {
        let kind = if number == mine { algorithm } else { other };
        stage.add(kind, Route::each_way(EACH_WAY).starting(secs(gap * number as u64)));
    }
    let from = secs(gap * (others as u64 + 1));
    let shares = stage.shares(from, from + secs(60));
    (shares[mine] * (others + 1) as f64, jain(&shares), stage)
}

/// One flow of a kind among CUBIC flows that all begin within six seconds, by chance: its share, relative to an
/// equal one, Jain's index over the minute after that, and the run.
pub(crate) fn among_by_chance(
    seed: u64,
    algorithm: Algorithm,
    others: usize,
    line: Bottleneck,
    each_way: Duration,
) -> (f64, f64, Stage) {
    let mut stage = Stage::new(line, seed);
    for number in 0..=others {
        let kind = if number == 0 { algorithm } else { CUBIC };
        let starts = Duration::from_millis(scramble(seed * 16 + number as u64) % 6000);
        stage.add(kind, Route::each_way(each_way).starting(starts));
    }
    let shares = stage.shares(secs(6), secs(66));
    (shares[0] * (others + 1) as f64, jain(&shares), stage)
}

/// A number that looks like chance (the finalizer of SplitMix64).
fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
