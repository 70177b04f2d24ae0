//! What a peer says on streams on which there is no channel here, or not yet.

use std::time::Duration;

use talkie_proto::datachannel::{Event, Kind, Options, Role, State};
use talkie_proto::sctp::wire::kind;
use talkie_proto::sctp::{self, Association, Reliability, SendOptions};
use talkie_sansio::Machine as _;

use crate::datachannel::Silent;
use crate::datachannel_world::{ADA, BOB, Link, World, bare, end};

const SECOND: Duration = Duration::from_secs(1);

fn negotiated(stream: u16) -> Options {
    Options { negotiated: Some(stream), ..Options::default() }
}

/// Data channels of the client, and a peer that sends what it likes.
fn meeting() -> World<Association> {
    let mut world =
        World::with(Link::default(), end(1, Role::Client), bare(&sctp::Config::default()));
    world.connect();
    world
}

#[test]
fn messages_that_come_before_a_negotiated_channel_is_opened_here_are_delivered() {
    let mut world = meeting();
    world.bare_send(7, 51, "one");
    world.bare_send(8, 51, "another's");
    world.bare_send(7, 56, vec![0]);
    world.bare_send(7, 52, "three, ");
    world.bare_send(7, 53, "in parts");
    let now = world.now;
    let unordered = SendOptions { unordered: true, reliability: Reliability::Reliable };
    world.bob.send(now, 7, 53, vec![4; 5000].into(), unordered).expect("it has room");
    world.run_for(SECOND);
    assert!(world.seen[ADA].messages.is_empty());
    let now = world.now;
    let channel = world.ada.open(now, negotiated(7)).expect("it may");
    world.bare_send(7, 51, "five");
    world.run_for(SECOND);
    let got: Vec<_> = world.seen[ADA].messages.drain(..).collect();
    assert!(got.iter().all(|message| message.channel == channel));
    let got: Vec<_> = got.iter().map(|message| (message.kind, &message.payload[..])).collect();
    let expected: [(Kind, &[u8]); 5] = [
        (Kind::Text, b"one"),
        (Kind::Text, b""),
        (Kind::Binary, b"three, in parts"),
        (Kind::Binary, &[4; 5000]),
        (Kind::Text, b"five"),
    ];
    assert_eq!(got, expected);
    assert!(world.seen[ADA].events.contains(&Event::Readable));
    assert_eq!(world.ada.counters().stray, 0);
}

#[test]
fn what_comes_too_early_is_kept_within_bounds() {
    let mut world = meeting();
    for stream in 0..300 {
        world.bare_send(1000 + stream, 51, "x");
    }
    world.run_for(SECOND);
    assert_eq!(world.ada.counters().stray, 300 - 256);
    for _ in 0..40 {
        world.bare_send(1000, 53, vec![0; 50_000]);
    }
    world.run_for(5 * SECOND);
    // 1 MiB in all.
    assert_eq!(world.ada.counters().stray, 44 + 20);
    let now = world.now;
    world.ada.open(now, negotiated(1000)).expect("it may");
    world.run_for(SECOND);
    assert_eq!(world.seen[ADA].messages.len(), 21);
    // There is room for others again.
    world.bare_send(1001, 53, vec![0; 50_000]);
    world.run_for(SECOND);
    assert_eq!(world.ada.counters().stray, 64);
}

#[test]
fn what_was_kept_for_a_channel_that_the_peer_has_closed_is_nobody_elses() {
    let mut world = meeting();
    world.bare_send(7, 51, "of the first");
    let now = world.now;
    world.bob.reset_streams(now, &[7]).expect("it may");
    world.bare_send(7, 51, "of the second");
    world.run_for(SECOND);
    let now = world.now;
    world.ada.open(now, negotiated(7)).expect("it may");
    world.run_for(SECOND);
    let got: Vec<_> = world.seen[ADA].messages.iter().map(|message| &message.payload[..]).collect();
    assert_eq!((got, world.ada.counters().stray), (vec![&b"of the second"[..]], 1));
}

#[test]
fn the_end_of_a_channel_does_not_overtake_what_was_kept_for_it() {
    let mut world =
        World::with(Link::default(), end(1, Role::Client), Silent(end(2, Role::Server)));
    world.connect();
    let now = world.now;
    let channel = world.ada.open(now, negotiated(7)).expect("it may");
    for number in 0..3 {
        world.ada.send(now, channel, Kind::Binary, vec![number].into()).expect("it has room");
    }
    world.run_for(SECOND);
    let now = world.now;
    let bob = world.bob.0.open(now, negotiated(7)).expect("it may");
    world.ada.close(now, channel);
    world.run_for(SECOND);
    assert_eq!(world.bob.0.state(bob), Some(State::Open));
    for number in 0..3 {
        assert_eq!(world.bob.0.take_message().expect("a message").payload[0], number);
    }
    assert_eq!(world.bob.0.take_message(), None);
    assert_eq!(world.bob.0.poll_event(), Some(Event::Closing(bob)));
    world.run_for(SECOND);
    assert!(world.saw(ADA, &Event::Closed(channel)));
}

#[test]
fn a_channel_that_was_never_opened_here_can_be_closed_there() {
    let mut world = World::connected(Link { loss: 50, seed: 5, ..Link::default() });
    for round in 0..6 {
        let now = world.now;
        let channel = world.ada.open(now, negotiated(7)).expect("it may");
        if round % 2 == 0 {
            world.send_from(ADA, channel, "x");
        }
        world.run_for(SECOND);
        world.close(ADA, channel);
        world.run_until(20 * SECOND, |world| world.saw(ADA, &Event::Closed(channel)));
        world.run_for(SECOND);
    }
    assert!(world.seen[BOB].events.iter().all(|event| matches!(event, Event::Readable)));
}

#[test]
fn a_negotiated_channel_is_closed_and_opened_again_and_again_by_either_side() {
    for seed in 1..=4 {
        let mut world = World::connected(Link { loss: (seed - 1) * 40, seed, ..Link::default() });
        for round in 0..8_u8 {
            let now = world.now;
            let ada = world.ada.open(now, negotiated(7)).expect("it may");
            let bob = world.bob.open(now, negotiated(7)).expect("it may");
            let known = world.seen[BOB].messages.len();
            world.send_from(ADA, ada, vec![round; 3000]);
            world.run_until(60 * SECOND, |world| world.seen[BOB].messages.len() > known);
            assert_eq!(world.seen[BOB].messages[known].payload[0], round);
            match round % 3 {
                0 => world.close(ADA, ada),
                1 => world.close(BOB, bob),
                _ => {
                    world.close(ADA, ada);
                    world.close(BOB, bob);
                }
            }
            world.run_until(60 * SECOND, |world| {
                world.saw(ADA, &Event::Closed(ada)) && world.saw(BOB, &Event::Closed(bob))
            });
        }
    }
}

#[test]
fn a_peer_that_answers_every_reset_is_not_answered_without_end() {
    let mut world = meeting();
    let now = world.now;
    world.bob.reset_streams(now, &[7]).expect("it may");
    let mut answered = 0;
    for _ in 0..2000 {
        world.run_for(SECOND / 100);
        let now = world.now;
        while answered < world.seen[BOB].resets.len() {
            answered += 1;
            world.bob.reset_streams(now, &[7]).expect("it may");
        }
    }
    assert_eq!(world.seen[BOB].resets, [7]);
    // Nor does an answer that comes twice end the channel which has the stream since.
    world.bare_send(9, 50, vec![3, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, b'x']);
    world.run_for(SECOND);
    let now = world.now;
    let channel = world.incoming(ADA)[0];
    world.ada.close(now, channel);
    world.bob.reset_streams(now, &[9]).expect("it may");
    world.run_until(SECOND, |world| world.saw(ADA, &Event::Closed(channel)));
    let now = world.now;
    world.bob.reset_streams(now, &[9]).expect("it may");
    world.run_for(SECOND);
    assert_eq!(world.seen[BOB].resets, [7, 9]);
}

#[test]
fn the_end_of_what_was_refused_is_not_answered() {
    let mut world = meeting();
    world.bare_send(5, 50, vec![3, 9]);
    world.bare_send(5, 51, "on a channel that is not to be");
    world.run_for(10 * SECOND);
    assert_eq!((world.seen[BOB].resets.len(), world.ada.counters().stray), (1, 1));
    let now = world.now;
    world.bob.reset_streams(now, &[5]).expect("it may");
    world.run_for(10 * SECOND);
    assert_eq!(world.seen[BOB].resets, [5]);
    // Another time it may be closed and answered.
    world.bare_send(5, 51, "on a negotiated one");
    let now = world.now;
    world.bob.reset_streams(now, &[5]).expect("it may");
    world.run_for(10 * SECOND);
    assert_eq!(world.seen[BOB].resets, [5, 5]);
}

#[test]
fn the_answer_to_a_reset_from_before_a_channel_does_not_close_it() {
    let mut world = meeting();
    // The peer's answers come late.
    let mut lost = 0;
    world.lose = Some(Box::new(move |from, packet| {
        let answer = from == BOB && packet[12] == kind::RE_CONFIG && packet[17] == 16;
        lost += u32::from(answer);
        answer && lost <= 2
    }));
    let now = world.now;
    world.bob.reset_streams(now, &[7]).expect("it may");
    world.run_for(SECOND / 10);
    assert_eq!(world.seen[BOB].resets, [7]);
    let now = world.now;
    let channel = world.ada.open(now, negotiated(7)).expect("it may");
    world.run_for(10 * SECOND);
    assert_eq!(world.ada.state(channel), Some(State::Open));
    // It can be closed like any other.
    let now = world.now;
    world.ada.close(now, channel);
    world.bob.reset_streams(now, &[7]).expect("it may");
    world.run_for(10 * SECOND);
    assert!(world.saw(ADA, &Event::Closed(channel)));
    assert_eq!(world.seen[BOB].resets, [7, 7]);
}
