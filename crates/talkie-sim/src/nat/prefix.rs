//! IPv4 addresses inside IPv6 ones: the prefixes of NAT64 and DNS64 (RFC 6052).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which IPv6 addresses stand for IPv4 ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: [u8; 16],
    /// In octets.
    length: usize,
}

/// RFC 6052 §2.2: an octet in the middle that stays zero.
const RESERVED: usize = 8;

impl Prefix {
    /// `64:ff9b::/96`, which every network may have (RFC 6052 §2.1).
    pub const WELL_KNOWN: Self =
        Self { address: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], length: 12 };

    /// A network's own prefix. `None` if it has not one of the six lengths of RFC 6052 §2.2, or the
    /// octet that has to be zero is not.
    #[must_use]
    pub fn new(address: Ipv6Addr, bits: u8) -> Option<Self> {
        let mut octets = address.octets();
        let length = usize::from(bits) / 8;
        octets[length.min(16)..].fill(0);
        let is_known = matches!(bits, 32 | 40 | 48 | 56 | 64 | 96);
        (is_known && octets[RESERVED] == 0).then_some(Self { address: octets, length })
    }

    /// The address that stands for `address`.
    #[must_use]
    pub fn embed(self, address: Ipv4Addr) -> Ipv6Addr {
        let mut octets = self.address;
        for (at, octet) in self.places().zip(address.octets()) {
            octets[at] = octet;
        }
        Ipv6Addr::from(octets)
    }

    /// What `address` stands for, if it is one of these.
    #[must_use]
    pub fn extract(self, address: IpAddr) -> Option<Ipv4Addr> {
        let IpAddr::V6(address) = address else { return None };
        let octets = address.octets();
        if octets[..self.length] != self.address[..self.length] {
            return None;
        }
        let mut found = [0; 4];
        for (at, octet) in self.places().zip(&mut found) {
            *octet = octets[at];
        }
        Some(Ipv4Addr::from(found))
    }

    /// Where the four octets are.
    fn places(self) -> impl Iterator<Item = usize> {
        (self.length..16).filter(|at| *at != RESERVED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of RFC 6052 §2.4.
    #[test]
    fn the_examples_of_rfc_6052() {
        let examples = [
            ("2001:db8::", 32, "2001:db8:c000:221::"),
            ("2001:db8:100::", 40, "2001:db8:1c0:2:21::"),
            ("2001:db8:122::", 48, "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::", 96, "2001:db8:122:344::192.0.2.33"),
            ("64:ff9b::", 96, "64:ff9b::192.0.2.33"),
        ];
        let inside = Ipv4Addr::new(192, 0, 2, 33);
        for (prefix, bits, expected) in examples {
            let prefix = Prefix::new(prefix.parse().unwrap(), bits).unwrap();
            let expected: Ipv6Addr = expected.parse().unwrap();
            assert_eq!(prefix.embed(inside), expected);
            assert_eq!(prefix.extract(expected.into()), Some(inside));
        }
        let known = Prefix::new("64:ff9b::".parse().unwrap(), 96);
        assert_eq!(known, Some(Prefix::WELL_KNOWN));
    }

    #[test]
    fn other_lengths_and_other_addresses_are_none() {
        assert_eq!(Prefix::new("64:ff9b::".parse().unwrap(), 95), None);
        assert_eq!(Prefix::new("64:ff9b::".parse().unwrap(), 128), None);
        assert_eq!(Prefix::new("2001:db8:0:0:ff00::".parse().unwrap(), 96), None);
        for address in ["64:ff9c::c000:221", "192.0.2.33", "::"] {
            assert_eq!(Prefix::WELL_KNOWN.extract(address.parse().unwrap()), None);
        }
    }
}
