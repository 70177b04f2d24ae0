//! What a peer or somebody else may send that it should not.

use std::time::Duration;

use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::{Data, Header, Init, Packet, Parameters, Sack, Writer, kind};
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
    let mut world = World::new(Link::default());
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
    use talkie_proto::sctp::wire::IData;
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
    // Out of reach of a SACK's blocks.
    world.inject(BOB, &data(tags[BOB], tsns[ADA].plus(70_000), 3, &[1; 1000]));
    // Behind a hole: 1 MiB is the window.
    for ahead in 1..3000 {
        world.inject(BOB, &data(tags[BOB], tsns[ADA].plus(ahead), 2, &[1; 1000]));
        if ended(&world, BOB).is_some() {
            break;
        }
    }
    // The same message begins again and again: that is no fragmentation.
    assert_eq!(ended(&world, BOB), Some(End::Violation));
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
