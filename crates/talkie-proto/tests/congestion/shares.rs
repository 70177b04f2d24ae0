//! Sharing a bottleneck: nobody starves, and nobody is starved.

use std::time::Duration;

use talkie_sim::flow::{Discipline, Route};

use crate::stage::{
    ADAPTIVE, CUBIC, EACH_WAY, MEGABIT, Order, Stage, among, among_by_chance, jain, line, secs,
};

#[test]
fn a_bottleneck_is_shared_with_cubic_flows_as_one_of_them() {
    let cases = [(0.5, 4, Order::Together), (1.0, 1, Order::Last), (2.0, 2, Order::First)];
    for (buffer, others, order) in cases {
        let line = line(20 * MEGABIT, EACH_WAY, buffer);
        let (share, index, stage) = among(ADAPTIVE, (others, CUBIC), line, order);
        let what = format!("{buffer} volumes of buffer, {others} others, {order:?}");
        assert!(index >= 0.9, "{what}: Jain's index {index:.3}");
        assert!((0.5..1.7).contains(&share), "{what}: {share:.2} of an equal share");
        let used = stage.run.queue().bytes as f64 / (20.0e6 / 8.0 * 60.0);
        assert!(used > 0.95, "{what}: {used:.3} of the line");
    }
}

/// Windows are reduced every ten seconds there, so that what one has lost too much stays lost for long.
#[test]
fn a_long_queue_is_shared_too() {
    for (others, order) in [(1, Order::Together), (4, Order::First)] {
        let line = line(100 * MEGABIT, EACH_WAY, 4.0);
        let (share, index, _) = among(ADAPTIVE, (others, CUBIC), line, order);
        let what = format!("{others} others, {order:?}");
        assert!(index >= 0.9, "{what}: {share:.2} of an equal share, Jain's index {index:.3}");
    }
}

/// Windows of a few packets wait for reports that the peer keeps back, 200 ms beside a queue of 20 ms at most. Who
/// takes such a round trip for that of a full queue sees no queue any more, and counts no loss.
#[test]
fn late_reports_of_small_windows_make_nobody_greedy() {
    let each_way = Duration::from_millis(12);
    for (seed, buffer) in [(1001, 0.35), (2002, 0.8)] {
        let line = line(8 * MEGABIT, each_way, buffer);
        let (share, index, _) = among_by_chance(seed, ADAPTIVE, 4, line, each_way);
        assert!(index >= 0.9, "{share:.2} of an equal share, Jain's index {index:.3}");
    }
}

#[test]
fn flows_of_the_default_kind_share_a_bottleneck() {
    let line = line(20 * MEGABIT, EACH_WAY, 1.0);
    let (_, index, _) = among(ADAPTIVE, (2, ADAPTIVE), line, Order::First);
    assert!(index >= 0.9, "Jain's index {index:.3}");
}

#[test]
fn cubic_flows_share_a_bottleneck() {
    let line = line(20 * MEGABIT, EACH_WAY, 1.0);
    let (_, index, _) = among(CUBIC, (3, CUBIC), line, Order::First);
    assert!(index >= 0.9, "Jain's index {index:.3}");
}

/// Among CUBIC flows the shorter way has the larger share, too.
#[test]
fn a_longer_way_costs_a_share_but_not_all_of_it() {
    let mut stage = Stage::new(line(20 * MEGABIT, EACH_WAY, 1.0), 7);
    stage.add(ADAPTIVE, Route::each_way(EACH_WAY * 2));
    stage.add(CUBIC, Route::each_way(EACH_WAY));
    let shares = stage.shares(secs(5), secs(65));
    assert!(shares.iter().all(|share| *share > 0.15), "{shares:?}");
    assert!(jain(&shares) > 0.7, "{shares:?}");
}

#[test]
fn a_queue_that_marks_is_shared() {
    let (target, interval) = (Duration::from_millis(20), Duration::from_millis(100));
    let mut line = line(20 * MEGABIT, EACH_WAY, 4.0);
    line.discipline = Discipline::CoDel { target, interval, marks: true };
    let (share, index, _) = among(ADAPTIVE, (1, CUBIC), line, Order::First);
    assert!(index >= 0.9, "{share:.2} of an equal share, Jain's index {index:.3}");
}
