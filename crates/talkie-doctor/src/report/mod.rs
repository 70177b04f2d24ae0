//! What the probes found, as data: nothing is judged here. Its JSON is documented in
//! `docs/doctor.md`, and a test holds both together.
//!
//! Everything that came from the network was bounded and cleaned of control characters by the probe
//! that brought it.

mod host;
mod nat;
mod network;
mod server;

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use host::{Address, Host, Interface, InterfaceKind, Proxy, Reach, Route};
pub use nat::{Allocation, Behaviour, Nat, NatType, PortLifetime};
pub use network::{Answer, Gateway, Igd, MtuSource, PathMtu, PortMapping, Portal};
pub use server::{
    Certificate, Clock, Credentials, Echo, Failure, FailureKind, Leg, Server, Trust, Web,
};
pub use talkie_sansio::Scope;

/// The version of the JSON. It changes when a field is renamed, removed or means something else;
/// new fields don't change it.
pub const SCHEMA: u32 = 1;

/// Everything that was found in one examination.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The program's version.
    pub version: &'static str,
    /// When it began, in seconds since the Unix epoch by this host's clock.
    pub taken_at: u64,
    /// How long it took.
    #[serde(rename = "durationMs")]
    pub duration: Millis,
    /// This host.
    pub host: Host,
    /// The servers, as they were named.
    pub servers: Vec<Server>,
    /// The NAT in front of each IP version; empty if no STUN server answered over UDP.
    pub nats: Vec<Nat>,
    /// What the gateway offers to open ports.
    pub port_mapping: PortMapping,
    /// How large packets may be.
    pub mtu: Option<PathMtu>,
    /// Whether something asks for a login before it lets traffic through.
    pub portal: Portal,
    /// This host's clock beside a server's.
    pub clock: Option<Clock>,
}

impl Report {
    /// The NAT that decides with whom a direct connection works: IPv4's, since everybody has that;
    /// else IPv6's.
    #[must_use]
    pub fn nat(&self) -> Option<&Nat> {
        self.nats.iter().min_by_key(|nat| nat.family)
    }

    /// All legs of all servers.
    pub fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.servers.iter().flat_map(|server| &server.legs)
    }
}

/// An IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// The version of an address; a v4-mapped one counts as IPv4.
    #[must_use]
    pub fn of(address: std::net::IpAddr) -> Self {
        if address.to_canonical().is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

/// A time that is written as milliseconds, to a hundredth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub Duration);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64((self.0.as_secs_f64() * 1e5).round() / 100.0)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let millis = f64::deserialize(deserializer)?;
        Duration::try_from_secs_f64(millis / 1e3).map(Self).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.0.as_secs_f64() * 1e3;
        match millis {
            ..10.0 => write!(f, "{millis:.1} ms"),
            _ => write!(f, "{millis:.0} ms"),
        }
    }
}
