//! Acknowledgments that come after the timeout: nothing was lost, all of it is only late.

use std::time::Duration;

use talkie_proto::sctp::congestion::Algorithm;
use talkie_proto::sctp::{Association, Config, Reliability, SendOptions};

use crate::sctp_long_paths::repeated;
use crate::sctp_world::{ADA, BOB, Link, World};

const RATE: u64 = 2_500_000;

/// A transfer is under way on a path of 40 ms.
fn under_way(congestion: Algorithm, interleaving: bool) -> World {
    let config = Config { congestion, interleaving, send_buffer: 64 << 20, ..Config::default() };
    let link = Link { rate: Some(RATE), queue: 200_000, ..Link::default() };
    let mut world = World::with(link, &config, &config);
    world.connect();
    for _ in 0..40 {
        world.send(ADA, 0, vec![0; 250_000]);
    }
    world.run_for(Duration::from_secs(2));
    world
}

fn window(end: &Association) -> u64 {
    end.window().expect("it is connected").window
}

fn taken_for_lost(world: &World) -> u64 {
    world.ends[ADA].window().expect("it is connected").lost
}

#[test]
fn a_path_that_becomes_longer_than_the_timeout_loses_no_window_and_has_nothing_sent_again() {
    for congestion in [Algorithm::NewReno, Algorithm::Cubic, Algorithm::Bbr, Algorithm::Adaptive] {
        for (interleaving, delay) in [(true, 900), (true, 1500), (false, 900)] {
            let mut world = under_way(congestion, interleaving);
            let (before, lost) = (window(&world.ends[ADA]), world.lost);
            let taken = taken_for_lost(&world);
            world.sent = Some(vec![]);
            world.link.delay = Duration::from_millis(delay);
            // The least window, and the greatest after it: BBR may soon measure the shortest round trip anew.
            let (mut least, mut after) = (u64::MAX, 0);
            for _ in 0..2 * delay / 10 + 30 {
                world.run_for(Duration::from_millis(10));
                let now = window(&world.ends[ADA]);
                after = if now < least { now } else { after.max(now) };
                least = least.min(now);
            }
            assert!(least <= 4 * 1176, "{congestion:?}, {delay} ms: {least}, no timeout");
            assert!(after >= before, "{congestion:?}, {delay} ms: {before} bytes and then {after}");
            let again = repeated(&world, ADA).len();
            assert!(again <= 4, "{congestion:?}, {delay} ms: {again} chunks have left again");
            assert_eq!(taken_for_lost(&world), taken, "{congestion:?}, {delay} ms");
            // Reno adds a packet in a round trip.
            let most = if congestion == Algorithm::NewReno { 120 } else { 45 };
            world.run_until(Duration::from_secs(most), |world| world.received[BOB].len() == 40);
            assert_eq!(world.lost, lost, "{congestion:?}, {delay} ms");
        }
    }
}

#[test]
fn what_was_lost_in_a_timeout_is_still_sent_again() {
    for congestion in [Algorithm::NewReno, Algorithm::Cubic, Algorithm::Bbr, Algorithm::Adaptive] {
        let mut world = under_way(congestion, true);
        world.lose = Some(Box::new(|_, _| true));
        world.run_for(Duration::from_secs(2));
        world.lose = None;
        world.run_for(Duration::from_secs(90));
        assert_eq!(world.received[BOB].len(), 40, "{congestion:?}");
    }
}

/// Half of what is late is lost as well.
#[test]
fn what_was_lost_among_what_is_late_is_found_out_without_another_timeout() {
    let mut world = under_way(Algorithm::Adaptive, true);
    let mut count = 0;
    world.lose = Some(Box::new(move |from, _| {
        count += usize::from(from == ADA);
        from == ADA && (10..20).contains(&count)
    }));
    world.link.delay = Duration::from_millis(350);
    world.run_for(Duration::from_millis(700));
    let mut least = u64::MAX;
    world.run_for(Duration::from_millis(300));
    for _ in 0..40 {
        world.run_for(Duration::from_millis(50));
        least = least.min(window(&world.ends[ADA]));
    }
    assert!(least > 10_000, "{least} bytes");
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.received[BOB].len(), 40);
}

/// Messages that may not be sent again are under way.
fn fleeting(interleaving: bool) -> World {
    let config = Config { interleaving, send_buffer: 64 << 20, ..Config::default() };
    let link = Link { rate: Some(RATE), queue: 200_000, ..Link::default() };
    let mut world = World::with(link, &config, &config);
    world.connect();
    let reliability = Reliability::Retransmits(0);
    for _ in 0..20_000 {
        world.send_with(ADA, 0, vec![0; 1000], SendOptions { reliability, unordered: true });
    }
    world.run_for(Duration::from_secs(2));
    world
}

/// It is given up in a timeout, though it is only late.
#[test]
fn what_was_given_up_and_comes_late_tells_that_nothing_was_lost() {
    for interleaving in [true, false] {
        let mut world = fleeting(interleaving);
        let before = window(&world.ends[ADA]);
        world.link.delay = Duration::from_millis(900);
        let (mut least, mut after) = (u64::MAX, 0);
        for _ in 0..30 {
            world.run_for(Duration::from_millis(100));
            after = window(&world.ends[ADA]);
            least = least.min(after);
        }
        assert!(least <= 4 * 1176, "{least}: no timeout");
        assert!(after >= before / 2, "{before} bytes and then {after}");
    }
}

#[test]
fn what_was_given_up_and_lost_stays_lost() {
    for interleaving in [true, false] {
        let mut world = fleeting(interleaving);
        let taken = taken_for_lost(&world);
        world.lose = Some(Box::new(|from, _| from == ADA));
        world.run_for(Duration::from_millis(1500));
        let lost = taken_for_lost(&world) - taken;
        assert!(lost > 20_000, "{lost} bytes");
        world.lose = None;
        world.run_for(Duration::from_secs(3));
        assert!(taken_for_lost(&world) - taken >= lost, "{lost} bytes");
    }
}

/// The first of it is lost, so that the rest comes behind a hole.
#[test]
fn what_was_given_up_and_comes_late_behind_a_hole_is_measured() {
    for interleaving in [true, false] {
        let mut world = fleeting(interleaving);
        let before = window(&world.ends[ADA]);
        world.link.delay = Duration::from_millis(900);
        let mut first = true;
        world.lose =
            Some(Box::new(move |from, _| from == ADA && std::mem::replace(&mut first, false)));
        let (mut timeouts, mut known) = (0, before);
        for _ in 0..30 {
            world.run_for(Duration::from_millis(100));
            let after = window(&world.ends[ADA]);
            timeouts += u32::from(after < before / 2 && known >= before / 2);
            known = after;
        }
        assert!(timeouts == 1 && known >= before / 2, "{timeouts} timeouts, {known} bytes");
    }
}
