//! The header behind the IP headers: ports, flags, identifiers, and where the checksum is.

use super::checksum::Difference;
use super::{End, protocol};
use crate::nat::Flags;

/// What a packet carries, as far as routers and NATs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP.
    Udp {
        /// The port it comes from.
        source: u16,
        /// The port it goes to.
        destination: u16,
    },
    /// TCP.
    Tcp {
        /// The port it comes from.
        source: u16,
        /// The port it goes to.
        destination: u16,
        /// The segment's flags; none where an ICMP error carries too little of it.
        flags: Flags,
    },
    /// An ICMP or ICMPv6 query or its reply, such as an echo.
    Query {
        /// What tells its sender's queries apart.
        identifier: u16,
        /// Whether it asks.
        is_request: bool,
    },
    /// An ICMP or ICMPv6 error, which carries the packet that it is about from its ninth byte on.
    Error {
        /// Its type.
        kind: u8,
        /// What kind of that type.
        code: u8,
    },
    /// Something else, or less of one of those than is needed.
    Other,
}

impl Transport {
    pub(super) fn parse(is_ipv4: bool, number: u8, payload: &[u8]) -> Self {
        let Some(head) = payload.first_chunk::<8>() else { return Self::Other };
        let source = u16::from_be_bytes([head[0], head[1]]);
        let destination = u16::from_be_bytes([head[2], head[3]]);
        match number {
            protocol::UDP => Self::Udp { source, destination },
            protocol::TCP => {
                let flags = Flags(payload.get(13).copied().unwrap_or(0));
                Self::Tcp { source, destination, flags }
            }
            protocol::ICMP if is_ipv4 => Self::icmp(head),
            protocol::ICMPV6 if !is_ipv4 => Self::icmpv6(head),
            _ => Self::Other,
        }
    }

    fn icmp(head: &[u8; 8]) -> Self {
        let identifier = u16::from_be_bytes([head[4], head[5]]);
        match head[0] {
            // RFC 5508 §3.1: echo; the timestamp of RFC 792 has its identifier at the same place.
            8 | 13 => Self::Query { identifier, is_request: true },
            0 | 14 => Self::Query { identifier, is_request: false },
            // RFC 5508 §4: destination unreachable, (source quench,) time exceeded, parameter problem.
            kind @ (3 | 4 | 11 | 12) => Self::Error { kind, code: head[1] },
            _ => Self::Other,
        }
    }

    fn icmpv6(head: &[u8; 8]) -> Self {
        let identifier = u16::from_be_bytes([head[4], head[5]]);
        match head[0] {
            128 => Self::Query { identifier, is_request: true },
            129 => Self::Query { identifier, is_request: false },
            // RFC 4443 §2.1: of the errors those that have a meaning.
            kind @ 1..=4 => Self::Error { kind, code: head[1] },
            _ => Self::Other,
        }
    }

    /// Where in the payload the checksum is.
    pub(super) const fn checksum_offset(self) -> Option<usize> {
        match self {
            Self::Udp { .. } => Some(6),
            Self::Tcp { .. } => Some(16),
            Self::Query { .. } | Self::Error { .. } => Some(2),
            Self::Other => None,
        }
    }

    /// Writes one end's port, and the checksum that follows from it and from `addresses`, the
    /// difference that changed addresses make in a pseudo header.
    pub(super) fn rewrite(
        self,
        payload: &mut [u8],
        is_ipv4: bool,
        end: End,
        port: u16,
        addresses: Difference,
        is_partial: bool,
    ) {
        let (mut difference, at) = match (self, end) {
            (Self::Udp { .. } | Self::Tcp { .. }, End::Source) => (addresses, 0),
            (Self::Udp { .. } | Self::Tcp { .. }, End::Destination) => (addresses, 2),
            // ICMP has no pseudo header, ICMPv6 has one (RFC 4443 §2.3).
            (Self::Query { .. }, _) if is_ipv4 => (Difference::default(), 4),
            (Self::Query { .. }, _) => (addresses, 4),
            (Self::Error { .. } | Self::Other, _) => return,
        };
        let old = u16::from_be_bytes([payload[at], payload[at + 1]]);
        payload[at..at + 2].copy_from_slice(&port.to_be_bytes());
        let Some(field) = self.checksum_offset().and_then(|at| payload.get_mut(at..at + 2)) else {
            return;
        };
        let checksum = u16::from_be_bytes([field[0], field[1]]);
        if is_partial {
            // The ports will be summed up with the rest.
            field.copy_from_slice(&addresses.apply_to_sum(checksum).to_be_bytes());
            return;
        }
        difference.word(old, port);
        let is_udp = matches!(self, Self::Udp { .. });
        // RFC 768: zero says that there is no checksum, and a computed zero is written as its
        // complement. RFC 3022 §4.1: who sent none gets none.
        if is_udp && checksum == 0 {
            return;
        }
        let new = match difference.apply(checksum) {
            0 if is_udp => 0xffff,
            new => new,
        };
        field.copy_from_slice(&new.to_be_bytes());
    }
}
