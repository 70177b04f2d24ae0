//! Which way an address lies: a table of prefixes, of which the longest that fits decides.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustc_hash::FxHashMap;

#[derive(Debug, Default)]
pub(super) struct Routes {
    /// By network address and prefix length; the value is an attachment.
    by_prefix: FxHashMap<(IpAddr, u8), u32>,
    /// How many prefixes there are of each length, longest first; few lengths are ever in use.
    lengths: Vec<(u8, usize)>,
}

impl Routes {
    pub(super) fn insert(&mut self, prefix: (IpAddr, u8), via: u32) {
        let prefix = (network(prefix.0, prefix.1), prefix.1);
        if self.by_prefix.insert(prefix, via).is_some() {
            return;
        }
        match self.lengths.binary_search_by(|(length, _)| prefix.1.cmp(length)) {
            Ok(index) => self.lengths[index].1 += 1,
            Err(index) => self.lengths.insert(index, (prefix.1, 1)),
        }
    }

    /// Takes a route back, unless another way was found in the meantime.
    pub(super) fn remove(&mut self, prefix: (IpAddr, u8), via: u32) {
        let prefix = (network(prefix.0, prefix.1), prefix.1);
        if self.by_prefix.get(&prefix) != Some(&via) {
            return;
        }
        self.by_prefix.remove(&prefix);
        if let Ok(index) = self.lengths.binary_search_by(|(length, _)| prefix.1.cmp(length)) {
            self.lengths[index].1 -= 1;
            if self.lengths[index].1 == 0 {
                self.lengths.remove(index);
            }
        }
    }

    pub(super) fn lookup(&self, address: IpAddr) -> Option<u32> {
        let bits = width(address);
        let lengths = self.lengths.iter().map(|(length, _)| *length);
        lengths
            .filter(|length| *length <= bits)
            .find_map(|length| self.by_prefix.get(&(network(address, length), length)).copied())
    }
}

/// How many bits an address of this family has.
pub(super) fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Whether the internet carries packets of this address: not those of private networks (RFC 1918), of
/// providers' networks behind a NAT (RFC 6598), of local IPv6 networks (RFC 4193), of a single link.
/// The ranges for documentation count as public: examples are made of them.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
            !(address.is_private()
                || is_shared
                || address.is_link_local()
                || address.is_loopback()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast())
        }
        IpAddr::V6(address) => {
            !(address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast())
        }
    }
}

fn network(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_prefix_decides() {
        let mut routes = Routes::default();
        routes.insert((ip("0.0.0.0"), 0), 1);
        routes.insert((ip("10.0.0.0"), 8), 2);
        routes.insert((ip("10.1.2.3"), 16), 3);
        routes.insert((ip("10.1.2.3"), 32), 4);
        for (address, via) in [("192.0.2.1", 1), ("10.9.9.9", 2), ("10.1.9.9", 3), ("10.1.2.3", 4)]
        {
            assert_eq!(routes.lookup(ip(address)), Some(via), "{address}");
        }
        assert_eq!(routes.lookup(ip("2001:db8::1")), None);
        routes.remove((ip("10.1.2.3"), 32), 4);
        assert_eq!(routes.lookup(ip("10.1.2.3")), Some(3));
        routes.remove((ip("10.1.0.0"), 16), 9);
        assert_eq!(routes.lookup(ip("10.1.2.3")), Some(3), "it is no longer that one's");
    }

    #[test]
    fn a_default_route_of_one_family_is_none_of_the_other() {
        let mut routes = Routes::default();
        routes.insert((ip("::"), 0), 1);
        assert_eq!(routes.lookup(ip("192.0.2.1")), None);
        assert_eq!(routes.lookup(ip("2001:db8::1")), Some(1));
    }

    #[test]
    fn private_networks_are_not_the_internet() {
        for address in
            ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.255", "fd00::1"]
        {
            assert!(!is_public(ip(address)), "{address}");
        }
        for address in ["172.32.0.1", "100.128.0.1", "192.0.2.1", "2001:db8::1"] {
            assert!(is_public(ip(address)), "{address}");
        }
    }
}
