//! Ends of channels and associations, and what was sent before them.

use std::time::Duration;

use talkie_proto::datachannel::dcep::Dcep;
use talkie_proto::datachannel::{Event, Kind, OpenError, Options, Role, State};
use talkie_proto::sctp::wire::kind;
use talkie_proto::sctp::{self, End, Reliability, SendOptions};
use talkie_sansio::Machine as _;

use crate::datachannel::Silent;
use crate::datachannel_world::{ADA, BOB, Link, World, bare, end};

const SECOND: Duration = Duration::from_secs(1);

fn open(label: &str) -> Vec<u8> {
    Dcep::Open(Options { label: label.into(), ..Options::default() }).to_bytes()
}

#[test]
fn what_came_before_the_end_of_the_association_is_fetched_before_it() {
    for at_once in [false, true] {
        let mut world =
            World::with(Link::default(), end(1, Role::Client), Silent(end(2, Role::Server)));
        world.connect();
        let now = world.now;
        let channel = world.ada.open(now, Options::default()).expect("it may");
        world.ada.send(now, channel, Kind::Text, "last words".into()).expect("it has room");
        world.run_for(SECOND);
        let now = world.now;
        if at_once {
            world.ada.abort(now);
        } else {
            world.ada.shutdown(now);
        }
        world.run_for(5 * SECOND);
        assert!(world.ada.channels().next().is_none());
        let over = |event: &Event| matches!(event, Event::Closed(_) | Event::Ended(_));
        assert!(!world.seen[BOB].events.iter().any(over));
        let message = world.bob.0.take_message().expect("the last words");
        assert_eq!(message.payload, "last words");
        assert_eq!(world.bob.0.take_message(), None);
        assert_eq!(world.bob.0.poll_event(), Some(Event::Closed(message.channel)));
        assert!(matches!(world.bob.0.poll_event(), Some(Event::Ended(_))));
    }
}

#[test]
fn who_ends_it_at_once_has_what_has_come_no_more() {
    let mut world =
        World::with(Link::default(), end(1, Role::Client), Silent(end(2, Role::Server)));
    world.connect();
    let now = world.now;
    let channel = world.ada.open(now, Options::default()).expect("it may");
    world.ada.send(now, channel, Kind::Text, "too late".into()).expect("it has room");
    world.run_for(SECOND);
    let now = world.now;
    world.bob.0.abort(now);
    assert!(matches!(world.bob.0.poll_event(), Some(Event::Closed(_))));
    assert_eq!(world.bob.0.poll_event(), Some(Event::Ended(End::Aborted)));
    assert_eq!((world.bob.0.poll_event(), world.bob.0.take_message()), (None, None));
}

#[test]
fn what_is_queued_outlasts_a_close_while_the_association_ends() {
    // Who closes, while who ends.
    for (ender, seed) in [(ADA, 1), (BOB, 1), (ADA, 2), (BOB, 2)] {
        let link = Link { rate: 200_000, loss: (seed - 1) * 50, seed, ..Link::default() };
        let mut world = World::connected(link);
        let [ada, _] = world.open(Options::default());
        for number in 0..20 {
            world.send_from(ADA, ada, vec![number; 20_000]);
        }
        let now = world.now;
        if ender == ADA {
            world.ada.shutdown(now);
        } else {
            world.bob.shutdown(now);
            world.run_for(SECOND / 20);
        }
        world.close(ADA, ada);
        world.run_for(60 * SECOND);
        let got: Vec<u8> =
            world.seen[BOB].messages.iter().map(|message| message.payload[0]).collect();
        assert_eq!(got, (0..20).collect::<Vec<_>>(), "ender {ender}, seed {seed}");
        for end in [ADA, BOB] {
            let last = world.seen[end].events.last();
            assert_eq!(last, Some(&Event::Ended(End::Shutdown)), "ender {ender}, seed {seed}");
        }
        let closed = |event: &&Event| **event == Event::Closed(ada);
        assert_eq!(world.seen[ADA].events.iter().filter(closed).count(), 1);
    }
}

#[test]
fn what_is_queued_leaves_though_the_peer_cannot_reset_streams() {
    let plain =
        sctp::Config { interleaving: false, zero_checksum: false, ..sctp::Config::default() };
    let mut world = World::with(Link::default(), end(1, Role::Client), bare(&plain));
    let now = world.now;
    let (ours, mut theirs) = (world.ada.init_chunk(), world.bob.init_chunk());
    // Without extensions.
    theirs.truncate(20);
    theirs[2..4].copy_from_slice(&20_u16.to_be_bytes());
    world.ada.connect_with(now, &theirs).expect("an INIT");
    world.bob.connect_with(now, &ours).expect("an INIT");
    let channel = world.ada.open(now, Options::default()).expect("it may");
    world.ada.send(now, channel, Kind::Binary, vec![7; 50_000].into()).expect("it has room");
    world.ada.close(now, channel);
    world.run_for(5 * SECOND);
    assert!(world.saw(ADA, &Event::Closed(channel)));
    let got: Vec<usize> = world.seen[BOB].bare.iter().map(|one| one.payload.len()).collect();
    assert_eq!(got.last(), Some(&50_000));
}

#[test]
fn a_wish_to_close_overtakes_nothing_that_was_sent_before_it() {
    let mut world =
        World::with(Link::default(), end(1, Role::Client), bare(&sctp::Config::default()));
    world.connect();
    world.bare_send(1, 50, open("x"));
    world.run_for(SECOND);
    // The message is lost once; the wish that our side be reset is not.
    let mut lost = 0;
    world.lose = Some(Box::new(move |from, packet| {
        let data = from == BOB && packet[12] == kind::I_DATA;
        lost += u32::from(data);
        data && lost <= 2
    }));
    world.bare_send(1, 51, "before");
    world.run_for(SECOND / 100);
    let now = world.now;
    world.bob.request_reset(now, &[1]).expect("it may");
    world.bob.reset_streams(now, &[1]).expect("it may");
    world.run_for(10 * SECOND);
    let channel = world.incoming(ADA)[0];
    assert_eq!(world.seen[ADA].messages.len(), 1);
    assert!(world.saw(ADA, &Event::Closing(channel)) && world.saw(ADA, &Event::Closed(channel)));
    assert_eq!(world.ada.state(channel), None::<State>);
}

#[test]
fn the_end_of_a_channel_overtakes_no_message_of_any_kind() {
    for seed in 1..=24 {
        let link = Link { loss: seed % 6 * 40, rate: 500_000, seed, ..Link::default() };
        let interleaving = seed.is_multiple_of(2);
        let sctp = sctp::Config { interleaving, ..sctp::Config::default() };
        let mut world = World::with(link, end(1, Role::Client), bare(&sctp));
        world.connect();
        world.bare_send(1, 50, open("x"));
        world.run_for(2 * SECOND);
        let now = world.now;
        let lengths = [1, 3000, 40_000, 10, 1200, 9000];
        for (number, length) in lengths.into_iter().enumerate() {
            let unordered = (seed as usize + number).is_multiple_of(3);
            let options = SendOptions { unordered, reliability: Reliability::Reliable };
            world.bob.send(now, 1, 53, vec![0; length].into(), options).expect("it has room");
        }
        world.bob.reset_streams(now, &[1]).expect("it may");
        let closing = |world: &mut World<_>| {
            let closing = |event: &Event| matches!(event, Event::Closing(_));
            world.seen[ADA].events.iter().any(closing)
        };
        world.run_until(60 * SECOND, closing);
        let mut got: Vec<usize> =
            world.seen[ADA].messages.iter().map(|message| message.payload.len()).collect();
        got.sort_unstable();
        assert_eq!(got, [1, 10, 1200, 3000, 9000, 40_000], "seed {seed}");
        world.run_until(60 * SECOND, |world| world.ada.channels().next().is_none());
        assert_eq!(world.ada.counters().stray, 0, "seed {seed}");
    }
}

#[test]
fn nothing_is_opened_on_an_association_that_is_about_to_end() {
    for ours in [true, false] {
        let mut world = World::connected(Link::default());
        let [ada, bob] = world.open(Options::default());
        // What is not delivered puts the end off.
        world.send_from(ADA, ada, vec![1; 200_000]);
        world.send_from(BOB, bob, vec![2; 200_000]);
        let now = world.now;
        if ours {
            world.ada.shutdown(now);
        } else {
            world.bob.shutdown(now);
            world.run_until(SECOND, |world| !world.ada.association().is_established());
        }
        let now = world.now;
        assert_eq!(world.ada.open(now, Options::default()), Err(OpenError::Ended), "ours {ours}");
        world.run_for(5 * SECOND);
        assert!(world.saw(ADA, &Event::Ended(End::Shutdown)), "ours {ours}");
    }
}
