//! How associations begin.

use std::time::Duration;

use talkie_proto::sctp::wire::kind;
use talkie_proto::sctp::{Config, Event};

use crate::sctp_world::{ADA, BOB, Link, World, association};

fn connected(world: &World) -> bool {
    world.events.iter().all(|events| events.contains(&Event::Connected))
}

#[test]
fn an_association_takes_two_round_trips_and_data_goes_with_the_cookie() {
    let mut world = World::new(Link::default());
    world.send(ADA, 0, "early");
    world.connect();
    assert!(connected(&world));
    assert_eq!(world.elapsed(), Duration::from_millis(80));
    assert_eq!(world.received[BOB][0].payload, "early");
}

#[test]
fn both_may_begin_at_once() {
    let mut world = World::new(Link::default());
    let now = world.now;
    world.ends[BOB].connect(now).expect("it has not begun");
    world.connect();
    world.send(ADA, 1, "from ada");
    world.send(BOB, 1, "from bob");
    world.run_for(Duration::from_secs(1));
    assert!(connected(&world));
    assert_eq!(world.received[BOB][0].payload, "from ada");
    assert_eq!(world.received[ADA][0].payload, "from bob");
    assert_eq!(world.events[ADA].iter().filter(|event| **event == Event::Connected).count(), 1);
}

#[test]
fn every_packet_of_the_handshake_may_be_lost() {
    for lost in 0..5 {
        for both in [false, true] {
            let mut world = World::new(Link::default());
            let mut count = 0;
            world.lose = Some(Box::new(move |_, _| {
                count += 1;
                count == lost + 1
            }));
            if both {
                let now = world.now;
                world.ends[BOB].connect(now).expect("it has not begun");
            }
            world.send(ADA, 0, "hello");
            world.connect();
            world.run_for(Duration::from_secs(3));
            assert_eq!(world.received[BOB].len(), 1, "lost {lost}, both {both}");
        }
    }
}

#[test]
fn nobody_there_ends_it() {
    let mut world = World::new(Link { loss: 1000, ..Link::default() });
    let now = world.now;
    world.ends[ADA].connect(now).expect("it has not begun");
    world.run_for(Duration::from_secs(120));
    assert_eq!(world.events[ADA], [Event::Ended(talkie_proto::sctp::End::Unreachable)]);
}

#[test]
fn inits_known_from_signaling_need_no_handshake() {
    let mut world = World::new(Link::default());
    let inits = [world.ends[ADA].init_chunk(), world.ends[BOB].init_chunk()];
    let now = world.now;
    world.ends[ADA].connect_with(now, &inits[BOB]).expect("an INIT");
    world.ends[BOB].connect_with(now, &inits[ADA]).expect("an INIT");
    world.send(ADA, 3, "at once");
    world.run_until(Duration::from_secs(1), |world| !world.received[BOB].is_empty());
    assert_eq!(world.elapsed(), Duration::from_millis(20));
    assert!(world.ends[ADA].connect_with(now, &inits[BOB]).is_err());
}

#[test]
fn a_peer_that_begins_anew_is_taken_for_it() {
    let mut world = World::connected(Link::default());
    world.send(ADA, 0, "before");
    world.run_for(Duration::from_secs(1));
    world.ends[ADA] = association(7, &Config::default());
    let now = world.now;
    world.ends[ADA].connect(now).expect("it has not begun");
    world.run_for(Duration::from_secs(1));
    assert!(world.events[BOB].contains(&Event::Restarted));
    world.send(ADA, 0, "after");
    world.send(BOB, 0, "and back");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.received[BOB].last().map(|message| &message.payload[..]), Some(&b"after"[..]));
    assert_eq!(world.received[ADA].len(), 1);
}

#[test]
fn what_one_side_cannot_do_neither_does() {
    let plain = Config { interleaving: false, zero_checksum: false, ..Config::default() };
    for (ada, bob) in [(Config::default(), plain.clone()), (plain.clone(), Config::default())] {
        let mut world = World::with(Link::default(), &ada, &bob);
        world.sent = Some(vec![]);
        world.connect();
        world.send(ADA, 0, vec![1; 5000]);
        world.send(BOB, 0, vec![2; 5000]);
        world.run_for(Duration::from_secs(1));
        assert!(!world.ends[ADA].is_interleaved() && !world.ends[BOB].is_interleaved());
        assert_eq!(world.received.each_ref().map(Vec::len), [1, 1]);
        let zero = |packet: &[u8]| packet[8..12] == [0; 4];
        let sent = world.sent.expect("recorded");
        assert!(sent.iter().all(|(_, packet)| !zero(packet)));
    }
}

#[test]
fn who_agreed_to_do_without_checksums_still_begins_with_them() {
    let mut world = World::new(Link::default());
    world.sent = Some(vec![]);
    world.connect();
    world.send(ADA, 0, vec![1; 5000]);
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.received[BOB].len(), 1);
    for (_, packet) in world.sent.expect("recorded") {
        let begins = matches!(packet[12], kind::INIT | kind::INIT_ACK | kind::COOKIE_ECHO);
        assert_eq!(packet[8..12] == [0; 4], !begins, "chunk {}", packet[12]);
    }
}

#[test]
fn a_missing_checksum_that_was_not_agreed_is_a_wrong_one() {
    let plain = Config { zero_checksum: false, ..Config::default() };
    let mut world = World::with(Link::default(), &Config::default(), &plain);
    world.sent = Some(vec![]);
    world.connect();
    world.send(ADA, 0, "once");
    world.run_for(Duration::from_secs(1));
    let (_, packet) = world.sent.take().expect("recorded").pop().expect("a packet");
    let before = world.ends.each_ref().map(|end| end.counters().malformed);
    let mut bare = packet;
    bare[8..12].fill(0);
    world.inject(BOB, &bare);
    assert_eq!(world.ends[BOB].counters().malformed, before[BOB] + 1);
}

#[test]
fn a_cookie_that_comes_too_late_is_asked_for_anew() {
    let short = Config { cookie_life: Duration::from_secs(1), ..Config::default() };
    let mut world = World::with(Link::default(), &Config::default(), &short);
    let until = world.now + Duration::from_secs(1);
    let mut lost = 0;
    world.lose = Some(Box::new(move |_, packet| {
        lost += u32::from(packet[12] == kind::COOKIE_ECHO);
        packet[12] == kind::COOKIE_ECHO && lost <= 3
    }));
    world.send(ADA, 0, "late");
    world.connect();
    assert!(world.now > until);
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.received[BOB].len(), 1);
    assert_eq!(world.ends[BOB].counters().bad_cookies, 1);
}

#[test]
fn both_may_begin_at_once_on_a_bad_path() {
    for seed in 1..=40 {
        let link = Link { loss: 200, reorder: 200, duplicate: 100, seed, ..Link::default() };
        let mut world = World::new(link);
        let now = world.now;
        world.ends[BOB].connect(now).expect("it has not begun");
        for number in 0..10_u8 {
            world.send(ADA, 0, vec![number; 2000]);
            world.send(BOB, 0, vec![number; 2000]);
        }
        world.connect();
        world.run_until(Duration::from_secs(120), |world| {
            world.received.iter().all(|received| received.len() == 10)
        });
        for end in [ADA, BOB] {
            let numbers: Vec<u8> = world.received[end].iter().map(|it| it.payload[0]).collect();
            assert_eq!(numbers, (0..10).collect::<Vec<u8>>(), "seed {seed}");
            let begun = |event: &&Event| matches!(event, Event::Connected | Event::Restarted);
            let begun: Vec<_> = world.events[end].iter().filter(begun).collect();
            assert_eq!(begun, [&Event::Connected], "seed {seed}");
        }
    }
}

#[test]
fn a_peer_that_begins_anew_in_mid_transfer_gets_nothing_of_what_was_before() {
    for seed in 1..=20 {
        let link = Link { loss: 50, reorder: 100, rate: Some(2_000_000), seed, ..Link::default() };
        let mut world = World::connected(link);
        for end in [ADA, BOB] {
            (0..8).for_each(|_| world.send(end, 3, vec![1; 100_000]));
            let now = world.now;
            world.ends[end].reset_streams(now, &[5]).expect("it can");
        }
        world.run_for(Duration::from_millis(150));
        world.ends[ADA] = association(7, &Config::default());
        world.received = [vec![], vec![]];
        world.events = [vec![], vec![]];
        let now = world.now;
        world.ends[ADA].connect(now).expect("it has not begun");
        world.run_until(Duration::from_secs(60), |world| {
            world.events[BOB].contains(&Event::Restarted) && world.ends[ADA].is_established()
        });
        let late = world.received[BOB].len();
        for end in [ADA, BOB] {
            (0..4).for_each(|_| world.send(end, 3, vec![2; 100_000]));
            let now = world.now;
            world.ends[end].reset_streams(now, &[3]).expect("it can");
        }
        world.run_until(Duration::from_secs(60), |world| {
            world.received[ADA].len() == 4 && world.received[BOB].len() == late + 4
        });
        world.run_for(Duration::from_secs(5));
        let new = world.received[ADA].iter().chain(&world.received[BOB][late..]);
        assert!(new.into_iter().all(|message| message.payload[0] == 2), "seed {seed}");
        for end in [ADA, BOB] {
            let done = Event::ResetDone { streams: vec![3], done: true };
            assert!(world.events[end].contains(&done), "seed {seed}: {:?}", world.events[end]);
        }
    }
}
