//! The host's own addresses: which to print, to certify and to relay from.

use std::net::{IpAddr, Ipv6Addr, UdpSocket};

use talkie_net::{Interface, Scope};

/// Every address of the host but loopback and IPv6 link-local (which needs a zone to be of use),
/// the one most likely to be reached from the local network first.
pub(crate) fn addresses() -> Vec<IpAddr> {
    let mut all = talkie_net::interfaces().unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot list the network interfaces");
        Vec::new()
    });
    all.retain(|interface| match interface.scope() {
        Scope::Loopback => false,
        Scope::LinkLocal => interface.address.is_ipv4(),
        _ => true,
    });
    let likeliest = talkie_net::lan_address();
    all.sort_by_key(|interface| rank(interface, likeliest));
    all.into_iter().map(|interface| interface.address).collect()
}

/// Smaller is likelier: real interfaces before those that containers and tunnels make, IPv4 before
/// IPv6 (short enough to be typed), and among these the default route's.
fn rank(interface: &Interface, likeliest: Option<IpAddr>) -> (bool, bool, bool, bool) {
    const MADE: [&str; 11] =
        ["br-", "cni", "docker", "flannel", "lxc", "tap", "tun", "utun", "veth", "virbr", "wg"];
    (
        MADE.iter().any(|prefix| interface.name.starts_with(prefix)),
        interface.address.is_ipv6(),
        interface.scope() == Scope::LinkLocal,
        likeliest != Some(interface.address),
    )
}

/// Whether the host can bind IPv6 at all.
pub(crate) fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// The address of one family that stands for the host when nothing better is known: the likeliest
/// for IPv4, a global one for IPv6.
pub(crate) fn primary(addresses: &[IpAddr], ipv6: bool) -> Option<IpAddr> {
    let wide_enough = |ip: &IpAddr| !ipv6 || Scope::of(*ip) == Scope::Global;
    addresses.iter().copied().find(|ip| ip.is_ipv6() == ipv6 && wide_enough(ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, address: &str) -> Interface {
        Interface::new(name, address.parse().unwrap())
    }

    #[test]
    fn the_default_routes_interface_comes_first_and_containers_last() {
        let mut all = [
            interface("docker0", "172.17.0.1"),
            interface("eth0", "2001:db8::1"),
            interface("eth1", "10.0.0.5"),
            interface("eth0", "192.168.1.2"),
        ];
        let likeliest = Some("192.168.1.2".parse().unwrap());
        all.sort_by_key(|interface| rank(interface, likeliest));
        let order: Vec<_> = all.iter().map(|interface| interface.address.to_string()).collect();
        assert_eq!(order, ["192.168.1.2", "10.0.0.5", "2001:db8::1", "172.17.0.1"]);
    }

    #[test]
    fn a_unique_local_address_is_not_offered_to_the_internet() {
        let addresses = ["fd00::2", "2001:db8::2"].map(|ip| ip.parse().unwrap());
        assert_eq!(primary(&addresses, true), Some("2001:db8::2".parse().unwrap()));
        assert_eq!(primary(&addresses, false), None);
    }
}
