//! What `talkie serve` can be told. Every value has a default with which a fresh host works.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use talkie_traversal::turn::server::OwnAddress;

use crate::relay::AlternatePort;
use crate::signaling::SignalingConfig;

/// The configuration of a [`Server`](crate::Server).
///
/// An empty list of addresses switches that purpose off. `0.0.0.0` also listens on `[::]` of the
/// same port, and `127.0.0.1` on `[::1]`, when the host has IPv6: "localhost" means either to a
/// browser. Port 0 takes a free port, which the [`Report`](crate::Report) tells.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where the web app is served without TLS: `127.0.0.1:8080`, because browsers give camera and
    /// microphone to plain HTTP on loopback only.
    pub http: Vec<SocketAddr>,
    /// Where the web app and TURN over TLS are served: `0.0.0.0:8443`.
    pub https: Vec<SocketAddr>,
    /// STUN and TURN over UDP and TCP: `0.0.0.0:3478`, the port of RFC 8656.
    pub turn: Vec<SocketAddr>,
    /// The second port that STUN answers on, with which clients find out what their NAT does
    /// (RFC 5780): the port of `turn` plus one. A port that is taken is a warning, unless it is named
    /// here or `alternate_ip` is.
    pub alternate_port: AlternatePort,
    /// Second addresses of this host for the same purpose, at most one of each IP version, with the
    /// primary one found by itself. `None`: the second of exactly two public IPv4 addresses.
    pub alternate_ip: Option<Vec<OwnAddress>>,
    /// TURN over TLS alone: `0.0.0.0:5349`, the port of RFC 8656.
    pub turns: Vec<SocketAddr>,
    /// Health and metrics for the operator: `127.0.0.1:9464`.
    pub admin: Option<SocketAddr>,
    /// A certificate of one's own; without it one is made and kept in `data_dir`.
    pub tls: Option<TlsFiles>,
    /// Where what must survive a restart is kept: the certificate made here and its key.
    pub data_dir: PathBuf,
    /// The ports that relayed addresses take: 49152–65535, the range of RFC 8656 §7.2.
    pub relay_ports: RangeInclusive<u16>,
    /// The addresses by which the Internet reaches this host, when they are not on its interfaces;
    /// empty: found by itself.
    pub external_ip: Vec<IpAddr>,
    /// The secret of the time-limited credentials, shared with whoever else issues them; without
    /// it a random one is drawn at each start.
    pub turn_secret: Option<String>,
    /// Users with a fixed password: (name, password).
    pub turn_users: Vec<(String, String)>,
    /// The realm of the long-term credentials.
    pub realm: String,
    /// Peer addresses that the relay serves although their class is refused.
    pub allow_peers: Vec<IpNet>,
    /// Peer addresses that the relay refuses although their class is served.
    pub deny_peers: Vec<IpNet>,
    /// Whether to relay at all; STUN answers go on without.
    pub relay: bool,
    /// How long open sessions may go on after [`Server::drain`](crate::Server::drain): 30 s.
    pub drain_timeout: Duration,
    /// Whether to test one's own STUN and TURN once at start.
    pub self_test: bool,
    /// How long a browser's relay credentials hold: 12 h. Signaling renews
    /// them while the page is connected, so that this matters to calls that have lost it alone.
    pub credential_lifetime: Duration,
    /// Reverse proxies in front of the HTTP and HTTPS listeners, whose `X-Forwarded-For` tells the
    /// client's address: none. Without it all that come through a proxy count as one client.
    pub trusted_proxies: Vec<IpNet>,
    /// The names by which the web app may be opened, `.example.org` for all below that one, too. Others
    /// get status 421, save IP addresses, `localhost`, the system's own name and the hosts of
    /// [`SignalingConfig::origins`]. Empty: any name, except that by loopback without TLS a
    /// foreign name with the listener's own port is refused, against DNS rebinding.
    pub allowed_hosts: Vec<String>,
    /// Bounds and times of signaling.
    pub signaling: SignalingConfig,
    /// Bounds on what connections may take and how long they may dawdle.
    pub connections: ConnectionLimits,
}

/// The files of a certificate of one's own, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, the host's own first.
    pub cert: PathBuf,
    /// Its private key: PKCS #8, SEC 1 or PKCS #1.
    pub key: PathBuf,
}

/// Bounds on the connections of the HTTP, HTTPS and TURN-over-TLS listeners. An IPv6 client's
/// address counts as its /64. What comes through one of
/// [`trusted_proxies`](Config::trusted_proxies) counts for the client of its latest request, and
/// for nobody before the first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// Connections at once: 16,384, so that at 20 kB each (a TLS session and its buffers) they
    /// stay below 350 MB.
    pub total: usize,
    /// Connections of one address at once: 1,024, two for each of the 256 sessions that signaling
    /// allows it and as many again for relayed legs.
    pub per_address: usize,
    /// Connections that have not yet said what they want (TLS handshake, first request): 1,024.
    /// Beyond it the oldest of them is closed, never the new one: an honest client is done in
    /// milliseconds.
    pub half_open: usize,
    /// The same for one address: 64.
    pub half_open_per_address: usize,
    /// New connections of one address that may come at once: 1,024, as many as it may have, so that
    /// all can come back when the server restarts. Those that a trusted proxy brings are not
    /// counted, since it may take one for each request, but the WebSockets opened over them are.
    /// Loopback is not bounded.
    pub arrival_burst: u32,
    /// New connections of one address in the long run: 50 a second. At a millisecond for a TLS
    /// handshake that is a twentieth of a core, and 20 s until the burst is there again.
    pub arrivals_per_second: u32,
    /// A TLS handshake's time: 10 s.
    pub tls_handshake: Duration,
    /// A request's head's time from its first byte, and a new connection's time to its first
    /// request: 10 s.
    pub request_head: Duration,
    /// How long a connection may rest between two requests: 60 s. Over HTTP/2 from the beginning of
    /// the latest request; then it ends when its answers are taken, or after `write_stall`.
    pub idle: Duration,
    /// How long a client may take nothing of what is written to it: 30 s.
    pub write_stall: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: 16_384,
            per_address: 1_024,
            half_open: 1_024,
            half_open_per_address: 64,
            arrival_burst: 1_024,
            arrivals_per_second: 50,
            tls_handshake: Duration::from_secs(10),
            request_head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            write_stall: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for Config {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("http", &self.http)
            .field("https", &self.https)
            .field("turn", &self.turn)
            .field("alternate_port", &self.alternate_port)
            .field("alternate_ip", &self.alternate_ip)
            .field("turns", &self.turns)
            .field("admin", &self.admin)
            .field("data_dir", &self.data_dir)
            .field("external_ip", &self.external_ip)
            .field("relay", &self.relay)
            .finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Self {
        let any = |port| vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))];
        Self {
            http: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))],
            https: any(8443),
            turn: any(3478),
            alternate_port: AlternatePort::Next,
            alternate_ip: None,
            turns: any(5349),
            admin: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9464))),
            tls: None,
            data_dir: default_data_dir(),
            relay_ports: 49152..=65535,
            external_ip: Vec::new(),
            turn_secret: None,
            turn_users: Vec::new(),
            realm: "talkie".to_owned(),
            allow_peers: Vec::new(),
            deny_peers: Vec::new(),
            relay: true,
            drain_timeout: Duration::from_secs(30),
            self_test: true,
            credential_lifetime: Duration::from_secs(12 * 3600),
            trusted_proxies: Vec::new(),
            allowed_hosts: Vec::new(),
            signaling: SignalingConfig::default(),
            connections: ConnectionLimits::default(),
        }
    }
}

/// The platform's place for a program's data: what systemd's `StateDirectory=` hands over, the XDG
/// base directory, the home directory, and at last the working directory.
fn default_data_dir() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(state) = variable("STATE_DIRECTORY") {
        return PathBuf::from(state);
    }
    if let Some(data) = variable("XDG_DATA_HOME") {
        return PathBuf::from(data).join("talkie");
    }
    match variable("HOME") {
        Some(home) if cfg!(target_os = "macos") => {
            PathBuf::from(home).join("Library/Application Support/talkie")
        }
        Some(home) => PathBuf::from(home).join(".local/share/talkie"),
        None => PathBuf::from("talkie-data"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let config = Config {
            turn_secret: Some("hush".to_owned()),
            turn_users: vec![("ann".to_owned(), "quiet".to_owned())],
            ..Config::default()
        };
        let printed = format!("{config:?}");
        assert!(!printed.contains("hush") && !printed.contains("quiet"), "{printed}");
    }
}
