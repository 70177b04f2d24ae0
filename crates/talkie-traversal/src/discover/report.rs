//! What was found, in the words of RFC 4787 and in the classic ones of RFC 3489.

use std::net::SocketAddr;
use std::time::Duration;

/// Something that was found out, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Finding<T> {
    /// It is so.
    Known(T),
    /// Nobody can say.
    Unknown(Reason),
}

impl<T> Finding<T> {
    /// What was found out.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

/// Why something is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Reason {
    /// Nothing came back from the server.
    NoAnswer,
    /// The server names no second address: it is none for RFC 5780.
    OneAddress,
    /// It does not depend on the remote's port. Whether it depends on the address a server with one
    /// address cannot tell.
    NotThePort,
    /// The server's second address does not answer, or answers differently from what it was asked.
    OtherSilent,
    /// The server refused with this code.
    Refused(u16),
    /// The server did not do what it was asked, without a word.
    Ignored,
    /// Nothing came, and it cannot be seen whether the NAT or the server kept it back.
    Unshown,
    /// The server has been asked too much, by us or by neighbours behind the same address.
    Throttled,
    /// So much is lost on the way that silence proves nothing.
    Lossy,
    /// Too few local sockets.
    Sockets,
    /// There is no translation.
    NotTranslated,
    /// The NAT would filter the packet anyway.
    Filtered,
    /// It was not asked for.
    NotAsked,
}

/// What an outside port depends on (RFC 4787 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Mapping {
    /// On nothing: all remotes see the same.
    EndpointIndependent,
    /// On the remote's address.
    AddressDependent,
    /// On the remote's address and port.
    AddressAndPortDependent,
}

/// Who is let in (RFC 4787 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Filtering {
    /// Everybody.
    EndpointIndependent,
    /// Whoever is at an address that was sent to.
    AddressDependent,
    /// Only an address and port that was sent to.
    AddressAndPortDependent,
}

/// How outside ports are chosen (RFC 4787 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Allocation {
    /// The number of the inside port, where it is free.
    Preserving,
    /// One after the other, so many apart; negative where they go down.
    Sequential(i32),
    /// Without an order that could be seen.
    Random,
}

/// Whether all sockets have the same outside address (RFC 4787 §4.1, REQ-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Pooling {
    /// They have.
    Paired,
    /// They have not.
    Arbitrary,
}

/// What happens to a packet from inside to an outside address of the same NAT (RFC 4787 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Hairpinning {
    /// It arrives, from the sender's outside address (REQ-9).
    ExternalSource,
    /// It arrives, from the sender's inside address.
    InternalSource,
    /// It is lost.
    Unsupported,
}

/// What happens to a datagram that is longer than a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Fragments {
    /// It passes, there and back.
    Pass,
    /// It passes to the server; back came a short answer.
    PassOut,
    /// It is lost.
    Lost,
}

/// How long a mapping lasts without traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Lifetime {
    /// After this time it was still there.
    #[cfg_attr(feature = "serde", serde(rename = "at_least_ms", serialize_with = "super::millis"))]
    pub at_least: Duration,
    /// After this it was gone; `None` if it outlived the test.
    #[cfg_attr(feature = "serde", serde(rename = "below_ms", serialize_with = "super::millis_of"))]
    pub below: Option<Duration>,
    /// Whether packets from outside keep it alive, too (RFC 4787 §4.3); `None` if that was not seen.
    pub inbound_refresh: Option<bool>,
}

/// One mapping that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Seen {
    /// From here.
    pub local: SocketAddr,
    /// To there.
    pub remote: SocketAddr,
    /// As this.
    pub mapped: SocketAddr,
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Report {
    /// The server asked.
    pub server: SocketAddr,
    /// The first local address.
    pub local: SocketAddr,
    /// How the server sees it.
    pub mapped: Finding<SocketAddr>,
    /// The shortest round trip.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "round_trip_ms", serialize_with = "super::millis_of")
    )]
    pub round_trip: Option<Duration>,
    /// Requests that had to be answered: how many were sent.
    pub sent: u32,
    /// How many of them were.
    pub answered: u32,
    /// Whether the address or port is another one outside.
    pub translated: Finding<bool>,
    /// What the outside port depends on.
    pub mapping: Finding<Mapping>,
    /// Who is let in.
    pub filtering: Finding<Filtering>,
    /// How outside ports are chosen.
    pub allocation: Finding<Allocation>,
    /// Whether all sockets have the same outside address.
    pub pooling: Finding<Pooling>,
    /// Whether those inside reach each other by their outside addresses.
    pub hairpinning: Finding<Hairpinning>,
    /// Whether fragments pass.
    pub fragments: Finding<Fragments>,
    /// Whether something on the way rewrites addresses within packets (RFC 5780 §3.6).
    pub rewritten: Finding<bool>,
    /// How long a mapping lasts.
    pub lifetime: Finding<Lifetime>,
    /// Every mapping seen, in the order in which they were asked for.
    pub seen: Vec<Seen>,
    /// How long all this took.
    #[cfg_attr(feature = "serde", serde(rename = "took_ms", serialize_with = "super::millis"))]
    pub took: Duration,
}

/// The classic words (RFC 3489 §5), and what they have no word for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Kind {
    /// UDP does not reach the server, or nothing comes back.
    Blocked,
    /// Neither translation nor filter.
    Open,
    /// No translation, but a filter.
    Firewall,
    /// Endpoint-independent in all.
    FullCone,
    /// Endpoint-independent mapping, address-dependent filtering.
    AddressRestrictedCone,
    /// Endpoint-independent mapping, address-and-port-dependent filtering.
    PortRestrictedCone,
    /// A cone of which sort is not known.
    Cone,
    /// Address-and-port-dependent in all.
    Symmetric,
    /// None of the four.
    Other(Mapping, Filtering),
    /// Too little is known.
    Unclear,
}

impl Report {
    /// The classic word.
    #[must_use]
    pub fn kind(&self) -> Kind {
        use Filtering as F;
        use Mapping as M;
        if self.mapped == Finding::Unknown(Reason::NoAnswer) {
            return Kind::Blocked;
        }
        if self.translated == Finding::Known(false) {
            return match self.filtering {
                Finding::Known(F::EndpointIndependent) => Kind::Open,
                Finding::Known(_) => Kind::Firewall,
                Finding::Unknown(_) => Kind::Unclear,
            };
        }
        match (self.mapping.known(), self.filtering.known()) {
            (Some(M::EndpointIndependent), Some(F::EndpointIndependent)) => Kind::FullCone,
            (Some(M::EndpointIndependent), Some(F::AddressDependent)) => {
                Kind::AddressRestrictedCone
            }
            (Some(M::EndpointIndependent), Some(F::AddressAndPortDependent)) => {
                Kind::PortRestrictedCone
            }
            (Some(M::AddressAndPortDependent), Some(F::AddressAndPortDependent)) => Kind::Symmetric,
            (Some(mapping), Some(filtering)) => Kind::Other(mapping, filtering),
            (Some(M::EndpointIndependent), None) => Kind::Cone,
            _ => Kind::Unclear,
        }
    }

    /// The distances between outside ports, in the order in which they were asked for.
    #[must_use]
    pub fn deltas(&self) -> Vec<i32> {
        let mut ports: Vec<_> =
            self.seen.iter().map(|seen| i32::from(seen.mapped.port())).collect();
        ports.dedup();
        ports.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}
