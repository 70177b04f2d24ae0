//! What is told of a mapping.

use std::fmt;
use std::net::SocketAddrV4;
use std::time::Duration;

use talkie_sansio::WantError;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// There is a mapping. It is kept alive from now on without another word.
    Mapped(Mapping),
    /// There is no longer the mapping that was told last; another one may follow.
    Lost(Loss),
    /// Nobody gives one. It is asked again after a while and when the gateway makes itself heard; this is
    /// told again only when the reasons are others.
    Unavailable(Reasons),
    /// What was mapped is removed, or removing it was tried in vain. Nothing follows.
    Closed,
}

/// A port of the gateway that leads to ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Where the gateway says it is reached. May be a private address if there is another NAT behind it.
    pub external: SocketAddrV4,
    /// Where it leads to.
    pub internal: SocketAddrV4,
    /// For how long at a time.
    pub lifetime: Duration,
    /// By which protocol it was asked for.
    pub protocol: Protocol,
}

/// How mappings are asked for; the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Port Control Protocol, RFC 6887.
    Pcp,
    /// NAT-PMP, RFC 6886.
    NatPmp,
    /// UPnP Internet Gateway Device.
    Igd,
}

/// Why a mapping is there no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The gateway stopped renewing it.
    Expired,
    /// The gateway gives another address or port instead.
    Changed,
    /// The interface has gone or has another address.
    Interface,
}

/// What came of each protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasons {
    /// Of PCP.
    pub pcp: Reason,
    /// Of NAT-PMP.
    pub nat_pmp: Reason,
    /// Of UPnP.
    pub igd: Reason,
}

/// Why a protocol gives no mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is not to be asked.
    Disabled,
    /// Nothing came back.
    Silent,
    /// The gateway says that it does not speak it.
    Unsupported,
    /// It does, and is switched off or refuses this host; with the protocol's code.
    Refused(u16),
    /// It does, and has a trouble of its own; with the protocol's code.
    Failed(u16),
    /// It has no outside address.
    NoAddress,
    /// It would only give mappings without end, which outlive whoever crashes.
    Permanent,
    /// What it says makes no sense.
    Nonsense,
    /// A socket or stream could not be had.
    Socket(WantError),
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pcp => "PCP",
            Self::NatPmp => "NAT-PMP",
            Self::Igd => "UPnP",
        })
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the gateway has not renewed it",
            Self::Changed => "the gateway gives another one instead",
            Self::Interface => "the interface has gone",
        })
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PCP: {}; NAT-PMP: {}; UPnP: {}", self.pcp, self.nat_pmp, self.igd)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("not asked"),
            Self::Silent => f.write_str("no answer"),
            Self::Unsupported => f.write_str("not supported"),
            Self::Refused(code) => write!(f, "refused (code {code})"),
            Self::Failed(code) => write!(f, "failed (code {code})"),
            Self::NoAddress => f.write_str("the gateway has no outside address"),
            Self::Permanent => f.write_str("only mappings without end"),
            Self::Nonsense => f.write_str("answers without sense"),
            Self::Socket(error) => write!(f, "no socket: {error}"),
        }
    }
}
