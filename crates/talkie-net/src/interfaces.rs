//! The host's addresses, and which of them others are likely to reach it at.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use talkie_sansio::{Interface, Scope};

/// All addresses of all interfaces, those that are down included.
///
/// # Errors
/// If the operating system refuses the list.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    Ok(if_addrs::get_if_addrs()?.into_iter().map(named).collect())
}

/// All addresses that a socket can be bound to, as machines are told of them, in a fixed order.
pub(crate) fn usable() -> io::Result<Vec<Interface>> {
    let flagged = flagged();
    let is = |address, flag| flagged.contains(&(address, flag));
    let mut list: Vec<_> = if_addrs::get_if_addrs()?
        .into_iter()
        // The kernel's IFF_RUNNING: up, and its cable or radio has a link. Only Linux is sure of it.
        .filter(|entry| entry.is_oper_up() || !cfg!(target_os = "linux"))
        .filter(|entry| !is(entry.ip(), Flag::Unsettled))
        .map(|entry| {
            let is_deprecated = is(entry.ip(), Flag::Deprecated);
            Interface { is_deprecated, ..named(entry) }
        })
        .collect();
    list.sort();
    list.dedup();
    Ok(list)
}

fn named(entry: if_addrs::Interface) -> Interface {
    let address = entry.ip();
    let prefix = Some(match &entry.addr {
        if_addrs::IfAddr::V4(v4) => v4.prefixlen,
        if_addrs::IfAddr::V6(v6) => v6.prefixlen,
    });
    Interface { prefix, ..Interface::new(entry.name, address) }
}

/// What the kernel says of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flag {
    /// It can't be bound yet, or ever, because it is still looked for on the link or has been found there
    /// (RFC 4862 §5.4). The kernel tells when that is over.
    Unsettled,
    /// Its preferred lifetime is over (RFC 4862 §5.5.4).
    Deprecated,
}

#[cfg(target_os = "linux")]
fn flagged() -> Vec<(IpAddr, Flag)> {
    std::fs::read_to_string("/proc/net/if_inet6").map(|table| flags_in(&table)).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn flags_in(table: &str) -> Vec<(IpAddr, Flag)> {
    /// Of linux/if_addr.h.
    const OPTIMISTIC: u32 = 0x04;
    const DAD_FAILED: u32 = 0x08;
    const DEPRECATED: u32 = 0x20;
    const TENTATIVE: u32 = 0x40;
    let entry = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let address = u128::from_str_radix(words.next()?, 16).ok()?;
        // After it: interface, length of the prefix, scope.
        let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
        let tentative = flags & TENTATIVE != 0 && flags & OPTIMISTIC == 0;
        let unsettled = tentative || flags & DAD_FAILED != 0;
        let flag = if unsettled { Flag::Unsettled } else { Flag::Deprecated };
        let address = Ipv6Addr::from_bits(address).into();
        (unsettled || flags & DEPRECATED != 0).then_some((address, flag))
    };
    table.lines().filter_map(entry).collect()
}

#[cfg(not(target_os = "linux"))]
fn flagged() -> Vec<(IpAddr, Flag)> {
    Vec::new()
}

/// The number of the interface that has the address.
pub(crate) fn interface_index(address: IpAddr) -> Option<u32> {
    let list = if_addrs::get_if_addrs().ok()?;
    list.into_iter().find(|entry| entry.ip() == address)?.index
}

/// The address that packets to `remote` would leave from. Nothing is sent: connecting a UDP socket
/// only asks the routing table.
#[must_use]
pub fn source_address(remote: IpAddr) -> Option<IpAddr> {
    let unspecified: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(unspecified, 0)).ok()?;
    socket.connect(SocketAddr::new(remote, 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}

/// The next hop of the default route by the interface that has this address. It is read from the system's
/// tables, which may block for a moment.
#[must_use]
pub fn gateway(local: IpAddr) -> Option<IpAddr> {
    let all = netdev::get_interfaces();
    let leaves_by = all.iter().find(|entry| entry.ip_addrs().contains(&local))?;
    let gateway = leaves_by.gateway.as_ref()?;
    match local {
        IpAddr::V4(_) => gateway.ipv4.first().copied().map(IpAddr::V4),
        IpAddr::V6(_) => gateway.ipv6.first().copied().map(IpAddr::V6),
    }
}

/// The address at which other devices on the local network most likely reach this host: the one on
/// the default route, IPv4 before IPv6 because people type it; else the best of the list.
#[must_use]
pub fn lan_address() -> Option<IpAddr> {
    // Documentation prefixes belong to nobody, so that they follow the default route.
    let routed =
        [IpAddr::from([192, 0, 2, 1]), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()]
            .into_iter()
            .filter_map(source_address)
            .find(|address| Scope::of(*address) > Scope::LinkLocal);
    routed.or_else(|| best(&interfaces().ok()?))
}

fn best(list: &[Interface]) -> Option<IpAddr> {
    list.iter()
        .filter(|entry| entry.scope() > Scope::LinkLocal && !is_virtual(&entry.name))
        .min_by_key(|entry| (entry.address.is_ipv6(), entry.scope() != Scope::Private))
        .map(|entry| entry.address)
}

/// Whether the name is one that container and machine hosts give to their inner bridges.
fn is_virtual(name: &str) -> bool {
    ["docker", "br-", "veth", "virbr", "cni", "lxc"].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_its_own_source() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(source_address(loopback), Some(loopback));
        assert!(interfaces().unwrap().iter().any(|entry| entry.scope() == Scope::Loopback));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernels_flags_are_read() {
        // As Linux 6 prints them: permanent, temporary and deprecated, tentative, found elsewhere.
        let table = "\
            20010db8000000000000000000000001 02 40 00 80     eth0\n\
            20010db8000000000000000000000002 02 40 00 21     eth0\n\
            20010db8000000000000000000000003 02 40 00 40     eth0\n\
            20010db8000000000000000000000004 02 40 00 08     eth0\n\
            nonsense\n";
        let at = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        let expected = [(2, Flag::Deprecated), (3, Flag::Unsettled), (4, Flag::Unsettled)]
            .map(|(last, flag)| (at(last), flag));
        assert_eq!(flags_in(table), expected);
    }

    #[test]
    fn networks_have_their_prefix() {
        let list = interfaces().unwrap();
        let loopback = list.iter().find(|it| it.address == IpAddr::from([127, 0, 0, 1])).unwrap();
        assert_eq!(loopback.prefix, Some(8));
    }

    #[test]
    fn private_ipv4_of_a_real_interface_is_best() {
        let entry = |name: &str, address: &str| Interface::new(name, address.parse().unwrap());
        let list = [
            entry("lo", "127.0.0.1"),
            entry("docker0", "172.17.0.1"),
            entry("eth0", "fd00::5"),
            entry("eth0", "192.168.7.5"),
        ];
        assert_eq!(best(&list), Some("192.168.7.5".parse().unwrap()));
        assert_eq!(best(&list[..2]), None);
    }
}
