//! A trace in words, as they stand in pcapng comments and in the terminal.

use std::fmt;

use super::{Cause, Side, Way, What};
use crate::nat::Reason;

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(number) => write!(f, "if{number}"),
            Self::Inside => f.write_str("inside"),
            Self::Outside => f.write_str("outside"),
            Self::Any => f.write_str("any"),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Out => "out",
            Self::In => "in",
            Self::Hairpin => "hairpin",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocked => "the protocol is blocked",
            Self::NoMapping => "no mapping",
            Self::Filtered => "filtered",
            Self::NoHairpinning => "no hairpinning",
            Self::NoPort => "no port is free",
            Self::TableFull => "the table is full",
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nat(reason) => return reason.fmt(f),
            Self::TooBig { mtu } => return write!(f, "larger than the MTU of {mtu}"),
            Self::FragmentationNeeded { mtu } => {
                return write!(f, "fragmentation needed, the MTU is {mtu}");
            }
            Self::Loss => "lost",
            Self::QueueFull => "the queue is full",
            Self::NoRoute => "no route",
            Self::PrivateAddress => "private address on the internet",
            Self::LinkDown => "the link is down",
            Self::NoSuchAddress => "the host has no such address",
            Self::NoSocket => "no socket is open there",
            Self::TooManyHops => "too many hops",
            Self::TooManyPackets => "too many packets",
        })
    }
}

impl Cause {
    /// A name for programs, which stays the same.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Nat(Reason::Blocked) => "nat-blocked",
            Self::Nat(Reason::NoMapping) => "nat-no-mapping",
            Self::Nat(Reason::Filtered) => "nat-filtered",
            Self::Nat(Reason::NoHairpinning) => "nat-no-hairpinning",
            Self::Nat(Reason::NoPort) => "nat-no-port",
            Self::Nat(Reason::TableFull) => "nat-table-full",
            Self::Loss => "loss",
            Self::QueueFull => "queue-full",
            Self::TooBig { .. } => "too-big",
            Self::FragmentationNeeded { .. } => "fragmentation-needed",
            Self::NoRoute => "no-route",
            Self::PrivateAddress => "private-address",
            Self::LinkDown => "link-down",
            Self::NoSuchAddress => "no-such-address",
            Self::NoSocket => "no-socket",
            Self::TooManyHops => "too-many-hops",
            Self::TooManyPackets => "too-many-packets",
        }
    }
}

/// The verdict as a person would say it, without the box.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent => f.write_str("sent"),
            Self::Forwarded => f.write_str("forwarded"),
            Self::Translated { way, source, destination } => {
                write!(f, "translated ({way}) to {source} > {destination}")
            }
            Self::Duplicated { copy } => write!(f, "duplicated as packet {copy}"),
            Self::Dropped(cause) => write!(f, "dropped: {cause}"),
            Self::Delivered => f.write_str("delivered"),
        }
    }
}
