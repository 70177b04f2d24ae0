//! What this host knows of itself. Nothing is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netdev::interface::types::InterfaceType;

use crate::report::{Address, Family, Host, Interface, InterfaceKind, Proxy, Reach, Route, Scope};

/// Looks at interfaces, routes and the environment.
pub(crate) async fn look() -> Host {
    let looked = tokio::task::spawn_blocking(|| {
        let all = netdev::get_interfaces();
        let interfaces: Vec<_> = all.iter().filter_map(interface).collect();
        let routes: Vec<_> =
            [Family::Ipv4, Family::Ipv6].into_iter().filter_map(|it| route(it, &all)).collect();
        Host { interfaces, routes, reach: Vec::new(), proxies: proxies(std::env::vars_os()) }
    });
    // It cannot be cancelled; a panic in it would be one of `netdev`.
    looked.await.unwrap_or_default()
}

fn interface(entry: &netdev::Interface) -> Option<Interface> {
    let v4 = entry.ipv4.iter().map(|net| IpAddr::V4(net.addr()));
    let v6 = entry.ipv6.iter().map(|net| IpAddr::V6(net.addr()));
    let addresses: Vec<_> =
        v4.chain(v6).map(|address| Address { address, scope: Scope::of(address) }).collect();
    if !entry.is_up() || entry.is_loopback() || addresses.is_empty() {
        return None;
    }
    let name = super::clean(entry.friendly_name.as_deref().unwrap_or(&entry.name));
    let kind = kind(&name, entry.if_type, entry.is_point_to_point());
    Some(Interface { name, kind, addresses, mtu: entry.mtu })
}

fn kind(name: &str, kind: InterfaceType, point_to_point: bool) -> InterfaceKind {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    // Names that VPN programs give: OpenVPN, WireGuard, IPsec, Tailscale, ZeroTier, macOS.
    let vpn = ["tun", "tap", "wg", "ipsec", "tailscale", "zt", "utun", "nordlynx", "proton"];
    // PPP is how some lines reach their provider, so that it is no VPN by itself.
    let dialled = name.starts_with("ppp") || kind == InterfaceType::Ppp;
    if starts(&["docker", "br-", "virbr", "cni", "lxc", "vmnet", "vboxnet"]) {
        InterfaceKind::Virtual
    } else if starts(&vpn) || kind == InterfaceType::Tunnel || (point_to_point && !dialled) {
        InterfaceKind::Tunnel
    } else {
        InterfaceKind::Network
    }
}

/// The address that packets to the Internet leave from, as the routing table tells it for an address
/// that nobody has: rules and half-open default routes of VPNs count, which a list of routes would
/// hide.
pub(crate) fn outward(family: Family) -> Option<IpAddr> {
    // RFC 5737 and RFC 3849: reserved for documentation.
    let nowhere: IpAddr = match family {
        Family::Ipv4 => Ipv4Addr::new(192, 0, 2, 1).into(),
        Family::Ipv6 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    talkie_net::source_address(nowhere).filter(|source| Scope::of(*source) > Scope::LinkLocal)
}

fn route(family: Family, all: &[netdev::Interface]) -> Option<Route> {
    let source = outward(family)?;
    let has = |entry: &&netdev::Interface| entry.ip_addrs().contains(&source);
    let leaves_by = all.iter().find(has);
    let gateway = talkie_net::gateway(source);
    let name = |entry: &netdev::Interface| {
        super::clean(entry.friendly_name.as_deref().unwrap_or(&entry.name))
    };
    Some(Route { family, source, interface: leaves_by.map(name), gateway })
}

/// What each IP version reaches, once it is known which servers answered: `answers` has each address
/// that was tried, and whether anything came back. This host itself is reached without any network.
pub(crate) fn reach(host: &Host, answers: &[(IpAddr, bool)]) -> Vec<Reach> {
    let one = |family| {
        let counts = |address: IpAddr| Family::of(address) == family && !address.is_loopback();
        let mut tried = answers.iter().filter(|(of, _)| counts(*of)).peekable();
        let any = tried.peek().is_some();
        let reached = any.then(|| tried.any(|(_, reached)| *reached));
        Reach { family, routed: host.route(family).is_some(), reached }
    };
    [Family::Ipv4, Family::Ipv6].map(one).into()
}

/// The proxies of the environment, in the ways that curl and others read it.
fn proxies(
    variables: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
) -> Vec<Proxy> {
    let mut found: Vec<_> = variables
        .filter_map(|(name, value)| {
            let variable = name.into_string().ok()?;
            let lower = variable.to_ascii_lowercase();
            let known = ["http_proxy", "https_proxy", "all_proxy"].contains(&lower.as_str());
            let value = value.into_string().ok()?;
            (known && !value.is_empty())
                .then(|| Proxy { variable, value: super::clean(&without_user(&value)) })
        })
        .collect();
    found.sort_by(|a, b| a.variable.cmp(&b.variable));
    found
}

/// User and password stand before the last `@` of the authority.
fn without_user(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_shown_without_their_password() {
        let variables = [
            ("HTTPS_PROXY", "http://me:p@ss@proxy.example:3128"),
            ("http_proxy", "proxy.example:3128"),
            ("ALL_PROXY", ""),
            ("PATH", "/bin"),
        ];
        let found = proxies(variables.into_iter().map(|(a, b)| (a.into(), b.into())));
        let shown: Vec<_> =
            found.iter().map(|it| (it.variable.as_str(), it.value.as_str())).collect();
        assert_eq!(
            shown,
            [("HTTPS_PROXY", "http://proxy.example:3128"), ("http_proxy", "proxy.example:3128")]
        );
    }

    #[test]
    fn interfaces_are_told_apart() {
        for (name, of_type, point_to_point, expected) in [
            ("eth0", InterfaceType::Ethernet, false, InterfaceKind::Network),
            ("wg0", InterfaceType::Unknown, true, InterfaceKind::Tunnel),
            ("utun4", InterfaceType::Unknown, true, InterfaceKind::Tunnel),
            ("ppp0", InterfaceType::Ppp, true, InterfaceKind::Network),
            ("docker0", InterfaceType::Ethernet, false, InterfaceKind::Virtual),
            ("corp", InterfaceType::Tunnel, true, InterfaceKind::Tunnel),
        ] {
            assert_eq!(kind(name, of_type, point_to_point), expected, "{name}");
        }
    }

    #[test]
    fn a_version_that_no_server_has_is_neither_reached_nor_missed() {
        let reach = reach(&Host::default(), &[(ip("192.0.2.1"), false), (ip("192.0.2.2"), true)]);
        assert_eq!(reach[0].reached, Some(true));
        assert_eq!(reach[1].reached, None);
    }

    #[test]
    fn a_server_on_this_host_says_nothing_of_the_network() {
        let reach = reach(
            &Host::default(),
            &[(ip("127.0.0.1"), true), (ip("::1"), true), (ip("2001:db8::1"), false)],
        );
        assert_eq!(reach[0].reached, None);
        assert_eq!(reach[1].reached, Some(false));
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
}
