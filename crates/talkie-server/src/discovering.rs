//! NAT behaviour discovery (RFC 5780) as the configuration asks for it: which second port, and which
//! address goes with which.
//!
//! A second address is found by itself only where there can be no doubt: a host that listens on all
//! addresses and has exactly two public IPv4 ones. Of IPv6 addresses each interface has several that
//! lead to the same place, some of which are gone tomorrow; and what is public of a host behind a
//! one-to-one NAT only its operator knows.

use std::net::IpAddr;

use talkie_net::Scope;
use talkie_traversal::turn::server::OwnAddress;

use crate::config::Config;
use crate::relay::{AlternatePort, Alternates};
use crate::server::StartError;

/// What to bind beside the listeners of `config`, on a host with the addresses `own`.
pub(crate) fn alternates(config: &Config, own: &[IpAddr]) -> Result<Alternates, StartError> {
    let given = config.alternate_ip.as_deref();
    let asked = given.is_some_and(|addresses| !addresses.is_empty());
    if let AlternatePort::Fixed(port) = config.alternate_port
        && let Some(taken) = config.turn.iter().find(|address| address.port() == port)
        && config.turn.len() == 1
    {
        return Err(StartError::Config(format!(
            "--alternate-port {port} is the port of --turn {taken}: a client that compares two ports \
             needs another one"
        )));
    }
    if asked && config.alternate_port == AlternatePort::None {
        return Err(StartError::Config(
            "--alternate-ip needs a second port: leave out --alternate-port none".to_owned(),
        ));
    }
    let alternates = match given {
        Some(given) => given.to_vec(),
        None => found(config, own).into_iter().map(OwnAddress::from).collect(),
    };
    let mut addresses = Vec::new();
    for alternate in &alternates {
        let primary = partner(config, own, alternate.local)?;
        if primary.told == alternate.told {
            return Err(StartError::Config(format!(
                "--alternate-ip {} is --external-ip too: a client that compares two addresses needs \
                 another one",
                alternate.told
            )));
        }
        addresses.push(vec![primary, *alternate]);
    }
    // A lone address is worth telling where clients know it by another.
    for ipv6 in [false, true] {
        let paired = alternates.iter().any(|it| it.local.is_ipv6() == ipv6);
        let lone = primary(config, own, ipv6, None).map(|ip| known_as(config, ip));
        addresses.extend(lone.filter(|it| !paired && it.told != it.local).map(|it| vec![it]));
    }
    let fixed = matches!(config.alternate_port, AlternatePort::Fixed(_));
    Ok(Alternates { port: config.alternate_port, addresses, required: asked || fixed })
}

/// What is amiss where only the second of two addresses is told as others know it.
pub(crate) fn half_told(alternates: &Alternates) -> impl Iterator<Item = String> {
    let is_half = |pair: &&Vec<OwnAddress>| match pair[..] {
        [primary, alternate] => {
            let is_public = Scope::of(primary.local) == Scope::Global;
            alternate.told != alternate.local && primary.told == primary.local && !is_public
        }
        _ => false,
    };
    alternates.addresses.iter().filter(is_half).map(|pair| {
        format!(
            "--alternate-ip {}/{} is known to others by its public address, and {}, which goes with \
             it, only by its own: who explores a NAT is told one that leads nowhere; name the public \
             one with --external-ip",
            pair[1].told, pair[1].local, pair[0].local
        )
    })
}

/// The address that `alternate` is the alternate of: a listener's, or for one on all addresses the
/// host's likeliest of the same kind.
fn partner(config: &Config, own: &[IpAddr], alternate: IpAddr) -> Result<OwnAddress, StartError> {
    let ip = primary(config, own, alternate.is_ipv6(), Some(alternate)).ok_or_else(|| {
        StartError::Config(format!(
            "--alternate-ip {alternate} has no other address to go with: --turn must listen on \
             another address of this host, or on all of them"
        ))
    })?;
    Ok(known_as(config, ip))
}

fn primary(config: &Config, own: &[IpAddr], ipv6: bool, beside: Option<IpAddr>) -> Option<IpAddr> {
    let of_family = |ip: &IpAddr| ip.is_ipv6() == ipv6 && Some(*ip) != beside;
    let same_kind = |ip: &IpAddr| beside.is_none_or(|it| it.is_loopback() == ip.is_loopback());
    let listeners = || config.turn.iter().map(std::net::SocketAddr::ip).filter(of_family);
    if let Some(ip) = listeners().find(|ip| !ip.is_unspecified() && same_kind(ip)) {
        return Some(ip);
    }
    // 0.0.0.0 brings [::] along.
    if !config.turn.iter().any(|address| address.ip().is_unspecified()) {
        return None;
    }
    let loopback: [IpAddr; 2] =
        [std::net::Ipv4Addr::LOCALHOST.into(), std::net::Ipv6Addr::LOCALHOST.into()];
    let candidates = || own.iter().chain(&loopback).copied().filter(of_family).filter(same_kind);
    // Public beside public, so that both are reached from the same places.
    let scope = beside.map(Scope::of);
    candidates().find(|ip| scope == Some(Scope::of(*ip))).or_else(|| candidates().next())
}

fn known_as(config: &Config, local: IpAddr) -> OwnAddress {
    let outer = config.external_ip.iter().find(|ip| ip.is_ipv6() == local.is_ipv6());
    let told = outer.copied().filter(|_| !local.is_loopback()).unwrap_or(local);
    OwnAddress { local, told }
}

/// The alternate address that needs no asking for.
fn found(config: &Config, own: &[IpAddr]) -> Option<IpAddr> {
    let everywhere = config.turn.iter().any(|it| it.ip().is_unspecified() && it.is_ipv4());
    let public = |ip: &&IpAddr| ip.is_ipv4() && Scope::of(**ip) == Scope::Global;
    let all: Vec<_> = own.iter().filter(public).collect();
    match all[..] {
        [_, second] if everywhere && config.external_ip.is_empty() => Some(*second),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn own(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| ip(text)).collect()
    }

    fn pairs(config: &Config, addresses: &[&str]) -> Vec<Vec<(String, String)>> {
        let alternates = alternates(config, &own(addresses)).unwrap();
        let text = |own: &OwnAddress| (own.local.to_string(), own.told.to_string());
        alternates.addresses.iter().map(|them| them.iter().map(text).collect()).collect()
    }

    fn both(text: &str) -> (String, String) {
        (text.to_owned(), text.to_owned())
    }

    #[test]
    fn two_public_addresses_are_found_and_anything_less_clear_is_not() {
        let config = Config::default();
        let clear = pairs(&config, &["10.0.0.1", "203.0.114.1", "203.0.114.2", "2001:4860::1"]);
        assert_eq!(clear, [[both("203.0.114.1"), both("203.0.114.2")]]);
        for unclear in [
            &["203.0.114.1", "10.0.0.1"][..],
            &["203.0.114.1", "203.0.114.2", "203.0.114.3"],
            &["2001:4860::1", "2001:4860::2"],
            &["10.0.0.1", "10.0.0.2"],
        ] {
            assert!(pairs(&config, unclear).is_empty(), "{unclear:?}");
        }
        let off = Config { alternate_ip: Some(Vec::new()), ..Config::default() };
        assert!(pairs(&off, &["203.0.114.1", "203.0.114.2"]).is_empty());
        let single = Config { turn: vec!["203.0.114.1:3478".parse().unwrap()], ..config };
        assert!(pairs(&single, &["203.0.114.1", "203.0.114.2"]).is_empty());
    }

    #[test]
    fn the_alternate_address_goes_with_a_listener_of_its_kind() {
        let with = |turn: &[&str], alternate: &str| Config {
            turn: turn.iter().map(|text| text.parse().unwrap()).collect(),
            alternate_ip: Some(vec![ip(alternate).into()]),
            ..Config::default()
        };
        let own = ["192.168.1.2", "203.0.114.1", "203.0.114.2"];
        for (turn, alternate, partner) in [
            (&["127.0.0.1:3478"][..], "127.0.0.2", "127.0.0.1"),
            (&["0.0.0.0:3478"], "127.0.0.2", "127.0.0.1"),
            (&["0.0.0.0:3478"], "203.0.114.2", "203.0.114.1"),
            (&["0.0.0.0:3478"], "203.0.114.1", "203.0.114.2"),
            (&["127.0.0.1:3478", "192.168.1.2:3478"], "203.0.114.2", "192.168.1.2"),
            (&["203.0.114.1:3478", "203.0.114.2:3478"], "203.0.114.2", "203.0.114.1"),
        ] {
            let pairs = pairs(&with(turn, alternate), &own);
            assert_eq!(pairs, [[both(partner), both(alternate)]], "{turn:?}");
        }
        let alone = alternates(&with(&["127.0.0.1:3478"], "203.0.114.2"), &[]).unwrap_err();
        assert!(alone.to_string().contains("--turn"), "{alone}");
    }

    #[test]
    fn behind_a_one_to_one_nat_the_outer_addresses_are_told() {
        let outer = Config { external_ip: vec![ip("203.0.114.1")], ..Config::default() };
        let told = ("10.0.0.1".to_owned(), "203.0.114.1".to_owned());
        assert_eq!(pairs(&outer, &["10.0.0.1", "10.0.0.2"]), [vec![told.clone()]]);
        let second = OwnAddress { local: ip("10.0.0.2"), told: ip("203.0.114.2") };
        let two = Config { alternate_ip: Some(vec![second]), ..outer };
        let also = ("10.0.0.2".to_owned(), "203.0.114.2".to_owned());
        assert_eq!(pairs(&two, &["10.0.0.1", "10.0.0.2"]), [vec![told, also]]);
    }

    #[test]
    fn a_public_address_beside_a_private_one_is_warned_of() {
        let second = OwnAddress { local: ip("10.0.0.2"), told: ip("203.0.114.2") };
        let warnings = |external: &[&str], primary: &str, second: OwnAddress| {
            let external_ip = own(external);
            let config =
                Config { external_ip, alternate_ip: Some(vec![second]), ..Config::default() };
            let local = second.local.to_string();
            half_told(&alternates(&config, &own(&[primary, &local])).unwrap()).collect::<Vec<_>>()
        };
        let half = warnings(&[], "10.0.0.1", second);
        assert_eq!(half.len(), 1);
        for word in ["--alternate-ip 203.0.114.2/10.0.0.2", "10.0.0.1", "--external-ip"] {
            assert!(half[0].contains(word), "{half:?}");
        }
        assert!(warnings(&["203.0.114.1"], "10.0.0.1", second).is_empty());
        // Two that are public, or neither.
        assert!(warnings(&[], "10.0.0.1", ip("10.0.0.2").into()).is_empty());
        assert!(warnings(&[], "203.0.114.1", second).is_empty());
    }

    #[test]
    fn what_contradicts_itself_is_refused_with_the_flag_s_name() {
        let same = Config { alternate_port: AlternatePort::Fixed(3478), ..Config::default() };
        let none = Config {
            alternate_port: AlternatePort::None,
            alternate_ip: Some(vec![ip("127.0.0.2").into()]),
            ..Config::default()
        };
        for config in [same, none] {
            let error = alternates(&config, &[]).unwrap_err().to_string();
            assert!(error.contains("--alternate-port"), "{error}");
        }
        let twice = OwnAddress { local: ip("10.0.0.2"), told: ip("203.0.113.1") };
        let twice = Config {
            external_ip: vec![ip("203.0.113.1")],
            alternate_ip: Some(vec![twice]),
            ..Config::default()
        };
        let error = alternates(&twice, &own(&["10.0.0.1", "10.0.0.2"])).unwrap_err().to_string();
        assert!(error.contains("--external-ip"), "{error}");
    }
}
