//! Numbers that come to their end and begin anew. What takes longer is in `long_run`.

use std::time::Duration;

use bytes::Bytes;
use talkie_proto::sctp::{Config, Event, Reliability, SendOptions};

use crate::sctp_world::{ADA, BOB, Link, NEAR_THE_END, World, numbered};

/// Both ends' TSNs, and the numbers of their requests, are about to come round: 65 to go.
const AT_THE_END: u64 = 5_476_447;

fn bad(seed: u64) -> Link {
    Link { loss: 50, reorder: 50, duplicate: 30, seed, ..Link::default() }
}

fn world(link: Link, seed: u64, config: &Config) -> World {
    let mut world = World::with(link, config, config);
    world.ends = [numbered(seed, config), numbered(seed, config)];
    for end in &world.ends {
        let tsn = u32::from_be_bytes(*end.init_chunk()[16..].first_chunk().expect("a TSN"));
        assert!(tsn > u32::MAX - 2000, "{tsn:#x} is not near the end");
    }
    world.connect();
    world
}

fn numbers(world: &World, end: usize, stream: u16) -> Vec<u32> {
    let received = world.received[end].iter().filter(|message| message.stream == stream);
    received
        .map(|message| u32::from_be_bytes(*message.payload.first_chunk().expect("a number")))
        .collect()
}

fn payload(number: u32, length: usize) -> Bytes {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(length, 7);
    bytes.into()
}

#[test]
fn tsns_come_round_on_bad_paths_too() {
    for interleaving in [false, true] {
        let config = Config { interleaving, ..Config::default() };
        let mut world = world(bad(1), NEAR_THE_END, &config);
        let unreliable =
            SendOptions { reliability: Reliability::Retransmits(0), ..SendOptions::default() };
        for number in 0..500 {
            for end in [ADA, BOB] {
                world.send(end, 1, payload(number, 3000));
                world.send_with(end, 2, payload(number, 500), unreliable);
            }
            if number % 20 == 0 {
                world.run_for(Duration::from_millis(10));
            }
        }
        world.run_until(Duration::from_secs(300), |world| {
            [ADA, BOB].iter().all(|end| numbers(world, *end, 1).len() == 500)
        });
        world.run_for(Duration::from_secs(5));
        for end in [ADA, BOB] {
            assert!(numbers(&world, end, 1).is_sorted());
            let unreliable = numbers(&world, end, 2);
            assert!(unreliable.is_sorted() && unreliable.len() > 250);
        }
    }
}

#[test]
fn tsns_come_round_while_streams_are_reset() {
    for link in [Link::default(), bad(2)] {
        let mut world = world(link, AT_THE_END, &Config::default());
        let unreliable =
            SendOptions { reliability: Reliability::Retransmits(0), ..SendOptions::default() };
        for number in 0..100 {
            for end in [ADA, BOB] {
                world.send(end, 1, payload(number, 100));
                world.send_with(end, 1, payload(1000 + number, 3000), unreliable);
                let now = world.now;
                world.ends[end].reset_streams(now, &[1]).expect("it may");
            }
            let done = |world: &World, end: usize| {
                let done = |event: &&Event| matches!(event, Event::ResetDone { done: true, .. });
                world.events[end].iter().filter(done).count() == number as usize + 1
            };
            world.run_until(Duration::from_secs(60), |world| done(world, ADA) && done(world, BOB));
        }
        for end in [ADA, BOB] {
            let reliable: Vec<u32> =
                numbers(&world, end, 1).into_iter().filter(|number| *number < 1000).collect();
            assert_eq!(reliable, (0..100).collect::<Vec<_>>());
        }
    }
}

#[test]
fn ssns_come_round() {
    let config = Config { interleaving: false, send_buffer: 64 << 20, ..Config::default() };
    let link = Link { loss: 10, reorder: 10, duplicate: 10, ..Link::default() };
    let mut world = World::with(link, &config, &config);
    world.connect();
    let unreliable =
        SendOptions { reliability: Reliability::Retransmits(0), ..SendOptions::default() };
    for number in 0..70_000 {
        world.send(ADA, 1, payload(number, 8));
        if number % 64 == 63 {
            world.send_with(ADA, 2, payload(number, 8), unreliable);
        }
        if number % 2000 == 0 {
            world.run_for(Duration::from_millis(20));
        }
    }
    while numbers(&world, BOB, 1).len() < 70_000 {
        assert!(world.elapsed() < Duration::from_secs(300), "not in time");
        world.run_for(Duration::from_secs(1));
    }
    assert!(numbers(&world, BOB, 1).iter().copied().eq(0..70_000));
}
