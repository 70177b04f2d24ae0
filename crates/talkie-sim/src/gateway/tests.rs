mod host;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::*;
use crate::nat::{self, Filtering, Flags, Hairpinning, Kind, Preset};
use crate::packet::build::{self, Echo, Segment};
use crate::packet::checksum;

const SECOND: Duration = Duration::from_secs(1);
const OUTSIDE: &str = "192.0.2.1";
const ADA: &str = "10.0.0.2:5000";
const GRACE: &str = "10.0.0.3:6000";
const REMOTE: &str = "198.51.100.7:1000";
/// Some router on the way.
const ROUTER: &str = "203.0.113.1";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Any time will do to begin with.
#[expect(clippy::disallowed_methods, reason = "an Instant can only be made from the clock")]
fn begin() -> Instant {
    Instant::now()
}

fn gateway_of(nat: nat::Config) -> (Gateway, Instant) {
    let now = begin();
    let config = Config { inside: vec![ip("10.0.0.1"), ip("2001:db8::1")], ..Config::new(nat) };
    (Gateway::new(now, config, [7; 32]), now)
}

fn gateway(preset: Preset) -> (Gateway, Instant) {
    gateway_of(preset.config([ip(OUTSIDE)]))
}

fn udp(source: &str, destination: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    build::udp(&mut bytes, at(source), at(destination), payload);
    bytes
}

fn error(from: &str, problem: Problem, about: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert!(build::error(&mut bytes, ip(from), problem, &Packet::parse(about).unwrap()));
    bytes
}

/// What the packet is, in words.
fn words(bytes: &[u8]) -> String {
    let packet = Packet::parse(bytes).unwrap();
    if packet.fragment().is_none() && packet.transport() != Transport::Other {
        let sum = checksum::fold(packet.payload_sum());
        assert_eq!(sum, 0xffff, "the checksum is wrong");
    }
    assert!(packet.verify_header(), "the header's checksum is wrong");
    in_words(&packet)
}

fn in_words(packet: &Packet<&[u8]>) -> String {
    let (from, to) = (packet.source(), packet.destination());
    match packet.transport() {
        Transport::Udp { source, destination } => {
            let (from, to) = (SocketAddr::new(from, source), SocketAddr::new(to, destination));
            format!("udp {from} > {to}")
        }
        Transport::Tcp { source, destination, .. } => {
            let (from, to) = (SocketAddr::new(from, source), SocketAddr::new(to, destination));
            format!("tcp {from} > {to}")
        }
        Transport::Query { identifier, .. } => format!("echo {identifier} {from} > {to}"),
        Transport::Error { kind, code } => {
            let quoted = Packet::parse_beginning(&packet.payload()[8..]).unwrap();
            assert!(quoted.verify_header(), "the quoted header's checksum is wrong");
            format!("icmp {kind}/{code} {from} > {to} [{}]", in_words(&quoted))
        }
        Transport::Other => format!("{} {from} > {to}", packet.protocol()),
    }
}

fn outbound(gateway: &mut Gateway, now: Instant, mut packet: Vec<u8>) -> String {
    match gateway.handle_outbound(now, &mut packet) {
        Outcome::Forwarded(Side::Outside) => words(&packet),
        Outcome::Forwarded(Side::Inside) => format!("back: {}", words(&packet)),
        Outcome::Held => "held".to_owned(),
        Outcome::Dropped(reason) => reason.to_string(),
    }
}

fn inbound(gateway: &mut Gateway, now: Instant, mut packet: Vec<u8>) -> String {
    match gateway.handle_inbound(now, &mut packet) {
        Outcome::Forwarded(side) => {
            assert_eq!(side, Side::Inside);
            words(&packet)
        }
        Outcome::Held => "held".to_owned(),
        Outcome::Dropped(reason) => reason.to_string(),
    }
}

/// What the gateway itself says.
fn said(gateway: &mut Gateway) -> Option<(Side, String)> {
    let mut buf = Vec::new();
    let side = gateway.poll_transmit(&mut buf)?;
    Some((side, words(&buf)))
}

#[test]
fn datagrams_go_out_and_answers_come_back() {
    let (mut gateway, now) = gateway(Preset::PortRestricted);
    assert_eq!(
        outbound(&mut gateway, now, udp(ADA, REMOTE, b"hello")),
        "udp 192.0.2.1:5000 > 198.51.100.7:1000"
    );
    assert_eq!(
        inbound(&mut gateway, now, udp(REMOTE, "192.0.2.1:5000", b"hello")),
        "udp 198.51.100.7:1000 > 10.0.0.2:5000"
    );
    let stranger = udp("198.51.100.7:1001", "192.0.2.1:5000", b"hello");
    assert_eq!(inbound(&mut gateway, now, stranger), "filtered");
    let nobody = udp(REMOTE, "192.0.2.1:5001", b"hello");
    assert_eq!(inbound(&mut gateway, now, nobody), "no mapping");
    let counters = gateway.counters();
    assert_eq!((counters.outbound, counters.inbound), (1, 1));
    assert_eq!(
        counters.drops().collect::<Vec<_>>(),
        [(Reason::NoMapping, 1), (Reason::Filtered, 1)]
    );
}

#[test]
fn tcp_and_udp_of_one_port_are_two_mappings() {
    let (mut gateway, now) = gateway(Preset::PortRestricted);
    let mut syn = Vec::new();
    let segment = Segment { flags: Flags::SYN, ..Segment::default() };
    build::tcp(&mut syn, at(ADA), at(REMOTE), segment, b"");
    assert_eq!(outbound(&mut gateway, now, syn), "tcp 192.0.2.1:5000 > 198.51.100.7:1000");
    let datagram = udp(REMOTE, "192.0.2.1:5000", b"hello");
    assert_eq!(inbound(&mut gateway, now, datagram), "no mapping");
    let mut answer = Vec::new();
    let segment = Segment { flags: Flags::SYN | Flags::ACK, ..Segment::default() };
    build::tcp(&mut answer, at(REMOTE), at("192.0.2.1:5000"), segment, b"");
    assert_eq!(inbound(&mut gateway, now, answer), "tcp 198.51.100.7:1000 > 10.0.0.2:5000");
    let kinds: Vec<_> = gateway.nat().rows().iter().map(|row| row.protocol).collect();
    assert_eq!(kinds, [Kind::Tcp]);
}

#[test]
fn an_uninvited_syn_is_met_with_silence() {
    // RFC 5382 REQ-4 (a), with a mapping that filters it and without one.
    let (mut gateway, now) = gateway(Preset::PortRestricted);
    let segment = |source: &str, destination: &str| {
        let mut bytes = Vec::new();
        let segment = Segment { flags: Flags::SYN, ..Segment::default() };
        build::tcp(&mut bytes, at(source), at(destination), segment, b"");
        bytes
    };
    let syn = segment("203.0.113.9:443", "192.0.2.1:5000");
    assert_eq!(inbound(&mut gateway, now, syn.clone()), "no mapping");
    outbound(&mut gateway, now, segment(ADA, REMOTE));
    assert_eq!(inbound(&mut gateway, now, syn.clone()), "filtered");
    for seconds in [0, 5, 6, 7, 60] {
        gateway.handle_timeout(now + seconds * SECOND);
        assert_eq!(said(&mut gateway), None);
    }
    // Ours meets the next one.
    outbound(&mut gateway, now, segment(ADA, "203.0.113.9:443"));
    assert_eq!(inbound(&mut gateway, now, syn), "tcp 203.0.113.9:443 > 10.0.0.2:5000");
}

#[test]
fn pings_are_told_apart_by_their_identifier() {
    // RFC 5508 REQ-1.
    let (mut gateway, now) = gateway(Preset::PortRestricted);
    let mut ask = |from: &str| {
        let mut bytes = Vec::new();
        let echo = Echo { is_request: true, identifier: 2000, sequence: 1 };
        build::echo(&mut bytes, ip(from), ip("198.51.100.7"), echo, b"ping");
        outbound(&mut gateway, now, bytes)
    };
    assert_eq!(ask("10.0.0.2"), "echo 2000 192.0.2.1 > 198.51.100.7");
    assert_eq!(ask("10.0.0.3"), "echo 2001 192.0.2.1 > 198.51.100.7");
    let mut answer = |from: &str| {
        let mut bytes = Vec::new();
        let echo = Echo { is_request: false, identifier: 2001, sequence: 1 };
        build::echo(&mut bytes, ip(from), ip(OUTSIDE), echo, b"ping");
        inbound(&mut gateway, now, bytes)
    };
    assert_eq!(answer("198.51.100.7"), "echo 2000 198.51.100.7 > 10.0.0.3");
    assert_eq!(answer("198.51.100.8"), "filtered");
}

#[test]
fn ipv6_keeps_its_addresses_and_is_filtered() {
    let (mut gateway, now) = gateway(Preset::PortRestricted);
    let (inside, remote) = ("[2001:db8::2]:5000", "[2001:db8:9::9]:1000");
    assert_eq!(inbound(&mut gateway, now, udp(remote, inside, b"x")), "no mapping");
    let out = outbound(&mut gateway, now, udp(inside, remote, b"x"));
    assert_eq!(out, "udp [2001:db8::2]:5000 > [2001:db8:9::9]:1000");
    let back = inbound(&mut gateway, now, udp(remote, inside, b"x"));
    assert_eq!(back, "udp [2001:db8:9::9]:1000 > [2001:db8::2]:5000");
    let stranger = udp("[2001:db8:9::9]:1001", inside, b"x");
    assert_eq!(inbound(&mut gateway, now, stranger), "filtered");
    // A host is told that its packet was too long.
    let about = udp(inside, remote, &[0; 1400]);
    let too_big = error("2001:db8:5::5", Problem::TooBig { mtu: 1300 }, &about);
    assert_eq!(
        inbound(&mut gateway, now, too_big),
        "icmp 2/0 2001:db8:5::5 > 2001:db8::2 [udp [2001:db8::2]:5000 > [2001:db8:9::9]:1000]"
    );
}

#[test]
fn neighbours_meet_by_their_outside_addresses() {
    for (hairpinning, expected) in [
        (Hairpinning::ExternalSource, "back: udp 192.0.2.1:5000 > 10.0.0.3:6000"),
        (Hairpinning::InternalSource, "back: udp 10.0.0.2:5000 > 10.0.0.3:6000"),
        (Hairpinning::Unsupported, "no hairpinning"),
    ] {
        let full_cone = nat::Config::full_cone([ip(OUTSIDE)]);
        let (mut gateway, now) = gateway_of(nat::Config { hairpinning, ..full_cone });
        outbound(&mut gateway, now, udp(GRACE, REMOTE, b"x"));
        let hello = udp(ADA, "192.0.2.1:6000", b"hello");
        assert_eq!(outbound(&mut gateway, now, hello), expected, "{hairpinning:?}");
    }
}

#[test]
fn a_packet_without_hops_is_answered() {
    let (mut gateway, now) = gateway(Preset::FullCone);
    let with_hops = |mut bytes: Vec<u8>, hops| {
        let mut packet = Packet::parse(&mut bytes).unwrap();
        while packet.hops() > hops {
            assert!(packet.take_hop());
        }
        bytes
    };
    let last = with_hops(udp(ADA, REMOTE, b"x"), 1);
    assert_eq!(outbound(&mut gateway, now, last), "no hops left");
    let answer = said(&mut gateway).unwrap();
    let expected = "icmp 11/0 10.0.0.1 > 10.0.0.2 [udp 10.0.0.2:5000 > 198.51.100.7:1000]";
    assert_eq!(answer, (Side::Inside, expected.to_owned()));
    assert!(gateway.nat().rows().is_empty());

    let mut two = with_hops(udp(ADA, REMOTE, b"x"), 2);
    assert_eq!(gateway.handle_outbound(now, &mut two), Outcome::Forwarded(Side::Outside));
    assert_eq!(Packet::parse(&two).unwrap().hops(), 1);

    let last = with_hops(udp(REMOTE, "192.0.2.1:5000", b"x"), 1);
    assert_eq!(inbound(&mut gateway, now, last), "no hops left");
    let answer = said(&mut gateway).unwrap();
    let expected = "icmp 11/0 192.0.2.1 > 198.51.100.7 [udp 198.51.100.7:1000 > 192.0.2.1:5000]";
    assert_eq!(answer, (Side::Outside, expected.to_owned()));
    assert_eq!(said(&mut gateway), None);
}

#[test]
fn it_does_not_answer_without_end() {
    let (mut gateway, now) = gateway(Preset::FullCone);
    let mut expired = udp(ADA, REMOTE, b"x");
    expired[8] = 1;
    expired[10..12].fill(0);
    let sum = !checksum::fold(checksum::sum(&expired[..20]));
    expired[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut answers = |now: Instant| {
        let mut count = 0;
        for _ in 0..1000 {
            assert_eq!(outbound(&mut gateway, now, expired.clone()), "no hops left");
            count += usize::from(said(&mut gateway).is_some());
        }
        count
    };
    assert_eq!([answers(now), answers(now), answers(now + SECOND / 2)], [100, 0, 50]);
    assert_eq!(answers(now + 3600 * SECOND), 100);
    // Nor does it keep what nobody asks for.
    for _ in 0..100 {
        outbound(&mut gateway, now + 7200 * SECOND, expired.clone());
    }
    let queued = std::iter::from_fn(|| said(&mut gateway)).count();
    assert_eq!(queued, 64);
}

#[test]
fn what_has_no_translation_is_dropped_and_counted() {
    let (mut gateway, now) = gateway(Preset::FullCone);
    let mut esp = udp(ADA, REMOTE, b"x");
    esp[9] = 50;
    esp[10..12].fill(0);
    let sum = !checksum::fold(checksum::sum(&esp[..20]));
    esp[10..12].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(outbound(&mut gateway, now, esp), "protocol without translation");
    assert_eq!(outbound(&mut gateway, now, vec![0; 40]), "malformed");
    let mut damaged = udp(ADA, REMOTE, b"x");
    damaged[16] ^= 1;
    assert_eq!(outbound(&mut gateway, now, damaged), "malformed");
    for (source, destination) in [
        (ADA, "224.0.0.251:5353"),
        (ADA, "255.255.255.255:67"),
        ("0.0.0.0:68", REMOTE),
        ("127.0.0.1:5000", REMOTE),
        ("[fe80::2]:5000", "[2001:db8:9::9]:1000"),
        ("[2001:db8::2]:5000", "[ff02::fb]:5353"),
        ("[::ffff:10.0.0.2]:5000", "[2001:db8:9::9]:1000"),
    ] {
        let packet = udp(source, destination, b"x");
        let expected = "address that is not routed";
        assert_eq!(outbound(&mut gateway, now, packet), expected, "{source} > {destination}");
    }
    // Nobody outside has our address.
    let forged = udp("192.0.2.1:1000", "192.0.2.1:5000", b"x");
    assert_eq!(inbound(&mut gateway, now, forged), "address that is not routed");
    assert_eq!(gateway.counters().dropped(Reason::Malformed), 2);
    assert_eq!(gateway.counters().dropped(Reason::Protocol), 1);
    assert_eq!(gateway.counters().dropped(Reason::Address), 8);
}

#[test]
fn a_full_table_is_told_to_who_wants_in() {
    // RFC 5508 REQ-8.
    let cone = nat::Config::port_restricted_cone([ip(OUTSIDE)]);
    let (mut gateway, now) = gateway_of(nat::Config { most_mappings: 1, ..cone });
    outbound(&mut gateway, now, udp(ADA, REMOTE, b"x"));
    assert_eq!(outbound(&mut gateway, now, udp(GRACE, REMOTE, b"x")), "table full");
    let expected = "icmp 3/13 10.0.0.1 > 10.0.0.3 [udp 10.0.0.3:6000 > 198.51.100.7:1000]";
    assert_eq!(said(&mut gateway), Some((Side::Inside, expected.to_owned())));
}

mod errors {
    use super::*;

    #[test]
    fn about_what_went_out_reach_who_sent_it() {
        // RFC 5508 REQ-4: from a router on the way, and from the remote itself.
        for preset in [Preset::PortRestricted, Preset::Symmetric, Preset::FullCone] {
            let (mut gateway, now) = gateway(preset);
            let mut packet = udp(ADA, REMOTE, &[0; 600]);
            let outcome = gateway.handle_outbound(now, &mut packet);
            assert_eq!(outcome, Outcome::Forwarded(Side::Outside));
            let quoted = "[udp 10.0.0.2:5000 > 198.51.100.7:1000]";
            for (problem, from, expected) in [
                (Problem::TooBig { mtu: 500 }, ROUTER, "icmp 3/4 203.0.113.1 > 10.0.0.2"),
                (Problem::TimeExceeded, ROUTER, "icmp 11/0 203.0.113.1 > 10.0.0.2"),
                (Problem::PortUnreachable, "198.51.100.7", "icmp 3/3 198.51.100.7 > 10.0.0.2"),
            ] {
                let error = error(from, problem, &packet);
                let expected = format!("{expected} {quoted}");
                assert_eq!(inbound(&mut gateway, now, error), expected, "{preset}");
            }
        }
    }

    #[test]
    fn about_pings_reach_who_sent_them() {
        let (mut gateway, now) = gateway(Preset::Symmetric);
        let mut packet = Vec::new();
        let echo = Echo { is_request: true, identifier: 2000, sequence: 1 };
        build::echo(&mut packet, ip("10.0.0.2"), ip("198.51.100.7"), echo, b"ping");
        assert_eq!(gateway.handle_outbound(now, &mut packet), Outcome::Forwarded(Side::Outside));
        let error = error(ROUTER, Problem::TimeExceeded, &packet);
        assert_eq!(
            inbound(&mut gateway, now, error),
            "icmp 11/0 203.0.113.1 > 10.0.0.2 [echo 2000 10.0.0.2 > 198.51.100.7]"
        );
    }

    #[test]
    fn about_what_came_in_leave_with_the_nat_s_address() {
        // RFC 5508 REQ-5.
        let (mut gateway, now) = gateway(Preset::PortRestricted);
        outbound(&mut gateway, now, udp(ADA, REMOTE, b"x"));
        let mut packet = udp(REMOTE, "192.0.2.1:5000", b"x");
        assert_eq!(gateway.handle_inbound(now, &mut packet), Outcome::Forwarded(Side::Inside));
        let error = error("10.0.0.2", Problem::PortUnreachable, &packet);
        assert_eq!(
            outbound(&mut gateway, now, error),
            "icmp 3/3 192.0.2.1 > 198.51.100.7 [udp 198.51.100.7:1000 > 192.0.2.1:5000]"
        );
    }

    #[test]
    fn go_the_way_back_of_a_hairpin() {
        // RFC 5508 REQ-7.
        let (mut gateway, now) = gateway(Preset::HomeRouter);
        outbound(&mut gateway, now, udp(ADA, "192.0.2.1:6000", b"x"));
        outbound(&mut gateway, now, udp(GRACE, "192.0.2.1:5000", b"x"));
        let mut packet = udp(ADA, "192.0.2.1:6000", b"x");
        assert_eq!(gateway.handle_outbound(now, &mut packet), Outcome::Forwarded(Side::Inside));
        let error = error("10.0.0.3", Problem::PortUnreachable, &packet);
        assert_eq!(
            outbound(&mut gateway, now, error),
            "back: icmp 3/3 192.0.2.1 > 10.0.0.2 [udp 10.0.0.2:5000 > 192.0.2.1:6000]"
        );
    }

    #[test]
    fn about_what_nobody_sent_are_dropped() {
        let (mut gateway, now) = gateway(Preset::PortRestricted);
        let unknown = "ICMP error about an unknown packet";
        let about = udp("192.0.2.1:5000", REMOTE, b"x");
        let first = error(ROUTER, Problem::HostUnreachable, &about);
        assert_eq!(inbound(&mut gateway, now, first.clone()), unknown);
        outbound(&mut gateway, now, udp(ADA, REMOTE, b"x"));
        assert!(inbound(&mut gateway, now, first.clone()).starts_with("icmp 3/1"));
        // About a packet to somebody else.
        let other = udp("192.0.2.1:5000", "198.51.100.8:1000", b"x");
        let other = error(ROUTER, Problem::HostUnreachable, &other);
        assert_eq!(inbound(&mut gateway, now, other), unknown);
        // Sent to another of the NAT's addresses than the packet came from.
        let mut elsewhere = first.clone();
        let mut packet = Packet::parse(&mut elsewhere).unwrap();
        packet.set_address(End::Destination, ip("192.0.2.2"));
        assert_eq!(inbound(&mut gateway, now, elsewhere), unknown);
        // REQ-3: damaged.
        let mut damaged = first.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(inbound(&mut gateway, now, damaged), "malformed");
        let inside = udp("198.51.100.8:1", ADA, b"x");
        let inside = error("10.0.0.2", Problem::PortUnreachable, &inside);
        assert!(outbound(&mut gateway, now, inside).starts_with("icmp 3/3 192.0.2.1"));
        let inside = udp("198.51.100.8:1", GRACE, b"x");
        let inside = error("10.0.0.3", Problem::PortUnreachable, &inside);
        assert_eq!(outbound(&mut gateway, now, inside), unknown);
    }

    #[test]
    fn neither_end_a_mapping_nor_keep_it() {
        // RFC 4787 REQ-12, RFC 5508 REQ-6.
        let (mut gateway, now) = gateway(Preset::HomeRouter);
        let mut packet = udp(ADA, REMOTE, b"x");
        assert_eq!(gateway.handle_outbound(now, &mut packet), Outcome::Forwarded(Side::Outside));
        let deadline = gateway.poll_timeout();
        let before = gateway.nat().rows();
        let error = error(ROUTER, Problem::PortUnreachable, &packet);
        assert!(inbound(&mut gateway, now + SECOND, error.clone()).starts_with("icmp 3/3"));
        assert_eq!((gateway.nat().rows(), gateway.poll_timeout()), (before, deadline));
        let later = now + gateway.config().nat.lifetime;
        let unknown = "ICMP error about an unknown packet";
        assert_eq!(inbound(&mut gateway, later, error), unknown);
    }
}

mod fragments {
    use super::*;

    /// Cuts an IPv4 packet.
    fn cut(bytes: &[u8], identification: u16, most: usize) -> Vec<Vec<u8>> {
        let payload = &bytes[20..];
        let pieces = payload.chunks(most / 8 * 8).enumerate();
        let pieces = pieces.map(|(n, piece)| {
            let offset = n * (most / 8);
            let more = offset * 8 + piece.len() < payload.len();
            let mut fragment = bytes[..20].to_vec();
            fragment.extend_from_slice(piece);
            let length = fragment.len() as u16;
            fragment[2..4].copy_from_slice(&length.to_be_bytes());
            fragment[4..6].copy_from_slice(&identification.to_be_bytes());
            let word = offset as u16 | if more { 0x2000 } else { 0 };
            fragment[6..8].copy_from_slice(&word.to_be_bytes());
            fragment[10..12].fill(0);
            let sum = !checksum::fold(checksum::sum(&fragment[..20]));
            fragment[10..12].copy_from_slice(&sum.to_be_bytes());
            fragment
        });
        pieces.collect()
    }

    /// Puts fragments together again, which must belong together.
    fn join(fragments: &[Vec<u8>]) -> Vec<u8> {
        let identification = &fragments[0][4..6];
        let mut whole = fragments[0][..20].to_vec();
        let mut payload = Vec::new();
        for fragment in fragments {
            let packet = Packet::parse(fragment.as_slice()).unwrap();
            assert!(packet.verify_header());
            assert_eq!(&fragment[4..6], identification);
            let offset = usize::from(packet.fragment().unwrap().offset);
            let end = offset + packet.payload().len();
            payload.resize(payload.len().max(end), 0);
            payload[offset..end].copy_from_slice(packet.payload());
        }
        let length = (20 + payload.len()) as u16;
        whole.extend_from_slice(&payload);
        whole[2..4].copy_from_slice(&length.to_be_bytes());
        whole[6..8].fill(0);
        whole[10..12].fill(0);
        let sum = !checksum::fold(checksum::sum(&whole[..20]));
        whole[10..12].copy_from_slice(&sum.to_be_bytes());
        whole
    }

    fn orders() -> [[usize; 4]; 4] {
        [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]]
    }

    #[test]
    fn pass_in_any_order() {
        // RFC 4787 REQ-14.
        for order in orders() {
            let (mut gateway, now) = gateway(Preset::PortRestricted);
            let payload: Vec<u8> = (0..1500).map(|n| n as u8).collect();
            let pieces = cut(&udp(ADA, REMOTE, &payload), 77, 400);
            assert_eq!(pieces.len(), 4);
            let (mut out, mut buf) = (Vec::new(), Vec::new());
            for at in order {
                let mut piece = pieces[at].clone();
                match gateway.handle_outbound(now, &mut piece) {
                    Outcome::Forwarded(Side::Outside) => out.push(piece),
                    Outcome::Held => {}
                    other => panic!("{other:?}"),
                }
                while let Some(side) = gateway.poll_transmit(&mut buf) {
                    assert_eq!(side, Side::Outside);
                    out.push(buf.clone());
                }
            }
            assert_eq!(out.len(), 4, "{order:?}");
            let whole = join(&out);
            assert_eq!(words(&whole), "udp 192.0.2.1:5000 > 198.51.100.7:1000");
            assert_eq!(whole[28..], payload);
        }
    }

    #[test]
    fn of_ipv6_pass_in_any_order() {
        let whole = udp("[2001:db8::2]:5000", "[2001:db8:9::9]:1000", &[3; 56]);
        let pieces = [0_usize, 1].map(|n| {
            let mut piece = whole[..40].to_vec();
            piece[5] = 8 + 32;
            piece[6] = 44;
            // The offset counts in eights; the last bit says that others follow.
            piece.extend_from_slice(&[17, 0, 0, [1, 32][n], 0, 0, 0, 9]);
            piece.extend_from_slice(&whole[40 + 32 * n..72 + 32 * n]);
            piece
        });
        for order in [[0, 1], [1, 0]] {
            let (mut gateway, now) = gateway(Preset::Firewall);
            let mut buf = Vec::new();
            let mut out = Vec::new();
            for at in order {
                let mut piece = pieces[at].clone();
                match gateway.handle_outbound(now, &mut piece) {
                    Outcome::Forwarded(Side::Outside) => out.push(piece),
                    outcome => assert_eq!((outcome, at), (Outcome::Held, 1)),
                }
                while let Some(side) = gateway.poll_transmit(&mut buf) {
                    assert_eq!(side, Side::Outside);
                    out.push(buf.clone());
                }
            }
            let expected = pieces.clone().map(|mut piece| {
                piece[7] -= 1;
                piece
            });
            assert_eq!(out, expected, "{order:?}");
        }
    }

    #[test]
    fn of_two_hosts_are_not_mixed_up() {
        let (mut gateway, now) = gateway(Preset::PortRestricted);
        let mut identifications = Vec::new();
        for host in [ADA, GRACE] {
            for mut piece in cut(&udp(host, REMOTE, &[1; 600]), 77, 400) {
                let outcome = gateway.handle_outbound(now, &mut piece);
                assert_eq!(outcome, Outcome::Forwarded(Side::Outside));
                identifications.push([piece[4], piece[5]]);
            }
        }
        let [a, b, c, d] = identifications[..] else { panic!("{identifications:?}") };
        assert!(a == b && c == d && a != c, "{identifications:?}");
    }

    #[test]
    fn of_what_is_filtered_are_dropped() {
        let (mut gateway, now) = gateway(Preset::PortRestricted);
        outbound(&mut gateway, now, udp(ADA, REMOTE, b"x"));
        let pieces = cut(&udp("198.51.100.8:1000", "192.0.2.1:5000", &[1; 1500]), 77, 400);
        assert_eq!(inbound(&mut gateway, now, pieces[2].clone()), "held");
        assert_eq!(inbound(&mut gateway, now, pieces[0].clone()), "filtered");
        assert_eq!(said(&mut gateway), None);
        assert_eq!(inbound(&mut gateway, now, pieces[1].clone()), "fragment without a first one");
    }

    #[test]
    fn that_wait_take_no_more_memory_than_they_may() {
        let full_cone = nat::Config {
            filtering: Filtering::EndpointIndependent,
            ..nat::Config::full_cone([ip(OUTSIDE)])
        };
        let config =
            Config { most_held_bytes: 10_000, most_fragmented: 8, ..Config::new(full_cone) };
        let now = begin();
        let mut gateway = Gateway::new(now, config, [7; 32]);
        let later =
            |identification| cut(&udp(ADA, REMOTE, &[1; 1500]), identification, 1000)[1].clone();
        let length = later(0).len();
        for n in 0..100 {
            assert_eq!(outbound(&mut gateway, now, later(n)), "held");
            assert!(gateway.fragments.held_bytes() <= 8 * length);
        }
        // Many of one packet.
        let mut held = 0;
        for _ in 0..1000 {
            held += usize::from(outbound(&mut gateway, now, later(99)) == "held");
        }
        assert!(held > 0 && gateway.fragments.held_bytes() <= 10_000);
        // Small ones of one packet, of which there is a number that makes sense.
        let small = cut(&udp(ADA, REMOTE, &[1; 16]), 200, 8);
        gateway.handle_timeout(now + 15 * SECOND);
        let now = now + 15 * SECOND;
        let waits = |gateway: &mut Gateway| outbound(gateway, now, small[1].clone()) == "held";
        assert_eq!((0..1000).filter(|_| waits(&mut gateway)).count(), 128);
        gateway.handle_timeout(now + 15 * SECOND);
        assert_eq!((gateway.fragments.held_bytes(), gateway.poll_timeout()), (0, None));
    }

    #[test]
    fn that_hide_their_ports_are_dropped() {
        // RFC 1858 §4.2, RFC 3128.
        let (mut gateway, now) = gateway(Preset::FullCone);
        let mut syn = Vec::new();
        let segment = Segment { flags: Flags::SYN, ..Segment::default() };
        build::tcp(&mut syn, at(ADA), at(REMOTE), segment, b"");
        let pieces = cut(&syn, 5, 8);
        for piece in &pieces[..2] {
            assert_eq!(outbound(&mut gateway, now, piece.clone()), "malformed");
        }
        assert!(gateway.nat().rows().is_empty());
    }
}
