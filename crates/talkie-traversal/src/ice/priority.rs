//! Which candidate is tried first, and which belong together.
//!
//! A candidate's priority is its type's preference, then that of its base among the agent's addresses
//! (RFC 8445 §5.1.2.1). Addresses are [ranked](ranks) so that families and interfaces take turns
//! (RFC 8421 §3, §4): IPv6 first, then IPv4, then the next interface, and one broken family or interface
//! holds up the next by one check only. Tunnels and mobile networks come after everything else: a tunnel
//! is longer than what it runs on, and a mobile network costs money.
//!
//! A [foundation](Foundations) is a hash with a secret of the agent. It has to be equal for candidates
//! that share type, base, server and protocol (RFC 8445 §5.1.1.3), and must not tell the base, which a
//! `.local` name beside it hides: a plain hash of an IPv4 address is found by trying all of them.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};
use talkie_sansio::{Interface, Transport};

use super::candidate::{CandidateType, Protocol, TcpType};

/// The priority (RFC 8445 §5.1.2.1) of a candidate whose base has this rank among its like, 0 being the
/// best. Among the candidates of one type each rank has to be used once; from 8191 on the last is shared.
/// `relay` is how this side speaks to the relay, of a relayed candidate.
#[must_use]
pub fn of(
    kind: CandidateType,
    protocol: Protocol,
    relay: Option<Transport>,
    rank: u16,
    component: u16,
) -> u32 {
    let component = u32::from(component.clamp(1, 256));
    (type_preference(kind, protocol, relay) << 24)
        + (u32::from(local_preference(kind, protocol, rank)) << 8)
        + (256 - component)
}

/// RFC 8445 §5.1.2.2's 126, 110, 100 and 0. UDP is better than TCP for what ICE is mostly used for, so
/// all of TCP stands between reflexive UDP and the relays, in the order of its types; among relays that
/// which is reached by UDP is the best.
fn type_preference(kind: CandidateType, protocol: Protocol, relay: Option<Transport>) -> u32 {
    match (kind, protocol) {
        (CandidateType::Host, Protocol::Udp) => 126,
        (CandidateType::PeerReflexive, Protocol::Udp) => 110,
        (CandidateType::ServerReflexive, Protocol::Udp) => 100,
        (CandidateType::Host, Protocol::Tcp(_)) => 90,
        (CandidateType::PeerReflexive, Protocol::Tcp(_)) => 80,
        (CandidateType::ServerReflexive, Protocol::Tcp(_)) => 70,
        (CandidateType::Relayed, _) => match relay {
            Some(Transport::Udp) | None => 2,
            Some(Transport::Tcp) => 1,
            Some(Transport::Tls) => 0,
        },
    }
}

/// All 16 bits for UDP. For TCP the highest three tell the direction (RFC 6544 §4.2): behind a NAT
/// opening at the same time is the best, without one opening is.
fn local_preference(kind: CandidateType, protocol: Protocol, rank: u16) -> u16 {
    let Protocol::Tcp(direction) = protocol else {
        return u16::MAX - rank.min(8191);
    };
    let is_open = matches!(kind, CandidateType::Host | CandidateType::Relayed);
    let preference = match (direction, is_open) {
        (TcpType::Active, true) | (TcpType::SimultaneousOpen, false) => 6,
        (TcpType::Passive, true) | (TcpType::Active, false) => 4,
        (TcpType::SimultaneousOpen, true) | (TcpType::Passive, false) => 2,
    };
    (preference << 13) + (8191 - rank.min(8191))
}

/// The priority of a pair (RFC 8445 §6.1.2.3) from those of its two candidates: that of the controlling
/// agent, that of the controlled one.
#[must_use]
pub fn pair(controlling: u32, controlled: u32) -> u64 {
    // A peer-reflexive candidate has what its check says, be it above 2³¹ − 1.
    let limit = |priority: u32| u64::from(priority.min(i32::MAX as u32));
    let (g, d) = (limit(controlling), limit(controlled));
    (g.min(d) << 32) + 2 * g.max(d) + u64::from(g > d)
}

/// What a network behind an interface is, as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// A cable, a wireless network, or what has a name unknown here.
    Ordinary,
    /// A phone company's.
    Cellular,
    /// A tunnel through another one.
    Tunnel,
    /// A bridge to machines inside this one.
    Inside,
}

impl Network {
    /// Guesses by an interface's name; all that Linux, Android, macOS and the BSDs tell without asking.
    #[must_use]
    pub fn of(interface: &str) -> Self {
        let starts = |names: &[&str]| names.iter().any(|name| interface.starts_with(name));
        if starts(&["wwan", "rmnet", "ccmni", "pdp_ip", "v4-rmnet", "clat"]) {
            Self::Cellular
        } else if starts(&[
            "tun",
            "tap",
            "wg",
            "utun",
            "ppp",
            "ipsec",
            "zt",
            "tailscale",
            "gpd",
            "nordlynx",
            "gif",
            "sit",
            "ip6tnl",
        ]) {
            Self::Tunnel
        } else if starts(&["docker", "br-", "virbr", "veth", "vmnet", "vboxnet", "lxc", "cni"]) {
            Self::Inside
        } else {
            Self::Ordinary
        }
    }
}

/// A rank for each of the addresses, in their order: 0 for the one to be tried first, each once.
#[must_use]
pub fn ranks(interfaces: &[Interface]) -> Vec<u16> {
    // Who comes later at every interface: addresses of the link alone, and loopback.
    let class = |interface: &Interface| (scope(interface.address), Network::of(&interface.name));
    // Which turn of its own interface and family an address has, and whose turn that is.
    let key = |index: usize| {
        let own = &interfaces[index];
        let is_sibling = |other: &Interface| {
            class(other) == class(own)
                && other.name == own.name
                && other.address.is_ipv6() == own.address.is_ipv6()
        };
        let turn = interfaces[..index].iter().filter(|other| is_sibling(other)).count();
        let first = interfaces.iter().position(|other| other.name == own.name);
        (class(own), turn, first, own.address.is_ipv4(), index)
    };
    let mut order: Vec<_> = (0..interfaces.len()).map(key).collect();
    order.sort_unstable();
    let mut ranks = vec![0; interfaces.len()];
    for (rank, (.., index)) in order.into_iter().enumerate() {
        ranks[index] = u16::try_from(rank).unwrap_or(u16::MAX);
    }
    ranks
}

/// 0 for what may reach another link, 1 for the link's own, 2 for this host's (RFC 6724 §3.1).
fn scope(address: IpAddr) -> u8 {
    let is_link = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    if address.is_loopback() { 2 } else { u8::from(is_link) }
}

/// Gives candidates their foundations.
#[derive(Clone)]
pub struct Foundations {
    secret: [u8; 16],
}

impl Foundations {
    /// The secret has to be random and of this agent alone.
    #[must_use]
    pub fn new(secret: [u8; 16]) -> Self {
        Self { secret }
    }

    /// The foundation of a candidate with this base; `server` is where a reflexive or relayed one was
    /// learned from, and how the server is spoken to.
    #[must_use]
    pub fn of(
        &self,
        kind: CandidateType,
        protocol: Protocol,
        base: IpAddr,
        server: Option<(IpAddr, Transport)>,
    ) -> String {
        let mut hash = Sha256::new_with_prefix(self.secret);
        // RFC 8445 §5.1.1.3, and RFC 6544 §4.1: the TCP types have foundations of their own.
        let tcp = match protocol {
            Protocol::Udp => "",
            Protocol::Tcp(kind) => kind.word(),
        };
        hash.update(format!("{kind} {tcp} {base} {server:?}"));
        let digest = hash.finalize();
        // As the field's others write it: a number of 32 bits.
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]).to_string()
    }
}

impl std::fmt::Debug for Foundations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foundations").finish_non_exhaustive()
    }
}
