//! Streams that are reset and added.

use std::time::Duration;

use talkie_proto::sctp::wire::reconfig::{Outcome, Reconfig};
use talkie_proto::sctp::wire::{Packet, Parameters, kind};
use talkie_proto::sctp::{Config, End, Event, ReconfigError, Reliability, SendOptions};

use crate::sctp_hostile::{Known, known_with, packet};
use crate::sctp_world::{ADA, BOB, Link, World};

fn reset(world: &mut World, end: usize, streams: &[u16]) {
    let now = world.now;
    world.ends[end].reset_streams(now, streams).expect("it may be reset");
}

fn done(world: &World, end: usize) -> usize {
    let done = |event: &&Event| matches!(event, Event::ResetDone { done: true, .. });
    world.events[end].iter().filter(done).count()
}

fn told(world: &World, end: usize) -> usize {
    world.events[end].iter().filter(|event| matches!(event, Event::StreamsReset(_))).count()
}

/// The outcomes that an end has told, in order.
fn outcomes(world: &World, end: usize) -> Vec<Outcome> {
    let sent = world.sent.as_ref().expect("recorded");
    let mut outcomes = vec![];
    for (_, packet) in sent.iter().filter(|(from, _)| *from == end) {
        let packet = Packet::parse(packet).expect("a packet");
        for chunk in packet.chunks().filter(|chunk| chunk.kind == kind::RE_CONFIG) {
            for parameter in Parameters::new(chunk.value) {
                if let Some(Reconfig::Response { outcome, .. }) = Reconfig::parse(&parameter) {
                    outcomes.extend(outcome);
                }
            }
        }
    }
    outcomes
}

#[test]
fn messages_before_and_after_a_reset_arrive_whatever_the_path_does() {
    for seed in 1..=12 {
        let link = Link {
            loss: seed * 20,
            reorder: seed * 15,
            duplicate: seed * 10,
            seed,
            ..Link::default()
        };
        let config = Config { interleaving: seed % 2 == 0, ..Config::default() };
        let mut world = World::with(link, &config, &config);
        world.connect();
        for round in 0..5_u8 {
            for number in 0..4_u8 {
                world.send(ADA, 7, vec![round * 4 + number; 3000]);
            }
            let unordered = SendOptions { unordered: true, ..SendOptions::default() };
            world.send_with(ADA, 7, vec![100 + round; 2000], unordered);
            world.send(ADA, 8, vec![200 + round; 100]);
            reset(&mut world, ADA, &[7]);
            if seed % 3 == 0 {
                world.run_until(Duration::from_secs(60), |world| {
                    done(world, ADA) > usize::from(round)
                });
            }
        }
        world.run_until(Duration::from_secs(200), |world| world.received[BOB].len() == 30);
        let of = |stream: u16, unordered: bool| -> Vec<u8> {
            let received = world.received[BOB].iter();
            received
                .filter(|message| message.stream == stream && message.unordered == unordered)
                .map(|message| message.payload[0])
                .collect()
        };
        assert_eq!(of(7, false), (0..20).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(of(8, false), (200..205).collect::<Vec<_>>(), "seed {seed}");
        let mut unordered = of(7, true);
        unordered.sort_unstable();
        assert_eq!(unordered, (100..105).collect::<Vec<_>>(), "seed {seed}");
        assert!(done(&world, ADA) >= 1 && told(&world, BOB) == done(&world, ADA), "seed {seed}");
    }
}

#[test]
fn the_numbers_begin_anew() {
    let mut world = World::connected(Link::default());
    world.sent = Some(vec![]);
    for _ in 0..2 {
        world.send(ADA, 7, "first");
        world.send(ADA, 7, "second");
        reset(&mut world, ADA, &[7]);
        world.run_for(Duration::from_secs(1));
    }
    let mut numbers = vec![];
    for (_, packet) in world.sent.as_ref().expect("recorded") {
        let packet = Packet::parse(packet).expect("a packet");
        let data = packet.chunks().filter(|chunk| chunk.kind == kind::I_DATA);
        numbers.extend(
            data.filter_map(|chunk| talkie_proto::sctp::wire::IData::parse(&chunk))
                .map(|data| data.mid),
        );
    }
    assert_eq!(numbers, [0, 1, 0, 1]);
}

#[test]
fn a_reset_stands_between_old_messages_and_new_ones() {
    let mut world = World::connected(Link::default());
    world.reads[BOB] = false;
    world.send(ADA, 7, "old");
    reset(&mut world, ADA, &[7]);
    world.send(ADA, 7, "new");
    world.run_for(Duration::from_secs(1));
    assert_eq!((done(&world, ADA), told(&world, BOB)), (1, 0));
    let bob = &mut world.ends[BOB];
    assert_eq!(bob.take_message().expect("a message").payload, "old");
    assert_eq!(bob.take_message(), None);
    use talkie_sansio::Machine as _;
    assert_eq!(bob.poll_event(), Some(Event::StreamsReset(vec![7])));
    assert_eq!(bob.take_message().expect("a message").payload, "new");
}

#[test]
fn a_reset_waits_for_what_was_sent_before_it() {
    let mut world = World::connected(Link::default());
    world.sent = Some(vec![]);
    let mut lost = 0;
    // The first of the data, again and again, but not what is asked.
    world.lose = Some(Box::new(move |from, packet| {
        let data = from == ADA && packet[12] == kind::I_DATA;
        lost += u32::from(data);
        data && lost <= 3
    }));
    world.send(ADA, 7, "late");
    reset(&mut world, ADA, &[7]);
    world.run_until(Duration::from_secs(20), |world| done(world, ADA) == 1);
    let outcomes = outcomes(&world, BOB);
    assert_eq!(outcomes.first(), Some(&Outcome::Later));
    assert_eq!(outcomes.last(), Some(&Outcome::Performed));
    assert_eq!((world.received[BOB].len(), told(&world, BOB)), (1, 1));
}

#[test]
fn requests_and_answers_may_be_lost() {
    for lost in 1..6 {
        for from_ada in [true, false] {
            let mut world = World::connected(Link::default());
            let mut count = 0;
            world.lose = Some(Box::new(move |from, packet| {
                let it = packet[12] == kind::RE_CONFIG && (from == ADA) == from_ada;
                count += u32::from(it);
                it && count <= lost
            }));
            reset(&mut world, ADA, &[7]);
            world.run_until(Duration::from_secs(60), |world| done(world, ADA) == 1);
            // Done once, however often it was asked for.
            assert_eq!(told(&world, BOB), 1);
        }
    }
}

#[test]
fn both_sides_may_reset_the_same_stream_at_once() {
    let mut world = World::connected(Link::default());
    for end in [ADA, BOB] {
        world.send(end, 7, "old");
        reset(&mut world, end, &[7]);
    }
    world.run_for(Duration::from_secs(1));
    for end in [ADA, BOB] {
        assert_eq!((done(&world, end), told(&world, end)), (1, 1));
        world.send(end, 7, "new");
    }
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.received.each_ref().map(Vec::len), [2, 2]);
}

#[test]
fn a_stream_with_much_to_send_does_not_hold_up_the_reset_of_another() {
    let link = Link { rate: Some(100_000), ..Link::default() };
    let mut world = World::connected(link);
    world.send(ADA, 1, vec![0; 250_000]);
    world.send(ADA, 2, "short");
    reset(&mut world, ADA, &[1, 2]);
    world.run_until(Duration::from_secs(2), |world| done(world, ADA) == 1);
    let event = Event::ResetDone { streams: vec![2], done: true };
    assert!(world.events[ADA].contains(&event));
    world.run_until(Duration::from_secs(10), |world| done(world, ADA) == 2);
    assert_eq!(world.received[BOB].len(), 2);
}

#[test]
fn a_side_may_ask_the_other_to_reset_what_it_sends_on() {
    for streams in [&[7][..], &[7, 8]] {
        let mut world = World::connected(Link::default());
        world.send(ADA, 7, "old");
        world.send(ADA, 8, "other");
        world.run_for(Duration::from_secs(1));
        let now = world.now;
        world.ends[BOB].request_reset(now, streams).expect("it may");
        world.run_for(Duration::from_secs(1));
        assert_eq!((done(&world, ADA), told(&world, BOB)), (1, 1));
        world.send(ADA, 7, "new");
        world.send(ADA, 8, "another");
        world.run_for(Duration::from_secs(1));
        assert_eq!(world.received[BOB].len(), 4);
    }
}

#[test]
fn streams_can_be_added_both_ways() {
    let few = Config { streams: 10, streams_most: 20, ..Config::default() };
    let mut world = World::with(Link::default(), &few, &few);
    world.connect();
    for (outgoing, sender) in [(true, ADA), (false, BOB)] {
        let now = world.now;
        let options = SendOptions::default();
        assert!(world.ends[sender].send(now, 12, 51, "x".into(), options).is_err());
        world.ends[ADA].add_streams(now, 5, outgoing).expect("it may");
        world.run_for(Duration::from_secs(1));
        world.send(sender, 12, "more");
    }
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.received.each_ref().map(Vec::len), [1, 1]);
    assert_eq!(world.ends.each_ref().map(|end| end.streams()), [(15, 15); 2]);
    let now = world.now;
    assert_eq!(world.ends[ADA].add_streams(now, 6, true), Err(ReconfigError::NoSuchStream));
}

#[test]
fn more_streams_than_the_peer_wants_are_refused() {
    let few = Config { streams: 10, streams_most: 10, ..Config::default() };
    let more = Config { streams_most: 20, ..few.clone() };
    let mut world = World::with(Link::default(), &more, &few);
    world.connect();
    for outgoing in [true, false] {
        let now = world.now;
        world.ends[ADA].add_streams(now, 5, outgoing).expect("it may");
        world.run_for(Duration::from_secs(1));
        assert!(world.events[ADA].contains(&Event::StreamsRefused { count: 5, outgoing }));
    }
}

#[test]
fn what_is_given_up_before_a_reset_does_not_hold_up_what_comes_after() {
    for seed in 1..=10 {
        let link = Link { loss: 150, seed, ..Link::default() };
        let config = Config { interleaving: seed % 2 == 0, ..Config::default() };
        let mut world = World::with(link, &config, &config);
        world.connect();
        let options = SendOptions { unordered: false, reliability: Reliability::Retransmits(0) };
        for round in 0..10_u8 {
            for _ in 0..5 {
                world.send_with(ADA, 3, vec![round; 2500], options);
                world.send_with(ADA, 4, vec![round; 500], options);
            }
            reset(&mut world, ADA, &[3]);
            world.run_until(Duration::from_secs(60), |world| done(world, ADA) > usize::from(round));
        }
        world.send(ADA, 3, "three");
        world.send(ADA, 4, "four");
        world.run_until(Duration::from_secs(60), |world| {
            let last = |text: &str| world.received[BOB].iter().any(|one| one.payload == text);
            last("three") && last("four")
        });
    }
}

#[test]
fn an_end_in_order_waits_for_resets() {
    let mut world = World::connected(Link { loss: 200, seed: 4, ..Link::default() });
    world.send(ADA, 7, vec![1; 100_000]);
    reset(&mut world, ADA, &[7]);
    world.send(ADA, 7, "behind the reset");
    let now = world.now;
    world.ends[ADA].shutdown(now);
    world.run_until(Duration::from_secs(200), |world| {
        world.events.iter().all(|events| matches!(events.last(), Some(Event::Ended(_))))
    });
    assert_eq!((world.received[BOB].len(), done(&world, ADA), told(&world, BOB)), (2, 1, 1));
}

#[test]
fn what_was_given_up_before_a_reset_is_not_named_after_it() {
    let mut world = World::connected(Link::default());
    let unreliable = SendOptions { unordered: false, reliability: Reliability::Retransmits(0) };
    // No acknowledgment comes back, so that it stays unknown that the peer goes on without the message.
    let mut first = true;
    world.lose = Some(Box::new(move |from, packet| match packet[12] {
        kind::I_DATA if from == ADA => std::mem::take(&mut first),
        kind::SACK => from == BOB,
        _ => false,
    }));
    world.send_with(ADA, 3, "given up", unreliable);
    world.run_for(Duration::from_secs(2));
    reset(&mut world, ADA, &[3]);
    world.run_until(Duration::from_secs(2), |world| done(world, ADA) == 1);
    let mut first = true;
    world.lose = Some(Box::new(move |from, packet| {
        from == ADA && packet[12] == kind::I_DATA && std::mem::take(&mut first)
    }));
    world.send_with(ADA, 4, "given up too", unreliable);
    world.run_for(Duration::from_secs(2));
    world.send(ADA, 3, "new");
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.received[BOB].len(), 1);
}

#[test]
fn both_may_want_the_same_stream_reset_while_another_is_waited_for() {
    let link = Link { rate: Some(500_000), ..Link::default() };
    let mut world = World::connected(link);
    world.send(ADA, 1, vec![0; 250_000]);
    world.send(ADA, 2, vec![255; 50_000]);
    world.run_for(Duration::from_millis(30));
    reset(&mut world, ADA, &[2]);
    let now = world.now;
    world.ends[BOB].request_reset(now, &[1, 2]).expect("it may");
    for number in 0..100_u8 {
        world.send(ADA, 2, vec![number; 10]);
        world.run_for(Duration::from_millis(10));
    }
    world.run_for(Duration::from_secs(5));
    let got = world.received[BOB].iter().filter(|message| message.stream == 2);
    let got: Vec<u8> = got.map(|message| message.payload[0]).collect();
    assert_eq!(got[0], 255);
    assert_eq!(got[1..], (0..100).collect::<Vec<_>>());
}

#[test]
fn streams_whose_messages_must_not_begin_yet_are_reset_and_emptied_like_others() {
    let config = Config { receive_initial: 1 << 20, ..Config::default() };
    let mut world =
        World::with(Link { rate: Some(4_000_000), ..Link::default() }, &config, &config);
    world.connect();
    (0..20).for_each(|stream| world.send(ADA, stream, vec![0; 250_000]));
    world.run_for(Duration::from_millis(100));
    // The last ones wait for others to be done with.
    let now = world.now;
    world.ends[BOB].request_reset(now, &[18]).expect("it can");
    world.ends[ADA].reset_streams(now, &[17]).expect("it can");
    world.ends[ADA].discard(19);
    assert_eq!(world.ends[ADA].buffered_in(19), 0);
    world.run_for(Duration::from_millis(300));
    let done = |stream| Event::ResetDone { streams: vec![stream], done: true };
    assert!(world.events[ADA].contains(&done(18)), "nothing of it had left");
    assert!(!world.events[ADA].contains(&done(17)), "everything of it is to leave first");
    let now = world.now;
    world.ends[ADA].shutdown(now);
    world.run_until(Duration::from_secs(20), |world| {
        world.events.iter().all(|events| events.contains(&Event::Ended(End::Shutdown)))
    });
    let mut streams: Vec<u16> = world.received[BOB].iter().map(|message| message.stream).collect();
    streams.sort_unstable();
    assert_eq!(streams, (0..19).collect::<Vec<u16>>());
    assert!(world.events[ADA].contains(&done(17)));
}

#[test]
fn streams_whose_messages_must_not_begin_yet_do_not_begin_while_they_are_held() {
    let config = Config { receive_initial: 1 << 20, ..Config::default() };
    let mut world =
        World::with(Link { rate: Some(4_000_000), ..Link::default() }, &config, &config);
    world.connect();
    (0..16).for_each(|stream| world.send(ADA, stream, vec![0; 250_000]));
    world.run_for(Duration::from_millis(100));
    world.lose = Some(Box::new(|from, bytes| {
        let packet = Packet::parse(bytes).expect("a packet");
        from == ADA && packet.chunks().any(|chunk| chunk.kind == kind::RE_CONFIG)
    }));
    let now = world.now;
    let held: Vec<u16> = (8..16).collect();
    world.ends[BOB].request_reset(now, &held).expect("it can");
    world.run_until(Duration::from_secs(10), |world| world.received[BOB].len() == 8);
    world.run_for(Duration::from_millis(100));
    assert!(held.iter().all(|stream| world.ends[ADA].buffered_in(*stream) == 250_000));
    world.lose = None;
    world.run_until(Duration::from_secs(20), |world| world.received[BOB].len() == 16);
}

#[test]
fn a_wish_that_comes_while_another_request_waits_is_asked_again() {
    let mut world = World::connected(Link::default());
    world.sent = Some(vec![]);
    // The answer to Ada's own request is late.
    let mut lost = 0;
    world.lose = Some(Box::new(move |from, packet| {
        let answer = from == BOB && packet[12] == kind::RE_CONFIG && packet[17] == 16;
        lost += u32::from(answer);
        answer && lost <= 2
    }));
    reset(&mut world, ADA, &[3]);
    world.run_for(Duration::from_millis(50));
    let now = world.now;
    world.ends[BOB].request_reset(now, &[7]).expect("it may");
    world.run_for(Duration::from_secs(20));
    assert!(outcomes(&world, ADA).contains(&Outcome::InProgress));
    assert!(world.events[BOB].contains(&Event::StreamsReset(vec![7])));
    assert!(!world.events[BOB].iter().any(|event| matches!(event, Event::ResetRefused(_))));
}

#[test]
fn additions_that_wait_count_as_well() {
    let few = Config { streams: 10, streams_most: 20, ..Config::default() };
    let more = Config { streams_most: 100, ..few.clone() };
    let mut world = World::with(Link::default(), &few, &more);
    world.connect();
    let now = world.now;
    world.ends[ADA].add_streams(now, 6, true).expect("it may");
    assert_eq!(world.ends[ADA].add_streams(now, 6, true), Err(ReconfigError::NoSuchStream));
    world.ends[ADA].add_streams(now, 4, true).expect("it may");
    assert_eq!(world.ends[ADA].add_streams(now, 1, true), Err(ReconfigError::NoSuchStream));
    assert_eq!(world.ends[ADA].add_streams(now, 0, false), Err(ReconfigError::NoSuchStream));
    world.ends[ADA].add_streams(now, 10, false).expect("it may");
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.ends.each_ref().map(|end| end.streams()), [(20, 20); 2]);
}

#[test]
fn a_peer_that_puts_off_a_reset_for_ever_does_not_put_off_the_end() {
    for outcome in [Outcome::Later, Outcome::InProgress] {
        let config = Config { shutdown_most: Duration::from_secs(30), ..Config::default() };
        let Known { mut world, tags, tsns } = known_with(&config);
        world.lose = Some(Box::new(|from, bytes| from == BOB && bytes[12] == kind::RE_CONFIG));
        reset(&mut world, ADA, &[7]);
        let now = world.now;
        world.ends[ADA].shutdown(now);
        for second in 0..40 {
            let number = if outcome == Outcome::Later { 0 } else { second };
            let request = tsns[ADA].0.wrapping_add(number);
            let put_off = packet(tags[ADA], kind::RE_CONFIG, 0, |buf| {
                Reconfig::Response { request, outcome: Some(outcome) }.write(buf);
            });
            world.inject(ADA, &put_off);
            world.run_for(Duration::from_secs(1));
        }
        assert!(world.events[ADA].iter().any(|event| matches!(event, Event::Ended(_))));
    }
}
