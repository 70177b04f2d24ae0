//! What a started server tells about itself: all that the command line prints.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

/// What listens where, how to reach it, and what is not as it should be.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Every bound socket.
    pub listeners: Vec<Listening>,
    /// The URL for a browser on this host.
    pub local_url: Option<String>,
    /// The URLs for browsers on the local network, the likeliest first.
    pub lan_urls: Vec<String>,
    /// The certificate of the TLS listeners, when there are any.
    pub certificate: Option<CertificateReport>,
    /// The relay, when there is one.
    pub relay: Option<RelayReport>,
    /// What STUN offers those who explore their NAT, for each listener; empty when nothing.
    pub discovery: Vec<DiscoveryReport>,
    /// What the test of one's own STUN and TURN found; empty when it was not asked for.
    pub self_test: Vec<Leg>,
    /// What the operator should know, a sentence each.
    pub warnings: Vec<String>,
}

impl Report {
    /// The addresses bound for `purpose`.
    pub fn addresses(&self, purpose: Purpose) -> impl Iterator<Item = SocketAddr> + '_ {
        self.listeners
            .iter()
            .filter(move |listening| listening.purpose == purpose)
            .map(|listening| listening.address)
    }

    /// Whether every leg of the self test worked.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.self_test.iter().all(|leg| leg.outcome.is_ok())
    }
}

/// One bound socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listening {
    /// What it is for.
    pub purpose: Purpose,
    /// Where it is bound; a port of 0 in the configuration is the real one here.
    pub address: SocketAddr,
}

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// The web app without TLS.
    Http,
    /// The web app and TURN over TLS.
    Https,
    /// STUN and TURN over UDP.
    TurnUdp,
    /// STUN and TURN over TCP.
    TurnTcp,
    /// STUN over UDP on a second socket, to find out what NATs do.
    StunUdp,
    /// The same over TCP.
    StunTcp,
    /// TURN over TLS alone.
    Turns,
    /// Health and metrics.
    Admin,
}

impl Purpose {
    /// The flag of `talkie serve` that moves it.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Http => "--http",
            Self::Https => "--https",
            Self::TurnUdp | Self::TurnTcp => "--turn",
            Self::StunUdp | Self::StunTcp => "--alternate-port",
            Self::Turns => "--turns",
            Self::Admin => "--admin",
        }
    }

    /// Its transport protocol.
    #[must_use]
    pub const fn transport(self) -> &'static str {
        match self {
            Self::TurnUdp | Self::StunUdp => "UDP",
            _ => "TCP",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::TurnUdp => "turn/udp",
            Self::TurnTcp => "turn/tcp",
            Self::StunUdp => "stun/udp",
            Self::StunTcp => "stun/tcp",
            Self::Turns => "turns",
            Self::Admin => "admin",
        })
    }
}

/// The certificate in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateReport {
    /// SHA-256 over the DER form, as browsers show it: upper-case pairs with colons.
    pub sha256: String,
    /// Whether it was made here, so that a browser warns until its owner accepts it.
    pub self_signed: bool,
    /// Its end.
    pub not_after: SystemTime,
}

/// The relay's addresses.
#[derive(Clone, Debug)]
pub struct RelayReport {
    /// The ports of relayed addresses.
    pub ports: RangeInclusive<u16>,
    /// The addresses that relayed candidates carry.
    pub advertised: Vec<IpAddr>,
    /// Where these come from.
    pub source: AdvertisedSource,
}

/// Sockets that belong together in NAT behaviour discovery (RFC 5780).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveryReport {
    /// What they are bound to.
    pub listener: IpAddr,
    /// The port of `--turn` and the second one.
    pub ports: [u16; 2],
    /// The primary and the second address as clients are told them, when there are two.
    pub addresses: Option<[IpAddr; 2]>,
}

/// How the relay's address was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdvertisedSource {
    /// `--external-ip` says so.
    Configured,
    /// The address of an interface; a browser that reached the server by another address gets that
    /// one.
    Interface,
}

/// One leg of the self test.
#[derive(Clone, Debug)]
pub struct Leg {
    /// What was tried: "STUN", "TURN over UDP", …
    pub name: &'static str,
    /// Where.
    pub address: SocketAddr,
    /// The time it took, or why it failed and what to do, in words.
    pub outcome: Result<Duration, String>,
}
