//! What a peer or somebody else may send that it should not.

use std::time::Duration;

use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::forward::{Forward, Skipped};
use talkie_proto::sctp::wire::reconfig::{Outcome, Reconfig, Streams};
use talkie_proto::sctp::wire::{Data, Header, IData, Init, Packet, Parameters, Sack, Writer, kind};
use talkie_proto::sctp::{Config, End, Event};
use talkie_sansio::conformance::{Input, check};
use talkie_sansio::{Path, Transport};

use crate::sctp_world::{ADA, BOB, Link, World, association};

/// A packet with one chunk.
pub(crate) fn packet(tag: u32, kind: u8, flags: u8, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut buf = Vec::new();
    let header = Header { source: 5000, destination: 5000, tag };
    let mut writer = Writer::new(&mut buf, header);
    writer.chunk(kind, flags, write);
    writer.finish(true);
    buf
}

/// Connected, with the tags and next TSNs of both ends.
pub(crate) struct Known {
    pub(crate) world: World,
    pub(crate) tags: [u32; 2],
    pub(crate) tsns: [Tsn; 2],
}

pub(crate) fn known() -> Known {
    known_with(&Config::default())
}

pub(crate) fn known_with(config: &Config) -> Known {
    let mut world = World::with(Link::default(), config, config);
    world.sent = Some(vec![]);
    world.connect();
    let sent = world.sent.take().expect("recorded");
    let of = |end: usize, kind: u8| {
        let (_, packet) = sent
            .iter()
            .find(|(from, packet)| *from == end && packet[12] == kind)
            .expect("it was sent");
        let chunk = Packet::parse(packet).expect("a packet").chunks().next().expect("a chunk");
        let init = Init::parse(&chunk).expect("an INIT");
        (init.tag, init.tsn)
    };
    let (ada, bob) = (of(ADA, kind::INIT), of(BOB, kind::INIT_ACK));
    Known { world, tags: [ada.0, bob.0], tsns: [ada.1, bob.1] }
}

fn data(tag: u32, tsn: Tsn, flags: u8, payload: &[u8]) -> Vec<u8> {
    let data = IData { flags, tsn, stream: 0, mid: 0, fsn: 0, ppid: 51, payload };
    packet(tag, kind::I_DATA, flags, |buf| data.write(buf))
}

pub(crate) fn ended(world: &World, end: usize) -> Option<End> {
    world.events[end].iter().find_map(|event| match event {
        Event::Ended(end) => Some(*end),
        _ => None,
    })
}

#[test]
fn wrong_tags_change_nothing() {
    let Known { mut world, tags, tsns } = known();
    for kind in [kind::ABORT, kind::SHUTDOWN_COMPLETE, kind::SHUTDOWN, kind::SHUTDOWN_ACK] {
        for flags in [0, 1] {
            world.inject(BOB, &packet(tags[BOB] ^ 1, kind, flags, |_| {}));
        }
    }
    world.inject(BOB, &data(tags[BOB] ^ 1, tsns[ADA], 3, b"forged"));
    assert_eq!(world.ends[BOB].counters().wrong_tag, 9);
    world.send(ADA, 0, "genuine");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.received[BOB][0].payload, "genuine");
}

#[test]
fn forged_cookies_begin_nothing() {
    let mut world = World::new(Link::default());
    world.sent = Some(vec![]);
    world.lose = Some(Box::new(|from, packet| from == ADA && packet[12] == kind::COOKIE_ECHO));
    let now = world.now;
    world.ends[ADA].connect(now).expect("it has not begun");
    world.run_for(Duration::from_millis(100));
    let sent = world.sent.take().expect("recorded");
    let echo = sent.iter().find(|(_, packet)| packet[12] == kind::COOKIE_ECHO).expect("a cookie");
    let chunk = Packet::parse(&echo.1).expect("a packet").chunks().next().expect("a chunk");
    let tag = Packet::parse(&echo.1).expect("a packet").header.tag;
    for at in 0..chunk.value.len() {
        let mut cookie = chunk.value.to_vec();
        cookie[at] ^= 0x10;
        world.inject(BOB, &packet(tag, kind::COOKIE_ECHO, 0, |buf| buf.extend_from_slice(&cookie)));
    }
    assert!(!world.ends[BOB].is_established());
    assert_eq!(world.ends[BOB].counters().bad_cookies, chunk.value.len() as u64);
    let cookie = chunk.value.to_vec();
    world.inject(BOB, &packet(tag, kind::COOKIE_ECHO, 0, |buf| buf.extend_from_slice(&cookie)));
    assert!(world.ends[BOB].is_established());
}

#[test]
fn a_flood_of_inits_leaves_no_state_and_is_answered_in_bounds() {
    let mut bob = association(2, &Config::default());
    let now = World::new(Link::default()).now;
    use talkie_sansio::{Datagram, Machine as _};
    let path = Path {
        transport: Transport::Udp,
        local: ([192, 0, 2, 1], 1).into(),
        remote: ([192, 0, 2, 2], 2).into(),
    };
    for tag in 1..10_000 {
        let parameters = Parameters::new(&[]);
        let init = Init { tag, window: 1500, outbound: 1, inbound: 1, tsn: Tsn(tag), parameters };
        let mut init = packet(0, kind::INIT, 0, |buf| init.write(buf));
        bob.handle_datagram(now, Datagram { path, payload: &mut init });
    }
    let mut buf = Vec::new();
    let mut answers = 0;
    while bob.poll_transmit(&mut buf).is_some() {
        answers += 1;
    }
    assert_eq!(answers, 16);
    assert_eq!(bob.poll_timeout(), None);
    assert_eq!(bob.poll_event(), None);
}

#[test]
fn acknowledging_what_was_never_sent_ends_it() {
    for gap in [false, true] {
        let Known { mut world, tags, tsns } = known();
        let last = Tsn(tsns[ADA].0.wrapping_sub(1));
        let (cumulative, gaps) = if gap { (last, vec![(2, 9)]) } else { (last.plus(5), vec![]) };
        let sack = packet(tags[ADA], kind::SACK, 0, |buf| {
            Sack::write(buf, cumulative, 100_000, &gaps, &[]);
        });
        world.inject(ADA, &sack);
        assert_eq!(ended(&world, ADA), Some(End::Violation));
    }
}

#[test]
fn data_beyond_the_window_or_reach_is_not_held() {
    let Known { mut world, tags, tsns } = known();
    world.reads[BOB] = false;
    let mut give = |ahead: u32, byte: u8| {
        let (tsn, payload) = (tsns[ADA].plus(ahead), &[byte; 1000][..]);
        let data = IData { flags: 7, tsn, stream: 0, mid: ahead, fsn: 0, ppid: 51, payload };
        world.inject(BOB, &packet(tags[BOB], kind::I_DATA, 7, |buf| data.write(buf)));
    };
    // A SACK's blocks reach 65,535 beyond what comes before the first.
    give(65_535, b'b');
    give(65_534, b'w');
    // Behind a hole: 1 MiB is the window.
    (1..3000).for_each(|ahead| give(ahead, b'd'));
    world.reads[BOB] = true;
    world.drain();
    let got = |byte: u8| {
        let of_them = world.received[BOB].iter().filter(|message| message.payload[0] == byte);
        of_them.count()
    };
    assert_eq!((got(b'b'), got(b'w')), (0, 1), "beyond the reach, and within");
    // What they take beside their bytes goes beyond the window.
    assert_eq!(got(b'd'), (1 << 20) / 1000 - 1);
    assert_eq!(ended(&world, BOB), None);
}

#[test]
fn a_message_without_end_ends_the_association() {
    let config = Config { message_most: 10_000, interleaving: false, ..Config::default() };
    let mut world = World::with(Link::default(), &Config::default(), &config);
    world.connect();
    world.send(ADA, 0, vec![0; 10_000]);
    world.run_for(Duration::from_secs(1));
    assert_eq!((world.received[BOB].len(), ended(&world, BOB)), (1, None));
    world.send(ADA, 0, vec![0; 10_001]);
    world.run_for(Duration::from_secs(1));
    assert_eq!(ended(&world, BOB), Some(End::Violation));
}

#[test]
fn data_of_the_kind_that_was_not_agreed_or_empty_ends_it() {
    let Known { mut world, tags, tsns } = known();
    let data = Data { flags: 3, tsn: tsns[ADA], stream: 0, ssn: 0, ppid: 51, payload: b"x" };
    world.inject(BOB, &packet(tags[BOB], kind::DATA, 3, |buf| data.write(buf)));
    assert_eq!(ended(&world, BOB), Some(End::Violation));
    let Known { mut world, tags, tsns } = known();
    world.inject(BOB, &self::data(tags[BOB], tsns[ADA], 3, b""));
    assert_eq!(ended(&world, BOB), Some(End::Violation));
}

#[test]
fn chunks_without_length_end_the_packet_and_nothing_else() {
    let Known { mut world, tags, .. } = known();
    for length in 0..4 {
        let mut bytes = packet(tags[BOB], kind::PAD, 0, |_| {});
        bytes.truncate(12);
        bytes.extend_from_slice(&[kind::HEARTBEAT, 0, 0, length]);
        world.inject(BOB, &bytes);
    }
    world.send(ADA, 0, "still there");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.received[BOB].len(), 1);
}

/// What an end has answered to requests.
fn outcomes(world: &mut World, end: usize) -> Vec<Outcome> {
    let sent = std::mem::take(world.sent.as_mut().expect("recorded"));
    let mut outcomes = vec![];
    for (_, packet) in sent.iter().filter(|(from, _)| *from == end) {
        let packet = Packet::parse(packet).expect("a packet");
        for chunk in packet.chunks().filter(|chunk| chunk.kind == kind::RE_CONFIG) {
            outcomes.extend(Parameters::new(chunk.value).filter_map(|parameter| {
                match Reconfig::parse(&parameter)? {
                    Reconfig::Response { outcome, .. } => outcome,
                    _ => None,
                }
            }));
        }
    }
    outcomes
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let few = Config { streams: 100, streams_most: 100, ..Config::default() };
    let Known { mut world, tags, tsns } = known_with(&few);
    world.sent = Some(vec![]);
    let first = tsns[ADA].0;
    let last_tsn = first.wrapping_sub(1);
    let request = |number: u32| first.wrapping_add(number);
    let reset = |number: u32, last_tsn: u32, streams: &[u8]| {
        packet(tags[BOB], kind::RE_CONFIG, 0, |buf| {
            let streams = Streams::new(streams);
            Reconfig::OutgoingReset { request: request(number), response: 0, last_tsn, streams }
                .write(buf);
        })
    };
    let mut ask = |packet: Vec<u8>| {
        world.inject(BOB, &packet);
        world.run_for(Duration::from_millis(1));
        outcomes(&mut world, BOB)
    };
    assert_eq!(ask(reset(9, last_tsn, &[0, 5])), [Outcome::BadSequence]);
    assert_eq!(ask(reset(0, last_tsn, &[0, 5])), [Outcome::Performed]);
    assert_eq!(ask(reset(0, last_tsn, &[0, 5])), [Outcome::Performed]);
    assert_eq!(ask(reset(1, last_tsn, &[0, 100])), [Outcome::WrongStream]);
    assert_eq!(ask(reset(0, last_tsn, &[0, 5])), [Outcome::Performed]);
    let all = packet(tags[BOB], kind::RE_CONFIG, 0, |buf| {
        Reconfig::TsnReset { request: request(2) }.write(buf);
    });
    assert_eq!(ask(all), [Outcome::Denied]);
    let more = packet(tags[BOB], kind::RE_CONFIG, 0, |buf| {
        Reconfig::AddStreams { request: request(3), count: 1, outgoing: true }.write(buf);
    });
    assert_eq!(ask(more), [Outcome::Denied]);
    // One that waits for what never comes, and one more meanwhile.
    assert_eq!(ask(reset(4, last_tsn.wrapping_add(1000), &[0, 5])), [Outcome::Later]);
    assert_eq!(ask(reset(5, last_tsn, &[0, 6])), [Outcome::InProgress]);
    assert_eq!(ask(packet(tags[BOB], kind::RE_CONFIG, 0, |buf| buf.extend([0; 40]))), []);
    let told = world.events[BOB].iter().filter(|event| matches!(event, Event::StreamsReset(_)));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_peer_that_asks_for_all_our_streams_gets_them_reset() {
    let Known { mut world, tags, tsns } = known();
    world.send(BOB, 3, "before");
    world.run_for(Duration::from_secs(1));
    let all = packet(tags[BOB], kind::RE_CONFIG, 0, |buf| {
        Reconfig::IncomingReset { request: tsns[ADA].0, streams: Streams::new(&[]) }.write(buf);
    });
    world.inject(BOB, &all);
    // Until it is done, nothing leaves, on whatever stream.
    world.run_for(Duration::from_millis(5));
    world.send(BOB, 3, "after");
    world.send(BOB, 4, "after");
    world.run_for(Duration::from_secs(1));
    assert!(world.events[BOB].contains(&Event::ResetDone { streams: vec![], done: true }));
    assert!(world.events[ADA].contains(&Event::StreamsReset(vec![])));
    world.send(BOB, 4, "again");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.received[ADA].len(), 4);
}

#[test]
fn data_after_a_reset_that_is_in_progress_is_not_taken_for_what_came_before() {
    let Known { mut world, tags, tsns } = known();
    let reset = packet(tags[BOB], kind::RE_CONFIG, 0, |buf| {
        let (request, last_tsn) = (tsns[ADA].0, tsns[ADA].0);
        let streams = Streams::new(&[0, 0]);
        Reconfig::OutgoingReset { request, response: 0, last_tsn, streams }.write(buf);
    });
    world.inject(BOB, &reset);
    let new = data(tags[BOB], tsns[ADA].plus(1), 3, b"new");
    world.inject(BOB, &new);
    assert!(world.received[BOB].is_empty());
    world.inject(BOB, &data(tags[BOB], tsns[ADA], 3, b"old"));
    world.inject(BOB, &new);
    let got: Vec<_> = world.received[BOB].iter().map(|message| &message.payload[..]).collect();
    assert_eq!(got, [b"old", b"new"]);
}

#[test]
fn resets_that_nobody_hears_of_are_bounded() {
    let Known { mut world, tags, tsns } = known();
    world.reads[BOB] = false;
    world.inject(BOB, &data(tags[BOB], tsns[ADA], 3, b"unread"));
    world.sent = Some(vec![]);
    for number in 0..10_000 {
        let reset = packet(tags[BOB], kind::RE_CONFIG, 0, |buf| {
            let request = tsns[ADA].0.wrapping_add(number);
            let (last_tsn, streams) = (tsns[ADA].0, [7; 1000]);
            let streams = Streams::new(&streams);
            Reconfig::OutgoingReset { request, response: 0, last_tsn, streams }.write(buf);
        });
        world.inject(BOB, &reset);
    }
    let done = outcomes(&mut world, BOB).iter().filter(|one| **one == Outcome::Performed).count();
    // As many as fit into the window of 1 MiB.
    assert!((900..1100).contains(&done), "{done}");
}

#[test]
fn data_of_streams_that_do_not_exist_is_dropped_and_reported() {
    let few = Config { streams: 100, ..Config::default() };
    let Known { mut world, tags, tsns } = known_with(&few);
    world.sent = Some(vec![]);
    let stray =
        IData { flags: 3, tsn: tsns[ADA], stream: 100, mid: 0, fsn: 0, ppid: 51, payload: b"x" };
    world.inject(BOB, &packet(tags[BOB], kind::I_DATA, 3, |buf| stray.write(buf)));
    world.run_for(Duration::from_millis(10));
    let kinds: Vec<u8> = world.sent.iter().flatten().map(|(_, packet)| packet[12]).collect();
    assert!(kinds.contains(&kind::ERROR), "{kinds:?}");
    assert!(world.received[BOB].is_empty());
    assert_eq!(ended(&world, BOB), None);
}

#[test]
fn the_machine_keeps_its_contract() {
    let path = Path {
        transport: Transport::Udp,
        local: ([192, 0, 2, 1], 1).into(),
        remote: ([192, 0, 2, 2], 2).into(),
    };
    let mut script = vec![Input::Elapse(Duration::from_secs(1))];
    for tag in 1..6 {
        let parameters = Parameters::new(&[0x80, 8, 0, 5, 64]);
        let init = Init { tag, window: 9000, outbound: 9, inbound: 9, tsn: Tsn(tag), parameters };
        script.push(Input::Datagram(path, packet(0, kind::INIT, 0, |buf| init.write(buf))));
        script.push(Input::Elapse(Duration::from_millis(300)));
    }
    for kind in 0..=255 {
        script.push(Input::Datagram(path, packet(7, kind, 0, |buf| buf.extend([0; 40]))));
    }
    script.push(Input::Elapse(Duration::from_secs(60)));
    let make = |genesis| {
        let mut association =
            talkie_proto::sctp::Association::new(&genesis, path, Config::default());
        association.connect(genesis.now).expect("it has not begun");
        association
    };
    check(make, || (), &script, 64);
}

#[test]
fn pieces_of_what_was_given_up_that_come_late_are_not_held() {
    for unordered in [false, true] {
        let config = Config { receive_most: 1 << 20, ..Config::default() };
        let Known { mut world, tags, tsns } = known_with(&config);
        let flag = if unordered { 4 } else { 0 };
        let mut tsn = tsns[ADA];
        let mut at = |flags: u8, stream: u16, fsn: u32, payload: &[u8]| {
            let data = IData { flags, tsn, stream, mid: 0, fsn, ppid: 51, payload };
            let bytes = packet(tags[BOB], kind::I_DATA, flags, |buf| data.write(buf));
            tsn = tsn.plus(1);
            (bytes, tsn.plus(u32::MAX))
        };
        for stream in 0..2000 {
            // The first piece is lost, and the second comes when it has been given up.
            let (_, given_up) = at(flag | 2, stream, 0, &[1; 1000]);
            let (late, _) = at(flag | 1, stream, 1, &[2; 1000]);
            let skipped = [Skipped { stream, unordered, last: 0 }];
            let forward = packet(tags[BOB], kind::I_FORWARD_TSN, 0, |buf| {
                Forward::write(buf, given_up, true, &skipped);
            });
            world.inject(BOB, &forward);
            world.inject(BOB, &late);
        }
        // Were they held, they would take more than the window of 1 MiB, and nothing behind a hole was taken.
        let _hole = at(flag | 3, 2000, 0, b"lost");
        let (behind, _) = at(7, 2001, 0, b"behind");
        world.inject(BOB, &behind);
        assert_eq!(world.received[BOB].len(), 1, "unordered {unordered}");
        assert_eq!(world.received[BOB][0].payload, "behind");
    }
}
