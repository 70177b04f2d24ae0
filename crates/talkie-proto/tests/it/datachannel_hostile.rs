//! What a peer may do with data channels that it should not, or that only old peers do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use talkie_proto::datachannel::dcep::Dcep;
use talkie_proto::datachannel::{Config, Event, Kind, OpenError, Options, Role, State};
use talkie_proto::sctp::wire::{Chunk, Packet, kind};
use talkie_proto::sctp::{self, Association};
use talkie_sansio::conformance::{Input, check};

use crate::datachannel_world::{ADA, BOB, Link, World, bare, channels, end, path};

const SECOND: Duration = Duration::from_secs(1);

/// Data channels of the client, and a peer that sends what it likes.
fn meeting() -> World<Association> {
    let mut world =
        World::with(Link::default(), end(1, Role::Client), bare(&sctp::Config::default()));
    world.connect();
    world
}

fn open(label: &str) -> Vec<u8> {
    Dcep::Open(Options { label: label.into(), ..Options::default() }).to_bytes()
}

#[test]
fn more_channels_than_are_allowed_are_refused() {
    let sctp = sctp::Config { message_most: 1 << 20, ..sctp::Config::default() };
    let config = Config { role: Some(Role::Client), channels_most: 10, sctp, ..Config::default() };
    let mut world =
        World::with(Link::default(), channels(1, config), bare(&sctp::Config::default()));
    world.connect();
    for stream in 0..40 {
        world.bare_send(2 * stream + 1, 50, open("x"));
    }
    world.run_for(5 * SECOND);
    assert_eq!((world.incoming(ADA).len(), world.ada.counters().refused), (10, 30));
    // Told by closing them.
    assert_eq!(world.seen[BOB].resets.len(), 30);
    // When one is closed, another may come.
    let now = world.now;
    world.bob.reset_streams(now, &[1, 79]).expect("it may");
    world.run_for(SECOND);
    world.bare_send(79, 50, open("y"));
    world.run_for(SECOND);
    assert_eq!(world.incoming(ADA).len(), 11);
}

#[test]
fn labels_are_bounded_together() {
    let mut world = meeting();
    for stream in 0..40 {
        world.bare_send(2 * stream + 1, 50, open(&"l".repeat(60_000)));
    }
    world.run_for(5 * SECOND);
    assert_eq!(world.incoming(ADA).len(), (1 << 20) / 60_000);
}

#[test]
fn the_peer_opens_no_streams_of_ours() {
    let mut world = meeting();
    world.bare_send(4, 50, open("x"));
    world.run_for(SECOND);
    assert!(world.incoming(ADA).is_empty());
    assert_eq!((world.ada.counters().refused, &world.seen[BOB].resets[..]), (1, &[4][..]));
}

#[test]
fn nonsense_is_dropped_and_counted() {
    let mut world = meeting();
    world.bare_send(1, 50, open("x"));
    // ACKs that nobody waits for, and what is neither that nor an OPEN.
    world.bare_send(1, 50, vec![2]);
    world.bare_send(3, 50, vec![2]);
    world.bare_send(5, 50, vec![9, 9, 9]);
    // Messages without a channel, one of which may yet come, and of an unknown kind.
    world.bare_send(7, 51, "kept");
    world.bare_send(7, 49, "stray");
    world.bare_send(1, 49, "stray");
    world.bare_send(1, 51, "at last");
    world.run_for(SECOND);
    let counters = world.ada.counters();
    assert_eq!((counters.unexpected, counters.stray, counters.refused), (3, 2, 0));
    assert_eq!(world.incoming(ADA).len(), 1);
    assert_eq!(world.seen[ADA].messages.len(), 1);
    assert_eq!(world.seen[ADA].messages[0].payload, "at last");
}

#[test]
fn a_broken_open_is_refused_by_closing() {
    let good = open("label");
    // An unknown type, a label that is longer than the message, and one that is no UTF-8.
    for (at, byte) in [(1, 3), (9, 200), (12, 0xff)] {
        let mut world = meeting();
        let mut bad = good.clone();
        bad[at] = byte;
        world.bare_send(5, 50, bad);
        world.run_for(SECOND);
        assert_eq!((world.incoming(ADA).len(), world.ada.counters().unexpected), (0, 1));
        assert_eq!(world.seen[BOB].resets, [5], "byte {at}");
        assert!(world.seen[BOB].bare.is_empty(), "and not acknowledged");
    }
}

#[test]
fn a_label_may_be_longer_than_messages_and_they_not_longer_than_agreed() {
    let sctp = sctp::Config { message_most: 1000, ..sctp::Config::default() };
    let config = Config { role: Some(Role::Client), sctp, ..Config::default() };
    let mut world =
        World::with(Link::default(), channels(1, config), bare(&sctp::Config::default()));
    world.connect();
    let label = "l".repeat(65_535);
    let options = Options { protocol: label.clone(), label, ..Options::default() };
    world.bare_send(1, 50, Dcep::Open(options.clone()).to_bytes());
    world.bare_send(1, 53, vec![0; 1000]);
    world.bare_send(1, 53, vec![0; 1001]);
    world.run_for(SECOND);
    let channel = world.incoming(ADA)[0];
    assert_eq!(world.ada.options(channel), Some(&options));
    assert_eq!(world.seen[ADA].messages.len(), 1);
    assert!(world.saw(ADA, &Event::Closing(channel)));
    assert_eq!(world.seen[BOB].resets, [1]);
}

#[test]
fn an_open_on_a_stream_in_use_closes_the_channel() {
    let mut world = meeting();
    world.bare_send(1, 50, open("x"));
    world.run_for(SECOND);
    let channel = world.incoming(ADA)[0];
    world.bare_send(1, 50, open("y"));
    world.run_for(SECOND);
    assert!(world.saw(ADA, &Event::Closing(channel)));
    assert_eq!((world.incoming(ADA).len(), &world.seen[BOB].resets[..]), (1, &[1][..]));
    // Acknowledged once.
    assert_eq!(world.seen[BOB].bare.len(), 1);
    // The stream can be used again when the peer's side is reset too.
    let now = world.now;
    world.bob.reset_streams(now, &[1]).expect("it may");
    world.run_for(SECOND);
    assert!(world.saw(ADA, &Event::Closed(channel)));
    world.bare_send(1, 50, open("z"));
    world.run_for(SECOND);
    assert_eq!(world.incoming(ADA).len(), 2);
}

/// Data channels and a peer that has other numbers of streams than ours, `outgoing` and `incoming` for it.
fn uneven(outgoing: u16, incoming: u16) -> World<Association> {
    let mut world =
        World::with(Link::default(), end(1, Role::Client), bare(&sctp::Config::default()));
    let now = world.now;
    let ours = world.ada.init_chunk();
    let mut theirs = world.bob.init_chunk();
    theirs[12..14].copy_from_slice(&outgoing.to_be_bytes());
    theirs[14..16].copy_from_slice(&incoming.to_be_bytes());
    world.ada.connect_with(now, &theirs).expect("an INIT");
    world.bob.connect_with(now, &ours).expect("an INIT");
    world
}

#[test]
fn a_channel_needs_a_stream_each_way() {
    for (outgoing, incoming) in [(3, 100), (100, 3)] {
        let mut world = uneven(outgoing, incoming);
        let now = world.now;
        let negotiated = |stream| Options { negotiated: Some(stream), ..Options::default() };
        assert_eq!(world.ada.open(now, negotiated(3)), Err(OpenError::NoStream));
        let opened = [(); 3].map(|()| world.ada.open(now, Options::default()));
        assert!(opened[1].is_ok() && opened[2] == Err(OpenError::NoStream));
    }
    // What the peer opens where we cannot answer is refused, and the peer is asked to close it.
    let mut world = uneven(100, 3);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    world.lose = Some(Box::new(move |from, packet| {
        let packet = Packet::parse(packet).expect("a packet");
        // An Incoming SSN Reset Request (RFC 6525 §4.2).
        let asks = |chunk: Chunk<'_>| chunk.kind == kind::RE_CONFIG && chunk.value[1] == 14;
        count.fetch_add(
            packet.chunks().filter(|chunk| from == ADA && asks(*chunk)).count(),
            Ordering::Relaxed,
        );
        false
    }));
    world.bare_send(5, 50, open("x"));
    world.run_for(SECOND);
    assert_eq!((world.incoming(ADA).len(), world.ada.counters().refused), (0, 1));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_peer_that_never_closes_its_side_keeps_a_stream_and_no_more() {
    let mut world = meeting();
    let now = world.now;
    let channel = world.ada.open(now, Options::default()).expect("it may");
    world.run_for(SECOND);
    let now = world.now;
    world.ada.close(now, channel);
    world.run_for(300 * SECOND);
    assert_eq!(world.ada.state(channel), Some(State::Closing));
    let now = world.now;
    let next = world.ada.open(now, Options::default()).expect("it may");
    assert_eq!((world.ada.stream(next), world.ada.state(next)), (Some(2), Some(State::Open)));
    world.bob.reset_streams(now, &[0]).expect("it may");
    world.run_for(SECOND);
    assert!(world.saw(ADA, &Event::Closed(channel)));
}

#[test]
fn a_peer_that_never_answers_a_reset_is_given_up() {
    let mut world = meeting();
    let now = world.now;
    let channel = world.ada.open(now, Options::default()).expect("it may");
    world.run_for(SECOND);
    world.lose = Some(Box::new(|from, packet| from == BOB && packet[12] == kind::RE_CONFIG));
    let now = world.now;
    world.ada.close(now, channel);
    world.run_for(SECOND);
    assert_eq!(world.ada.state(channel), Some(State::Closing));
    world.run_for(300 * SECOND);
    let last: Vec<_> = world.seen[ADA].events.iter().rev().take(2).cloned().collect();
    assert_eq!(last, [Event::Ended(sctp::End::Unreachable), Event::Closed(channel)]);
}

#[test]
fn text_that_is_none_can_be_read_all_the_same() {
    let mut world = meeting();
    world.bare_send(1, 50, open("x"));
    world.bare_send(1, 51, vec![b'a', 0xff, b'b']);
    world.bare_send(1, 53, vec![b'a', 0xff, b'b']);
    world.run_for(SECOND);
    let texts: Vec<_> = world.seen[ADA].messages.iter().map(|message| message.text()).collect();
    assert_eq!(texts, [Some("a\u{fffd}b".into()), None]);
}

#[test]
fn messages_in_the_old_kind_of_fragments_are_put_together_and_bounded() {
    let mut world = meeting();
    world.bare_send(1, 50, open("x"));
    for (part, last, kind) in [(54, 51, Kind::Text), (52, 53, Kind::Binary)] {
        world.bare_send(1, part, "one ");
        world.bare_send(1, part, "two ");
        world.bare_send(1, last, "three");
        world.run_for(SECOND);
        let got = world.seen[ADA].messages.pop().expect("a message");
        assert_eq!((got.kind, &got.payload[..]), (kind, &b"one two three"[..]));
    }
    for _ in 0..5 {
        world.bare_send(1, 52, vec![0; 60_000]);
    }
    world.run_for(SECOND);
    assert!(world.seen[ADA].messages.is_empty());
    // The channel is closed for it.
    assert_eq!(world.seen[BOB].resets, [1]);
    // So is one whose last fragment is too much.
    world.bare_send(3, 50, open("x"));
    for _ in 0..4 {
        world.bare_send(3, 52, vec![0; 60_000]);
    }
    world.bare_send(3, 53, vec![0; 60_000]);
    world.run_for(SECOND);
    assert!(world.seen[ADA].messages.is_empty());
    assert_eq!(world.seen[BOB].resets, [1, 3]);
}

#[test]
fn a_peer_that_opens_and_closes_without_end_costs_nothing() {
    let mut world = meeting();
    for _ in 0..300 {
        let now = world.now;
        world.bare_send(1, 50, open("x"));
        world.bob.reset_streams(now, &[1]).expect("it may");
        world.run_for(SECOND);
    }
    assert_eq!(world.incoming(ADA).len(), 300);
    assert_eq!(world.ada.channels().count(), 0);
    let closed = |event: &&Event| matches!(event, Event::Closed(_));
    assert_eq!(world.seen[ADA].events.iter().filter(closed).count(), 300);
}

#[test]
fn a_peer_that_cannot_reset_has_its_channels_closed_all_the_same() {
    // Only an INIT without extensions, from signaling.
    let mut world =
        World::with(Link::default(), end(1, Role::Client), bare(&sctp::Config::default()));
    let now = world.now;
    let mut init = world.bob.init_chunk();
    init.truncate(20);
    init[2..4].copy_from_slice(&20_u16.to_be_bytes());
    world.ada.connect_with(now, &init).expect("an INIT");
    let channel = world.ada.open(now, Options::default()).expect("it may");
    world.ada.close(now, channel);
    let next = world.ada.open(now, Options::default()).expect("it may");
    assert_eq!((world.ada.stream(channel), world.ada.stream(next)), (None, Some(2)));
}

#[test]
fn the_machine_keeps_its_contract() {
    let mut script = vec![Input::Elapse(SECOND)];
    for byte in 0..=255 {
        script.push(Input::Datagram(path(), vec![byte; 40]));
    }
    script.push(Input::Elapse(60 * SECOND));
    let make = |genesis| {
        let config = Config { role: Some(Role::Client), ..Config::default() };
        let mut channels = talkie_proto::datachannel::DataChannels::new(&genesis, path(), config);
        channels.open(genesis.now, Options::default()).expect("it may");
        channels.connect(genesis.now).expect("it has not begun");
        channels
    };
    check(make, || (), &script, 64);
}
