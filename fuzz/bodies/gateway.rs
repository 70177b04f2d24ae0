//! A NAT box whose configuration, packets and clock are the input. It never panics; what it lets
//! through is a packet whose checksums are as right as before, under an address that it may have; it
//! remembers no more than its bounds; and the same packets give the same packets again.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use talkie_sansio::conformance;
use talkie_sim::gateway::{Checksums, Config, Gateway, Outcome, Side};
use talkie_sim::nat::Unsolicited;
use talkie_sim::nat::{self, Filtering, Flags, Hairpinning, Mapping, Pooling, Ports, Preset};
use talkie_sim::packet::build::{self, Echo, Problem, Segment};
use talkie_sim::packet::{Packet, Transport, checksum};

use super::input::Input;

const MOST_MAPPINGS: usize = 8;
const MOST_REMOTES: usize = 3;
const OUTSIDE: [[u8; 4]; 2] = [[192, 0, 2, 1], [192, 0, 2, 2]];

fn config(input: &mut Input<'_>) -> Config {
    let outside = OUTSIDE.map(IpAddr::from);
    let mut presets = Preset::all();
    let preset = presets.nth(usize::from(input.byte()) % presets.len()).expect("there are some");
    let mut nat = preset.config(outside);
    let changes = input.byte();
    if changes & 1 != 0 {
        let mappings = [
            Mapping::EndpointIndependent,
            Mapping::AddressDependent,
            Mapping::AddressAndPortDependent,
        ];
        nat.mapping = mappings[usize::from(input.byte()) % 3];
    }
    if changes & 2 != 0 {
        let filterings = [
            Filtering::EndpointIndependent,
            Filtering::AddressDependent,
            Filtering::AddressAndPortDependent,
        ];
        nat.filtering = filterings[usize::from(input.byte()) % 3];
    }
    if changes & 4 != 0 {
        let step = u16::from(input.byte());
        nat.ports = match step % 4 {
            0 => Ports::Preserving,
            1 => Ports::PreservingOrRandom,
            2 => Ports::Random,
            _ => Ports::Sequential { step },
        };
    }
    if changes & 8 != 0 {
        let flags = input.byte();
        nat.overloading = flags & 1 != 0;
        nat.parity = flags & 2 != 0;
        nat.contiguous = flags & 4 != 0;
        nat.inbound_refresh = flags & 8 != 0;
        nat.pooling = if flags & 16 != 0 { Pooling::Arbitrary } else { Pooling::Paired };
        nat.unsolicited =
            if flags & 32 != 0 { Unsolicited::Tracked } else { Unsolicited::Forgotten };
        nat.hairpinning = match flags >> 6 {
            0 => Hairpinning::Unsupported,
            1 => Hairpinning::InternalSource,
            _ => Hairpinning::ExternalSource,
        };
    }
    let nat = nat::Config {
        most_mappings: MOST_MAPPINGS,
        most_remotes: MOST_REMOTES,
        most_remotes_in_all: 12,
        ..nat
    };
    Config { most_fragmented: 4, most_held_bytes: 2000, ..Config::new(nat) }
}

/// One of few ends, so that packets meet what earlier ones left.
fn end(byte: u8, is_inside: bool) -> SocketAddr {
    let (host, port) = (byte & 3, u16::from(byte >> 2 & 3));
    match (is_inside, byte >> 4) {
        (_, 0) => SocketAddr::from((OUTSIDE[usize::from(host & 1)], 5000 + port)),
        (true, 1) => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, host.into()], 5000 + port)),
        (false, 1) => SocketAddr::from(([0x2001, 0xdb8, 9, 0, 0, 0, 0, host.into()], 1000 + port)),
        (true, _) => SocketAddr::from(([10, 0, 0, host + 2], 5000 + port)),
        (false, _) => SocketAddr::from(([198, 51, 100, host + 1], 1000 + port)),
    }
}

/// A packet that is well made, for the side that it comes from.
fn well_made(input: &mut Input<'_>, from: Side) -> Vec<u8> {
    let is_inside = from == Side::Inside;
    let kind = input.byte();
    let source = end(input.byte(), is_inside);
    let mut destination = end(input.byte(), !is_inside);
    if source.is_ipv4() != destination.is_ipv4() {
        destination = end(if source.is_ipv4() { 0x20 } else { 0x10 }, !is_inside);
    }
    let payload = input.block();
    let mut bytes = Vec::new();
    match kind % 3 {
        0 => build::udp(&mut bytes, source, destination, payload),
        1 => {
            let segment = Segment { flags: Flags(kind >> 2), ..Segment::default() };
            build::tcp(&mut bytes, source, destination, segment, payload);
        }
        _ => {
            let echo = Echo {
                is_request: kind & 4 != 0,
                identifier: if is_inside { source.port() } else { destination.port() },
                sequence: 1,
            };
            build::echo(&mut bytes, source.ip(), destination.ip(), echo, payload);
        }
    }
    bytes
}

/// Makes an IPv4 packet the fragment that the input wants, with a right header checksum again.
fn make_fragment(input: &mut Input<'_>, packet: &mut [u8]) {
    if packet[0] != 0x45 {
        return;
    }
    let shape = input.byte();
    let word = (u16::from(shape & 0x0f) * 4) | if shape & 0x10 != 0 { 0x2000 } else { 0 };
    packet[5] = shape >> 6;
    packet[6..8].copy_from_slice(&word.to_be_bytes());
    packet[10..12].fill(0);
    let sum = !checksum::fold(checksum::sum(&packet[..20]));
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

fn is_right(bytes: &[u8]) -> bool {
    let Ok(packet) = Packet::parse(bytes) else { return false };
    packet.verify_header() && checksum::fold(packet.payload_sum()) == 0xffff
}

/// Whether its payload's checksum says anything.
fn is_whole(bytes: &[u8]) -> bool {
    Packet::parse(bytes)
        .is_ok_and(|packet| packet.fragment().is_none() && packet.transport() != Transport::Other)
}

fn check(config: &Config, from: Side, before: &[u8], after: &[u8], to: Side) {
    let packet = Packet::parse(after).expect("what goes on is a packet");
    assert!(packet.verify_header(), "a header's checksum");
    if is_whole(before) && is_right(before) {
        assert!(is_right(after), "a checksum was right and is wrong");
    }
    match (from, to) {
        (Side::Inside, Side::Outside) if packet.is_ipv4() && !config.nat.outside.is_empty() => {
            assert!(config.nat.outside.contains(&packet.source()), "an address got out");
        }
        (Side::Outside, Side::Outside) => panic!("it came from there"),
        _ => {}
    }
}

pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let config = config(&mut input);
    let mut now = conformance::genesis().now;
    let mut one = Gateway::new(now, config.clone(), [7; 32]);
    let mut two = Gateway::new(now, config.clone(), [7; 32]);
    let (mut buf, mut other_buf) = (Vec::new(), Vec::new());
    let mut last: Option<(Side, Vec<u8>)> = None;
    while !input.0.is_empty() {
        let choice = input.byte();
        let from = if choice & 1 == 0 { Side::Inside } else { Side::Outside };
        let mut packet = match choice >> 1 & 7 {
            0 => input.block().to_vec(),
            1 => {
                now += Duration::from_millis(u64::from(input.byte()).pow(3));
                one.handle_timeout(now);
                two.handle_timeout(now);
                assert!(one.poll_timeout().is_none_or(|at| at > now), "it does not wait");
                continue;
            }
            2 => {
                let mut packet = well_made(&mut input, from);
                make_fragment(&mut input, &mut packet);
                packet
            }
            3 => {
                let mut packet = well_made(&mut input, from);
                let at = usize::from(input.byte()) % packet.len();
                packet[at] = input.byte();
                packet
            }
            4 => match &last {
                // About the last that went to where it comes from.
                Some((to, about)) if *to == from => {
                    let about = Packet::parse(about.as_slice()).expect("it was let through");
                    let problem = match input.byte() % 3 {
                        0 => Problem::TooBig { mtu: 1000 },
                        1 => Problem::TimeExceeded,
                        _ => Problem::PortUnreachable,
                    };
                    let mut error = Vec::new();
                    if !build::error(&mut error, about.destination(), problem, &about) {
                        continue;
                    }
                    error
                }
                _ => continue,
            },
            _ => well_made(&mut input, from),
        };
        let before = packet.clone();
        let mut again = packet.clone();
        let is_partial = choice >> 4 == 15;
        let checksums = if is_partial { Checksums::Partial } else { Checksums::Complete };
        let outcome = one.handle_packet(now, from, &mut packet, checksums);
        assert_eq!(outcome, two.handle_packet(now, from, &mut again, checksums));
        if let Outcome::Forwarded(to) = outcome {
            assert_eq!(packet, again);
            if !is_partial {
                check(&config, from, &before, &packet, to);
            }
            last = Some((to, packet));
        }
        if choice >> 4 != 14 {
            while let Some(side) = one.poll_transmit(&mut buf) {
                assert_eq!(two.poll_transmit(&mut other_buf), Some(side));
                assert_eq!(buf, other_buf);
                let said = Packet::parse(buf.as_slice()).expect("what it says is a packet");
                assert!(said.verify_header() && (!is_whole(&buf) || is_right(&buf)) || is_partial);
            }
        }
        let rows = one.nat().rows();
        assert!(rows.len() <= MOST_MAPPINGS * MOST_REMOTES, "{} rows", rows.len());
        assert!(rows.iter().all(|row| row.until > now), "a dead row");
    }
}
