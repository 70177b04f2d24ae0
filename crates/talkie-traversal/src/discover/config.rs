use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The setup of a [`Discovery`](super::Discovery). `Config::new` fills in what few change.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's primary address and port.
    pub server: SocketAddr,
    /// The addresses of UDP sockets that the driver has opened for this run, all of the server's
    /// family, on one interface, with ports of their own and without a past: RFC 5780 §4.1. One is
    /// enough to learn of the mapping, [`SOCKETS`](Self::SOCKETS) for all but the lifetime, which
    /// takes one more.
    pub local: Vec<SocketAddr>,
    /// Another server, which has nothing to do with the first. It completes the mapping test where
    /// the first has one address only. Any STUN server will do.
    pub second: Option<SocketAddr>,
    /// A second port of the server that is known beforehand: servers with one address may not name
    /// it (RFC 5780 §7.4).
    pub other_port: Option<u16>,
    /// How long a mapping is searched for its end, `None` for no such test: it takes minutes. RFC
    /// 4787 REQ-5 recommends five.
    pub lifetime: Option<Duration>,
    /// The most to wait for a first answer before UDP counts as blocked. Default 3 s: six requests
    /// of each socket, half a second apart.
    pub patience: Duration,
    /// Between two tries where silence is a possible answer. Default 100 ms, so that eight tries
    /// outlast a burst of loss and take less than a second.
    pub gap: Duration,
    /// How long the request is made that shall arrive in fragments. Default 1,500 bytes, the MTU of
    /// Ethernet (RFC 5780 §5), which with headers is just above it.
    pub fragmented: usize,
}

/// Why a [`Config`] cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is nothing to send from.
    #[error("discovery needs a local address")]
    NoLocal,
    /// Then nobody could tell whether an address was translated.
    #[error("local addresses must be those of an interface, with their ports")]
    Unspecified,
    /// Two sockets with one port could not be told apart.
    #[error("each local address needs a port of its own")]
    SamePort,
    /// IPv4 and IPv6 are two runs.
    #[error("all addresses must be of one family")]
    Family,
    /// More than there is use for.
    #[error("too many local addresses")]
    TooMany,
}

impl Config {
    /// How many local addresses all tests but that of the lifetime want.
    pub const SOCKETS: usize = 4;

    /// The most local addresses.
    const MOST: usize = 16;

    /// The defaults.
    #[must_use]
    pub fn new(server: SocketAddr, local: Vec<SocketAddr>) -> Self {
        Self {
            server,
            local,
            second: None,
            other_port: None,
            lifetime: None,
            patience: Duration::from_secs(3),
            gap: Duration::from_millis(100),
            fragmented: 1500,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.local.is_empty() {
            return Err(ConfigError::NoLocal);
        }
        if self.local.len() > Self::MOST {
            return Err(ConfigError::TooMany);
        }
        if self.local.iter().any(|local| local.ip().is_unspecified() || local.port() == 0) {
            return Err(ConfigError::Unspecified);
        }
        let is_v4 = self.server.is_ipv4();
        if self.local.iter().chain(&self.second).any(|local| local.is_ipv4() != is_v4) {
            return Err(ConfigError::Family);
        }
        let mut ports: Vec<_> = self.local.iter().map(SocketAddr::port).collect();
        ports.sort_unstable();
        ports.dedup();
        if ports.len() < self.local.len() {
            return Err(ConfigError::SamePort);
        }
        Ok(())
    }
}

/// Whether `other` may be what `server` says: another address of its own, or one of a NAT before it. A
/// server must not be able to make its clients send to neighbours of theirs, to groups or to themselves.
pub(super) fn is_plausible(other: SocketAddr, server: SocketAddr) -> bool {
    let reach = |ip: IpAddr| match ip.to_canonical() {
        IpAddr::V4(ip) if ip.is_loopback() => Some(0),
        IpAddr::V4(ip) if ip.is_link_local() => Some(1),
        // RFC 6598: what carriers and overlays give their own.
        IpAddr::V4(ip) if ip.is_private() || matches!(ip.octets(), [100, 64..128, ..]) => Some(2),
        // This network, groups, and what was never given out, broadcast among it.
        IpAddr::V4(ip) if matches!(ip.octets()[0], 0 | 224..) => None,
        IpAddr::V6(ip) if ip.is_loopback() => Some(0),
        IpAddr::V6(ip) if ip.is_unicast_link_local() => Some(1),
        IpAddr::V6(ip) if ip.is_unique_local() => Some(2),
        IpAddr::V6(ip) if ip.is_unspecified() || ip.is_multicast() => None,
        _ => Some(3),
    };
    other.port() != 0
        && other.is_ipv4() == server.is_ipv4()
        && other != server
        && reach(other.ip()).is_some()
        && (other.ip() == server.ip() || reach(other.ip()) == reach(server.ip()))
}
