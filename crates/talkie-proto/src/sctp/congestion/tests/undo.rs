//! Losses that were none (RFC 9438 §4.9.2), for the controllers that answer each loss, and timeouts that were
//! none (§4.9.1), for all.

use std::time::Instant;

use super::super::{Algorithm, Controller};
use super::{PACKET, acked, birth, lost, ms, start};

/// Both that answer each loss.
fn each(test: impl Fn(Box<dyn Controller>, Instant)) {
    for algorithm in [Algorithm::NewReno, Algorithm::Cubic] {
        let now = birth();
        test(algorithm.start(&start(now)), now);
    }
}

fn all(test: impl Fn(Box<dyn Controller>, Instant)) {
    for algorithm in [Algorithm::NewReno, Algorithm::Cubic, Algorithm::Bbr, Algorithm::Adaptive] {
        let now = birth();
        test(algorithm.start(&start(now)), now);
    }
}

/// So many packets are acknowledged, one by one, that left when the last one was.
fn grow(controller: &mut dyn Controller, mut now: Instant, packets: u64) -> Instant {
    for number in 1..=packets {
        let sent_at = now;
        now += ms(1);
        let bytes = number * PACKET;
        controller.on_acked(now, &acked(sent_at, PACKET, bytes, bytes - PACKET, ms(40)));
    }
    now
}

#[test]
fn a_reduction_for_nothing_is_undone() {
    each(|mut controller, now| {
        let now = grow(&mut *controller, now, 90);
        let before = controller.window();
        controller.on_lost(now, &lost(now));
        let reduced = controller.window();
        assert!(reduced < before * 3 / 4, "{controller:?}");
        controller.on_spurious_loss(now + ms(40));
        assert_eq!(controller.window(), before, "{controller:?}");
        // It is undone once.
        controller.on_lost(now + ms(80), &lost(now + ms(80)));
        controller.on_spurious_loss(now + ms(120));
        controller.on_spurious_loss(now + ms(120));
        assert_eq!(controller.window(), before, "{controller:?}");
    });
}

#[test]
fn slow_start_that_ended_for_nothing_goes_on() {
    each(|mut controller, now| {
        let now = grow(&mut *controller, now, 20);
        controller.on_lost(now, &lost(now));
        controller.on_spurious_loss(now + ms(40));
        let before = controller.window();
        grow(&mut *controller, now + ms(41), 10);
        assert_eq!(controller.window(), before + 10 * PACKET, "{controller:?}");
    });
}

#[test]
fn what_has_grown_beyond_it_is_kept() {
    each(|mut controller, now| {
        controller.on_lost(now, &lost(now));
        let now = grow(&mut *controller, now + ms(1), 600);
        let grown = controller.window();
        assert!(grown > start(now).window(), "{controller:?}");
        controller.on_spurious_loss(now);
        assert_eq!(controller.window(), grown, "{controller:?}");
    });
}

#[test]
fn a_timeout_is_not_undone() {
    each(|mut controller, now| {
        let now = grow(&mut *controller, now, 50);
        controller.on_lost(now, &lost(now));
        controller.on_timeout(now + ms(1000));
        assert_eq!(controller.window(), PACKET, "{controller:?}");
        controller.on_spurious_loss(now + ms(1000));
        assert_eq!(controller.window(), PACKET, "{controller:?}");
    });
}

#[test]
fn a_timeout_for_nothing_is_undone_and_so_are_several_in_a_row() {
    for count in 1..4 {
        all(|mut controller, now| {
            let mut now = grow(&mut *controller, now, 90);
            let before = controller.window();
            for _ in 0..count {
                now += ms(1000);
                controller.on_timeout(now);
                assert!(controller.window() <= 2 * PACKET, "{controller:?}");
            }
            controller.on_spurious_timeout(now);
            assert_eq!(controller.window(), before, "{count} timeouts: {controller:?}");
        });
    }
}

#[test]
fn what_has_been_answered_for_stays_so_when_a_timeout_is_undone() {
    let birth = birth();
    let mut controller = Algorithm::Adaptive.start(&start(birth));
    let now = grow(&mut *controller, birth, 90);
    controller.on_ecn(now, now);
    // What left later has been acknowledged, and then comes a timeout for nothing.
    let after = grow(&mut *controller, now + ms(1), 5);
    controller.on_timeout(after + ms(1000));
    controller.on_spurious_timeout(after + ms(1040));
    let before = format!("{controller:?}");
    controller.on_ecn(after + ms(1041), now - ms(1));
    assert_eq!(format!("{controller:?}"), before, "it left before the reduction");
    controller.on_ecn(after + ms(1042), after);
    assert_ne!(format!("{controller:?}"), before, "it left after it");
}

#[test]
fn slow_start_that_a_timeout_has_ended_for_nothing_goes_on() {
    each(|mut controller, now| {
        let now = grow(&mut *controller, now, 20);
        controller.on_timeout(now);
        controller.on_spurious_timeout(now + ms(40));
        let before = controller.window();
        grow(&mut *controller, now + ms(41), 10);
        assert_eq!(controller.window(), before + 10 * PACKET, "{controller:?}");
    });
}

/// RFC 5681 §3.1: where slow start ends is not reckoned anew from the window of one packet.
#[test]
fn a_second_timeout_in_a_row_does_not_end_slow_start_sooner() {
    each(|mut controller, now| {
        let now = grow(&mut *controller, now, 90);
        let least = controller.window() / 2;
        controller.on_timeout(now + ms(1000));
        controller.on_timeout(now + ms(3000));
        grow(&mut *controller, now + ms(3001), 60);
        assert!(controller.window() >= least, "{controller:?}");
    });
}
