use std::time::{Duration, Instant};

use super::super::ledger::Ledger;
use super::birth;

/// So many packets, of which each `nth` is lost, if any; the time after.
fn carry(
    ledger: &mut Ledger,
    mut now: Instant,
    packets: u32,
    nth: Option<u32>,
    waited: bool,
) -> Instant {
    for number in 1..=packets {
        now += Duration::from_micros(100);
        match nth {
            Some(nth) if number % nth == 0 => ledger.lose(now, 1.0, waited),
            _ => ledger.deliver(1.0, waited),
        }
    }
    now
}

#[test]
fn losses_that_come_with_and_without_a_queue_alike_are_the_links() {
    let mut ledger = Ledger::default();
    let now = carry(&mut ledger, birth(), 3000, Some(50), false);
    carry(&mut ledger, now, 3000, Some(50), true);
    assert!(!ledger.blames_queue());
}

#[test]
fn one_loss_is_the_queues_where_there_was_none_without() {
    let mut ledger = Ledger::default();
    let now = carry(&mut ledger, birth(), 3000, None, false);
    carry(&mut ledger, now, 200, None, true);
    assert!(!ledger.blames_queue());
    ledger.lose(now + Duration::from_secs(1), 1.0, true);
    assert!(ledger.blames_queue());
}

#[test]
fn a_queue_that_overflows_on_a_bad_link_is_found_out() {
    let mut ledger = Ledger::default();
    let now = carry(&mut ledger, birth(), 3000, Some(50), false);
    carry(&mut ledger, now, 1000, Some(10), true);
    assert!(ledger.blames_queue());
}

/// Thirty in a row without a queue are one accident, and no proof that the link is bad.
#[test]
fn losses_in_a_row_are_one_accident() {
    let mut ledger = Ledger::default();
    let now = carry(&mut ledger, birth(), 1000, None, false);
    for _ in 0..30 {
        ledger.lose(now, 1.0, false);
    }
    ledger.deliver(200.0, true);
    ledger.lose(now + Duration::from_secs(1), 1.0, true);
    assert!(ledger.blames_queue());
}

#[test]
fn what_a_queue_lost_is_forgotten_when_it_is_settled() {
    let mut ledger = Ledger::default();
    let now = carry(&mut ledger, birth(), 1000, None, false);
    carry(&mut ledger, now, 100, Some(10), true);
    assert!(ledger.blames_queue());
    ledger.settle();
    assert!(!ledger.blames_queue());
}

#[test]
fn a_policer_shows_in_the_rate_of_loss() {
    let mut ledger = Ledger::default();
    let now = carry(&mut ledger, birth(), 2000, None, false);
    assert!(!ledger.exceeds(0.0));
    let now = carry(&mut ledger, now, 50, Some(10), false);
    assert!(!ledger.exceeds(0.0), "so few are not judged");
    carry(&mut ledger, now, 350, Some(10), false);
    assert!(ledger.exceeds(0.0));
}

#[test]
fn a_link_that_always_loses_a_little_is_no_policer() {
    let mut ledger = Ledger::default();
    let mut now = birth();
    for _ in 0..20 {
        now = carry(&mut ledger, now, 400, Some(100), false);
        assert!(!ledger.exceeds(0.0));
    }
}

#[test]
fn what_is_lost_with_less_too_is_the_links_from_then_on() {
    let mut ledger = Ledger::default();
    let now = carry(&mut ledger, birth(), 2000, None, false);
    ledger.try_less();
    let now = carry(&mut ledger, now, 100, Some(10), false);
    assert!(!ledger.less_was_no_help(), "too few to tell");
    let now = carry(&mut ledger, now, 200, Some(10), false);
    assert!(ledger.less_was_no_help());
    assert!(!ledger.less_was_no_help(), "it is told once");
    ledger.settle();
    carry(&mut ledger, now, 400, Some(10), false);
    assert!(!ledger.exceeds(0.0));
}

#[test]
fn less_that_helped_is_kept() {
    let mut ledger = Ledger::default();
    ledger.try_less();
    carry(&mut ledger, birth(), 300, None, false);
    assert!(!ledger.less_was_no_help());
}
