//! What a path that changes does to the default controller.

use std::time::Duration;

use talkie_sim::flow::{Bottleneck, Flow as _, Route};
use talkie_sim::net::Loss;

use crate::stage::{ADAPTIVE, CUBIC, EACH_WAY, MEGABIT, RENO, Stage, line, secs};

#[test]
fn more_capacity_is_found_and_less_is_respected() {
    let slow = line(10 * MEGABIT, EACH_WAY, 4.0);
    let fast = Bottleneck { rate: 100 * MEGABIT, ..slow.clone() };
    let mut stage = Stage::new(slow.clone(), 7);
    stage.add(ADAPTIVE, Route::each_way(EACH_WAY));
    stage.run.run_until(secs(10));
    stage.run.change(fast.clone());
    stage.line = fast;
    let share = stage.shares(secs(20), secs(25))[0];
    assert!(share > 0.8, "{share:.3} of the faster line, ten seconds later");
    stage.run.change(slow.clone());
    stage.line = slow;
    let share = stage.shares(secs(40), secs(50))[0];
    assert!(share > 0.9, "{share:.3} of the slower line");
    let wait = stage.run.queue().mean_wait();
    assert!(wait < Duration::from_millis(40), "{wait:?} in its queue, fifteen seconds later");
}

#[test]
fn a_path_that_fails_for_seconds_is_used_again() {
    for algorithm in [RENO, CUBIC, ADAPTIVE] {
        let good = line(20 * MEGABIT, EACH_WAY, 1.0);
        let mut stage = Stage::new(good.clone(), 7);
        stage.add(algorithm, Route::each_way(EACH_WAY));
        stage.run.run_until(secs(5));
        stage.run.change(good.clone().losing(Loss::Random(1.0)));
        stage.run.run_until(secs(9));
        stage.run.change(good);
        let share = stage.shares(secs(20), secs(30))[0];
        assert!(share > 0.8, "{algorithm:?}: {share:.3} of the line after the failure");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let play = || {
        let mut stage = Stage::new(line(20 * MEGABIT, EACH_WAY, 1.0), 3);
        stage.add(ADAPTIVE, Route::each_way(EACH_WAY));
        stage.add(CUBIC, Route::each_way(EACH_WAY));
        stage.run.run_until(secs(10));
        (stage.run.flow(0).gauge(), stage.run.flow(1).gauge(), stage.run.queue().clone())
    };
    assert_eq!(play(), play());
}
