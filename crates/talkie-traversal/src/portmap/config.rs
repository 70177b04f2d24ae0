//! What to map, and how.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// One mapping to ask for.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whom to ask: the default route's next hop.
    pub gateway: Ipv4Addr,
    /// The socket to map: the address of the interface towards the gateway, and a UDP port.
    pub internal: SocketAddrV4,
    /// For how long a mapping is asked for; it is renewed at half of it. A program that crashes leaves its
    /// mapping behind for so long, so that this is ten minutes and not the two hours of RFC 6886 §3.3;
    /// RFC 6887 §15 lets gateways insist on two minutes. At least [`Config::SHORTEST`].
    pub lifetime: Duration,
    /// Whether to ask by PCP.
    pub pcp: bool,
    /// Whether to ask by NAT-PMP.
    pub nat_pmp: bool,
    /// Whether to ask by UPnP.
    pub igd: bool,
    /// Wants are numbered from the one after this, so that whoever owns the machine can tell them from its
    /// own.
    pub first_want: u64,
}

impl Config {
    /// The shortest lifetime that is asked for: RFC 6887 §15's least.
    pub const SHORTEST: Duration = Duration::from_secs(120);

    /// All protocols, for ten minutes at a time.
    #[must_use]
    pub fn new(gateway: Ipv4Addr, internal: SocketAddrV4) -> Self {
        let lifetime = Duration::from_secs(600);
        Self { gateway, internal, lifetime, pcp: true, nat_pmp: true, igd: true, first_want: 0 }
    }
}
