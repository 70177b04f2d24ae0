//! What a peer may try that keeps to the form of every chunk: acknowledgments that come and go, fragments in
//! the worst order, windows that are a lie.

use std::time::Duration;

use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::forward::{Forward, Skipped};
use talkie_proto::sctp::wire::{IData, Packet, Sack, kind};
use talkie_proto::sctp::{Association, Config, End, Reliability, SendOptions};

use crate::sctp_hostile::{Known, ended, known, packet};
use crate::sctp_world::{ADA, BOB, Link, World};

fn i_data(tag: u32, data: &IData<'_>) -> Vec<u8> {
    packet(tag, kind::I_DATA, data.flags, |buf| data.write(buf))
}

/// A whole ordered message of stream 0.
fn message(tag: u32, tsn: Tsn, mid: u32, payload: &[u8]) -> Vec<u8> {
    i_data(tag, &IData { flags: 3, tsn, stream: 0, mid, fsn: 0, ppid: 51, payload })
}

fn sack(tag: u32, cumulative: Tsn, window: u32, gaps: &[(u16, u16)]) -> Vec<u8> {
    packet(tag, kind::SACK, 0, |buf| Sack::write(buf, cumulative, window, gaps, &[]))
}

fn skip(tag: u32, cumulative: Tsn, skipped: &[Skipped]) -> Vec<u8> {
    packet(tag, kind::I_FORWARD_TSN, 0, |buf| Forward::write(buf, cumulative, true, skipped))
}

fn in_flight(end: &Association) -> u64 {
    end.window().expect("it is connected").in_flight
}

/// The chunks of a kind that an end has sent.
fn sent(world: &World, end: usize, kind: u8) -> Vec<Vec<u8>> {
    let packets = world.sent.as_ref().expect("recorded").iter().filter(|(from, _)| *from == end);
    let chunks = packets.flat_map(|(_, bytes)| Packet::parse(bytes).expect("a packet").chunks());
    chunks.filter(|chunk| chunk.kind == kind).map(|chunk| chunk.whole.to_vec()).collect()
}

#[test]
fn a_stream_goes_on_behind_what_is_skipped_though_some_of_it_has_come() {
    let Known { mut world, tags, tsns } = known();
    let (tag, first) = (tags[BOB], tsns[ADA]);
    // Message 0 is lost. 1 has come, but the sender has not heard of it when it gives up 0 to 3.
    world.inject(BOB, &message(tag, first.plus(1), 1, b"one"));
    let skipped = Skipped { stream: 0, unordered: false, last: 3 };
    world.inject(BOB, &skip(tag, first.plus(3), &[skipped]));
    world.inject(BOB, &message(tag, first.plus(4), 4, b"four"));
    let got: Vec<_> = world.received[BOB].iter().map(|message| &message.payload[..]).collect();
    assert_eq!(got, [&b"one"[..], b"four"]);
}

#[test]
fn acknowledgments_that_are_taken_back_leave_the_books_right() {
    let Known { mut world, tags, tsns } = known();
    let (tag, first) = (tags[ADA], tsns[ADA]);
    world.lose = Some(Box::new(|from, _| from == ADA));
    world.send(ADA, 0, vec![0; 1100]);
    (1..4).for_each(|number| world.send(ADA, 0, vec![number; 50]));
    world.run_for(Duration::from_millis(5));
    // Of the second packet's three chunks the first is acknowledged, and then not any more.
    world.inject(ADA, &sack(tag, Tsn(first.0.wrapping_sub(1)), 1 << 20, &[(2, 2)]));
    world.inject(ADA, &sack(tag, first, 1 << 20, &[]));
    world.run_for(Duration::from_secs(2));
    world.inject(ADA, &sack(tag, first.plus(3), 1 << 20, &[]));
    assert_eq!((in_flight(&world.ends[ADA]), ended(&world, ADA)), (0, None));
    // Nothing is stuck.
    world.send(ADA, 0, "more");
    world.run_for(Duration::from_millis(50));
    assert!(in_flight(&world.ends[ADA]) > 0);
}

#[test]
fn who_takes_back_acknowledgments_all_the_time_is_believed_no_more() {
    let Known { mut world, tags, tsns } = known();
    let (tag, before) = (tags[ADA], Tsn(tsns[ADA].0.wrapping_sub(1)));
    world.lose = Some(Box::new(|from, _| from == ADA));
    (0..30).for_each(|number| world.send(ADA, 0, vec![number; 300]));
    world.run_for(Duration::from_millis(5));
    let mut believed = 0;
    for at in 0..25 {
        let flying = in_flight(&world.ends[ADA]);
        world.inject(ADA, &sack(tag, before.plus(at), 1 << 20, &[(2, 2)]));
        believed += u32::from(in_flight(&world.ends[ADA]) < flying);
        world.inject(ADA, &sack(tag, before.plus(at + 1), 1 << 20, &[]));
    }
    assert!((1..=8).contains(&believed), "{believed} times");
    assert_eq!(ended(&world, ADA), None);
}

/// Without its blocks nothing tells when what is behind a hole has come: as soon as that is filled, it seems.
#[test]
fn who_is_believed_no_more_proves_no_timeout_wrong() {
    let Known { mut world, tags, tsns } = known();
    let (tag, before) = (tags[ADA], Tsn(tsns[ADA].0.wrapping_sub(1)));
    world.lose = Some(Box::new(|from, _| from == ADA));
    (0..30).for_each(|number| world.send(ADA, 0, vec![number; 300]));
    world.run_for(Duration::from_millis(5));
    for at in 0..10 {
        world.inject(ADA, &sack(tag, before.plus(at), 1 << 20, &[(2, 2)]));
        world.inject(ADA, &sack(tag, before.plus(at + 1), 1 << 20, &[]));
    }
    world.inject(ADA, &sack(tag, before.plus(30), 1 << 20, &[]));
    let window = world.ends[ADA].window().expect("it is connected");
    assert_eq!((window.in_flight, window.window > 8 * 1176), (0, true), "{window:?}");
    // The first of them is lost, and leaves again after a timeout.
    (0..5).for_each(|number| world.send(ADA, 0, vec![number; 1100]));
    world.run_for(Duration::from_millis(1500));
    world.inject(ADA, &sack(tag, before.plus(35), 1 << 20, &[]));
    let window = world.ends[ADA].window().expect("it is connected");
    assert_eq!((window.in_flight, window.window <= 4 * 1176), (0, true), "{window:?}");
}

#[test]
fn a_gap_that_is_none_acknowledges_nothing() {
    let Known { mut world, tags, tsns } = known();
    world.lose = Some(Box::new(|from, _| from == ADA));
    world.send(ADA, 0, vec![0; 5000]);
    world.run_for(Duration::from_millis(5));
    let flying = in_flight(&world.ends[ADA]);
    // If this were so, it would be in the cumulative TSN.
    world.inject(ADA, &sack(tags[ADA], Tsn(tsns[ADA].0.wrapping_sub(1)), 1 << 20, &[(1, 3)]));
    assert_eq!(in_flight(&world.ends[ADA]), flying);
}

#[test]
fn fragments_in_reverse_cost_what_they_take() {
    let Known { mut world, tags, tsns } = known();
    world.sent = Some(vec![]);
    // One byte each, the last first: none ever continues the one before.
    for at in 0..4000 {
        let fsn = 5000 - at;
        let (tsn, payload) = (tsns[ADA].plus(at), &[7][..]);
        let data = IData { flags: 0, tsn, stream: 0, mid: 0, fsn, ppid: 0, payload };
        world.inject(BOB, &i_data(tags[BOB], &data));
    }
    let sacks = sent(&world, BOB, kind::SACK);
    let window = |chunk: &[u8]| u32::from_be_bytes(*chunk[8..].first_chunk().expect("a window"));
    let room = window(sacks.last().expect("it acknowledges"));
    assert!(room < (1 << 20) - 4000 * 60, "room for {room} bytes is left");
}

#[test]
fn skipping_forgets_what_comes_before_in_numbers_that_wrap_around() {
    let Known { mut world, tags, tsns } = known();
    world.sent = Some(vec![]);
    let fragment = |at: u32, mid: u32| {
        let (tsn, payload) = (tsns[ADA].plus(at), &[7; 1000][..]);
        i_data(tags[BOB], &IData { flags: 6, tsn, stream: 0, mid, fsn: 0, ppid: 0, payload })
    };
    let numbers = [u32::MAX - 1, 3, u32::MAX, 0, 4, 2];
    for (at, mid) in numbers.into_iter().enumerate() {
        world.inject(BOB, &fragment(at as u32, mid));
    }
    let skipped = Skipped { stream: 0, unordered: true, last: 2 };
    world.inject(BOB, &skip(tags[BOB], tsns[ADA].plus(6), &[skipped; 100]));
    // 3 and 4 are left, and go on.
    for (at, mid) in [(7, 3), (8, 4), (9, 2)] {
        let (tsn, payload) = (tsns[ADA].plus(at), &b"end"[..]);
        let data = IData { flags: 5, tsn, stream: 0, mid, fsn: 1, ppid: 0, payload };
        world.inject(BOB, &i_data(tags[BOB], &data));
    }
    let got: Vec<_> = world.received[BOB].iter().map(|message| message.payload.len()).collect();
    assert_eq!(got, [1003, 1003]);
}

#[test]
fn more_messages_than_half_the_numbers_of_a_stream_arrive_in_order() {
    let config = Config { interleaving: false, receive_initial: 16 << 20, ..Config::default() };
    let mut world = World::with(Link::default(), &config, &config);
    world.connect();
    // Until a long flight may leave at once.
    (0..60).for_each(|_| world.send(ADA, 1, vec![0; 250_000]));
    world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 60);
    world.run_for(Duration::from_secs(1));
    world.received[BOB].clear();
    let mut first = true;
    world.lose = Some(Box::new(move |from, _| from == ADA && std::mem::take(&mut first)));
    for number in 0..40_000_u32 {
        world.send(ADA, 0, number.to_be_bytes().to_vec());
    }
    world.run_for(Duration::from_secs(60));
    let numbers = world.received[BOB].iter().map(|message| message.payload[..].try_into());
    let numbers: Vec<_> = numbers.map(|bytes| u32::from_be_bytes(bytes.expect("four"))).collect();
    assert_eq!(numbers.len(), 40_000);
    assert!(numbers.is_sorted());
}

#[test]
fn a_path_that_has_become_longer_than_the_timeout_is_learnt() {
    let mut world = World::connected(Link::default());
    world.send(ADA, 0, vec![0; 200_000]);
    world.run_until(Duration::from_secs(10), |world| world.received[BOB].len() == 1);
    world.link.delay = Duration::from_millis(750);
    let (before, begun) = (world.bytes[ADA], world.now);
    (0..8).for_each(|_| world.send(ADA, 0, vec![1; 250_000]));
    world.run_until(Duration::from_secs(120), |world| world.received[BOB].len() == 9);
    let (took, bytes) = (world.now - begun, world.bytes[ADA] - before);
    assert!(bytes < 3_000_000, "{bytes} bytes for 2,000,000, in {took:?}");
    assert!(took < Duration::from_secs(40), "{took:?}");
}

/// A sender whose peer has room for 5000 bytes and is not heard of, with its tag and first TSN.
fn tight() -> (World, u32, Tsn) {
    let tight = Config { receive_initial: 5000, ..Config::default() };
    let mut world = World::with(Link::default(), &Config::default(), &tight);
    world.sent = Some(vec![]);
    world.connect();
    let inits = sent(&world, ADA, kind::INIT);
    let number = |at: usize| u32::from_be_bytes(*inits[0][at..].first_chunk().expect("an INIT"));
    let (tag, first) = (number(4), Tsn(number(16)));
    world.lose = Some(Box::new(|from, _| from == ADA));
    (0..20).for_each(|_| world.send(ADA, 0, vec![0; 1100]));
    (world, tag, first)
}

#[test]
fn a_window_is_not_overrun() {
    let (mut world, ..) = tight();
    world.run_for(Duration::from_millis(30));
    let payload: usize = sent(&world, ADA, kind::I_DATA).iter().map(|chunk| chunk.len() - 20).sum();
    assert!((1..=5000).contains(&payload), "{payload} bytes against a window of 5000");
}

#[test]
fn a_tiny_window_is_no_silence() {
    let (mut world, tag, first) = tight();
    // The peer answers, and has room for one byte.
    for _ in 0..400 {
        world.run_for(Duration::from_millis(500));
        world.inject(ADA, &sack(tag, Tsn(first.0.wrapping_sub(1)), 1, &[]));
    }
    assert_eq!(ended(&world, ADA), None);
}

/// A reader has stopped for half a minute, with so many messages sent to it, and goes on.
fn stopped(messages: usize) -> World {
    let slow = Config { receive_initial: 200_000, receive_most: 600_000, ..Config::default() };
    let slow = Config { message_most: 100_000, ..slow };
    let link = Link { rate: Some(12_500_000), ..Link::default() };
    let mut world = World::with(link, &Config { send_buffer: 64 << 20, ..slow.clone() }, &slow);
    world.connect();
    (0..60).for_each(|_| world.send(ADA, 0, vec![0; 100_000]));
    world.run_until(Duration::from_secs(20), |world| world.received[BOB].len() == 60);
    world.reads[BOB] = false;
    (0..messages).for_each(|_| world.send(ADA, 0, vec![0; 1100]));
    world.run_for(Duration::from_secs(30));
    world.received[BOB].clear();
    world.reads[BOB] = true;
    world
}

#[test]
fn a_reader_that_stops_says_nothing_of_the_path() {
    let mut world = stopped(5000);
    let begun = world.now;
    world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 5000);
    let took = world.now - begun;
    assert!(took < Duration::from_secs(2), "{took:?} for 5.5 MB at 12.5 MB/s");
}

#[test]
fn the_last_that_a_stopped_reader_has_refused_comes_at_once_when_it_goes_on() {
    // As many as make the window full, by trial.
    let mut world = stopped(5000);
    let taken = 5000 - world.ends[ADA].buffered() / 1100;
    for messages in [taken - 1, taken] {
        world = stopped(messages);
        let begun = world.now;
        world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == messages);
        let took = world.now - begun;
        assert!(took < Duration::from_millis(200), "{took:?}");
    }
}

#[test]
fn small_messages_that_wait_for_an_earlier_one_are_not_refused() {
    let small = Config { receive_initial: 20_000, ..Config::default() };
    let mut world = World::with(Link::default(), &Config::default(), &small);
    world.connect();
    let before = world.bytes[ADA];
    let mut first = true;
    world.lose = Some(Box::new(move |from, _| from == ADA && std::mem::take(&mut first)));
    (0..400).for_each(|_| world.send(ADA, 0, vec![7; 4]));
    world.run_until(Duration::from_secs(10), |world| world.received[BOB].len() == 400);
    let bytes = world.bytes[ADA] - before;
    assert!(bytes < 400 * 24 * 5 / 4, "{bytes} bytes for {}", 400 * 24);
}

#[test]
fn what_may_not_be_sent_again_is_not_sent_with_what_may() {
    let mut world = World::connected(Link::default());
    world.sent = Some(vec![]);
    let mut first = true;
    world.lose = Some(Box::new(move |from, _| from == ADA && std::mem::take(&mut first)));
    let options =
        SendOptions { reliability: Reliability::Retransmits(0), ..SendOptions::default() };
    world.send(ADA, 0, "reliable");
    world.send_with(ADA, 1, "once", options);
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.received[BOB].len(), 1);
    let times = |stream: u8| {
        let chunks = sent(&world, ADA, kind::I_DATA);
        chunks.iter().filter(|chunk| chunk[8..10] == [0, stream]).count()
    };
    assert_eq!([times(0), times(1)], [2, 1]);
}

#[test]
fn a_stream_does_not_pay_for_what_it_gives_up() {
    let config = Config { message_most: 16 << 20, ..Config::default() };
    let link = Link { rate: Some(1_000_000), ..Link::default() };
    let mut world = World::with(link, &config, &config);
    world.connect();
    let reliability = Reliability::Lifetime(Duration::from_millis(200));
    world.send_with(ADA, 0, vec![0; 8 << 20], SendOptions { reliability, unordered: false });
    world.run_for(Duration::from_millis(400));
    let mut lost = 0;
    world.lose = Some(Box::new(move |from, packet| {
        lost += u32::from(from == ADA && packet.len() > 1000);
        (1..4).contains(&lost)
    }));
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.ends[ADA].buffered(), 0, "it has been given up");
    for _ in 0..100 {
        world.send(ADA, 0, vec![0; 16_000]);
        world.send(ADA, 1, vec![1; 16_000]);
    }
    world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 80);
    let first = world.received[BOB].iter().filter(|message| message.stream == 0).count();
    assert!((35..=45).contains(&first), "{first} of 80");
}

#[test]
fn the_peers_own_tag_opens_no_door() {
    let Known { mut world, tags, tsns } = known();
    let mut forged = packet(tags[ADA], kind::SHUTDOWN_COMPLETE, 1, |_| {});
    let data = message(tags[BOB], tsns[ADA], 0, b"slipped in");
    forged.extend_from_slice(&data[12..]);
    // Without a checksum, as agreed.
    forged[8..12].fill(0);
    world.inject(BOB, &forged);
    assert!(world.received[BOB].is_empty());
    assert_eq!(ended(&world, BOB), None);
}

#[test]
fn whatever_the_figures_an_association_works() {
    let longest = Duration::MAX;
    let all_least = Config {
        packet: 0,
        receive_initial: 0,
        receive_most: 0,
        streams: 0,
        message_most: 0,
        timeout_initial: Duration::ZERO,
        timeout_least: Duration::ZERO,
        ..Config::default()
    };
    let all_most = Config {
        packet: usize::MAX,
        receive_initial: usize::MAX,
        receive_most: usize::MAX,
        message_most: usize::MAX,
        timeout_initial: longest,
        timeout_least: longest,
        timeout_most: longest,
        heartbeat: longest,
        cookie_life: longest,
        ..Config::default()
    };
    for (ada, bob) in [(&all_most, &all_most), (&all_least, &all_most), (&all_most, &all_least)] {
        let mut world = World::with(Link::default(), ada, bob);
        world.connect();
        let length = ada.message_most.min(bob.message_most).min(50_000);
        if length > 0 {
            world.send(ADA, 0, vec![1; length]);
            world.send(BOB, 0, vec![1; length]);
        }
        world.run_for(Duration::from_secs(10));
        let got = world.received.each_ref().map(Vec::len);
        assert_eq!(got, [usize::from(length > 0); 2]);
        assert!(world.ends.iter().all(Association::is_established));
    }
}

#[test]
fn who_has_not_heard_of_the_end_is_told() {
    let mut world = World::connected(Link::default());
    let now = world.now;
    world.lose = Some(Box::new(|from, packet| from == ADA && packet[12] == kind::ABORT));
    world.ends[ADA].abort(now);
    world.run_for(Duration::from_secs(1));
    assert_eq!(ended(&world, BOB), None, "the ABORT was lost");
    world.lose = None;
    world.send(BOB, 0, "anybody there?");
    world.run_for(Duration::from_secs(1));
    assert_eq!(ended(&world, BOB), Some(End::AbortedByPeer(None)));
}

#[test]
fn messages_of_many_streams_do_not_fill_the_window_with_beginnings() {
    let config = Config { send_buffer: 128 << 20, ..Config::default() };
    let link = Link { rate: Some(50_000_000), ..Link::default() };
    let mut world = World::with(link, &config, &Config::default());
    world.connect();
    // More than the largest window there is, had all of them begun.
    (0..300).for_each(|stream| world.send(ADA, stream, vec![0; 256 << 10]));
    world.run_for(Duration::from_millis(100));
    world.send(ADA, 300, "quick");
    world.run_for(Duration::from_millis(200));
    assert!(world.received[BOB].iter().any(|message| message.payload == "quick"));
    world.run_until(Duration::from_secs(60), |world| world.received[BOB].len() == 301);
}

#[test]
fn what_waits_aside_leaves_though_what_was_before_it_is_too_late() {
    let mut world = World::connected(Link { rate: Some(2_000_000), ..Link::default() });
    let late = SendOptions {
        reliability: Reliability::Lifetime(Duration::from_millis(300)),
        ..SendOptions::default()
    };
    (0..20).for_each(|stream| world.send_with(ADA, stream, vec![0; 250_000], late));
    (20..24).for_each(|stream| world.send(ADA, stream, vec![1; 250_000]));
    let reliable = |world: &mut World| {
        world.received[BOB].iter().filter(|message| message.payload[0] == 1).count() == 4
    };
    world.run_until(Duration::from_secs(20), reliable);
    assert_eq!(world.ends[ADA].buffered(), 0);
}
