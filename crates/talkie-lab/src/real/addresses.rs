//! Who stands where, and under which address.
//!
//! Each part of the small Internet has one of the prefixes that are set aside for documentation
//! (RFC 5737, RFC 3849), so that no address can be taken for a real one: 203.0.113.0/24 is the left
//! provider's, 192.0.2.0/24 the right one's, 198.51.100.0/24 the server's. Hosts behind a NAT have
//! 10.1.0.2 and 10.2.0.2; those that keep their addresses have one from their provider's upper half.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::plan::{Plan, Type};

/// A namespace of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// The host behind the left NAT.
    Left,
    /// The left NAT.
    LeftNat,
    /// What connects the NATs and the server.
    Internet,
    /// A host with two public addresses.
    Server,
    /// The right NAT.
    RightNat,
    /// The host behind the right NAT.
    Right,
}

impl Host {
    const ALL: [Self; 6] =
        [Self::Left, Self::LeftNat, Self::Internet, Self::Server, Self::RightNat, Self::Right];

    /// All of them, from left to right.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        Self::ALL.into_iter()
    }

    /// Its name in the command line and in `/etc/hosts`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::LeftNat => "left-nat",
            Self::Internet => "internet",
            Self::Server => "server",
            Self::RightNat => "right-nat",
            Self::Right => "right",
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Host {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::all().find(|host| host.name() == text).ok_or(())
    }
}

/// The server's first address.
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// Its second one, for those who ask from where else it can answer.
pub(super) const SERVER_SECOND: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
/// The server's next hop.
pub(super) const SERVER_GATEWAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 254);
pub(super) const SERVER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 5, 0, 0, 0, 0, 1);
pub(super) const SERVER_GATEWAY_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 5, 0, 0, 0, 0, 0xff);

/// How many outside addresses a NAT has that shares a pool among its hosts.
const POOL: u8 = 4;

/// The addresses of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The host's own.
    pub host: Ipv4Addr,
    /// The NAT's on the host's side.
    pub gateway: Ipv4Addr,
    /// How long the prefix of the two is.
    pub prefix: u8,
    /// What the world sees instead of the host; nothing where addresses are kept.
    pub outside: Vec<IpAddr>,
    /// The namespace's own on the side of the Internet.
    pub uplink: Ipv4Addr,
    /// The Internet's on that cable.
    pub provider: Ipv4Addr,
    /// The same four with IPv6, which nobody translates.
    pub v6: V6,
}

/// The addresses of one side, IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct V6 {
    /// The host's own.
    pub host: Ipv6Addr,
    /// The NAT's on the host's side.
    pub gateway: Ipv6Addr,
    /// The namespace's own on the side of the Internet.
    pub uplink: Ipv6Addr,
    /// The Internet's on that cable.
    pub provider: Ipv6Addr,
}

impl Addresses {
    /// Those of the left or the right side.
    #[must_use]
    pub fn of(plan: &Plan, nat: Host) -> Self {
        let (number, provider, kind) = match nat {
            Host::RightNat | Host::Right => (2, [192, 0, 2], plan.right),
            _ => (1, [203, 0, 113], plan.left),
        };
        let outer = |last| Ipv4Addr::new(provider[0], provider[1], provider[2], last);
        let v6 = |link, last| Ipv6Addr::new(0x2001, 0xdb8, link, number.into(), 0, 0, 0, last);
        let translated = kind.translates();
        let count = if kind.has_pool() { POOL } else { 1 };
        Self {
            host: if translated { Ipv4Addr::new(10, number, 0, 2) } else { outer(130) },
            gateway: if translated { Ipv4Addr::new(10, number, 0, 1) } else { outer(129) },
            prefix: if translated { 24 } else { 25 },
            outside: if translated {
                (0..count).map(|at| outer(10 + at).into()).collect()
            } else {
                Vec::new()
            },
            uplink: outer(2),
            provider: outer(1),
            v6: V6 { host: v6(1, 2), gateway: v6(1, 1), uplink: v6(0xf, 2), provider: v6(0xf, 1) },
        }
    }

    /// Under which address others see the host.
    #[must_use]
    pub fn seen(&self) -> IpAddr {
        self.outside.first().copied().unwrap_or_else(|| self.host.into())
    }
}

impl Type {
    fn translates(self) -> bool {
        match self {
            Self::None => false,
            Self::Nat(preset) => {
                !preset.config([IpAddr::V4(Ipv4Addr::LOCALHOST)]).outside.is_empty()
            }
        }
    }

    fn has_pool(self) -> bool {
        use talkie_sim::nat::Preset::{Cgnat, CgnatSymmetric};
        matches!(self, Self::Nat(Cgnat | CgnatSymmetric))
    }
}
