//! The ICE servers that browsers are told: this very server, by the name they reached it with,
//! and credentials for its relay.
//!
//! Four URLs at most, because browsers warn at five: STUN, TURN over UDP, over TCP, and over TLS on
//! the HTTPS port, which is open wherever the page itself came through.
//!
//! Credentials are time-limited (see [`talkie_traversal::turn::server`]) and hold for 12 hours:
//! signaling renews them while the page is connected, so the time matters only to a call that has
//! lost its signaling, and that should last a working day; what leaks is worthless the next.
//!
//! A host behind a one-to-one NAT, as clouds have them, doesn't see its own public address; but the
//! browser used it, or a name for it, to get here. So when that address is none of ours, the relay
//! advertises it to that session; it stands in the username, under the credential's signature.

use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use talkie_net::Scope;
use talkie_traversal::turn::server::{Secret, canonical_peer};

use crate::http::host::{Authority, Host};
use crate::names::Names;
use crate::report::DiscoveryReport;
use crate::signaling::{Client, IceGrant, IceServer, IceServers};

/// Issues ICE servers for [`Signaling`](crate::signaling::Signaling).
#[derive(Debug)]
pub(crate) struct Ice {
    pub(crate) ports: IcePorts,
    /// The sockets that tell NATs apart, for each listener.
    pub(crate) discovery: Vec<DiscoveryReport>,
    pub(crate) secret: Secret,
    pub(crate) lifetime: Duration,
    /// Whether there is a relay.
    pub(crate) relay: bool,
    pub(crate) advertise: Advertise,
    pub(crate) names: Names,
    /// The host's own addresses, the likeliest first.
    pub(crate) own: Vec<IpAddr>,
}

/// The ports of the legs; a leg without one isn't offered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IcePorts {
    pub(crate) udp: Option<u16>,
    pub(crate) tcp: Option<u16>,
    pub(crate) tls: Option<u16>,
}

/// Which address of the relay a session is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advertise {
    /// The relay's configuration says it.
    Fixed,
    /// What the browser used, where that is none of ours. `wildcard`: the relay is reached on every
    /// address of the host, so that one who came by loopback can be given one that others reach.
    ByHost { wildcard: bool },
}

impl Ice {
    /// Finds out what `issue` will want to know about the host a browser used.
    pub(crate) async fn prepare(&self, authority: &Authority, client: IpAddr) {
        if let (Host::Name(name), true, Advertise::ByHost { .. }) =
            (&authority.host, self.relay, self.advertise)
        {
            self.names.prepare(name, client).await;
        }
    }

    fn urls(&self, host: &Host) -> (Vec<String>, Vec<String>) {
        let IcePorts { udp, tcp, tls } = self.ports;
        let stun = udp.map(|port| format!("stun:{host}:{port}"));
        let turn = [
            udp.map(|port| format!("turn:{host}:{port}?transport=udp")),
            tcp.map(|port| format!("turn:{host}:{port}?transport=tcp")),
            tls.map(|port| format!("turns:{host}:{port}?transport=tcp")),
        ];
        (stun.into_iter().collect(), turn.into_iter().flatten().collect())
    }

    /// What a page compares mappings by: both ports, and the second address where the client can
    /// reach that.
    fn discovery(&self, host: &Host, client: IpAddr) -> Vec<String> {
        let ipv6 = matches!(host, Host::Ip(ip) if ip.is_ipv6());
        let of_our_port = || self.discovery.iter().filter(|it| Some(it.ports[0]) == self.ports.udp);
        let of_family = of_our_port().find(|it| it.listener.is_ipv6() == ipv6);
        // A name may lead to IPv6 alone.
        let by_name = || of_our_port().next().filter(|_| matches!(host, Host::Name(_)));
        let Some(it) = of_family.or_else(by_name) else { return Vec::new() };
        let [first, second] = it.ports;
        let mut urls = vec![format!("stun:{host}:{first}"), format!("stun:{host}:{second}")];
        let other = it.addresses.and_then(|pair| match host {
            Host::Ip(ip) => pair.into_iter().find(|it| it != ip),
            Host::Name(_) => Some(pair[1]),
        });
        if let Some(ip) = other.filter(|ip| Scope::of(*ip) >= Scope::of(client)) {
            urls.push(format!("stun:{}:{first}", Host::Ip(ip)));
        }
        urls
    }

    /// The address that this session's relays are to carry, when the relay can't know it.
    fn advertise(&self, host: &Host, client: IpAddr) -> Option<IpAddr> {
        let Advertise::ByHost { wildcard } = self.advertise else { return None };
        let candidates = match host {
            Host::Ip(ip) => vec![canonical_peer(*ip)],
            Host::Name(name) => self.names.known(name),
        };
        if candidates.iter().any(IpAddr::is_loopback) {
            let primary = crate::interfaces::primary(&self.own, false);
            return primary.filter(|_| wildcard);
        }
        if candidates.iter().any(|ip| self.own.contains(ip)) {
            return None;
        }
        // Anybody on the Internet may ask for any name; what a name means inside this network is
        // for those inside, and of no use to others.
        let may_know = matches!(host, Host::Ip(_)) || Scope::of(client) < Scope::Global;
        let least = if may_know { Scope::Private } else { Scope::Global };
        let usable =
            |ip: &&IpAddr| Scope::of(**ip) >= least && !ip.is_unspecified() && !ip.is_multicast();
        // One-to-one NAT is a thing of IPv4.
        let mut usable: Vec<_> = candidates.iter().filter(usable).collect();
        usable.sort_by_key(|ip| ip.is_ipv6());
        usable.first().map(|ip| **ip)
    }

    fn host(&self, client: &Client) -> Host {
        let told = client.host.as_deref().and_then(Authority::parse);
        told.map(|authority| authority.host)
            .or_else(|| self.own.first().map(|ip| Host::Ip(*ip)))
            .unwrap_or_else(|| Host::Name("localhost".to_owned()))
    }
}

impl IceServers for Ice {
    fn issue(&self, client: &Client, session: &str) -> IceGrant {
        let host = self.host(client);
        let (stun, turn) = self.urls(&host);
        let mut servers = Vec::new();
        if !stun.is_empty() {
            servers.push(IceServer { urls: stun, username: None, credential: None });
        }
        let discovery = self.discovery(&host, client.address);
        if !self.relay || turn.is_empty() {
            return IceGrant { servers, ttl: Duration::ZERO, discovery };
        }
        let expiry = UNIX_EPOCH.elapsed().unwrap_or_default() + self.lifetime;
        let issued = self.secret.issue(expiry, session, self.advertise(&host, client.address));
        servers.push(IceServer {
            urls: turn,
            username: Some(issued.username),
            credential: Some(issued.password),
        });
        IceGrant { servers, ttl: self.lifetime, discovery }
    }
}

#[cfg(test)]
#[path = "ice_tests.rs"]
mod tests;
