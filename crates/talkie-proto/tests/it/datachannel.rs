//! Data channels between two ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use talkie_proto::datachannel::{
    Config, Event, Kind, OpenError, Options, Priority, Role, SendError, State,
};
use talkie_proto::sctp::wire::{Chunk, Packet, kind};
use talkie_proto::sctp::{self, End, Reliability};

use crate::datachannel_world::{ADA, BOB, Link, World, bare, channels, end};

fn named(label: &str) -> Options {
    Options { label: label.into(), ..Options::default() }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_peer_learns_what_a_channel_is_like() {
    let mut world = World::connected(Link::default());
    let wished = [
        Options { protocol: "chat".into(), ..named("reliable") },
        Options { ordered: false, reliability: Reliability::Retransmits(3), ..named("größe") },
        Options {
            reliability: Reliability::Lifetime(Duration::from_millis(1500)),
            priority: Priority::EXTRA_HIGH,
            ..named("")
        },
        Options { label: "l".repeat(65_535), protocol: "p".repeat(65_535), ..named("") },
    ];
    for (number, options) in wished.into_iter().enumerate() {
        let [ada, bob] = world.open(options.clone());
        assert_eq!(world.bob.options(bob), Some(&options));
        // The client's streams are even.
        assert_eq!(world.ada.stream(ada), Some(2 * number as u16));
        assert_eq!(world.bob.stream(bob), world.ada.stream(ada));
        assert!(world.saw(ADA, &Event::Open(ada)));
    }
    let now = world.now;
    let theirs = world.bob.open(now, named("from the server")).expect("it may");
    assert_eq!(world.bob.stream(theirs), Some(1));
    let long = named(&"l".repeat(65_536));
    assert_eq!(world.ada.open(now, long), Err(OpenError::TooLong));
}

#[test]
fn messages_are_text_or_bytes_and_may_be_empty() {
    let mut world = World::connected(Link::default());
    let [ada, bob] = world.open(named("x"));
    let now = world.now;
    let sent = [
        (Kind::Text, Bytes::from_static(b"hello")),
        (Kind::Binary, Bytes::from_static(&[0])),
        (Kind::Text, Bytes::new()),
        (Kind::Binary, Bytes::new()),
        (Kind::Binary, Bytes::from(vec![7; 256 << 10])),
    ];
    for (kind, payload) in sent.clone() {
        world.ada.send(now, ada, kind, payload).expect("it has room");
    }
    world.run_for(5 * SECOND);
    let got: Vec<_> = world.seen[BOB]
        .messages
        .iter()
        .inspect(|message| assert_eq!(message.channel, bob))
        .map(|message| (message.kind, message.payload.clone()))
        .collect();
    assert!(got == sent);
}

#[test]
fn a_message_goes_with_the_first_packet_that_can_carry_it() {
    let mut world = World::new(Link::default());
    let now = world.now;
    let channel = world.ada.open(now, named("early")).expect("it may");
    assert_eq!(world.ada.state(channel), Some(State::Connecting));
    world.send_from(ADA, channel, "early");
    world.ada.connect(now).expect("it has not begun");
    world.run_until(SECOND, |world| !world.seen[BOB].messages.is_empty());
    // INIT, INIT ACK, and the cookie with everything.
    assert_eq!(world.now - now, 3 * Duration::from_millis(20));
}

#[test]
fn channels_get_their_streams_when_the_role_is_known() {
    let mut world = World::with(
        Link::default(),
        channels(1, Config::default()),
        channels(2, Config::default()),
    );
    let now = world.now;
    let first = world.ada.open(now, named("first")).expect("it may");
    let second = world.ada.open(now, named("second")).expect("it may");
    assert_eq!(world.ada.send(now, first, Kind::Text, "x".into()), Err(SendError::NotReady));
    world.connect();
    let now = world.now;
    world.ada.set_role(now, Role::Server);
    world.bob.set_role(now, Role::Client);
    assert_eq!([first, second].map(|id| world.ada.stream(id)), [Some(1), Some(3)]);
    world.run_for(SECOND);
    assert!(world.saw(ADA, &Event::Open(first)) && world.incoming(BOB).len() == 2);
}

#[test]
fn a_negotiated_channel_needs_nothing_on_the_wire() {
    let mut world = World::new(Link::default());
    let now = world.now;
    let options = Options { negotiated: Some(501), ..named("agreed") };
    let ada = world.ada.open(now, options.clone()).expect("it may");
    let bob = world.bob.open(now, options.clone()).expect("it may");
    assert_eq!(world.ada.open(now, options), Err(OpenError::Taken));
    let beyond = Options { negotiated: Some(65_535), ..named("") };
    assert_eq!(world.ada.open(now, beyond), Err(OpenError::NoStream));
    world.connect();
    world.run_for(SECOND);
    assert!(world.saw(ADA, &Event::Open(ada)) && world.saw(BOB, &Event::Open(bob)));
    world.send_from(BOB, bob, "hello");
    world.run_for(SECOND);
    assert_eq!(world.seen[ADA].messages[0].channel, ada);
    world.close(ADA, ada);
    world.run_for(SECOND);
    assert!(world.saw(ADA, &Event::Closed(ada)) && world.saw(BOB, &Event::Closed(bob)));
}

#[test]
fn nothing_overtakes_what_opens_a_channel() {
    let config = sctp::Config::default();
    let mut world = World::with(Link::default(), end(1, Role::Client), bare(&config));
    world.connect();
    let unordered = Options { ordered: false, ..named("unordered") };
    let now = world.now;
    let channel = world.ada.open(now, unordered).expect("it may");
    world.ada.send(now, channel, Kind::Text, "early".into()).expect("it has room");
    world.run_for(SECOND);
    // The acknowledgment.
    world.bare_send(0, 50, vec![2]);
    world.run_for(SECOND);
    let now = world.now;
    world.ada.send(now, channel, Kind::Text, "late".into()).expect("it has room");
    world.run_for(SECOND);
    let got: Vec<_> =
        world.seen[BOB].bare.iter().map(|message| (message.ppid, message.unordered)).collect();
    assert_eq!(got, [(50, false), (51, false), (51, true)]);
}

#[test]
fn whatever_comes_on_a_channel_tells_that_it_is_there() {
    let mut world =
        World::with(Link::default(), end(1, Role::Client), bare(&sctp::Config::default()));
    world.connect();
    let now = world.now;
    let channel = world.ada.open(now, Options { ordered: false, ..named("x") }).expect("it may");
    world.run_for(SECOND);
    // No acknowledgment, but a message.
    world.bare_send(0, 51, "hello");
    world.run_for(SECOND);
    let now = world.now;
    world.ada.send(now, channel, Kind::Text, "late".into()).expect("it has room");
    world.run_for(SECOND);
    assert!(world.seen[BOB].bare.last().expect("it came").unordered);
}

#[test]
fn streams_come_to_an_end_and_are_used_again() {
    let end = |number: u8, role| {
        let sctp = sctp::Config { streams: 100, ..sctp::Config::default() };
        channels(number, Config { role: Some(role), sctp, ..Config::default() })
    };
    let mut world = World::with(Link::default(), end(1, Role::Client), end(2, Role::Server));
    world.connect();
    let opened: Vec<_> = (0..50).map(|_| world.ada.open(world.now, named("x"))).collect();
    let opened: Vec<_> = opened.into_iter().map(|id| id.expect("there are so many")).collect();
    assert_eq!(world.ada.open(world.now, named("x")), Err(OpenError::NoStream));
    // The server has others.
    assert!(world.bob.open(world.now, named("x")).is_ok());
    world.close(ADA, opened[17]);
    world.run_for(SECOND);
    let again = world.ada.open(world.now, named("x")).expect("one is free");
    assert_eq!(world.ada.stream(again), Some(34));
    world.send_from(ADA, again, "hello");
    world.run_for(SECOND);
    assert_eq!(world.seen[BOB].messages.len(), 1);
}

/// Ends with so few streams that they have to be used again.
fn narrow(link: Link) -> World {
    let end = |number: u8, role| {
        let sctp = sctp::Config { streams: 2, ..sctp::Config::default() };
        channels(number, Config { role: Some(role), sctp, ..Config::default() })
    };
    let mut world = World::with(link, end(1, Role::Client), end(2, Role::Server));
    world.connect();
    world
}

#[test]
fn closing_delivers_what_is_queued_and_frees_the_stream() {
    for seed in 1..=6 {
        let mut world = narrow(Link { loss: seed * 30, seed, ..Link::default() });
        for round in 0..8_usize {
            let [ada, bob] = world.open(named("again"));
            assert_eq!(world.ada.stream(ada), Some(0), "seed {seed}, round {round}");
            let (closer, channel) = if round % 2 == 0 { (ADA, ada) } else { (BOB, bob) };
            world.send_from(closer, channel, vec![round as u8; 20_000]);
            world.close(closer, channel);
            let refused = world.now;
            if closer == ADA {
                let sent = world.ada.send(refused, ada, Kind::Text, "late".into());
                assert_eq!(sent, Err(SendError::Closed));
            }
            world.run_until(120 * SECOND, |world| world.saw(ADA, &Event::Closed(ada)));
            let other = 1 - closer;
            let got = world.seen[other].messages.last().expect("it was sent");
            assert_eq!((got.payload.len(), got.payload[0]), (20_000, round as u8));
            let told = if closer == ADA { Event::Closing(bob) } else { Event::Closing(ada) };
            assert!(world.saw(other, &told), "seed {seed}, round {round}");
        }
        world.run_for(60 * SECOND);
        assert_eq!(world.ada.channels().count() + world.bob.channels().count(), 0);
        let closed = |event: &&Event| matches!(event, Event::Closed(_));
        assert_eq!(world.seen[BOB].events.iter().filter(closed).count(), 8);
    }
}

#[test]
fn both_may_close_at_once() {
    let mut world = World::connected(Link::default());
    let [ada, bob] = world.open(named("x"));
    world.close(ADA, ada);
    world.close(BOB, bob);
    world.run_for(SECOND);
    assert!(world.saw(ADA, &Event::Closed(ada)) && world.saw(BOB, &Event::Closed(bob)));
    assert!(!world.saw(ADA, &Event::Closing(ada)));
}

#[test]
fn many_channels_close_together() {
    let mut world = World::connected(Link { loss: 50, seed: 3, ..Link::default() });
    let opened: Vec<_> = (0..300)
        .map(|_| {
            let now = world.now;
            world.ada.open(now, named("one of many")).expect("it may")
        })
        .collect();
    world.run_until(60 * SECOND, |world| world.incoming(BOB).len() == 300);
    for channel in opened {
        world.close(ADA, channel);
    }
    world.run_until(60 * SECOND, |world| world.ada.channels().count() == 0);
    world.run_for(10 * SECOND);
    assert_eq!(world.bob.channels().count(), 0);
}

#[test]
fn the_buffered_amount_counts_the_applications_bytes_and_falls() {
    let mut world = World::new(Link { rate: 1_000_000, ..Link::default() });
    let now = world.now;
    let channel = world.ada.open(now, named("a label that counts for nothing")).expect("it may");
    assert_eq!(world.ada.buffered_amount(channel), 0);
    world.send_from(ADA, channel, vec![0; 100_000]);
    world.send_from(ADA, channel, vec![0; 100_000]);
    assert_eq!(world.ada.buffered_amount(channel), 200_000);
    world.ada.set_buffered_amount_low(channel, 50_000);
    world.connect();
    let low = Event::BufferedAmountLow(channel);
    world.run_until(10 * SECOND, |world| world.saw(ADA, &low));
    assert_eq!(world.ada.buffered_amount_low(channel), Some(50_000));
    let left = world.ada.buffered_amount(channel);
    assert!((30_000..=50_000).contains(&left), "{left}");
    world.run_for(5 * SECOND);
    assert_eq!(world.ada.buffered_amount(channel), 0);
    // Told once for each time that it falls.
    let told = |world: &World| world.seen[ADA].events.iter().filter(|event| **event == low).count();
    assert_eq!(told(&world), 1);
    world.send_from(ADA, channel, vec![0; 60_000]);
    world.run_for(5 * SECOND);
    assert_eq!(told(&world), 2);
}

#[test]
fn empty_messages_count_for_nothing_in_the_buffered_amount() {
    let mut world = World::new(Link { rate: 10_000, ..Link::default() });
    let channel = world.ada.open(world.now, named("label")).expect("it may");
    let now = world.now;
    let mut sum = 0;
    for length in [0, 5000, 0, 0, 5000, 0] {
        let payload = vec![1; length].into();
        world.ada.send(now, channel, Kind::Binary, payload).expect("it has room");
        sum += length;
        assert_eq!(world.ada.buffered_amount(channel), sum);
    }
    world.connect();
    world.run_until(10 * SECOND, |world| {
        let left = world.ada.buffered_amount(channel);
        let waiting = world.ada.association().buffered();
        // One byte each, as long as they are there.
        assert!(waiting - left <= 4 + 12 + 5, "{left} of {waiting}");
        left == 0
    });
    world.run_for(5 * SECOND);
    let low = Event::BufferedAmountLow(channel);
    assert_eq!(world.seen[ADA].events.iter().filter(|event| **event == low).count(), 1);
    assert_eq!(world.seen[BOB].messages.len(), 6);
}

#[test]
fn messages_of_any_length_share_by_priority() {
    let mut world = World::connected(Link { rate: 1_000_000, ..Link::default() });
    let wished = [
        (Priority::BELOW_NORMAL, 500),
        (Priority::NORMAL, 100_000),
        (Priority::HIGH, 3000),
        (Priority::EXTRA_HIGH, 20_000),
    ];
    let opened = wished.map(|(priority, length)| {
        let [ada, bob] = world.open(Options { priority, ..named("x") });
        (ada, bob, f64::from(priority.0), length)
    });
    for (ada, _, _, length) in opened {
        for _ in 0..3_000_000 / length {
            world.send_from(ADA, ada, vec![0; length]);
        }
    }
    world.run_for(3 * SECOND);
    let bytes = |of| {
        let messages = world.seen[BOB].messages.iter().filter(|message| message.channel == of);
        messages.map(|message| message.payload.len()).sum::<usize>() as f64
    };
    let all: f64 = opened.iter().map(|(_, bob, ..)| bytes(*bob)).sum();
    assert!(all > 2e6, "{all}");
    for (_, bob, weight, length) in opened {
        let (share, fair) = (bytes(bob) / all, weight / 1920.0);
        // A long message counts when it has come to its end.
        let slack = 0.05 * fair + 2.0 * length as f64 / all;
        assert!((share - fair).abs() < slack, "{share:.3} for {fair:.3}");
    }
}

#[test]
fn a_loss_on_one_channel_holds_up_no_other() {
    let mut world = World::connected(Link::default());
    let [one, _] = world.open(named("one"));
    let [two, bob] = world.open(named("two"));
    let mut lost = 0;
    world.lose = Some(Box::new(move |from, packet| {
        // The first time that data leaves, and again.
        let data = from == ADA && packet[12] == kind::I_DATA && packet[21] == 0;
        lost += u32::from(data);
        data && lost <= 2
    }));
    world.send_from(ADA, one, "held up");
    world.run_for(Duration::from_millis(1));
    world.send_from(ADA, one, "behind it");
    world.run_for(Duration::from_millis(1));
    world.send_from(ADA, two, "not held up");
    world.run_for(Duration::from_millis(30));
    let got: Vec<_> = world.seen[BOB].messages.iter().map(|message| message.channel).collect();
    assert_eq!(got, [bob]);
    world.run_for(5 * SECOND);
    let got: Vec<_> = world.seen[BOB].messages.iter().map(|one| one.payload.clone()).collect();
    assert_eq!(got, ["not held up", "held up", "behind it"]);
}

#[test]
fn priorities_are_shares() {
    let mut world = World::connected(Link { rate: 1_000_000, ..Link::default() });
    let [high, _] = world.open(Options { priority: Priority::EXTRA_HIGH, ..named("high") });
    let [low, bob] = world.open(Options { priority: Priority::NORMAL, ..named("low") });
    for _ in 0..100 {
        world.send_from(ADA, high, vec![1; 16_000]);
        world.send_from(ADA, low, vec![2; 16_000]);
    }
    world.run_until(60 * SECOND, |world| world.seen[BOB].messages.len() == 100);
    let low = world.seen[BOB].messages.iter().filter(|message| message.channel == bob).count();
    assert!((17..=23).contains(&low), "{low} of 100");
}

#[test]
fn messages_are_no_longer_than_the_peer_takes() {
    let take = |message_most: usize| {
        let sctp = sctp::Config { message_most, ..sctp::Config::default() };
        Config { role: Some(Role::Server), sctp, ..Config::default() }
    };
    let mut world =
        World::with(Link::default(), end(1, Role::Client), channels(2, take(usize::MAX)));
    world.connect();
    let [ada, _] = world.open(named("x"));
    let now = world.now;
    let send = |world: &mut World, length: usize| {
        world.ada.send(now, ada, Kind::Binary, vec![5; length].into())
    };
    assert_eq!(send(&mut world, (256 << 10) + 1), Err(SendError::TooLong));
    world.ada.set_peer_message_most(None);
    assert_eq!(send(&mut world, (64 << 10) + 1), Err(SendError::TooLong));
    world.ada.set_peer_message_most(Some(1000));
    assert_eq!(send(&mut world, 1001), Err(SendError::TooLong));
    world.ada.set_peer_message_most(Some(0));
    assert_eq!(send(&mut world, 20 << 20), Ok(()));
    assert_eq!(send(&mut world, 1), Err(SendError::Full));
    world.run_until(60 * SECOND, |world| !world.seen[BOB].messages.is_empty());
    assert_eq!(world.seen[BOB].messages[0].payload.len(), 20 << 20);
}

#[test]
fn what_is_not_fetched_holds_the_peer_back() {
    let mut world = World::connected(Link::default());
    let [ada, _] = world.open(named("x"));
    for _ in 0..60 {
        world.send_from(ADA, ada, vec![0; 200_000]);
    }
    // A peer that does not read: what it would fetch is left lying.
    let mut silent =
        World::with(Link::default(), end(1, Role::Client), Silent(end(2, Role::Server)));
    silent.connect();
    let now = silent.now;
    let channel = silent.ada.open(now, named("x")).expect("it may");
    for _ in 0..60 {
        let payload = vec![0; 200_000].into();
        silent.ada.send(now, channel, Kind::Binary, payload).expect("it has room");
    }
    world.run_for(20 * SECOND);
    silent.run_for(20 * SECOND);
    assert_eq!(world.ada.buffered_amount(ada), 0);
    let left = silent.ada.buffered_amount(channel);
    assert!(left > 10_000_000, "{left}");
}

/// An end whose messages nobody fetches.
pub(crate) struct Silent(pub(crate) talkie_proto::datachannel::DataChannels);

impl talkie_sansio::Machine for Silent {
    type Event = Event;

    fn handle_datagram(&mut self, now: std::time::Instant, datagram: talkie_sansio::Datagram<'_>) {
        self.0.handle_datagram(now, datagram);
    }

    fn handle_timeout(&mut self, now: std::time::Instant) {
        self.0.handle_timeout(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<talkie_sansio::Transmit> {
        self.0.poll_transmit(buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.0.poll_event()
    }

    fn poll_timeout(&self) -> Option<std::time::Instant> {
        self.0.poll_timeout()
    }
}

impl crate::datachannel_world::End for Silent {
    fn take(&mut self, seen: &mut crate::datachannel_world::Seen) -> bool {
        use talkie_sansio::Machine as _;
        let event = self.0.poll_event();
        let any = event.is_some();
        seen.events.extend(event);
        any
    }
}

#[test]
fn the_end_of_the_association_closes_all_channels() {
    let mut world = World::connected(Link::default());
    let [ada, bob] = world.open(named("x"));
    let now = world.now;
    world.ada.shutdown(now);
    world.run_for(SECOND);
    for (end, channel) in [(ADA, ada), (BOB, bob)] {
        let last: Vec<_> = world.seen[end].events.iter().rev().take(2).cloned().collect();
        assert_eq!(last, [Event::Ended(End::Shutdown), Event::Closed(channel)]);
    }
    let now = world.now;
    assert_eq!(world.ada.open(now, named("late")), Err(OpenError::Ended));
    assert_eq!(world.ada.send(now, ada, Kind::Text, "late".into()), Err(SendError::Closed));
}

#[test]
fn a_stream_may_be_used_again_before_the_peer_has_heard_the_last_answer() {
    let mut world = narrow(Link::default());
    let [ada, _] = world.open(named("first"));
    // Ada's answers to Bob's reset.
    let mut lost = 0;
    world.lose = Some(Box::new(move |from, packet| {
        let answer = from == ADA && packet[12] == 130 && packet[17] == 16;
        lost += u32::from(answer);
        answer && lost <= 2
    }));
    world.close(ADA, ada);
    world.run_until(SECOND, |world| world.saw(ADA, &Event::Closed(ada)));
    let [ada, bob] = world.open(named("second"));
    world.run_for(10 * SECOND);
    assert_eq!(world.ada.state(ada), Some(State::Open));
    assert_eq!(world.bob.state(bob), Some(State::Open));
    world.send_from(BOB, bob, "hello");
    world.run_for(SECOND);
    assert_eq!(world.seen[ADA].messages.len(), 1);
}

#[test]
fn what_a_peer_that_has_closed_would_not_take_is_not_sent() {
    let mut world = World::connected(Link { rate: 100_000, ..Link::default() });
    let [ada, bob] = world.open(named("x"));
    for _ in 0..40 {
        world.send_from(ADA, ada, vec![0; 50_000]);
    }
    world.run_for(SECOND / 10);
    world.close(BOB, bob);
    world.run_until(5 * SECOND, |world| world.saw(ADA, &Event::Closed(ada)));
}

#[test]
fn channels_for_which_the_peer_has_no_streams_are_closed() {
    let sctp = sctp::Config { streams: 3, ..sctp::Config::default() };
    let few = Config { role: Some(Role::Server), sctp, ..Config::default() };
    let mut world = World::with(Link::default(), end(1, Role::Client), channels(2, few));
    let now = world.now;
    let opened = [(); 3].map(|()| world.ada.open(now, named("x")).expect("it may"));
    world.send_from(ADA, opened[2], vec![0; 10_000]);
    // An I-DATA chunk of the stream behind the cookie, or alone.
    let strays = Arc::new(AtomicUsize::new(0));
    let count = strays.clone();
    world.lose = Some(Box::new(move |_, packet| {
        let packet = Packet::parse(packet).expect("a packet");
        let of_it = |chunk: Chunk<'_>| chunk.kind == kind::I_DATA && chunk.value[5] == 4;
        count.fetch_add(packet.chunks().filter(|chunk| of_it(*chunk)).count(), Ordering::Relaxed);
        false
    }));
    world.connect();
    world.run_for(SECOND);
    assert_eq!(world.incoming(BOB).len(), 2);
    assert!(world.saw(ADA, &Event::Closed(opened[2])));
    assert_eq!(world.ada.open(world.now, named("x")), Err(OpenError::NoStream));
    assert_eq!(strays.load(Ordering::Relaxed), 0);
}

#[test]
fn what_an_event_tells_comes_before_the_messages_after_it() {
    let mut silent =
        World::with(Link::default(), end(1, Role::Client), Silent(end(2, Role::Server)));
    silent.connect();
    let now = silent.now;
    let channel = silent.ada.open(now, named("x")).expect("it may");
    silent.ada.send(now, channel, Kind::Text, "x".into()).expect("it has room");
    silent.ada.close(now, channel);
    silent.run_for(SECOND);
    // Opened; the message is there, and the end of the channel behind it.
    let closing = |event: &Event| matches!(event, Event::Closing(_));
    assert!(silent.seen[BOB].events.contains(&Event::Readable));
    assert!(!silent.seen[BOB].events.iter().any(closing));
    assert!(silent.bob.0.take_message().is_some());
    silent.run_for(SECOND);
    assert!(silent.seen[BOB].events.iter().any(closing));
    assert!(silent.saw(ADA, &Event::Closed(channel)));
}

#[test]
fn a_peer_that_begins_anew_closes_all_channels() {
    let mut world = World::connected(Link::default());
    let [_, bob] = world.open(named("x"));
    world.ada = end(7, Role::Client);
    world.connect();
    world.run_for(SECOND);
    assert!(world.saw(BOB, &Event::Closed(bob)));
    let [ada, _] = world.open(named("again"));
    assert_eq!(world.ada.stream(ada), Some(0));
}

#[test]
fn what_is_learnt_of_the_path_reaches_the_association() {
    let mut world = World::connected(Link::default());
    world.open(named("x"));
    let length = |world: &World| world.ada.association().packet_size();
    world.run_for(40 * SECOND);
    let first = length(&world);
    // Only a path that drops what is too long is asked for more.
    let now = world.now;
    world.ada.handle_path_change(now, true, 4000);
    world.run_for(40 * SECOND);
    assert!(first == 1188 && length(&world) > 3900, "{first}, {}", length(&world));
    world.ada.handle_too_long(world.now, 1300);
    assert!((1188..=1300).contains(&length(&world)), "{}", length(&world));
}
