use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;

use super::build::{self, Echo, Problem, Segment};
use super::*;
use crate::nat::Flags;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn udp(source: &str, destination: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    build::udp(&mut bytes, at(source), at(destination), b"hello");
    bytes
}

fn is_right<B: AsRef<[u8]>>(packet: &Packet<B>) -> bool {
    packet.verify_header() && checksum::fold(packet.payload_sum()) == 0xffff
}

/// A hop-by-hop header, destination options and a fragment header before a UDP packet's payload.
fn with_extensions(fragment: &[u8; 8]) -> Vec<u8> {
    let plain = udp("[2001:db8::1]:1000", "[2001:db8::2]:2000");
    let mut bytes = plain[..40].to_vec();
    bytes[6] = protocol::HOP_BY_HOP;
    bytes.extend_from_slice(&[protocol::DESTINATION_OPTIONS, 0, 1, 4, 0, 0, 0, 0]);
    bytes.extend_from_slice(&[protocol::FRAGMENT, 1]);
    bytes.extend_from_slice(&[0; 14]);
    bytes.extend_from_slice(fragment);
    bytes.extend_from_slice(&plain[40..]);
    let length = (bytes.len() - 40) as u16;
    bytes[4..6].copy_from_slice(&length.to_be_bytes());
    bytes
}

#[test]
fn a_header_is_read_as_it_stands_in_the_books() {
    // An IPv4 header whose checksum, b861, is worked out by hand in many places.
    let mut bytes = vec![
        0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00,
        0x01, 0xc0, 0xa8, 0x00, 0xc7,
    ];
    bytes.extend_from_slice(&[0x00, 0x35, 0xe9, 0x7c, 0x00, 0x5f, 0x00, 0x00]);
    bytes.resize(0x73 + 9, 0);
    let packet = Packet::parse(&bytes).unwrap();
    assert!(packet.verify_header() && packet.is_ipv4() && packet.is_whole_or_nothing());
    assert_eq!((packet.source(), packet.destination()), (ip("192.168.0.1"), ip("192.168.0.199")));
    assert_eq!(packet.transport(), Transport::Udp { source: 53, destination: 59_772 });
    assert_eq!((packet.hops(), packet.fragment()), (64, None));
    assert_eq!((packet.bytes().len(), packet.payload().len()), (0x73, 0x73 - 20));
    bytes[8] = 63;
    assert!(!Packet::parse(&bytes).unwrap().verify_header());
}

#[test]
fn options_and_extension_headers_are_looked_through() {
    let plain = udp("192.0.2.1:1000", "192.0.2.2:2000");
    let mut bytes = plain[..20].to_vec();
    bytes[0] = 0x46;
    bytes[3] += 4;
    bytes.extend_from_slice(&[1, 1, 1, 0]);
    bytes.extend_from_slice(&plain[20..]);
    let expected = Transport::Udp { source: 1000, destination: 2000 };
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!((packet.transport(), packet.payload_offset()), (expected, 24));

    // RFC 6946: a fragment that is the whole packet is none.
    let bytes = with_extensions(&[protocol::UDP, 0, 0, 0, 0, 0, 0, 7]);
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!((packet.transport(), packet.fragment()), (expected, None));
    assert_eq!(packet.protocol(), protocol::UDP);
    assert!(is_right(&packet));

    let first = with_extensions(&[protocol::UDP, 0, 0, 1, 0, 0, 0, 7]);
    let packet = Packet::parse(&first).unwrap();
    let fragment = Fragment { identification: 7, offset: 0, more: true };
    assert_eq!((packet.transport(), packet.fragment()), (expected, Some(fragment)));
    let later = with_extensions(&[protocol::UDP, 0, 0, 8, 0, 0, 0, 7]);
    let packet = Packet::parse(&later).unwrap();
    let fragment = Fragment { identification: 7, offset: 8, more: false };
    assert_eq!((packet.transport(), packet.fragment()), (Transport::Other, Some(fragment)));
}

#[test]
fn what_lies_about_itself_is_no_packet() {
    let good = udp("192.0.2.1:1000", "192.0.2.2:2000");
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Packet::parse(bytes).err()
    };
    assert_eq!(with(0, 0x55), Some(Malformed::Version));
    assert_eq!(with(0, 0x44), Some(Malformed::HeaderLength));
    assert_eq!(with(3, 19), Some(Malformed::HeaderLength));
    assert_eq!(with(3, 200), Some(Malformed::Truncated));
    let mut beyond = good.clone();
    beyond[6..8].copy_from_slice(&[0x1f, 0xff]);
    assert_eq!(Packet::parse(&beyond).err(), Some(Malformed::Length));
    for length in 0..20 {
        assert_eq!(Packet::parse(&good[..length]).err(), Some(Malformed::Truncated));
    }
    let mut chain = udp("[2001:db8::1]:1000", "[2001:db8::2]:2000")[..40].to_vec();
    chain[6] = protocol::DESTINATION_OPTIONS;
    chain.extend([protocol::DESTINATION_OPTIONS, 0, 0, 0, 0, 0, 0, 0].repeat(20));
    chain[5] = 160;
    assert_eq!(Packet::parse(&chain).err(), Some(Malformed::TooManyExtensions));
}

#[test]
fn new_packets_are_right() {
    for (source, destination) in
        [("192.0.2.1:1000", "198.51.100.2:2000"), ("[2001:db8::1]:1000", "[2001:db8:2::2]:2000")]
    {
        let (source, destination) = (at(source), at(destination));
        let flags = Flags::SYN | Flags::ACK;
        let segment = Segment { flags, sequence: 7, acknowledgement: 8, window: 9 };
        let mut bytes = Vec::new();
        build::tcp(&mut bytes, source, destination, segment, b"odd");
        let packet = Packet::parse(&bytes).unwrap();
        assert!(is_right(&packet));
        let expected = Transport::Tcp { source: 1000, destination: 2000, flags };
        assert_eq!((packet.transport(), packet.bytes().len()), (expected, bytes.len()));

        let mut bytes = Vec::new();
        let echo = Echo { is_request: true, identifier: 77, sequence: 1 };
        build::echo(&mut bytes, source.ip(), destination.ip(), echo, b"abcdefg");
        let packet = Packet::parse(&bytes).unwrap();
        assert!(is_right(&packet));
        let expected = Transport::Query { identifier: 77, is_request: true };
        assert_eq!(packet.transport(), expected);

        let mut answer = Vec::new();
        let problem = Problem::TooBig { mtu: 1400 };
        assert!(build::error(&mut answer, destination.ip(), problem, &packet));
        let error = Packet::parse(&answer).unwrap();
        assert!(is_right(&error) && error.destination() == source.ip());
        let (kind, code) = if source.is_ipv4() { (3, 4) } else { (2, 0) };
        assert_eq!(error.transport(), Transport::Error { kind, code });
        assert_eq!(error.payload()[6..8], 1400_u16.to_be_bytes());
        let quoted = Packet::parse_beginning(&error.payload()[8..]).unwrap();
        assert_eq!(quoted.transport(), expected);
        // RFC 1122 §3.2.2: no error about an error.
        assert!(!build::error(&mut Vec::new(), destination.ip(), problem, &error));
    }
}

#[test]
fn a_udp_checksum_that_is_not_there_stays_away() {
    let mut bytes = udp("192.0.2.1:1000", "192.0.2.2:2000");
    bytes[26..28].fill(0);
    let mut packet = Packet::parse(&mut bytes).unwrap();
    packet.set_end(End::Source, at("203.0.113.9:9"));
    assert_eq!(packet.transport(), Transport::Udp { source: 9, destination: 2000 });
    assert_eq!(packet.payload()[6..8], [0, 0]);
    assert!(packet.verify_header());
}

#[test]
fn a_udp_checksum_is_never_written_as_zero() {
    // Whatever the port, until one makes the sum zero.
    let mut seen = false;
    for port in 0..=u16::MAX {
        let mut bytes = udp("192.0.2.1:1000", "192.0.2.2:2000");
        let mut packet = Packet::parse(&mut bytes).unwrap();
        packet.set_end(End::Source, SocketAddr::new(ip("192.0.2.1"), port));
        assert_ne!(packet.payload()[6..8], [0, 0]);
        seen |= packet.payload()[6..8] == [0xff, 0xff];
    }
    assert!(seen);
}

#[test]
fn a_partial_checksum_stays_partial() {
    let mut bytes = Vec::new();
    build::udp(&mut bytes, at("192.0.2.1:1000"), at("192.0.2.2:2000"), b"hello");
    let partial = |bytes: &[u8]| {
        let packet = Packet::parse(bytes).unwrap();
        let (source, destination) = (packet.source(), packet.destination());
        checksum::fold(checksum::pseudo_header(source, destination, protocol::UDP, 13))
    };
    let sum = partial(&bytes);
    bytes[26..28].copy_from_slice(&sum.to_be_bytes());
    let mut packet = Packet::parse(&mut bytes).unwrap().with_partial_checksum();
    packet.set_end(End::Source, at("203.0.113.99:40000"));
    assert_eq!(bytes[26..28], partial(&bytes).to_be_bytes());
    // What the card does then.
    let sum = !checksum::fold(checksum::sum(&bytes[20..]));
    bytes[26..28].copy_from_slice(&sum.to_be_bytes());
    assert!(is_right(&Packet::parse(&bytes).unwrap()));
}

#[test]
fn hops_run_out() {
    for ends in [("192.0.2.1:1", "192.0.2.2:2"), ("[2001:db8::1]:1", "[2001:db8::2]:2")] {
        let mut bytes = udp(ends.0, ends.1);
        let mut packet = Packet::parse(&mut bytes).unwrap();
        for left in (1..build::HOPS).rev() {
            assert!(packet.take_hop());
            assert_eq!((packet.hops(), packet.verify_header()), (left, true));
        }
        assert!(!packet.take_hop());
        assert_eq!(packet.hops(), 1);
    }
}

fn any_end(is_ipv4: bool) -> BoxedStrategy<SocketAddr> {
    match is_ipv4 {
        true => any::<([u8; 4], u16)>().prop_map(SocketAddr::from).boxed(),
        false => any::<([u8; 16], u16)>().prop_map(SocketAddr::from).boxed(),
    }
}

fn any_change() -> impl Strategy<Value = (SocketAddr, SocketAddr, SocketAddr)> {
    any::<bool>().prop_flat_map(|v4| (any_end(v4), any_end(v4), any_end(v4)))
}

proptest! {
    #[test]
    fn what_is_rewritten_is_what_would_have_been_built(
        (source, destination, new) in any_change(),
        payload in prop::collection::vec(any::<u8>(), 0..100),
        (kind, is_source, flags) in (0..3, any::<bool>(), any::<u8>()),
    ) {
        let build = |source: SocketAddr, destination: SocketAddr, identifier| {
            let mut bytes = Vec::new();
            match kind {
                0 => build::udp(&mut bytes, source, destination, &payload),
                1 => {
                    let segment = Segment { flags: Flags(flags), ..Segment::default() };
                    build::tcp(&mut bytes, source, destination, segment, &payload);
                }
                _ => {
                    let echo = Echo { is_request: is_source, identifier, sequence: 3 };
                    build::echo(&mut bytes, source.ip(), destination.ip(), echo, &payload);
                }
            }
            bytes
        };
        let mut bytes = build(source, destination, 5);
        let end = if is_source { End::Source } else { End::Destination };
        let mut packet = Packet::parse(&mut bytes).unwrap();
        packet.set_end(end, new);
        prop_assert!(is_right(&packet));
        let expected = match is_source {
            true => build(new, destination, new.port()),
            false => build(source, new, new.port()),
        };
        prop_assert_eq!(bytes, expected);
    }

    #[test]
    fn no_bytes_make_it_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..120),
        (shape, next, new) in (0..5_u8, any::<u8>(), any::<([u8; 4], [u8; 16], u16)>()),
    ) {
        if let [first, ..] = bytes.as_mut_slice() {
            match shape {
                0 => *first = 0x45,
                1 => *first = 0x46 + *first % 10,
                2 | 3 => *first = 0x60,
                _ => {}
            }
        }
        if shape == 3 && bytes.len() > 60 {
            bytes[5] = (bytes.len() - 40) as u8;
            bytes[4] = 0;
            bytes[6] = [0, 43, 44, 60, 17, 6, 58][usize::from(next % 7)];
        } else if shape < 2 && bytes.len() > 60 {
            bytes[3] = bytes.len() as u8;
            bytes[2] = 0;
            bytes[9] = [1, 6, 17][usize::from(next % 3)];
        }
        for may_be_cut in [false, true] {
            let mut bytes = bytes.clone();
            let packet = match may_be_cut {
                false => Packet::parse(&mut bytes),
                true => Packet::parse_beginning(&mut bytes),
            };
            let Ok(mut packet) = packet else { continue };
            let transport = packet.transport();
            let is_valid = packet.verify_header();
            packet.set_end(End::Source, (new.0, new.2).into());
            packet.set_end(End::Destination, (new.1, new.2).into());
            packet.set_address(End::Source, new.1.into());
            packet.set_identification(u32::from(new.2));
            let _ = packet.take_hop();
            prop_assert_eq!(packet.verify_header(), is_valid);
            packet.finish_checksum();
            let kind = |transport| std::mem::discriminant(&transport);
            prop_assert_eq!(kind(packet.transport()), kind(transport));
            let mut out = Vec::new();
            if build::error(&mut out, new.0.into(), Problem::TimeExceeded, &packet) {
                prop_assert!(is_right(&Packet::parse(&out).unwrap()) && out.len() <= 576);
            }
        }
    }
}
