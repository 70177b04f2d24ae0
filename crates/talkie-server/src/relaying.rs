//! The relay as the configuration asks for it: where it listens, which address it tells clients,
//! and whom it serves.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use talkie_net::{BindError, Refusal};
use talkie_sansio::Transport;
use talkie_traversal::stun::auth::opaque_string;
use talkie_traversal::turn::server::{
    Config as TurnConfig, Credentials, Discovery, PeerPolicy, RelayAddress, Secret,
};

use crate::bind::{ListenError, with_companions};
use crate::config::Config;
use crate::discovering;
use crate::ice::Advertise;
use crate::interfaces::{has_ipv6, primary};
use crate::relay::{Relay, RelayConfig, RelayError};
use crate::report::{AdvertisedSource, DiscoveryReport, Purpose, RelayReport};
use crate::server::StartError;

/// A secret of fewer bytes can be found by trying: one credential is enough to try against.
const SAFE_SECRET: usize = 16;

/// The secret of the configuration, or a random one that ends with the process.
pub(crate) fn secret(config: &Config, warnings: &mut Vec<String>) -> Result<Secret, StartError> {
    if let Some(secret) = &config.turn_secret {
        if secret.len() < SAFE_SECRET {
            warnings.push(format!(
                "the TURN secret has {} bytes: whoever sees one credential can guess it and relay \
                 through this host; take the output of `openssl rand -hex 32`",
                secret.len()
            ));
        }
        return Ok(Secret::new(secret.as_bytes()));
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| StartError::Config(format!("no randomness: {error}")))?;
    Ok(Secret::new(bytes))
}

/// Starts it. An IPv6 companion that can't be bound is given up with a warning.
pub(crate) async fn start(
    config: &Config,
    secret: &Secret,
    own: &[IpAddr],
    warnings: &mut Vec<String>,
) -> Result<Relay, StartError> {
    let mut turn = turn_config(config, secret, own);
    turn.credentials.users = prepared(turn.credentials.users)?;
    // With port 0 the companion would get another port.
    let fixed: Vec<_> = config.turn.iter().copied().filter(|it| it.port() != 0).collect();
    let listeners: Vec<_> = config.turn.iter().copied().filter(|it| it.port() == 0).collect();
    let listeners = [listeners, with_companions(&fixed)].concat();
    let alternates = discovering::alternates(config, own)?;
    warnings.extend(discovering::half_told(&alternates));
    let attempt = |addresses: Vec<SocketAddr>| {
        Relay::start(RelayConfig {
            udp: addresses.clone(),
            tcp: addresses,
            alternates: alternates.clone(),
            turn: turn.clone(),
            ..RelayConfig::default()
        })
    };
    let error = match attempt(listeners).await {
        Ok(relay) => {
            warnings.extend(without(&relay));
            return Ok(relay);
        }
        Err(error) => error,
    };
    let is_companion = match &error {
        RelayError::Listen { source, .. } => !config.turn.contains(&source.address),
        RelayError::Alternate(source) => {
            let ip = source.address.ip();
            let alternates = config.alternate_ip.iter().flatten();
            let mut asked = config.turn.iter().map(SocketAddr::ip);
            !asked.any(|it| it == ip) && !alternates.into_iter().any(|it| it.local == ip)
        }
        _ => false,
    };
    if !is_companion {
        return Err(refused(error));
    }
    warnings.push(refused(error).to_string());
    let relay = attempt(config.turn.clone()).await.map_err(refused)?;
    warnings.extend(without(&relay));
    Ok(relay)
}

/// What behaviour discovery goes without, in words.
fn without(relay: &Relay) -> Option<String> {
    let (transport, error) = relay.troubles().first()?;
    let mut text = alternate_refused(*transport, error).to_string();
    text.push_str("; until then it is harder to tell what somebody's NAT does");
    Some(text)
}

/// What STUN offers those who explore their NAT.
pub(crate) fn discovery(relay: &Relay) -> Vec<DiscoveryReport> {
    let report = |it: &Discovery| DiscoveryReport {
        listener: it.listener,
        ports: it.ports,
        addresses: match it.addresses[..] {
            [primary, alternate] => Some([primary.told, alternate.told]),
            _ => None,
        },
    };
    relay.discovery().iter().map(report).collect()
}

/// RFC 8489 §9.2.2: names and passwords are compared in their `OpaqueString` form.
fn prepared(users: Vec<(String, String)>) -> Result<Vec<(String, String)>, StartError> {
    let prepare = |text: &str, what: &str| {
        opaque_string(text).map(Cow::into_owned).map_err(|error| {
            StartError::Config(format!("{what} can't be used: {error}; check --turn-user"))
        })
    };
    users
        .into_iter()
        .map(|(name, password)| {
            let name = prepare(&name, "a user's name")?;
            let password = prepare(&password, "a user's password")?;
            Ok((name, password))
        })
        .collect()
}

fn refused(error: RelayError) -> StartError {
    match error {
        RelayError::Listen { transport, source: BindError { address, refusal } } => {
            let purpose =
                if transport == Transport::Udp { Purpose::TurnUdp } else { Purpose::TurnTcp };
            ListenError::new(purpose, address, source(&refusal)).into()
        }
        RelayError::Alternate(BindError { address, refusal: Refusal::NoSuchAddress }) => {
            StartError::Config(format!(
                "--alternate-ip: no interface of this host has {}; behind a one-to-one NAT it takes \
                 both, as PUBLIC/LOCAL",
                address.ip()
            ))
        }
        RelayError::Alternate(error) => alternate_refused(Transport::Udp, &error).into(),
        RelayError::Config(error) => StartError::Config(format!("the relay: {error}")),
        error => StartError::Relay(error),
    }
}

fn alternate_refused(transport: Transport, error: &BindError) -> ListenError {
    let purpose = if transport == Transport::Udp { Purpose::StunUdp } else { Purpose::StunTcp };
    ListenError::new(purpose, error.address, source(&error.refusal))
}

fn source(refusal: &Refusal) -> io::Error {
    match refusal {
        Refusal::InUse => io::ErrorKind::AddrInUse.into(),
        Refusal::Permission => io::ErrorKind::PermissionDenied.into(),
        Refusal::NoSuchAddress => io::ErrorKind::AddrNotAvailable.into(),
        other => io::Error::other(other.to_string()),
    }
}

fn turn_config(config: &Config, secret: &Secret, own: &[IpAddr]) -> TurnConfig {
    let (relay_v4, relay_v6) = addresses(config, own);
    let credentials =
        Credentials { secret: Some(secret.clone()), users: config.turn_users.clone() };
    // The NAT in front may lead a packet to its outer address back in.
    let outer = config
        .external_ip
        .iter()
        .flat_map(|ip| config.turn.iter().map(|address| SocketAddr::new(*ip, address.port())));
    TurnConfig {
        realm: config.realm.clone(),
        relay_v4: relay_v4.filter(|_| config.relay),
        relay_v6: relay_v6.filter(|_| config.relay),
        advertise_local: config.external_ip.is_empty(),
        ports: config.relay_ports.clone(),
        listeners: outer.filter(|address| address.port() != 0).collect(),
        credentials: if config.relay { credentials } else { Credentials::default() },
        peers: PeerPolicy { allow: config.allow_peers.clone(), deny: config.deny_peers.clone() },
        ..TurnConfig::default()
    }
}

/// Relays are bound to every address. What clients are told is the configuration's word; or the
/// address at which they reached us, and where that is of the other family, the primary one.
fn addresses(config: &Config, own: &[IpAddr]) -> (Option<RelayAddress>, Option<RelayAddress>) {
    let auto = config.external_ip.is_empty();
    let of_family = |ipv6| {
        let told = config.external_ip.iter().copied().find(|ip| ip.is_ipv6() == ipv6);
        told.or_else(|| primary(own, ipv6))
    };
    let relay = |bind: IpAddr| {
        let advertise = of_family(bind.is_ipv6()).or_else(|| auto.then_some(bind))?;
        Some(RelayAddress { bind, advertise })
    };
    (
        relay(Ipv4Addr::UNSPECIFIED.into()),
        relay(Ipv6Addr::UNSPECIFIED.into()).filter(|_| has_ipv6()),
    )
}

/// What ICE may tell sessions of the relay's address.
pub(crate) fn advertise(config: &Config) -> Advertise {
    if config.external_ip.is_empty() {
        Advertise::ByHost { wildcard: config.turn.iter().any(|it| it.ip().is_unspecified()) }
    } else {
        Advertise::Fixed
    }
}

pub(crate) fn report(config: &Config, own: &[IpAddr]) -> RelayReport {
    let (v4, v6) = addresses(config, own);
    let advertised = [v4, v6].into_iter().flatten().map(|relay| relay.advertise);
    let source = match advertise(config) {
        Advertise::Fixed => AdvertisedSource::Configured,
        Advertise::ByHost { .. } => AdvertisedSource::Interface,
    };
    RelayReport {
        ports: config.relay_ports.clone(),
        advertised: advertised.filter(|ip| !ip.is_unspecified()).collect(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [IpAddr; 1] = [IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5))];

    #[test]
    fn a_secret_that_can_be_guessed_is_warned_of_and_not_shown() {
        let warned = |turn_secret: Option<&str>| {
            let turn_secret = turn_secret.map(str::to_owned);
            let mut warnings = Vec::new();
            secret(&Config { turn_secret, ..Config::default() }, &mut warnings).unwrap();
            warnings
        };
        assert!(warned(None).is_empty() && warned(Some("0123456789abcdef")).is_empty());
        let warnings = warned(Some("hunter2"));
        assert!(warnings[0].contains("7 bytes") && !warnings[0].contains("hunter2"));
    }

    #[test]
    fn a_configured_address_is_the_only_one_told() {
        let config =
            Config { external_ip: vec!["203.0.113.7".parse().unwrap()], ..Config::default() };
        let turn = turn_config(&config, &Secret::new(*b"secret"), &OWN);
        assert_eq!(turn.relay_v4.unwrap().advertise, config.external_ip[0]);
        // Nothing is known of IPv6, so none is offered.
        assert_eq!((turn.relay_v6, turn.advertise_local), (None, false));
        assert_eq!(turn.listeners, ["203.0.113.7:3478".parse().unwrap()]);
        assert_eq!(report(&config, &OWN).advertised, config.external_ip);
    }

    #[test]
    fn by_default_the_address_is_the_one_reached() {
        let turn = turn_config(&Config::default(), &Secret::new(*b"secret"), &OWN);
        assert_eq!(turn.relay_v4.unwrap().advertise, OWN[0]);
        assert!(turn.advertise_local);
        assert_eq!(report(&Config::default(), &OWN).advertised, OWN);
    }

    #[test]
    fn without_a_relay_nobody_has_credentials() {
        let config = Config {
            relay: false,
            turn_users: vec![("ann".to_owned(), "hush".to_owned())],
            ..Config::default()
        };
        let turn = turn_config(&config, &Secret::new(*b"secret"), &OWN);
        assert!(turn.credentials.secret.is_none() && turn.credentials.users.is_empty());
        assert_eq!((turn.relay_v4, turn.relay_v6), (None, None));
    }
}
