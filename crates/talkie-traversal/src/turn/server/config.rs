//! How a server is set up. The default is safe and works: it relays on every local address, from
//! the dynamic port range, to the public Internet only, and for nobody until it is given
//! credentials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::credentials::Credentials;
use super::discovery::Discovery;
use super::policy::PeerPolicy;
use crate::stun::attributes::Realm;

/// The setup of a [`TurnServer`](super::TurnServer).
#[derive(Clone, Debug)]
pub struct Config {
    /// The realm of the long-term credentials (RFC 8489 §9.2). It is part of every password's hash.
    pub realm: String,
    /// Where IPv4 relays are opened; `None` refuses them with 440.
    pub relay_v4: Option<RelayAddress>,
    /// Where IPv6 relays are opened; `None` refuses them with 440.
    pub relay_v6: Option<RelayAddress>,
    /// Whether the address at which the client reached us is advertised in place of
    /// [`RelayAddress::advertise`], where it is of the right family and not unspecified.
    pub advertise_local: bool,
    /// The ports of relays. Default 49152–65535, the dynamic range (RFC 8656 §7.2).
    pub ports: RangeInclusive<u16>,
    /// Every address that clients reach us at. No peer can be one of them, not even when the policy
    /// allows it. One with an unspecified IP stands for its port on every address that is ours or
    /// not global; a driver that knows the interfaces should list them one by one.
    pub listeners: Vec<SocketAddr>,
    /// Who may allocate. Default: nobody.
    pub credentials: Credentials,
    /// Which peers may be reached. Default: the public Internet.
    pub peers: PeerPolicy,
    /// Bounds on what clients can make us hold.
    pub limits: Limits,
    /// The lifetime of an allocation whose client asks for none or for less. Default 600 s
    /// (RFC 8656 §3.2).
    pub default_lifetime: Duration,
    /// The longest lifetime granted. Default 3600 s (RFC 8656 §7.2).
    pub max_lifetime: Duration,
    /// How long a nonce is good; at most two hours. Default 600 s: RFC 8656 §5 asks for an hour at
    /// most, and renewal costs a client one round trip.
    pub nonce_lifetime: Duration,
    /// How long a port reserved by EVEN-PORT is kept. Default 30 s, the least that RFC 8656 §7.2
    /// allows.
    pub reservation_lifetime: Duration,
    /// When SHA-256 is offered beside MD5.
    pub offer_sha256: OfferSha256,
    /// The sockets that answer NAT behaviour discovery (RFC 5780). Default: none, and requests that
    /// want it get 420.
    pub discovery: Vec<Discovery>,
}

/// An address of our own that relays are opened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayAddress {
    /// What relay sockets are bound to; usually unspecified.
    pub bind: IpAddr,
    /// What clients are told, where nothing better is known. Unspecified: the address at which the
    /// client reached us, and 508 when that is not known.
    pub advertise: IpAddr,
}

/// When a 401 or 438 carries PASSWORD-ALGORITHMS (RFC 8489 §9.2.4).
///
/// The offer costs 25 bytes in a reply that anybody can have sent to a forged address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OfferSha256 {
    /// When the client's address is proven by its transport, or the reply is at most twice as long
    /// as the request.
    #[default]
    WhenItFits,
    /// Always.
    Always,
    /// Never; a client that uses SHA-256 unasked is still understood.
    Never,
}

/// Bounds on state. Where one is reached the request is refused; nothing is evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Allocations and reserved ports in all. Default 16,384: the default port range.
    pub allocations: usize,
    /// Allocations and reserved ports of one user. Default 64: a browser in a call of eight opens
    /// seven connections and tries UDP, TCP and TLS on both families for each, which makes 42.
    pub allocations_per_user: usize,
    /// Allocations and reserved ports of clients at one IPv4 address or in one IPv6 /64, whoever
    /// they say they are: names are cheap where a web page gives each visitor one. Default 4096, a
    /// quarter of all, because many may share one address.
    pub allocations_per_address: usize,
    /// Permissions of one allocation. Default 128: the peer of one connection seldom has more than
    /// 20 candidates, on the few addresses of one host. A user has at most 64 × 128.
    pub permissions_per_allocation: usize,
    /// Channels of one allocation. Default 128, likewise.
    pub channels_per_allocation: usize,
    /// Datagrams that wait for the driver. Default 1,024; it drains after every input.
    pub queued_datagrams: usize,
    /// Bytes that wait for the driver. Default 1 MiB.
    pub queued_bytes: usize,
    /// Events that wait for the driver before requests are dropped. Default 1,024.
    pub queued_events: usize,
}

/// Why a [`Config`] cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The realm is empty or has 128 characters or more.
    #[error("the realm must have 1 to 127 characters")]
    Realm,
    /// The secret, a name or a password is empty: that would be a door left open.
    #[error("the secret and the names and passwords of users must not be empty")]
    Credentials,
    /// No port can be used.
    #[error("the range of relay ports is empty or holds port 0")]
    Ports,
    /// A relay address mixes families, or stands in the other family's place.
    #[error("a relay address is of the wrong family")]
    Family,
    /// Nothing would be known to tell clients.
    #[error("an unspecified advertised address needs `advertise_local`")]
    Advertise,
    /// A lifetime is below a second, or the default is above the maximum.
    #[error("lifetimes must be a second or more, and the default no more than the maximum")]
    Lifetime,
    /// Behaviour discovery lacks a port, or has addresses that are the same, more than two, or of
    /// the wrong family.
    #[error("behaviour discovery needs two ports and at most two addresses of one family")]
    Discovery,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            realm: "talkie".into(),
            relay_v4: Some(RelayAddress::local(Ipv4Addr::UNSPECIFIED.into())),
            relay_v6: Some(RelayAddress::local(Ipv6Addr::UNSPECIFIED.into())),
            advertise_local: true,
            ports: 49_152..=65_535,
            listeners: Vec::new(),
            credentials: Credentials::default(),
            peers: PeerPolicy::default(),
            limits: Limits::default(),
            default_lifetime: Duration::from_secs(600),
            max_lifetime: Duration::from_secs(3600),
            nonce_lifetime: Duration::from_secs(600),
            reservation_lifetime: Duration::from_secs(30),
            offer_sha256: OfferSha256::default(),
            discovery: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            allocations: 16_384,
            allocations_per_user: 64,
            allocations_per_address: 4096,
            permissions_per_allocation: 128,
            channels_per_allocation: 128,
            queued_datagrams: 1024,
            queued_bytes: 1 << 20,
            queued_events: 1024,
        }
    }
}

impl RelayAddress {
    /// Binds and advertises the same address.
    #[must_use]
    pub fn local(ip: IpAddr) -> Self {
        Self { bind: ip, advertise: ip }
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.realm.is_empty() || Realm::new(&self.realm).is_err() {
            return Err(ConfigError::Realm);
        }
        if self.credentials.have_gaps() {
            return Err(ConfigError::Credentials);
        }
        if self.ports.is_empty() || *self.ports.start() == 0 {
            return Err(ConfigError::Ports);
        }
        for (relay, is_v6) in [(self.relay_v4, false), (self.relay_v6, true)] {
            let Some(relay) = relay else { continue };
            if relay.bind.is_ipv6() != is_v6 || relay.advertise.is_ipv6() != is_v6 {
                return Err(ConfigError::Family);
            }
            if relay.advertise.is_unspecified() && !self.advertise_local {
                return Err(ConfigError::Advertise);
            }
        }
        let lifetimes = [
            self.default_lifetime,
            self.max_lifetime,
            self.nonce_lifetime,
            self.reservation_lifetime,
        ];
        // In messages they are whole seconds.
        let too_short = |lifetime: &Duration| lifetime.as_secs() == 0;
        if lifetimes.iter().any(too_short) || self.default_lifetime > self.max_lifetime {
            return Err(ConfigError::Lifetime);
        }
        self.discovery.iter().try_for_each(Discovery::check)
    }
}
