//! What a packet carries, as far as a NAT has to know.

use std::fmt;
use std::ops::BitOr;

/// The protocol of a packet, with what of its header matters to a NAT beside addresses and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP, with the flags of the segment.
    Tcp(Flags),
    /// An ICMP or ICMPv6 query and its reply (RFC 5508 §3). Its identifier takes the place of the port
    /// inside; the remote's port is 0.
    Icmp,
}

impl Protocol {
    /// The protocol without what is only true of one packet.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Udp => Kind::Udp,
            Self::Tcp(_) => Kind::Tcp,
            Self::Icmp => Kind::Icmp,
        }
    }

    pub(super) const fn is_reset(self) -> bool {
        matches!(self, Self::Tcp(flags) if flags.contains(Flags::RST))
    }
}

/// The protocols that have mappings, each its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// ICMP and ICMPv6 queries.
    Icmp,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Icmp => "icmp",
        })
    }
}

/// The flags of a TCP segment, as they stand in the header's fourteenth byte (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// No more from the sender.
    pub const FIN: Self = Self(0x01);
    /// A connection begins.
    pub const SYN: Self = Self(0x02);
    /// A connection is torn down.
    pub const RST: Self = Self(0x04);
    /// Data should be handed on at once.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement number counts.
    pub const ACK: Self = Self(0x10);

    /// Whether all of `flags` are set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
