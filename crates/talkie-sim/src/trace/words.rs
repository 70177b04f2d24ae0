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

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nat(Reason::NoMapping) => f.write_str("no mapping"),
            Self::Nat(Reason::Filtered) => f.write_str("filtered"),
            Self::Nat(Reason::NoHairpinning) => f.write_str("no hairpinning"),
            Self::Nat(Reason::NoPort) => f.write_str("no port is free"),
            Self::Nat(Reason::TableFull) => f.write_str("the table is full"),
            Self::Nat(_) => f.write_str("the protocol is blocked"),
            Self::Loss => f.write_str("lost"),
            Self::QueueFull => f.write_str("the queue is full"),
            Self::TooBig { mtu } => write!(f, "larger than the MTU of {mtu}"),
            Self::FragmentationNeeded { mtu } => {
                write!(f, "fragmentation needed, the MTU is {mtu}")
            }
            Self::NoRoute => f.write_str("no route"),
            Self::PrivateAddress => f.write_str("private address on the internet"),
            Self::LinkDown => f.write_str("the link is down"),
            Self::NoSuchAddress => f.write_str("the host has no such address"),
            Self::TooManyHops => f.write_str("too many hops"),
            Self::NoConnection => f.write_str("no connection"),
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
