//! Servers of ours, run in a child process of this program.

use std::net::SocketAddr;

use anyhow::Result;
use ipnet::IpNet;
use talkie_server::relay::{Relay, RelayConfig};
use talkie_traversal::turn::server::{Config, Credentials, PeerPolicy};

use crate::process::{PASSWORD, REALM, RELAY_PORTS, USER};

/// Signaling on loopback, without a limit per address, until the process is killed.
pub(crate) fn signaling(address: SocketAddr) -> Result<()> {
    let mut config = talkie_server::Config::default();
    config.http = vec![address];
    (config.https, config.turn, config.turns) = (Vec::new(), Vec::new(), Vec::new());
    (config.admin, config.relay, config.self_test) = (None, false, false);
    config.data_dir = std::env::temp_dir();
    config.connections.per_address = config.connections.total;
    config.connections.half_open_per_address = config.connections.half_open;
    config.signaling.sessions_per_address = config.signaling.sessions;
    talkie_net::raise_descriptor_limit()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let _server = talkie_server::Server::start(config).await?;
        std::future::pending::<()>().await;
        Ok(())
    })
}

/// A relay on loopback or in a lab until the process is killed.
pub(crate) fn relay(address: SocketAddr) -> Result<()> {
    // What a relay refuses unless told otherwise: this host, and addresses for documentation.
    let peers = ["127.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"];
    let allow = peers.iter().map(|network| network.parse::<IpNet>()).collect::<Result<_, _>>()?;
    let mut turn = Config {
        realm: REALM.into(),
        ports: RELAY_PORTS,
        credentials: Credentials {
            users: vec![(USER.into(), PASSWORD.into())],
            ..Credentials::default()
        },
        peers: PeerPolicy { allow, ..PeerPolicy::default() },
        ..Config::default()
    };
    turn.limits.allocations_per_user = turn.limits.allocations;
    turn.limits.allocations_per_address = turn.limits.allocations;
    let config =
        RelayConfig { udp: vec![address], tcp: vec![address], turn, ..RelayConfig::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let _relay = Relay::start(config).await?;
        std::future::pending::<()>().await;
        Ok(())
    })
}
