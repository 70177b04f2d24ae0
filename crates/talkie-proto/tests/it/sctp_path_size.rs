//! How long packets may be is found out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use talkie_proto::sctp::{Config, End, Event};

use crate::sctp_world::{ADA, BOB, Link, World};

/// A world whose path takes packets up to a length that may change.
fn world(takes: usize, link: Link) -> (World, Arc<AtomicUsize>) {
    let (packet_most, unfragmented, send_buffer) = (8904, true, 64 << 20);
    let config = Config { packet_most, unfragmented, send_buffer, ..Config::default() };
    let mut world = World::with(link, &config, &config);
    let limit = Arc::new(AtomicUsize::new(takes));
    let known = limit.clone();
    world.lose = Some(Box::new(move |_, packet| packet.len() > known.load(Ordering::Relaxed)));
    world.connect();
    (world, limit)
}

#[test]
fn a_wider_path_carries_longer_packets() {
    for takes in [1188, 1408, 4000, 8904] {
        let (mut world, _) = world(takes, Link::default());
        world.run_for(Duration::from_secs(40));
        let found = world.ends.each_ref().map(|end| end.packet_size());
        assert!(found.iter().all(|size| *size <= takes && takes < size + 40), "{found:?}");
        world.sent = Some(vec![]);
        for _ in 0..10 {
            world.send(ADA, 0, vec![3; 250_000]);
        }
        world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 10);
        let sent = world.sent.take().expect("recorded");
        let longest = sent.iter().map(|(_, packet)| packet.len()).max();
        assert!(longest.is_some_and(|longest| found[ADA] - longest < 40), "{longest:?}");
        let data = sent.iter().filter(|(from, _)| *from == ADA).count();
        let least = 2_500_000 / found[ADA];
        assert!(data < least + least / 10 + 20, "{data} packets of {}", found[ADA]);
    }
}

#[test]
fn a_path_that_becomes_narrower_in_mid_transfer_is_noticed() {
    for seed in 1..=5 {
        let link = Link { rate: Some(2_000_000), queue: 200_000, seed, ..Link::default() };
        let (mut world, limit) = world(8904, link);
        world.run_for(Duration::from_secs(1));
        assert_eq!(world.ends[ADA].packet_size(), 8904);
        for _ in 0..40 {
            world.send(ADA, 0, vec![3; 250_000]);
            // Short ones that get through all the time.
            world.send(ADA, 1, vec![4; 100]);
        }
        world.run_for(Duration::from_millis(300 + 10 * seed));
        limit.store(1300, Ordering::Relaxed);
        let begun = world.now;
        world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 80);
        let took = world.now - begun;
        // 10 MB take 5 s.
        assert!(took < Duration::from_secs(15), "took {took:?} (seed {seed})");
        assert!(world.ends[ADA].packet_size() <= 1300);
    }
}

#[test]
fn a_path_that_still_carries_short_packets_is_noticed_to_be_narrower() {
    let (mut world, limit) = world(8904, Link::default());
    // Until the window is large enough not to be filled by what is lost.
    for _ in 0..40 {
        world.send(ADA, 2, vec![3; 250_000]);
    }
    world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 40);
    limit.store(1300, Ordering::Relaxed);
    let mut noticed = None;
    for round in 0..100 {
        if world.ends[ADA].packet_size() <= 1300 {
            noticed.get_or_insert(round);
        }
        world.send(ADA, 0, vec![3; 7000]);
        world.run_for(Duration::from_millis(5));
        // It is acknowledged, and no timeout ever comes.
        world.send(ADA, 1, vec![4; 100]);
        world.run_for(Duration::from_millis(45));
    }
    world.run_for(Duration::from_secs(3));
    // Within a second.
    assert!(noticed.is_some_and(|round| round < 20), "{noticed:?}");
    assert_eq!(world.received[BOB].len(), 240);
}

#[test]
fn losses_by_chance_are_no_narrow_path() {
    let link = Link { loss: 100, rate: Some(4_000_000), seed: 2, ..Link::default() };
    let (mut world, _) = world(8904, link);
    world.run_for(Duration::from_secs(20));
    for _ in 0..20 {
        world.send(ADA, 0, vec![3; 250_000]);
    }
    world.run_until(Duration::from_secs(120), |world| world.received[BOB].len() == 20);
    assert_eq!(world.ends[ADA].packet_size(), 8904);
}

#[test]
fn nothing_is_probed_where_datagrams_may_be_fragmented() {
    let mut world = World::new(Link::default());
    world.sent = Some(vec![]);
    world.connect();
    world.run_for(Duration::from_secs(20));
    let longest = world.sent.iter().flatten().map(|(_, packet)| packet.len()).max();
    assert!(longest.is_some_and(|longest| longest < 600), "{longest:?}");
    assert_eq!(world.ends[ADA].packet_size(), 1188);
}

#[test]
fn another_path_is_searched_anew_without_waiting_for_losses() {
    let (mut world, limit) = world(8904, Link { rate: Some(2_000_000), ..Link::default() });
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.ends[ADA].packet_size(), 8904);
    (0..20).for_each(|_| world.send(ADA, 0, vec![3; 250_000]));
    world.run_for(Duration::from_millis(500));
    limit.store(1400, Ordering::Relaxed);
    let now = world.now;
    let lost = world.lost;
    for end in &mut world.ends {
        end.handle_path_change(now, true, 1400);
        assert_eq!(end.packet_size(), 1188);
    }
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.ends[ADA].packet_size(), 1400);
    world.run_until(Duration::from_secs(10), |world| world.received[BOB].len() == 20);
    assert_eq!(world.lost, lost, "what was on its way is on the old path");
    // And one where they would be fragmented.
    let now = world.now;
    world.ends[ADA].handle_path_change(now, false, 8904);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.ends[ADA].packet_size(), 1188);
}

#[test]
fn what_the_network_says_of_long_packets_is_believed_downwards_and_never_below_the_least() {
    let (mut world, limit) = world(8904, Link::default());
    world.run_for(Duration::from_secs(1));
    limit.store(4000, Ordering::Relaxed);
    let now = world.now;
    world.ends[ADA].handle_too_long(now, 4000);
    assert_eq!(world.ends[ADA].packet_size(), 1188, "until a probe has got through");
    world.run_for(Duration::from_millis(100));
    assert_eq!(world.ends[ADA].packet_size(), 4000);
    // It says nothing of longer ones.
    let now = world.now;
    world.ends[ADA].handle_too_long(now, 9000);
    assert_eq!(world.ends[ADA].packet_size(), 4000);
    world.ends[ADA].handle_too_long(now, 68);
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.ends[ADA].packet_size(), 1188);
    // RFC 8899 §5.1.1: what was a lie, or has changed, is found out after ten minutes.
    world.run_for(Duration::from_secs(700));
    assert!(world.ends[ADA].packet_size() > 3900);
}

#[test]
fn on_another_path_nothing_waits_for_timeouts_of_the_one_before() {
    let mut world = World::connected(Link::default());
    world.send(ADA, 0, vec![0; 250_000]);
    world.run_for(Duration::from_millis(60));
    let now = world.now;
    world.ends[BOB].reset_streams(now, &[4]).expect("it can");
    world.link.loss = 1000;
    world.run_for(Duration::from_secs(8));
    world.link.loss = 0;
    let now = world.now;
    for end in &mut world.ends {
        end.handle_path_change(now, false, 1188);
    }
    let done = Event::ResetDone { streams: vec![4], done: true };
    world.run_until(Duration::from_secs(1), |world| {
        world.received[BOB].len() == 1 && world.events[BOB].contains(&done)
    });
    // The same for an end, which is repeated too.
    world.link.loss = 1000;
    let now = world.now;
    world.ends[ADA].shutdown(now);
    world.run_for(Duration::from_secs(30));
    world.link.loss = 0;
    let now = world.now;
    world.ends[ADA].handle_path_change(now, false, 1188);
    world.run_for(Duration::from_secs(1));
    assert!(world.events.iter().all(|events| events.contains(&Event::Ended(End::Shutdown))));
}

#[test]
fn on_another_path_congestion_control_begins_anew() {
    let link = Link { rate: Some(12_500_000), ..Link::default() };
    let (mut world, _) = world(1188, link);
    (0..40).for_each(|_| world.send(ADA, 0, vec![3; 250_000]));
    world.run_for(Duration::from_secs(1));
    let before = world.ends[ADA].window().expect("it is connected").window;
    assert!(before > 200_000, "{before}");
    // A hundredth of the old one's rate.
    let now = world.now;
    world.ends[ADA].handle_path_change(now, false, 1188);
    let after = world.ends[ADA].window().expect("it is connected").window;
    assert!(after < 20_000, "{after}");
    world.link = Link { rate: Some(125_000), queue: 20_000, ..link };
    let missing = 40 - world.received[BOB].len();
    let most = Duration::from_secs(5 + 2 * missing as u64);
    world.run_until(most + most / 2, |world| world.received[BOB].len() == 40);
}

#[test]
fn whatever_paths_come_and_go_everything_arrives() {
    for seed in 1..=12 {
        let link = Link { loss: 20, reorder: 50, rate: Some(2_000_000), seed, ..Link::default() };
        let (mut world, limit) = world(8904, link);
        for number in 0..24_u8 {
            world.send(ADA, u16::from(number % 3), vec![number; 100_000]);
            world.send(BOB, u16::from(number % 3), vec![number; 100_000]);
        }
        for _ in 0..20 {
            let takes = [1188, 1300, 1404, 4000, 8904]
                [usize::from(world.chance(500)) * 2 + usize::try_from(seed % 3).expect("small")];
            limit.store(takes, Ordering::Relaxed);
            let (now, end) = (world.now, usize::from(world.chance(500)));
            match (world.chance(500), world.chance(500)) {
                (true, _) => world.ends[end].handle_path_change(now, true, 8904),
                (_, true) => world.ends[end].handle_too_long(now, takes),
                _ => {}
            }
            world.run_for(Duration::from_millis(90));
        }
        world.run_until(Duration::from_secs(120), |world| {
            world.received.iter().all(|received| received.len() == 24)
        });
        for received in &world.received {
            for stream in 0..3 {
                let of = received.iter().filter(|message| message.stream == stream);
                let numbers: Vec<u8> = of.map(|message| message.payload[0]).collect();
                let expected: Vec<u8> = (0..24).filter(|it| u16::from(it % 3) == stream).collect();
                assert_eq!(numbers, expected, "seed {seed}");
            }
        }
    }
}
