//! When to acknowledge, and how windows open: neither side makes the other send little pieces.

use std::time::Duration;

use bytes::Bytes;
use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::{Chunk, Data, IData, Packet, Sack, kind};
use talkie_proto::sctp::{Association, Config};
use talkie_sansio::Machine as _;

use crate::sctp_hostile::{Known, known_with, packet};
use crate::sctp_world::{ADA, BOB, Link, World};

/// What an end has sent since recording began.
fn sent(world: &mut World, end: usize) -> Vec<Vec<u8>> {
    let sent = world.sent.replace(vec![]).expect("recorded");
    sent.into_iter().filter(|(from, _)| *from == end).map(|(_, packet)| packet).collect()
}

fn chunks(packet: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    Packet::parse(packet).expect("a packet").chunks()
}

#[test]
fn a_reader_of_little_pieces_opens_its_window_in_large_ones() {
    let config = Config {
        receive_initial: 20_000,
        receive_most: 20_000,
        message_most: 10_000,
        ..Config::default()
    };
    let mut world = World::with(Link::default(), &config, &config);
    world.sent = Some(vec![]);
    world.connect();
    world.reads[BOB] = false;
    (0..400).for_each(|_| world.send(ADA, 0, vec![0; 100]));
    world.run_for(Duration::from_secs(5));
    sent(&mut world, BOB);
    let mut read = 0;
    while read < 400 {
        let message = world.ends[BOB].take_message();
        read += usize::from(message.is_some());
        world.run_for(Duration::from_millis(if message.is_some() { 10 } else { 100 }));
    }
    let sent = sent(&mut world, BOB);
    let sacks = sent.iter().flat_map(|packet| chunks(packet)).filter_map(|it| Sack::parse(&it));
    let windows: Vec<u32> = sacks.map(|sack| sack.window).collect();
    assert!(windows.iter().all(|window| *window == 0 || *window >= 1500), "{windows:?}");
    assert!(windows.len() < 200, "{} of them for 400 messages", windows.len());
}

#[test]
fn a_window_that_opens_little_by_little_is_not_filled_with_little_pieces() {
    for interleaving in [false, true] {
        let config = Config { interleaving, receive_initial: 5000, ..Config::default() };
        let Known { mut world, tags, tsns } = known_with(&config);
        world.sent = Some(vec![]);
        world.lose = Some(Box::new(|from, _| from == ADA));
        world.send(ADA, 0, Bytes::from(vec![0; 100_000]));
        world.run_for(Duration::from_millis(50));
        let least = Tsn(tsns[ADA].0.wrapping_sub(1));
        // All that has left is acknowledged, and there is room for 100 bytes more each time.
        let mut lengths: Vec<usize> = Vec::new();
        let mut count = 0;
        for round in 0..40 {
            let data = sent(&mut world, ADA);
            let data = data.iter().flat_map(|packet| chunks(packet));
            let data = data.filter(|it| matches!(it.kind, kind::DATA | kind::I_DATA));
            let found: Vec<usize> = data.map(|chunk| chunk.whole.len()).collect();
            count += found.len();
            lengths.extend(found);
            let cumulative = least.plus(u32::try_from(count).expect("few"));
            let sack = packet(tags[ADA], kind::SACK, 0, |buf| {
                Sack::write(buf, cumulative, 100 * round, &[], &[]);
            });
            world.inject(ADA, &sack);
            world.run_for(Duration::from_millis(40));
        }
        assert!(count > 20, "it went on, a packet at a time");
        assert!(lengths.iter().all(|length| *length > 1100), "{lengths:?}");
    }
}

#[test]
fn an_acknowledgment_that_waits_goes_with_data() {
    let config = Config { interleaving: false, ..Config::default() };
    let Known { mut world, tags, tsns } = known_with(&config);
    world.sent = Some(vec![]);
    for ssn in 0..2 {
        let tsn = tsns[ADA].plus(ssn.into());
        let data = Data { flags: 3, tsn, stream: 0, ssn, ppid: 51, payload: b"data" };
        world.inject(BOB, &packet(tags[BOB], kind::DATA, 3, |buf| data.write(buf)));
    }
    assert_eq!(sent(&mut world, BOB).len(), 1, "the second may wait");
    world.send(BOB, 0, "an answer");
    world.drain();
    let sent = sent(&mut world, BOB);
    let kinds: Vec<u8> = chunks(&sent[0]).map(|chunk| chunk.kind).collect();
    assert_eq!((sent.len(), kinds), (1, vec![kind::SACK, kind::DATA]));
    // Nothing is left to be acknowledged.
    let acknowledged = world.now + Duration::from_millis(50);
    assert!(world.ends[BOB].poll_timeout().is_none_or(|at| at > acknowledged));
}

/// A reader has stopped until its window is closed, and all of that has been told.
fn closed() -> World {
    let small = Config {
        receive_initial: 50_000,
        receive_most: 50_000,
        message_most: 10_000,
        ..Config::default()
    };
    let mut world = World::with(Link::default(), &Config::default(), &small);
    world.sent = Some(vec![]);
    world.connect();
    world.reads[BOB] = false;
    (0..100).for_each(|_| world.send(ADA, 0, vec![0; 5000]));
    world.run_for(Duration::from_secs(20));
    world
}

#[test]
fn a_window_that_stays_closed_is_asked_for_less_and_less_often_and_ends_nothing() {
    let mut world = closed();
    let mut counts = vec![];
    for _ in 0..10 {
        sent(&mut world, ADA);
        world.run_for(Duration::from_secs(60));
        counts.push(sent(&mut world, ADA).len());
    }
    assert!(counts.iter().all(|count| (1..=16).contains(count)), "{counts:?} in minutes");
    assert!(world.ends.iter().all(Association::is_established));
    world.reads[BOB] = true;
    let begun = world.now;
    world.run_until(Duration::from_secs(30), |world| world.received[BOB].len() == 100);
    let took = world.now - begun;
    assert!(took < Duration::from_secs(3), "{took:?}: that it has opened is told");
}

#[test]
fn that_a_window_has_opened_is_found_out_though_the_news_is_lost() {
    let mut world = closed();
    world.lose = Some(Box::new(|from, _| from == BOB));
    world.reads[BOB] = true;
    world.run_for(Duration::from_secs(1));
    world.lose = None;
    let begun = world.now;
    world.run_until(Duration::from_secs(30), |world| world.received[BOB].len() == 100);
    let took = world.now - begun;
    // The timeout is ten seconds at most.
    assert!(took < Duration::from_secs(13), "{took:?}");
}

/// Messages of ten bytes, each of which takes eleven times that where it waits.
const SHORT: usize = 10;

/// So many of them over a line of 2.5 MB/s that carries 78,000 in a second. The reader stops twice for a second.
#[test]
fn short_messages_to_a_reader_that_stops_are_not_refused() {
    for interleaving in [true, false] {
        let config = Config { interleaving, send_buffer: 64 << 20, ..Config::default() };
        let link = Link { rate: Some(2_500_000), ..Link::default() };
        let mut world = World::with(link, &config, &config);
        world.connect();
        (0..200_000).for_each(|_| world.send(ADA, 0, Bytes::from_static(&[7; SHORT])));
        for _ in 0..2 {
            world.reads[BOB] = true;
            world.run_for(Duration::from_millis(700));
            world.reads[BOB] = false;
            world.run_for(Duration::from_secs(1));
        }
        world.reads[BOB] = true;
        world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 200_000);
        let lost = world.ends[ADA].window().expect("it is connected").lost;
        assert_eq!((lost, world.lost), (0, 0), "bytes taken for lost");
        let took = world.elapsed();
        assert!(took < Duration::from_secs(6), "{took:?}, interleaving {interleaving}");
    }
}

/// What is taken beyond the limit is what was under way, and not one message after another that asks for room.
#[test]
fn a_window_that_short_messages_have_closed_is_asked_for_less_and_less_often() {
    let config = Config { send_buffer: 64 << 20, ..Config::default() };
    let link = Link { rate: Some(2_500_000), ..Link::default() };
    let mut world = World::with(link, &config, &config);
    world.connect();
    world.reads[BOB] = false;
    world.sent = Some(vec![]);
    (0..100_000).for_each(|_| world.send(ADA, 0, Bytes::from_static(&[7; SHORT])));
    world.run_for(Duration::from_secs(60));
    sent(&mut world, ADA);
    world.run_for(Duration::from_secs(60));
    let asked = sent(&mut world, ADA).len();
    assert!((1..=16).contains(&asked), "{asked} times in a minute");
    world.reads[BOB] = true;
    let begun = world.now;
    world.run_until(Duration::from_secs(30), |world| world.received[BOB].len() == 100_000);
    let took = world.now - begun;
    assert!(took < Duration::from_secs(3), "{took:?}: that it has opened is told");
}

#[test]
fn who_overruns_a_window_with_short_messages_is_bounded() {
    let config = Config {
        receive_initial: 50_000,
        receive_most: 100_000,
        message_most: 10_000,
        ..Config::default()
    };
    let Known { mut world, tags, tsns } = known_with(&config);
    world.reads[BOB] = false;
    for mid in 0..10_000 {
        let tsn = tsns[ADA].plus(mid);
        let data = IData { flags: 7, tsn, stream: 0, mid, fsn: 0, ppid: 51, payload: b"x" };
        world.inject(BOB, &packet(tags[BOB], kind::I_DATA, 7, |buf| data.write(buf)));
    }
    world.reads[BOB] = true;
    world.drain();
    // The window, as much again as it may become, and what the next in line may have.
    let most = (50_000 + 100_000 + 65_536) / 105;
    let held = world.received[BOB].len();
    assert!((most - 10..=most + 1).contains(&held), "{held} messages, {most} at most");
}

/// A reader that looks in now and then reads all there is: it keeps up, whatever the messages are.
#[test]
fn a_window_grows_for_short_messages_as_for_long_ones() {
    let took = [SHORT, 1000].map(|length| {
        let small = Config { receive_initial: 50_000, ..Config::default() };
        let config = Config { send_buffer: 64 << 20, ..Config::default() };
        let link = Link { rate: Some(5_000_000), ..Link::default() };
        let mut world = World::with(link, &config, &small);
        world.connect();
        let count = 2_000_000 / (length + 20);
        (0..count).for_each(|_| world.send(ADA, 0, Bytes::from(vec![7; length])));
        let begun = world.now;
        world.reads[BOB] = false;
        while world.received[BOB].len() < count {
            world.run_for(Duration::from_millis(5));
            world.reads[BOB] = true;
            world.drain();
            world.reads[BOB] = false;
            assert!(world.now - begun < Duration::from_secs(100), "{}", world.received[BOB].len());
        }
        world.now - begun
    });
    assert!(took[0] < took[1] * 5 / 4, "{took:?}");
}
