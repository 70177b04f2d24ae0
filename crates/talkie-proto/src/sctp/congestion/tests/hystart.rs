use std::time::{Duration, Instant};

use super::super::hystart::{Growth, HyStart};
use super::{PACKET, acked, birth, ms};

struct Round {
    hystart: HyStart,
    now: Instant,
    delivered: u64,
}

impl Round {
    fn new() -> Self {
        Self { hystart: HyStart::default(), now: birth(), delivered: 0 }
    }

    /// A round of so many packets: what each acknowledgment allows.
    fn pass(&mut self, packets: u64, rtt: Duration) -> Vec<Growth> {
        let begun = self.delivered;
        let sent_at = self.now;
        self.now += rtt;
        (0..packets)
            .map(|_| {
                self.delivered += PACKET;
                let acked = acked(sent_at, PACKET, self.delivered, begun, rtt);
                self.hystart.on_acked(&acked)
            })
            .collect()
    }
}

/// Three rounds at 40 ms, and one in which the queue is seen.
fn slowed_down() -> Round {
    let mut round = Round::new();
    for _ in 0..3 {
        round.pass(10, ms(40));
    }
    let growth = round.pass(10, ms(46));
    assert_eq!(growth[6], Growth::By(PACKET));
    assert_eq!(growth[7], Growth::By(PACKET / 4), "eight samples are enough");
    round
}

#[test]
fn it_doubles_while_round_trips_stay_as_they_are() {
    let mut round = Round::new();
    for _ in 0..20 {
        assert!(round.pass(10, ms(40)).iter().all(|growth| *growth == Growth::By(PACKET)));
    }
    assert!(!round.hystart.is_slow());
}

#[test]
fn round_trips_longer_by_an_eighth_slow_it_down() {
    assert!(slowed_down().hystart.is_slow());
}

/// RFC 9406 §4.2: the round in which it began counts.
#[test]
fn after_five_slow_rounds_it_is_over() {
    let mut round = slowed_down();
    for _ in 0..4 {
        assert!(round.pass(10, ms(46)).iter().all(|growth| *growth == Growth::By(PACKET / 4)));
    }
    assert_eq!(round.pass(1, ms(46)), [Growth::Over]);
}

#[test]
fn round_trips_that_shrink_again_were_a_false_alarm() {
    let mut round = slowed_down();
    let growth = round.pass(10, ms(41));
    assert_eq!(growth[9], Growth::By(PACKET));
    assert!(!round.hystart.is_slow());
}

#[test]
fn few_samples_prove_nothing() {
    let mut round = Round::new();
    round.pass(10, ms(40));
    round.pass(7, ms(80));
    assert!(!round.hystart.is_slow());
}

#[test]
fn less_than_four_milliseconds_are_noise() {
    let mut round = Round::new();
    round.pass(10, ms(8));
    round.pass(10, ms(11));
    assert!(!round.hystart.is_slow());
    round.pass(10, ms(15));
    assert!(round.hystart.is_slow());
}
