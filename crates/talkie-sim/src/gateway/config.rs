//! What a gateway is told, and what it tells.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::nat;

/// All about one gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How it translates and filters.
    pub nat: nat::Config,
    /// Its own addresses inside, from which it answers; those outside where there is none of a family.
    pub inside: Vec<IpAddr>,
    /// How many ICMP messages and TCP resets of its own it sends in a second; none if 0. RFC 1812
    /// §4.3.2.8 wants a limit.
    pub answers_per_second: u32,
    /// How long the fragments of a packet are known and held: 15 s, RFC 791's initial timer.
    pub fragment_timeout: Duration,
    /// Of how many packets fragments are known at once. The oldest gives way.
    pub most_fragmented: usize,
    /// How many bytes of fragments may wait for the first of theirs. More are dropped.
    pub most_held_bytes: usize,
}

impl Config {
    /// A gateway around such a NAT.
    #[must_use]
    pub fn new(nat: nat::Config) -> Self {
        Self {
            nat,
            inside: Vec::new(),
            answers_per_second: 100,
            fragment_timeout: Duration::from_secs(15),
            most_fragmented: 1024,
            // Sixteen packets of the longest kind.
            most_held_bytes: 1 << 20,
        }
    }
}

/// The two sides of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The hosts that it stands before.
    Inside,
    /// The world.
    Outside,
}

/// What became of a packet.
#[must_use = "a forwarded packet is to be sent"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has been translated and is to be sent to this side.
    Forwarded(Side),
    /// It is a fragment that waits for the first one; the gateway has a copy.
    Held,
    /// It goes no further.
    Dropped(Reason),
}

/// Why a packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// It is no packet, or its header is damaged.
    Malformed,
    /// Routers do not forward between such addresses.
    Address,
    /// It has passed as many routers as it may.
    Expired,
    /// There is no translation for the protocol.
    Protocol,
    /// It is a fragment of a packet whose first fragment was dropped, or there are too many.
    Fragment,
    /// It is an ICMP error about a packet that nobody can have sent.
    UnrelatedError,
    /// The protocol is blocked.
    Blocked,
    /// No mapping has the outside address.
    NoMapping,
    /// There is a mapping, which does not let the remote in.
    Filtered,
    /// Those inside do not reach each other by their outside addresses.
    NoHairpinning,
    /// No outside port is free.
    NoPort,
    /// There are as many mappings as there may be.
    TableFull,
    /// It asked the gateway itself, which has answered.
    Answered,
}

impl Reason {
    const ALL: [Self; 13] = [
        Self::Malformed,
        Self::Address,
        Self::Expired,
        Self::Protocol,
        Self::Fragment,
        Self::UnrelatedError,
        Self::Blocked,
        Self::NoMapping,
        Self::Filtered,
        Self::NoHairpinning,
        Self::NoPort,
        Self::TableFull,
        Self::Answered,
    ];
}

impl From<nat::Reason> for Reason {
    fn from(reason: nat::Reason) -> Self {
        match reason {
            nat::Reason::Blocked => Self::Blocked,
            nat::Reason::NoMapping => Self::NoMapping,
            nat::Reason::Filtered => Self::Filtered,
            nat::Reason::NoHairpinning => Self::NoHairpinning,
            nat::Reason::NoPort => Self::NoPort,
            nat::Reason::TableFull => Self::TableFull,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed",
            Self::Address => "address that is not routed",
            Self::Expired => "no hops left",
            Self::Protocol => "protocol without translation",
            Self::Fragment => "fragment without a first one",
            Self::UnrelatedError => "ICMP error about an unknown packet",
            Self::Blocked => "blocked",
            Self::NoMapping => "no mapping",
            Self::Filtered => "filtered",
            Self::NoHairpinning => "no hairpinning",
            Self::NoPort => "no port free",
            Self::TableFull => "table full",
            Self::Answered => "for the gateway itself, answered",
        })
    }
}

/// How many packets came to what end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// From inside into the world.
    pub outbound: u64,
    /// From the world to those inside.
    pub inbound: u64,
    /// From inside to inside by outside addresses.
    pub hairpinned: u64,
    /// Fragments that had to wait.
    pub held: u64,
    dropped: [u64; Reason::ALL.len()],
}

impl Counters {
    /// How many were dropped for a reason.
    #[must_use]
    pub fn dropped(&self, reason: Reason) -> u64 {
        self.dropped[reason as usize]
    }

    /// The reasons that there were, with how often.
    pub fn drops(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL
            .into_iter()
            .map(|reason| (reason, self.dropped(reason)))
            .filter(|(_, count)| *count > 0)
    }

    pub(super) fn count(&mut self, from: Side, outcome: Outcome) {
        let counter = match (from, outcome) {
            (Side::Inside, Outcome::Forwarded(Side::Outside)) => &mut self.outbound,
            (Side::Inside, Outcome::Forwarded(Side::Inside)) => &mut self.hairpinned,
            (Side::Outside, Outcome::Forwarded(_)) => &mut self.inbound,
            (_, Outcome::Held) => &mut self.held,
            (_, Outcome::Dropped(reason)) => &mut self.dropped[reason as usize],
        };
        *counter += 1;
    }
}
