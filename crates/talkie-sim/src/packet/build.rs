//! New packets. Each function appends one to a buffer, so that a driver can reuse it.

use std::net::{IpAddr, SocketAddr};

use super::{Packet, Transport, checksum, protocol};
use crate::nat::Flags;

/// The hops that a new packet has to go (RFC 1700's default).
pub const HOPS: u8 = 64;

/// A UDP datagram. Its ends have the same family, and it is no longer than 65,507 bytes.
///
/// # Panics
/// If families differ or the payload is too long.
pub fn udp(out: &mut Vec<u8>, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
    let at = header(out, source.ip(), destination.ip(), protocol::UDP, 8 + payload.len());
    let length = u16::try_from(8 + payload.len()).expect("it fits in a packet");
    for word in [source.port(), destination.port(), length, 0] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(payload);
    finish(out, at);
}

/// The fields of a TCP segment's header that a simulation may want to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Its flags.
    pub flags: Flags,
    /// The number of its first byte.
    pub sequence: u32,
    /// The number of the byte that is expected next.
    pub acknowledgement: u32,
    /// How much the sender can take.
    pub window: u16,
}

/// A TCP segment without options.
///
/// # Panics
/// As [`udp`].
pub fn tcp(
    out: &mut Vec<u8>,
    source: SocketAddr,
    destination: SocketAddr,
    segment: Segment,
    payload: &[u8],
) {
    let at = header(out, source.ip(), destination.ip(), protocol::TCP, 20 + payload.len());
    out.extend_from_slice(&source.port().to_be_bytes());
    out.extend_from_slice(&destination.port().to_be_bytes());
    out.extend_from_slice(&segment.sequence.to_be_bytes());
    out.extend_from_slice(&segment.acknowledgement.to_be_bytes());
    out.extend_from_slice(&[5 << 4, segment.flags.0]);
    out.extend_from_slice(&segment.window.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
    finish(out, at);
}

/// An ICMP or ICMPv6 echo: what `ping` sends, or the answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Whether it asks or answers.
    pub is_request: bool,
    /// What tells its sender's echoes apart.
    pub identifier: u16,
    /// Its number.
    pub sequence: u16,
}

/// An echo request or reply.
///
/// # Panics
/// As [`udp`].
pub fn echo(out: &mut Vec<u8>, source: IpAddr, destination: IpAddr, echo: Echo, payload: &[u8]) {
    let (number, kind) = match (source.is_ipv4(), echo.is_request) {
        (true, true) => (protocol::ICMP, 8),
        (true, false) => (protocol::ICMP, 0),
        (false, true) => (protocol::ICMPV6, 128),
        (false, false) => (protocol::ICMPV6, 129),
    };
    let at = header(out, source, destination, number, 8 + payload.len());
    out.extend_from_slice(&[kind, 0, 0, 0]);
    out.extend_from_slice(&echo.identifier.to_be_bytes());
    out.extend_from_slice(&echo.sequence.to_be_bytes());
    out.extend_from_slice(payload);
    finish(out, at);
}

/// What an ICMP error says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// The packet has passed as many routers as it may.
    TimeExceeded,
    /// There is no way to the network.
    NetworkUnreachable,
    /// The host does not answer.
    HostUnreachable,
    /// Nobody listens at the port.
    PortUnreachable,
    /// Policy forbids it.
    Prohibited,
    /// It does not fit and may not be cut.
    TooBig {
        /// What would fit, in bytes.
        mtu: u16,
    },
}

impl Problem {
    /// Type and code (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1; RFC 4443 §3).
    const fn kind_and_code(self, is_ipv4: bool) -> (u8, u8) {
        match (self, is_ipv4) {
            (Self::TimeExceeded, true) => (11, 0),
            (Self::NetworkUnreachable, true) => (3, 0),
            (Self::HostUnreachable, true) => (3, 1),
            (Self::PortUnreachable, true) => (3, 3),
            (Self::Prohibited, true) => (3, 13),
            (Self::TooBig { .. }, true) => (3, 4),
            (Self::TimeExceeded, false) => (3, 0),
            (Self::NetworkUnreachable, false) => (1, 0),
            (Self::HostUnreachable, false) => (1, 3),
            (Self::PortUnreachable, false) => (1, 4),
            (Self::Prohibited, false) => (1, 1),
            (Self::TooBig { .. }, false) => (2, 0),
        }
    }
}

/// The ICMP error that `from` sends to where `about` came from, unless there must be none: about an
/// error, about a fragment that is not the first, or to or about what is no single host (RFC 1122
/// §3.2.2, RFC 4443 §2.4 (e)). Whoever sends them limits their rate.
pub fn error<B: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    from: IpAddr,
    problem: Problem,
    about: &Packet<B>,
) -> bool {
    let is_first = about.fragment().is_none_or(|fragment| fragment.offset == 0);
    let is_icmp = matches!(about.protocol(), protocol::ICMP | protocol::ICMPV6);
    // An ICMP message that is not known to be a query may be an error.
    let may_be_error = is_icmp && !matches!(about.transport(), Transport::Query { .. });
    let has_hosts = is_host(about.source()) && is_host(about.destination());
    if !is_first || may_be_error || !has_hosts || from.is_ipv4() != about.is_ipv4() {
        return false;
    }
    let (number, most) = match from {
        // RFC 1812 §4.3.2.3: as much as fits in 576 bytes.
        IpAddr::V4(_) => (protocol::ICMP, 576 - 20 - 8),
        // RFC 4443 §2.4 (c): as much as fits in the least MTU.
        IpAddr::V6(_) => (protocol::ICMPV6, 1280 - 40 - 8),
    };
    let quoted = about.bytes();
    let quoted = &quoted[..quoted.len().min(most)];
    let (kind, code) = problem.kind_and_code(from.is_ipv4());
    let at = header(out, from, about.source(), number, 8 + quoted.len());
    out.extend_from_slice(&[kind, code, 0, 0, 0, 0]);
    // RFC 1191 §4 has the next MTU in the lower half, RFC 4443 §3.2 in all of the word.
    let mtu = if let Problem::TooBig { mtu } = problem { mtu } else { 0 };
    out.extend_from_slice(&mtu.to_be_bytes());
    out.extend_from_slice(quoted);
    finish(out, at);
    true
}

fn is_host(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !address.is_unspecified() && !address.is_multicast() && !is_broadcast
}

/// Appends an IP header for so many bytes to come, and says where it begins.
fn header(
    out: &mut Vec<u8>,
    source: IpAddr,
    destination: IpAddr,
    number: u8,
    length: usize,
) -> usize {
    let at = out.len();
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let total = u16::try_from(20 + length).expect("it fits in a packet");
            out.extend_from_slice(&[4 << 4 | 5, 0]);
            out.extend_from_slice(&total.to_be_bytes());
            // RFC 6864 §4.1: what may not be cut needs no identification.
            out.extend_from_slice(&[0, 0, 0x40, 0, HOPS, number, 0, 0]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&destination.octets());
            let sum = !checksum::fold(checksum::sum(&out[at..]));
            out[at + 10..at + 12].copy_from_slice(&sum.to_be_bytes());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let length = u16::try_from(length).expect("it fits in a packet");
            out.extend_from_slice(&[6 << 4, 0, 0, 0]);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&[number, HOPS]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&destination.octets());
        }
        _ => panic!("a packet's ends have the same family"),
    }
    at
}

fn finish(out: &mut [u8], at: usize) {
    Packet::parse(&mut out[at..]).expect("it was written just now").finish_checksum();
}
