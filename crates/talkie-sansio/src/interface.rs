//! The addresses of a host, and how far each reaches.

use std::net::IpAddr;

/// One address of one network interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interface {
    /// The interface's name, such as `eth0`.
    pub name: String,
    /// The address.
    pub address: IpAddr,
    /// How many of its leading bits are the network's, if that is known: whoever shares them is on the
    /// same link.
    pub prefix: Option<u8>,
    /// Whether it is to be used no more but for what is under way (RFC 4862 §5.5.4).
    pub is_deprecated: bool,
}

impl Interface {
    /// An address of which no more is known.
    #[must_use]
    pub fn new(name: impl Into<String>, address: IpAddr) -> Self {
        Self { name: name.into(), address, prefix: None, is_deprecated: false }
    }

    /// Whether an address is on the same link, if that can be told; a v4-mapped one counts as IPv4.
    #[must_use]
    pub fn is_on_link(&self, other: IpAddr) -> Option<bool> {
        let prefix = u32::from(self.prefix?);
        // Bits that differ, from the first on.
        let (differing, bits) = match (self.address.to_canonical(), other.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                ((own.to_bits() ^ other.to_bits()).leading_zeros(), u32::BITS)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                ((own.to_bits() ^ other.to_bits()).leading_zeros(), u128::BITS)
            }
            _ => return Some(false),
        };
        Some(differing >= prefix.min(bits))
    }

    /// How far the address reaches.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::of(self.address)
    }
}

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// This host only.
    Loopback,
    /// This link only.
    LinkLocal,
    /// The network of one organisation: RFC 1918 and RFC 4193.
    Private,
    /// Behind a carrier's NAT: RFC 6598.
    Shared,
    /// The Internet, as far as the address tells.
    Global,
}

impl Scope {
    /// Classifies `address`; a v4-mapped one counts as IPv4.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) if v4.is_loopback() => Self::Loopback,
            IpAddr::V4(v4) if v4.is_link_local() => Self::LinkLocal,
            IpAddr::V4(v4) if v4.is_private() => Self::Private,
            IpAddr::V4(v4) if v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64 => Self::Shared,
            IpAddr::V6(v6) if v6.is_loopback() => Self::Loopback,
            IpAddr::V6(v6) if v6.is_unicast_link_local() => Self::LinkLocal,
            IpAddr::V6(v6) if v6.is_unique_local() => Self::Private,
            _ => Self::Global,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shares_the_prefix_is_on_the_link() {
        let is_on_link = |own: &str, prefix, other: &str| {
            let own = Interface::new("eth0", own.parse().unwrap());
            Interface { prefix, ..own }.is_on_link(other.parse().unwrap())
        };
        for (own, prefix, other, expected) in [
            ("192.0.2.1", 24, "192.0.2.255", true),
            ("192.0.2.1", 24, "::ffff:192.0.2.9", true),
            ("192.0.2.1", 24, "192.0.3.1", false),
            ("192.0.2.1", 31, "192.0.2.0", true),
            ("192.0.2.1", 32, "192.0.2.2", false),
            ("192.0.2.1", 32, "192.0.2.1", true),
            ("192.0.2.1", 0, "8.8.8.8", true),
            ("192.0.2.1", 24, "2001:db8::1", false),
            ("2001:db8::1", 64, "2001:db8::ffff:1", true),
            ("2001:db8::1", 64, "2001:db8:0:1::1", false),
            ("2001:db8::1", 128, "2001:db8::1", true),
            ("192.0.2.1", 200, "192.0.2.1", true),
        ] {
            assert_eq!(
                is_on_link(own, Some(prefix), other),
                Some(expected),
                "{own}/{prefix} {other}"
            );
        }
        assert_eq!(is_on_link("192.0.2.1", None, "192.0.2.2"), None);
    }

    #[test]
    fn scopes_follow_the_registries() {
        for (address, scope) in [
            ("127.0.0.1", Scope::Loopback),
            ("::1", Scope::Loopback),
            ("::ffff:127.0.0.1", Scope::Loopback),
            ("169.254.1.1", Scope::LinkLocal),
            ("fe80::1", Scope::LinkLocal),
            ("10.1.2.3", Scope::Private),
            ("fd00::1", Scope::Private),
            ("100.64.0.1", Scope::Shared),
            ("100.128.0.1", Scope::Global),
            ("2001:db8::1", Scope::Global),
        ] {
            assert_eq!(Scope::of(address.parse().unwrap()), scope, "{address}");
        }
    }
}
