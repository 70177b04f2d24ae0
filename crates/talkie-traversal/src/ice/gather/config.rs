use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use talkie_sansio::Transport;

use crate::ice::config::NEVER;
use crate::stun::credential::{CredentialError, LongTerm};
use crate::uri::{Uri, UriError};

/// What is gathered, and from whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// STUN and TURN servers, all asked at the same time.
    pub servers: Vec<Server>,
    /// Which candidates may be told.
    pub policy: Policy,
    /// Which of this host's addresses are used.
    pub filter: Filter,
    /// The ports that sockets and listeners may have; `0..=0` for any.
    pub ports: RangeInclusive<u16>,
    /// Behind a static one-to-one NAT: our address, and the one that the world knows it by. Host
    /// candidates then carry the second, and the first is not told.
    pub external: Vec<(IpAddr, IpAddr)>,
    /// Which TCP candidates there are.
    pub tcp: Tcp,
    /// The most guesses of the ports that a NAT which maps by destination will give one of our sockets for the
    /// other side, told as candidates; 12 at most. Default 0: none. Needs servers that answer at two
    /// addresses or ports, or one that names its others (RFC 5780's OTHER-ADDRESS). See
    /// [`predict`](crate::ice::predict).
    pub predict: usize,
    /// Ports at which the STUN servers' addresses answer as well, for guesses: a server with one address may not
    /// name its other port itself (RFC 5780 §7.4). Default: none are known.
    pub other_ports: Vec<u16>,
    /// Whether the gateway is asked for a port that leads to each IPv4 socket. Default: no.
    pub portmap: PortMapping,
    /// Between two transactions that begin (RFC 8445 §14.2: Ta). Default 20 ms: there is no other
    /// traffic yet, and four servers on two addresses are asked within 160 ms.
    pub pace: Duration,
    /// How long gathering may take. Default 10 s: what a Binding transaction takes at most.
    pub limit: Duration,
    /// How often the NAT's mapping behind a server-reflexive candidate is refreshed, and seen to be
    /// still the same. Default 25 s, below the 30 s that many NATs give; `None` for never.
    pub keepalive: Option<Duration>,
    /// The most local addresses. Default 8.
    pub addresses: usize,
    /// The most allocations on relays, shared out evenly among them; each has at least one. Default 8.
    pub allocations: usize,
    /// The most TCP connections with peers. Default 32.
    pub streams: usize,
    /// The most packets that wait: for the network, for a relay's permission, for a connection; each
    /// of the three. Default 128.
    pub queue: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            policy: Policy::All,
            filter: Filter::default(),
            ports: 0..=0,
            external: Vec::new(),
            tcp: Tcp::Off,
            predict: 0,
            other_ports: Vec::new(),
            portmap: PortMapping::Off,
            pace: Duration::from_millis(20),
            limit: Duration::from_secs(10),
            keepalive: Some(Duration::from_secs(25)),
            addresses: 8,
            allocations: 8,
            streams: 32,
            queue: 128,
        }
    }
}

/// A server that helps to find candidates. One whose scheme is `stuns` is not asked: how a TLS
/// connection looks from outside says nothing of the sockets here.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it is and how to speak to it.
    pub uri: Uri,
    /// Name and password, if it relays.
    pub credential: Option<LongTerm>,
}

/// Why somebody's words name no server.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The URI is none.
    #[error(transparent)]
    Uri(#[from] UriError),
    /// The user name or password is none.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

/// Why other servers are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetServersError {
    /// Agents that share a socket ([`mux`](crate::ice::mux)) can have no relay over UDP.
    #[error("{0} is a relay over UDP, which needs a socket for each agent")]
    UdpRelay(Uri),
}

impl Server {
    /// A server as the W3C's `RTCIceServer` has it: a URI, user name and password.
    ///
    /// # Errors
    /// If one of them is none.
    pub fn new(uri: &str, login: Option<(&str, &str)>) -> Result<Self, ServerError> {
        let uri = uri.parse()?;
        let credential = login.map(|(user, password)| LongTerm::new(user, password)).transpose()?;
        Ok(Self { uri, credential })
    }

    /// Those that make sense of a list of the W3C's `RTCIceServer`s, each some URIs with a login; `most` at most,
    /// as the list may be somebody else's.
    pub fn usable<'a, U>(
        offers: impl IntoIterator<Item = (U, Option<(&'a str, &'a str)>)>,
        most: usize,
    ) -> Vec<Self>
    where
        U: IntoIterator<Item: AsRef<str>>,
    {
        let servers = offers.into_iter().flat_map(|(uris, login)| {
            uris.into_iter().filter_map(move |uri| Self::new(uri.as_ref(), login).ok())
        });
        servers.take(most).collect()
    }

    /// Whether it relays to sockets: one 5-tuple has one allocation (RFC 8656 §3.2), so that they can't be shared.
    pub(in crate::ice) fn needs_own_sockets(&self) -> bool {
        self.uri.scheme().is_turn() && self.uri.transport() == Transport::Udp
    }

    /// Whether it is the same server, and who asks it as well.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let [one, two] = [self, other].map(|it| it.credential.as_ref().map(LongTerm::login));
        self.uri == other.uri && one == two
    }

    /// How to speak to it.
    pub(super) fn transport(&self) -> Transport {
        self.uri.transport()
    }
}

/// Which candidates may be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// All.
    #[default]
    All,
    /// Relayed ones only, and nothing in them tells where we are.
    Relay,
}

/// Which TCP candidates there are (RFC 6544).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tcp {
    /// None.
    #[default]
    Off,
    /// Those that connect: nothing listens.
    Active,
    /// Those that connect, and those that listen.
    Passive,
    /// Also those that do both from one port. Needs a driver that lets a connection leave from a
    /// listener's port.
    SimultaneousOpen,
}

/// Whether the gateway is asked for a port that leads to each IPv4 socket
/// ([`portmap`](crate::portmap)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortMapping {
    /// No.
    #[default]
    Off,
    /// The next hop of the socket's default route, which the driver tells
    /// ([`Want::Gateway`](talkie_sansio::Want::Gateway)).
    Routed,
    /// This one.
    At(Ipv4Addr),
}

/// Which of this host's addresses are used.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// If not empty, only interfaces whose name begins with one of these.
    pub only: Vec<String>,
    /// No interfaces whose name begins with one of these.
    pub except: Vec<String>,
    /// No addresses in these networks.
    pub except_networks: Vec<ipnet::IpNet>,
    /// Loopback addresses, too.
    pub loopback: bool,
    /// IPv4's link-local addresses, too. IPv6's are never used: they mean something only together
    /// with an interface.
    pub link_local: bool,
    /// Which address families.
    pub families: Families,
}

/// Address families to gather.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// IPv4 and IPv6.
    #[default]
    Both,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Families {
    pub(super) fn has(self, ip: IpAddr) -> bool {
        match self {
            Self::Both => true,
            Self::Ipv4 => ip.is_ipv4(),
            Self::Ipv6 => ip.is_ipv6(),
        }
    }
}

impl Config {
    /// With spans that can be added to any time without an overflow: whoever wants one never to end gives the
    /// longest that there is.
    pub(super) fn bounded(mut self) -> Self {
        self.pace = self.pace.min(NEVER);
        self.limit = self.limit.min(NEVER);
        self.keepalive = self.keepalive.map(|keepalive| keepalive.min(NEVER));
        self
    }

    /// The address that the world knows `local` by.
    pub(super) fn outside(&self, local: SocketAddr) -> SocketAddr {
        let known = self.external.iter().find(|(private, _)| *private == local.ip());
        known.map_or(local, |(_, public)| SocketAddr::new(*public, local.port()))
    }
}
