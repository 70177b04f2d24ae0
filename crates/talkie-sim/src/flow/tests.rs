use std::time::{Duration, Instant};

use talkie_sansio::conformance::genesis;

use super::{Bottleneck, Discipline, Flow, Gauge, Route, Run};
use crate::net::Loss;

const LEN: usize = 1000;

/// Keeps so many packets under way.
struct Constant {
    window: u64,
    sent: u64,
    got: u64,
    marked: u64,
    reports: u64,
    last_rtt: Duration,
}

fn constant(window: u64) -> Constant {
    Constant { window, sent: 0, got: 0, marked: 0, reports: 0, last_rtt: Duration::ZERO }
}

impl Flow for Constant {
    type Packet = Instant;

    fn poll_data(&mut self, now: Instant) -> Option<(usize, Instant)> {
        (self.sent < self.window).then(|| {
            self.sent += 1;
            (LEN, now)
        })
    }

    fn handle_data(&mut self, now: Instant, packet: Instant, marked: bool) {
        self.got += 1;
        self.reports += 1;
        self.marked += u64::from(marked);
        self.last_rtt = now - packet;
    }

    fn poll_report(&mut self, now: Instant) -> Option<Instant> {
        self.reports.checked_sub(1).map(|left| {
            self.reports = left;
            now - self.last_rtt
        })
    }

    fn handle_report(&mut self, now: Instant, sent_at: Instant) {
        self.last_rtt = now - sent_at;
        self.sent -= 1;
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn gauge(&self) -> Gauge {
        Gauge { rtt: self.last_rtt, delivered: self.got * LEN as u64, ..Gauge::default() }
    }
}

/// 8 Mbit/s, so that a packet takes a millisecond; 20 ms there and back.
fn run(bottleneck: Bottleneck, windows: &[u64]) -> Run<Constant> {
    let mut run = Run::new(genesis().now, 1, bottleneck);
    for window in windows {
        run.add(constant(*window), Route::each_way(Duration::from_millis(10)));
    }
    run.run_until(Duration::from_secs(10));
    run
}

#[test]
fn a_window_below_the_paths_volume_is_carried_without_a_wait() {
    let run = run(Bottleneck::new(8_000_000, 100 * LEN), &[7]);
    // Seven in each 21 ms, the one on the line counted.
    let rate = run.flow(0).got as f64 / 10.0;
    assert!((rate - 7.0 / 0.021).abs() < 5.0, "{rate}");
    assert_eq!(run.queue().dropped, 0);
}

#[test]
fn a_window_above_it_waits_and_the_line_is_full() {
    let run = run(Bottleneck::new(8_000_000, 100 * LEN), &[31]);
    assert!((9970..=10_000).contains(&run.flow(0).got), "{}", run.flow(0).got);
    assert_eq!(run.flow(0).last_rtt, Duration::from_millis(31));
}

#[test]
fn two_windows_share_by_their_sizes() {
    let run = run(Bottleneck::new(8_000_000, 100 * LEN), &[20, 40]);
    let ratio = run.flow(1).got as f64 / run.flow(0).got as f64;
    assert!((ratio - 2.0).abs() < 0.05, "{ratio}");
}

#[test]
fn what_does_not_fit_is_dropped() {
    let run = run(Bottleneck::new(8_000_000, 5 * LEN), &[40]);
    // One is on the line, five wait; nobody tells this sender of the others.
    assert_eq!(run.queue().dropped, 34);
    assert!(run.queue().longest <= Duration::from_millis(5));
}

#[test]
fn a_line_loses_what_it_is_told_to() {
    let run = run(Bottleneck::new(8_000_000, 100 * LEN).losing(Loss::Random(1.0)), &[3]);
    assert_eq!((run.flow(0).got, run.queue().lost), (0, 3));
}

#[test]
fn codel_marks_a_standing_queue_and_no_other() {
    let discipline = Discipline::CoDel {
        target: Duration::from_millis(5),
        interval: Duration::from_millis(100),
        marks: true,
    };
    let bottleneck = Bottleneck { discipline, ..Bottleneck::new(8_000_000, 100 * LEN) };
    assert_eq!(run(bottleneck.clone(), &[22]).flow(0).marked, 0);
    let standing = run(bottleneck, &[40]);
    assert!(standing.flow(0).marked > 50, "{}", standing.flow(0).marked);
    assert_eq!(standing.queue().dropped, 0);
}

#[test]
fn states_are_kept_as_often_as_asked_for() {
    let mut run = Run::new(genesis().now, 1, Bottleneck::new(8_000_000, 100 * LEN));
    run.add(constant(31), Route::each_way(Duration::from_millis(10)));
    run.sample_every(Duration::from_millis(100));
    run.run_until(Duration::from_secs(1));
    assert_eq!(run.samples().len(), 11);
    assert_eq!(run.samples()[10].at, Duration::from_secs(1));
    assert_eq!(run.samples()[10].flows.len(), 1);
    assert!(run.samples()[10].queue > 5 * LEN);
}
