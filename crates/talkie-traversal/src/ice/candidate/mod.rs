//! Candidates: addresses at which an agent may be reached, with the fields of the W3C's
//! `RTCIceCandidate`. How they are written in SDP stands in `line`.

mod line;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use talkie_sansio::Transport;

/// What an address is to the one who has it (RFC 8445 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CandidateType {
    /// A socket's own.
    Host,
    /// As a STUN server sees it.
    ServerReflexive,
    /// As the other side sees it, where that is something else again.
    PeerReflexive,
    /// On a relay.
    Relayed,
}

impl CandidateType {
    /// RFC 8839 §5.1's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }
}

impl fmt::Display for CandidateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How a TCP candidate takes part (RFC 6544 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TcpType {
    /// It opens connections.
    Active,
    /// It accepts them.
    Passive,
    /// Both at the same time.
    SimultaneousOpen,
}

impl TcpType {
    /// RFC 6544 §4.5's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::SimultaneousOpen => "so",
        }
    }
}

/// What carries packets to a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP (RFC 6544).
    Tcp(TcpType),
}

impl Protocol {
    /// RFC 8839 §5.1's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp(_) => "tcp",
        }
    }
}

/// Where a candidate is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CandidateAddress {
    /// An IP address.
    Ip(IpAddr),
    /// A name that hides one: `….local` by mDNS, or a host name.
    Name(String),
}

impl fmt::Display for CandidateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// An address at which an agent may be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The same for candidates that are likely to work or fail together (RFC 8445 §5.1.1.3).
    pub foundation: String,
    /// 1 for RTP and whatever is multiplexed with it, 2 for RTCP.
    pub component: u16,
    /// UDP or TCP.
    pub protocol: Protocol,
    /// RFC 8445 §5.1.2.
    pub priority: u32,
    /// Where it is.
    pub address: CandidateAddress,
    /// Its port.
    pub port: u16,
    /// What it is.
    pub kind: CandidateType,
    /// The base of a reflexive candidate; the mapped address of a relayed one.
    pub related: Option<SocketAddr>,
    /// The user name fragment of the generation that it belongs to.
    pub username_fragment: Option<String>,
    /// How this side speaks to the relay, of a relayed candidate of our own.
    pub relay_protocol: Option<Transport>,
    /// The server that it was learned from, of a candidate of our own.
    pub url: Option<String>,
    /// What else its line says, names and values, in their order: `generation`, `network-cost`…
    pub extensions: Vec<(String, String)>,
}

impl Candidate {
    /// A candidate of component 1 with nothing but what every candidate has.
    #[must_use]
    pub fn new(
        kind: CandidateType,
        protocol: Protocol,
        address: SocketAddr,
        priority: u32,
        foundation: String,
    ) -> Self {
        Self {
            foundation,
            component: 1,
            protocol,
            priority,
            address: CandidateAddress::Ip(address.ip()),
            port: address.port(),
            kind,
            related: None,
            username_fragment: None,
            relay_protocol: None,
            url: None,
            extensions: Vec::new(),
        }
    }

    /// Its transport address, if it needs no resolving.
    #[must_use]
    pub fn socket_address(&self) -> Option<SocketAddr> {
        match &self.address {
            CandidateAddress::Ip(ip) => Some(SocketAddr::new(*ip, self.port)),
            CandidateAddress::Name(_) => None,
        }
    }

    /// How it takes part, if it is a TCP candidate.
    #[must_use]
    pub fn tcp_type(&self) -> Option<TcpType> {
        match self.protocol {
            Protocol::Udp => None,
            Protocol::Tcp(kind) => Some(kind),
        }
    }

    /// The address of [`related`](Self::related).
    #[must_use]
    pub fn related_address(&self) -> Option<IpAddr> {
        self.related.map(|related| related.ip())
    }

    /// The port of [`related`](Self::related).
    #[must_use]
    pub fn related_port(&self) -> Option<u16> {
        self.related.map(|related| related.port())
    }
}
