//! Which of a host's addresses are worth a socket (RFC 8445 §5.1.1.1).

use std::net::{IpAddr, Ipv6Addr};

use talkie_sansio::Interface;

use super::config::{Config, Filter};
use crate::ice::priority;

/// The addresses to use, best first; `is_in_use` tells those that are used already.
pub(super) fn usable(
    interfaces: &[Interface],
    config: &Config,
    is_in_use: impl Fn(IpAddr) -> bool,
) -> Vec<IpAddr> {
    let mut kept: Vec<Interface> = Vec::new();
    for interface in interfaces {
        let is_replaced = is_replaced(interface, interfaces) && !is_in_use(interface.address);
        if is_usable(interface, &config.filter)
            && !is_outlived(interface, interfaces)
            && !is_replaced
            && !kept.iter().any(|other| other.address == interface.address)
        {
            kept.push(interface.clone());
        }
    }
    let mut ranked: Vec<_> = priority::ranks(&kept).into_iter().zip(&kept).collect();
    ranked.sort_unstable_by_key(|(rank, _)| *rank);
    ranked.truncate(config.addresses);
    ranked.into_iter().map(|(_, interface)| interface.address).collect()
}

fn is_usable(interface: &Interface, filter: &Filter) -> bool {
    let starts = |prefix: &String| interface.name.starts_with(prefix.as_str());
    let is_named = filter.only.is_empty() || filter.only.iter().any(starts);
    let is_excluded = filter.except.iter().any(starts)
        || filter.except_networks.iter().any(|network| network.contains(&interface.address));
    let ip = interface.address;
    is_named
        && !is_excluded
        && filter.families.has(ip)
        && !ip.is_unspecified()
        && !ip.is_multicast()
        && (filter.loopback || !ip.is_loopback())
        && match ip {
            IpAddr::V4(ip) => !ip.is_broadcast() && (filter.link_local || !ip.is_link_local()),
            IpAddr::V6(ip) => !is_deprecated(ip) && !ip.is_unicast_link_local(),
        }
}

/// Whether the address is deprecated and the interface has another of its family that is not: RFC 6724 §5,
/// rule 3. What goes over it already may go on (RFC 4862 §5.5.4).
fn is_replaced(interface: &Interface, interfaces: &[Interface]) -> bool {
    let is_successor = |other: &Interface| {
        other.name == interface.name
            && other.address.is_ipv4() == interface.address.is_ipv4()
            && !other.is_deprecated
            && other.scope() >= interface.scope()
    };
    interface.is_deprecated && interfaces.iter().any(is_successor)
}

/// RFC 8445 §5.1.1.1: site-local, IPv4-mapped and IPv4-compatible addresses are not to be included.
fn is_deprecated(ip: Ipv6Addr) -> bool {
    let is_site_local = ip.segments()[0] & 0xFFC0 == 0xFEC0;
    let is_embedded = ip.segments()[..6] == [0; 6] && !ip.is_loopback();
    is_site_local || is_embedded || ip.to_ipv4_mapped().is_some()
}

/// Whether this is an address made of the hardware's, where the interface has another in the same
/// network: then that is a temporary one (RFC 8981), which does not tell who we are (RFC 8445
/// §5.1.1.1 prefers it).
fn is_outlived(interface: &Interface, interfaces: &[Interface]) -> bool {
    let IpAddr::V6(ip) = interface.address else { return false };
    is_of_hardware(ip)
        && interfaces.iter().any(|other| match other.address {
            IpAddr::V6(address) => {
                other.name == interface.name
                    && address.segments()[..4] == ip.segments()[..4]
                    && !is_of_hardware(address)
            }
            IpAddr::V4(_) => false,
        })
}

/// RFC 4291 appendix A: an interface identifier of a MAC address has ff:fe in its middle.
fn is_of_hardware(ip: Ipv6Addr) -> bool {
    ip.octets()[11..13] == [0xFF, 0xFE]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(filter: Filter, interfaces: &[(&str, &str)]) -> Vec<String> {
        let interfaces: Vec<_> = interfaces
            .iter()
            .map(|(name, address)| Interface::new(*name, address.parse().unwrap()))
            .collect();
        let config = Config { filter, ..Config::default() };
        usable(&interfaces, &config, |_| false).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_deprecated_address_begins_nothing_new_where_there_is_another() {
        let address = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0xabcd, 0, 0, last]);
        let deprecated = |name: &str, last| Interface {
            is_deprecated: true,
            ..Interface::new(name, address(last))
        };
        let all = [
            deprecated("eth0", 1),
            Interface::new("eth0", address(2)),
            deprecated("eth0", 3),
            deprecated("eth1", 4),
        ];
        let config = Config::default();
        let mut found = usable(&all, &config, |ip| ip == address(3));
        found.sort_unstable();
        // The new one, what is in use, and the only one of its interface.
        assert_eq!(found, [address(2), address(3), address(4)]);
    }

    const HOST: &[(&str, &str)] = &[
        ("lo", "127.0.0.1"),
        ("lo", "::1"),
        ("eth0", "192.168.1.2"),
        ("eth0", "fe80::1"),
        ("eth0", "2001:db8::211:22ff:fe33:4455"),
        ("eth0", "2001:db8::1234:5678:9abc:def0"),
        ("eth0", "fec0::1"),
        ("eth1", "169.254.3.4"),
        ("docker0", "172.17.0.1"),
    ];

    #[test]
    fn addresses_that_lead_nowhere_or_tell_too_much_are_left_out() {
        let all = ["2001:db8::1234:5678:9abc:def0", "192.168.1.2", "172.17.0.1"];
        assert_eq!(chosen(Filter::default(), HOST), all);
    }

    #[test]
    fn an_address_of_the_hardware_is_used_where_there_is_no_other() {
        let only = [("eth0", "2001:db8::211:22ff:fe33:4455"), ("eth1", "2001:db8:1::7")];
        assert_eq!(chosen(Filter::default(), &only).len(), 2);
    }

    #[test]
    fn filters_pick_interfaces_networks_and_families() {
        let except = Filter { except: vec!["docker".into()], ..Filter::default() };
        assert_eq!(chosen(except, HOST), ["2001:db8::1234:5678:9abc:def0", "192.168.1.2"]);
        let only = Filter { only: vec!["docker0".into()], ..Filter::default() };
        assert_eq!(chosen(only, HOST), ["172.17.0.1"]);
        let v4 = Filter { families: super::super::Families::Ipv4, ..Filter::default() };
        assert_eq!(chosen(v4, HOST), ["192.168.1.2", "172.17.0.1"]);
        let networks = vec!["172.16.0.0/12".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let net = Filter { except_networks: networks, ..Filter::default() };
        assert_eq!(chosen(net, HOST), ["192.168.1.2"]);
    }

    #[test]
    fn loopback_and_link_local_addresses_come_when_asked_for() {
        let filter = Filter { loopback: true, link_local: true, ..Filter::default() };
        let found = chosen(filter, HOST);
        for address in ["127.0.0.1", "::1", "169.254.3.4"] {
            assert!(found.iter().any(|it| it == address), "{address} is not in {found:?}");
        }
        assert!(!found.iter().any(|it| it == "fe80::1"));
    }
}
