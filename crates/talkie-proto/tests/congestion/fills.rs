//! Alone on a line: how much of it is used, and how long its queue gets.

use std::time::Duration;

use talkie_sim::flow::{Bottleneck, Discipline, Route};

use crate::stage::{
    ADAPTIVE, BBR, CUBIC, EACH_WAY, MEGABIT, RENO, Stage, alone, bursts, line, random, secs,
};

/// A second after the beginning, for four seconds.
fn settled(line: Bottleneck) -> f64 {
    let mut stage = Stage::new(line, 7);
    stage.add(ADAPTIVE, Route::each_way(EACH_WAY));
    stage.shares(secs(1), secs(5))[0]
}

#[test]
fn a_line_of_200_mbit_is_full_without_loss_and_nearly_so_with_some() {
    for (percent, least) in [(0.0, 0.95), (1.0, 0.9), (2.0, 0.88), (5.0, 0.84)] {
        let share = settled(line(200 * MEGABIT, EACH_WAY, 1.0).losing(random(percent)));
        assert!(share >= least, "{percent} % lost: {share:.3} of the line");
    }
}

#[test]
fn a_line_of_2_gbit_is_full() {
    let mut stage = Stage::new(line(2000 * MEGABIT, EACH_WAY, 1.0).losing(random(1.0)), 7);
    stage.add(ADAPTIVE, Route::each_way(EACH_WAY));
    let share = stage.shares(Duration::from_millis(700), Duration::from_millis(1700))[0];
    assert!(share >= 0.8, "{share:.3} of the line");
}

#[test]
fn losses_in_a_row_are_one_accident() {
    let share = settled(line(100 * MEGABIT, EACH_WAY, 1.0).losing(bursts()));
    assert!(share >= 0.6, "{share:.3} of the line");
}

#[test]
fn a_way_by_satellite_is_full() {
    let each_way = Duration::from_millis(300);
    for percent in [0.0, 1.0] {
        let line = line(10 * MEGABIT, each_way, 1.0).losing(random(percent));
        let (share, _) = alone(ADAPTIVE, line, each_way, secs(60));
        assert!(share >= 0.8, "{percent} % lost: {share:.3} of the line");
    }
}

/// Where a round trip takes longer than it may take to look for more before the shortest one is measured again.
#[test]
fn a_model_finds_a_higher_rate_on_a_path_of_seconds_too() {
    let each_way = secs(1);
    let mut stage = Stage::new(line(10 * MEGABIT, each_way, 0.5), 7);
    stage.add(BBR, Route::each_way(each_way));
    let early = stage.shares(secs(30), secs(60))[0];
    let late = stage.shares(secs(240), secs(300))[0];
    assert!(late >= 0.8, "{early:.3} of the line, and then {late:.3}");
}

#[test]
fn the_queue_of_a_slow_line_stays_short() {
    let line = || Bottleneck::new(MEGABIT, 64 << 10);
    let (share, ours) = alone(ADAPTIVE, line(), EACH_WAY, secs(60));
    let (_, cubics) = alone(CUBIC, line(), EACH_WAY, secs(60));
    let (ours, cubics) = (ours.run.queue().mean_wait(), cubics.run.queue().mean_wait());
    assert!(share >= 0.95, "{share:.3} of the line");
    assert!(ours * 4 < cubics, "{ours:?}, and CUBIC's {cubics:?}");
}

#[test]
fn a_buffer_much_smaller_than_the_path_is_enough() {
    for percent in [0.0, 1.0] {
        let line = line(20 * MEGABIT, EACH_WAY, 0.1).losing(random(percent));
        let (share, stage) = alone(ADAPTIVE, line, EACH_WAY, secs(30));
        let book = stage.run.queue();
        assert!(share >= 0.75, "{percent} % lost: {share:.3} of the line");
        assert!(book.dropped * 50 < book.served, "{book:?}");
    }
}

/// The last of what a short queue has lost is found out when what left after the reduction has been acknowledged.
#[test]
fn what_overflows_once_is_answered_for_once() {
    let line = line(10 * MEGABIT, EACH_WAY, 0.1);
    let (share, _) = alone(ADAPTIVE, line, EACH_WAY, secs(60));
    assert!(share >= 0.83, "{share:.3} of the line");
}

#[test]
fn marks_of_a_queue_are_heeded() {
    let (target, interval) = (Duration::from_millis(5), Duration::from_millis(100));
    let mut line = line(20 * MEGABIT, EACH_WAY, 4.0);
    line.discipline = Discipline::CoDel { target, interval, marks: true };
    for algorithm in [RENO, CUBIC, ADAPTIVE] {
        let (share, stage) = alone(algorithm, line.clone(), EACH_WAY, secs(20));
        let book = stage.run.queue();
        assert!(share >= 0.8, "{algorithm:?}: {share:.3} of the line");
        assert!(book.mean_wait() < target * 2, "{algorithm:?}: {book:?}");
    }
}

/// What the default is for: the law of Reno, packet · 1.22 / (RTT · √p), holds for the others.
#[test]
fn random_loss_starves_who_takes_it_for_congestion() {
    let line = || line(200 * MEGABIT, EACH_WAY, 1.0).losing(random(1.0));
    for algorithm in [RENO, CUBIC] {
        let (share, _) = alone(algorithm, line(), EACH_WAY, secs(5));
        assert!(share < 0.05, "{algorithm:?}: {share:.3} of the line");
    }
}

#[test]
fn a_model_alone_fills_a_good_line_and_keeps_its_queue_empty() {
    let line = line(50 * MEGABIT, EACH_WAY, 2.0);
    let (share, stage) = alone(BBR, line, EACH_WAY, secs(15));
    let wait = stage.run.queue().mean_wait();
    assert!(share >= 0.9, "{share:.3} of the line");
    assert!(wait < EACH_WAY / 2, "{wait:?}");
}
