//! What a peer is told that does what it must not: error causes (RFC 9260 §3.3.10), and where silence is due.

use std::time::Duration;

use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::{
    Data, Header, Init, Packet, Parameters, Writer, error, kind, packet as wire, parameter,
};
use talkie_proto::sctp::{Config, End, Event};

use crate::sctp_cookies::Lone;
use crate::sctp_hostile::{Known, ended, known, packet};
use crate::sctp_world::{ADA, BOB, Link, World};

fn init(tag: u32, window: u32, outbound: u16, inbound: u16) -> Init<'static> {
    Init { tag, window, outbound, inbound, tsn: Tsn(7), parameters: Parameters::new(&[]) }
}

/// An INIT or INIT ACK with parameters.
fn beginning(tag: u32, kind: u8, init: &Init<'_>, parameters: &[(u16, &[u8])]) -> Vec<u8> {
    packet(tag, kind, 0, |buf| {
        init.write(buf);
        for (kind, value) in parameters {
            parameter::write(buf, *kind, value);
        }
    })
}

/// A chunk that was sent: the packet's tag, its type and flags, its first cause and what that is about.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    tag: u32,
    kind: u8,
    flags: u8,
    cause: u16,
    about: Vec<u8>,
}

fn told(packets: &[Vec<u8>]) -> Vec<Told> {
    let packets = packets.iter().map(|bytes| Packet::parse(bytes).expect("a packet"));
    let chunks = packets.flat_map(|packet| packet.chunks().map(move |chunk| (packet, chunk)));
    let causes = chunks.filter(|(_, chunk)| matches!(chunk.kind, kind::ABORT | kind::ERROR));
    causes
        .map(|(packet, chunk)| {
            let cause = Parameters::new(chunk.value).next().expect("a cause");
            let (kind, flags) = (chunk.kind, chunk.flags);
            let about = cause.value.to_vec();
            Told { tag: packet.header.tag, kind, flags, cause: cause.kind, about }
        })
        .collect()
}

fn abort(tag: u32, cause: u16, about: &[u8]) -> Told {
    Told { tag, kind: kind::ABORT, flags: 0, cause, about: about.to_vec() }
}

/// One that has sent its INIT, and the tag of that.
fn asking() -> (Lone, u32) {
    let mut lone = Lone::new();
    let now = lone.now;
    lone.end.connect(now).expect("it has not begun");
    let sent = lone.packets().pop().expect("an INIT");
    let chunk = Packet::parse(&sent).expect("a packet").chunks().next().expect("a chunk");
    let tag = Init::parse(&chunk).expect("an INIT").tag;
    (lone, tag)
}

fn end_of(lone: &mut Lone) -> Option<End> {
    lone.events().into_iter().find_map(|event| match event {
        Event::Ended(end) => Some(end),
        _ => None,
    })
}

/// What an end of a world has sent since recording began.
fn sent(world: &mut World, end: usize) -> Vec<Vec<u8>> {
    let sent = world.sent.replace(vec![]).expect("recorded");
    sent.into_iter().filter(|(from, _)| *from == end).map(|(_, packet)| packet).collect()
}

#[test]
fn inits_that_begin_nothing_are_refused_and_change_nothing() {
    let refused = [abort(9, error::INVALID_PARAMETER, &[])];
    for (init, answered) in [
        (init(0, 9000, 9, 9), false),
        (init(9, 1499, 9, 9), true),
        (init(9, 9000, 0, 9), true),
        (init(9, 9000, 9, 0), true),
    ] {
        let expected = if answered { &refused[..] } else { &[] };
        let packet = beginning(0, kind::INIT, &init, &[]);
        let mut lone = Lone::new();
        lone.hand(packet.clone());
        let packets = lone.packets();
        assert_eq!(packets.len(), expected.len());
        assert_eq!(told(&packets), expected, "{init:?}");
        let Known { mut world, .. } = known();
        world.sent = Some(vec![]);
        world.inject(BOB, &packet);
        assert_eq!(told(&sent(&mut world, BOB)), expected, "{init:?}");
        world.send(ADA, 0, "as before");
        world.run_for(Duration::from_secs(1));
        assert_eq!((world.received[BOB].len(), ended(&world, BOB)), (1, None));
    }
    // Too short to tell.
    let mut lone = Lone::new();
    lone.hand(wire_packet(0, kind::INIT, &[0, 0, 0, 9, 0, 0]));
    assert!(lone.packets().is_empty());
}

fn wire_packet(tag: u32, kind: u8, value: &[u8]) -> Vec<u8> {
    packet(tag, kind, 0, |buf| buf.extend_from_slice(value))
}

#[test]
fn answers_that_begin_nothing_end_the_attempt() {
    let cookie: (u16, &[u8]) = (parameter::STATE_COOKIE, b"cookie");
    let invalid = error::INVALID_PARAMETER;
    for (init, expected, end) in [
        (init(9, 9000, 0, 9), abort(9, invalid, &[]), Some(End::Violation)),
        (init(9, 9000, 9, 0), abort(9, invalid, &[]), Some(End::Violation)),
        // RFC 9260 §3.3.3: this one changes no state; the next may be better.
        (init(9, 1499, 9, 9), abort(9, invalid, &[]), None),
    ] {
        let (mut lone, tag) = asking();
        lone.hand(beginning(tag, kind::INIT_ACK, &init, &[cookie]));
        assert_eq!(told(&lone.packets()), [expected], "{init:?}");
        assert_eq!(end_of(&mut lone), end, "{init:?}");
    }
    let (mut lone, tag) = asking();
    lone.hand(beginning(tag, kind::INIT_ACK, &init(0, 9000, 9, 9), &[cookie]));
    let reflected = Told { flags: 1, ..abort(tag, invalid, &[]) };
    assert_eq!(told(&lone.packets()), [reflected]);
    assert_eq!(end_of(&mut lone), Some(End::Violation));
}

#[test]
fn an_answer_without_a_cookie_or_with_one_too_long_to_echo_is_refused() {
    let (mut lone, tag) = asking();
    lone.hand(beginning(tag, kind::INIT_ACK, &init(9, 9000, 9, 9), &[]));
    let missing = [0, 0, 0, 1, 0, 7];
    assert_eq!(told(&lone.packets()), [abort(9, error::MISSING_PARAMETER, &missing)]);
    assert_eq!(end_of(&mut lone), Some(End::Violation));
    let (mut lone, tag) = asking();
    let cookie: (u16, &[u8]) = (parameter::STATE_COOKIE, &[1; 4000]);
    lone.hand(beginning(tag, kind::INIT_ACK, &init(9, 9000, 9, 9), &[cookie]));
    assert_eq!(told(&lone.packets()), [abort(9, error::OUT_OF_RESOURCE, &[])]);
    assert_eq!(end_of(&mut lone), Some(End::Violation));
}

#[test]
fn nobody_begins_with_a_host_name() {
    let name: (u16, &[u8]) = (parameter::HOST_NAME, b"relay.example\0");
    let mut whole = Vec::new();
    parameter::write(&mut whole, name.0, name.1);
    whole.truncate(4 + name.1.len());
    let expected = [abort(9, error::UNRESOLVABLE_ADDRESS, &whole)];
    let mut lone = Lone::new();
    lone.hand(beginning(0, kind::INIT, &init(9, 9000, 9, 9), &[name]));
    assert_eq!(told(&lone.packets()), expected);
    let (mut lone, tag) = asking();
    let cookie: (u16, &[u8]) = (parameter::STATE_COOKIE, b"cookie");
    lone.hand(beginning(tag, kind::INIT_ACK, &init(9, 9000, 9, 9), &[cookie, name]));
    assert_eq!(told(&lone.packets()), expected);
    assert_eq!(end_of(&mut lone), Some(End::Violation));
}

/// RFC 9260 §3.2.1: the two top bits of a type that is not known.
const UNKNOWN: [(u16, &[u8]); 4] = [(0x3fff, b"0"), (0x7fff, b"1"), (0xbfff, b"2"), (0xffff, b"3")];

#[test]
fn parameters_of_an_answer_that_are_not_known_are_reported_with_the_cookie() {
    for (unknown, is_reported, goes_on) in [
        (UNKNOWN[0], false, false),
        (UNKNOWN[1], true, false),
        (UNKNOWN[2], false, true),
        (UNKNOWN[3], true, true),
    ] {
        let (mut lone, tag) = asking();
        let cookie: (u16, &[u8]) = (parameter::STATE_COOKIE, b"cookie");
        let extensions: (u16, &[u8]) = (parameter::EXTENSIONS, &[kind::I_DATA]);
        let parameters = [cookie, unknown, extensions];
        lone.hand(beginning(tag, kind::INIT_ACK, &init(9, 9000, 9, 9), &parameters));
        let packets = lone.packets();
        assert_eq!((packets.len(), packets[0][12]), (1, kind::COOKIE_ECHO));
        let mut whole = Vec::new();
        parameter::write(&mut whole, unknown.0, unknown.1);
        let cause = error::UNRECOGNIZED_PARAMETERS;
        let report = Told { kind: kind::ERROR, ..abort(9, cause, &whole) };
        let expected = if is_reported { vec![report] } else { vec![] };
        assert_eq!(told(&packets), expected);
        assert_eq!(lone.end.is_interleaved(), goes_on);
    }
}

#[test]
fn chunks_that_are_not_known_are_reported_and_passed_over_as_their_type_says() {
    for (unknown, is_reported, goes_on) in
        [(0x3f, false, false), (0x7f, true, false), (0xbf, false, true), (0xff, true, true)]
    {
        let Known { mut world, tags, .. } = known();
        world.sent = Some(vec![]);
        let mut bytes = Vec::new();
        let header = Header { source: 5000, destination: 5000, tag: tags[BOB] };
        let mut writer = Writer::new(&mut bytes, header);
        writer.chunk(unknown, 5, |buf| buf.extend_from_slice(b"what?"));
        writer.chunk(kind::HEARTBEAT, 0, |buf| parameter::write(buf, 1, b"there?"));
        writer.finish(true);
        world.inject(BOB, &bytes);
        let sent = sent(&mut world, BOB);
        let mut whole = Vec::new();
        wire::write_chunk(&mut whole, unknown, 5, |buf| buf.extend_from_slice(b"what?"));
        whole.truncate(9);
        let cause = error::UNRECOGNIZED_CHUNK;
        let report = Told { kind: kind::ERROR, ..abort(tags[ADA], cause, &whole) };
        assert_eq!(told(&sent), if is_reported { vec![report] } else { vec![] });
        let packets = sent.iter().filter_map(|bytes| Packet::parse(bytes));
        let answers = packets.flat_map(|packet| packet.chunks());
        let answered = answers.filter(|chunk| chunk.kind == kind::HEARTBEAT_ACK).count();
        assert_eq!(answered, usize::from(goes_on), "type {unknown:#x}");
    }
}

#[test]
fn who_sends_data_without_data_is_told_which() {
    for interleaving in [false, true] {
        let config = Config { interleaving, ..Config::default() };
        let Known { mut world, tags, tsns } = crate::sctp_hostile::known_with(&config);
        world.sent = Some(vec![]);
        let kind = if interleaving { kind::I_DATA } else { kind::DATA };
        let mut value = tsns[ADA].0.to_be_bytes().to_vec();
        value.resize(if interleaving { 16 } else { 12 }, 0);
        world.inject(BOB, &packet(tags[BOB], kind, 3, |buf| buf.extend_from_slice(&value)));
        let expected = abort(tags[ADA], error::NO_USER_DATA, &tsns[ADA].0.to_be_bytes());
        assert_eq!(told(&sent(&mut world, BOB)), [expected]);
    }
}

#[test]
fn a_cookie_is_told_by_how_much_it_is_too_old() {
    let config = Config { cookie_life: Duration::from_millis(30), ..Config::default() };
    let mut world = World::with(Link::default(), &Config::default(), &config);
    world.sent = Some(vec![]);
    world.ask();
    world.run_for(Duration::from_millis(70));
    // Made after one way, and back after another round trip.
    let Told { cause, about, .. } = told(&sent(&mut world, BOB)).remove(0);
    assert_eq!((cause, about), (error::STALE_COOKIE, 10_000_u32.to_be_bytes().to_vec()));
}

#[test]
fn packets_of_other_ports_are_none() {
    let config = Config { port: 4999, peer_port: 5001, ..Config::default() };
    let other = Config { port: 5001, peer_port: 4999, ..Config::default() };
    let mut world = World::with(Link::default(), &config, &other);
    world.connect();
    world.send(ADA, 0, "to its own port");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.received[BOB].len(), 1);
    for (source, destination) in [(5000, 5001), (4999, 5000), (5001, 4999)] {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Header { source, destination, tag: 0 });
        writer.chunk(kind::INIT, 0, |buf| init(9, 9000, 9, 9).write(buf));
        writer.finish(true);
        let before = world.ends[BOB].counters().malformed;
        world.sent = Some(vec![]);
        world.inject(BOB, &bytes);
        assert_eq!(world.ends[BOB].counters().malformed, before + 1);
        assert!(sent(&mut world, BOB).is_empty());
    }
}

#[test]
fn where_an_association_has_ended_another_is_refused() {
    let Known { mut world, tags, .. } = known();
    let now = world.now;
    world.ends[BOB].abort(now);
    world.drain();
    world.sent = Some(vec![]);
    world.inject(BOB, &beginning(0, kind::INIT, &init(9, 9000, 9, 9), &[]));
    assert_eq!(told(&sent(&mut world, BOB)), [abort(9, error::OUT_OF_RESOURCE, &[])]);
    // The old one's INIT that comes late is no reason to abort its end in order.
    world.inject(BOB, &beginning(0, kind::INIT, &init(tags[ADA], 9000, 9, 9), &[]));
    // RFC 9260 §8.4 1: nor is a packet answered that has an ABORT anywhere.
    let mut bytes = Vec::new();
    let header = Header { source: 5000, destination: 5000, tag: tags[BOB] };
    let mut writer = Writer::new(&mut bytes, header);
    writer.chunk(kind::PAD, 0, |_| {});
    writer.chunk(kind::ABORT, 0, |_| {});
    writer.finish(true);
    world.inject(BOB, &bytes);
    assert!(sent(&mut world, BOB).is_empty());
}

#[test]
fn the_first_data_is_acknowledged_at_once_and_the_next_may_wait() {
    let config = Config { interleaving: false, ..Config::default() };
    let Known { mut world, tags, tsns } = crate::sctp_hostile::known_with(&config);
    world.sent = Some(vec![]);
    for (ahead, at_once) in [(0, true), (1, false), (2, true), (3, false)] {
        let tsn = tsns[ADA].plus(ahead);
        #[expect(clippy::cast_possible_truncation, reason = "it is small")]
        let ssn = ahead as u16;
        let data = Data { flags: 3, tsn, stream: 0, ssn, ppid: 51, payload: b"data" };
        world.inject(BOB, &packet(tags[BOB], kind::DATA, 3, |buf| data.write(buf)));
        let acknowledged = sent(&mut world, BOB).iter().any(|packet| packet[12] == kind::SACK);
        assert_eq!(acknowledged, at_once, "the one after {ahead}");
    }
    world.run_for(Duration::from_millis(20));
    assert_eq!(sent(&mut world, BOB).len(), 1, "RFC 9260 §6.2: within 200 ms");
}
