//! Whatever a path does, messages arrive as their mode promises.

use std::time::Duration;

use talkie_proto::sctp::wire::{Packet, Sack, kind};
use talkie_proto::sctp::{Config, Reliability, SendOptions};

use crate::sctp_world::{ADA, BOB, Link, World};

const MESSAGES: usize = 40;

fn seeds() -> u64 {
    std::env::var("TALKIE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(40)
}

/// A world as bad as the seed makes it.
fn world(seed: u64) -> World {
    let link = Link {
        loss: seed * 7 % 200,
        reorder: seed * 11 % 300,
        duplicate: seed * 13 % 100,
        rate: (seed.is_multiple_of(3)).then_some(500_000),
        queue: 20_000,
        seed,
        ..Link::default()
    };
    let config = Config { interleaving: seed.is_multiple_of(2), ..Config::default() };
    let mut world = World::with(link, &config, &Config::default());
    world.connect();
    world
}

/// The number of the message, and bytes that follow from it.
fn payload(number: usize) -> Vec<u8> {
    let length = 4 + number * 977 % 6000;
    let mut bytes = (number as u32).to_be_bytes().to_vec();
    bytes.resize(length, number as u8);
    bytes
}

/// The numbers of received messages by stream; panics if one is not as it was sent.
fn numbers(world: &World, stream: u16) -> Vec<usize> {
    let received = world.received[BOB].iter().filter(|message| message.stream == stream);
    received
        .map(|message| {
            let head = message.payload.first_chunk().expect("a number");
            let number = u32::from_be_bytes(*head) as usize;
            assert!(message.payload == payload(number), "message {number} is not as it was sent");
            number
        })
        .collect()
}

fn send_all(world: &mut World, options: SendOptions) {
    for number in 0..MESSAGES {
        world.send_with(ADA, (number % 2) as u16, payload(number), options);
        if number % 5 == 0 {
            world.run_for(Duration::from_millis(3));
        }
    }
}

#[test]
fn reliable_messages_all_arrive_once_and_ordered_ones_in_order() {
    for seed in 1..=seeds() {
        let mut world = world(seed);
        let unordered = seed % 4 == 1;
        send_all(&mut world, SendOptions { unordered, ..SendOptions::default() });
        world.run_until(Duration::from_secs(300), |world| world.received[BOB].len() >= MESSAGES);
        world.run_for(Duration::from_secs(30));
        for stream in 0..2 {
            let mut got = numbers(&world, stream);
            if unordered {
                got.sort_unstable();
            }
            let want: Vec<_> = (0..MESSAGES).filter(|n| n % 2 == stream as usize).collect();
            assert_eq!(got, want, "seed {seed}, stream {stream}");
        }
    }
}

#[test]
fn unreliable_messages_arrive_at_most_once_and_hold_up_nothing() {
    for seed in 1..=seeds() {
        let mut world = world(seed);
        let reliability = if seed.is_multiple_of(3) {
            Reliability::Lifetime(Duration::from_millis(50))
        } else {
            Reliability::Retransmits((seed % 2) as u16)
        };
        let unordered = seed.is_multiple_of(5);
        send_all(&mut world, SendOptions { unordered, reliability });
        world.run_for(Duration::from_secs(60));
        // What comes after them is not held up.
        world.send(ADA, 0, payload(1000));
        world.send(ADA, 1, payload(1001));
        world.run_until(Duration::from_secs(120), |world| {
            numbers(world, 0).contains(&1000) && numbers(world, 1).contains(&1001)
        });
        for stream in 0..2 {
            let got = numbers(&world, stream);
            let mut sorted = got.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), got.len(), "seed {seed}: one came twice");
            assert!(unordered || got == sorted, "seed {seed}: out of order: {got:?}");
        }
    }
}

#[test]
fn what_was_given_up_takes_no_room_and_is_told_soon_however_bad_the_path() {
    for seed in 1..=24 {
        let link = Link { loss: 150, reorder: 400, seed, ..Link::default() };
        let config = Config {
            interleaving: seed.is_multiple_of(2),
            receive_initial: 200_000,
            receive_most: 200_000,
            message_most: 50_000,
            ..Config::default()
        };
        let mut world = World::with(link, &config, &config);
        world.connect();
        let unordered = seed % 4 >= 2;
        let options = SendOptions { unordered, reliability: Reliability::Retransmits(0) };
        for number in 0..200 {
            world.send_with(ADA, number % 3, vec![0; 8000], options);
            world.run_for(Duration::from_millis(10));
        }
        world.run_until(Duration::from_secs(300), |world| world.ends[ADA].buffered() == 0);
        world.run_for(Duration::from_secs(60));
        world.link = Link::default();
        world.sent = Some(vec![]);
        world.send(ADA, 5, "last");
        world.run_for(Duration::from_secs(1));
        let mut windows =
            world.sent.as_ref().expect("recorded").iter().filter_map(|(from, packet)| {
                let chunk = Packet::parse(packet)?.chunks().next()?;
                (*from == BOB && chunk.kind == kind::SACK).then(|| Sack::parse(&chunk))?
            });
        let window = windows.next_back().expect("a SACK").window;
        assert!(window >= 199_000, "seed {seed}: {window}");
        assert!(world.received[BOB].iter().any(|one| one.payload == "last"), "seed {seed}");
    }
}
