//! The host's own addresses: which to print, to certify and to relay from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// An address of an interface that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Local {
    pub(crate) name: String,
    pub(crate) ip: IpAddr,
}

/// Every address of the host but loopback and IPv6 link-local (which needs a zone to be of use),
/// the one most likely to be reached from the local network first.
pub(crate) fn addresses() -> Vec<Local> {
    let all = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot list the network interfaces");
        Vec::new()
    });
    let mut locals: Vec<_> = all
        .into_iter()
        .filter(|interface| !interface.is_loopback() && !is_link_local_v6(interface.ip()))
        .map(|interface| Local { ip: interface.ip(), name: interface.name })
        .collect();
    let default_route = [source_towards(IpAddr::V4(Ipv4Addr::new(192, 88, 99, 1)))]
        .into_iter()
        .chain([source_towards(IpAddr::V6(Ipv6Addr::new(0x2002, 0xc058, 0x6301, 0, 0, 0, 0, 1)))])
        .flatten()
        .collect::<Vec<_>>();
    locals.sort_by_key(|local| rank(local, &default_route));
    locals
}

/// The address the host would send from to reach `ip`. Connecting a UDP socket asks the routing
/// table and sends nothing.
fn source_towards(ip: IpAddr) -> Option<IpAddr> {
    let any = match ip {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(ip, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// Smaller is likelier: the interface with the default route, then real interfaces before those
/// that containers and tunnels make, IPv4 before IPv6 (short enough to be typed).
fn rank(local: &Local, default_route: &[IpAddr]) -> (bool, bool, bool) {
    const VIRTUAL: [&str; 10] =
        ["br-", "cni", "docker", "flannel", "tap", "tun", "utun", "veth", "virbr", "wg"];
    let made = VIRTUAL.iter().any(|prefix| local.name.starts_with(prefix));
    (made, local.ip.is_ipv6(), !default_route.contains(&local.ip))
}

fn is_link_local_v6(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// Whether the host can bind IPv6 at all.
pub(crate) fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// The address that stands for the host in `family` when nothing better is known: the default
/// route's for IPv4, a global one for IPv6.
pub(crate) fn primary(locals: &[Local], ipv6: bool) -> Option<IpAddr> {
    locals
        .iter()
        .map(|local| local.ip)
        .filter(|ip| ip.is_ipv6() == ipv6)
        .find(|ip| !matches!(ip, IpAddr::V6(v6) if v6.is_unique_local()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(name: &str, ip: &str) -> Local {
        Local { name: name.to_owned(), ip: ip.parse().unwrap() }
    }

    #[test]
    fn the_default_routes_interface_comes_first_and_containers_last() {
        let mut locals = [
            local("docker0", "172.17.0.1"),
            local("eth0", "2001:db8::1"),
            local("eth1", "10.0.0.5"),
            local("eth0", "192.168.1.2"),
        ];
        let route = ["192.168.1.2".parse().unwrap()];
        locals.sort_by_key(|local| rank(local, &route));
        let order: Vec<_> = locals.iter().map(|local| local.ip.to_string()).collect();
        assert_eq!(order, ["192.168.1.2", "10.0.0.5", "2001:db8::1", "172.17.0.1"]);
    }

    #[test]
    fn a_unique_local_address_is_not_offered_to_the_internet() {
        let locals = [local("eth0", "fd00::2"), local("eth0", "2001:db8::2")];
        assert_eq!(primary(&locals, true), Some("2001:db8::2".parse().unwrap()));
        assert_eq!(primary(&locals, false), None);
    }
}
