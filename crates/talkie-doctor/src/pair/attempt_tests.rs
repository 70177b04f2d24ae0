//! What an attempt holds on a server, and when it gives that back.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::json;
use talkie_server::relay::{Relay, RelayConfig};
use talkie_signaling::IceServer;
use talkie_traversal::ice::Role;
use talkie_traversal::turn::server::{self, Credentials};
use tokio::time::{Instant, sleep, timeout};

use super::attempt::Attempt;
use crate::report::{Host, Millis, PortMapping, Portal, Report, SCHEMA};

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

async fn relay() -> Relay {
    let users = vec![("alice".to_owned(), "secret".to_owned())];
    let credentials = Credentials { users, ..Credentials::default() };
    let turn = server::Config { credentials, ..server::Config::default() };
    let udp = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    Relay::start(RelayConfig { udp, turn, ..RelayConfig::default() }).await.unwrap()
}

fn nothing_known() -> Report {
    Report {
        schema: SCHEMA,
        version: "0",
        taken_at: 0,
        duration: Millis::default(),
        host: Host::default(),
        servers: Vec::new(),
        nats: Vec::new(),
        port_mapping: PortMapping::default(),
        mtu: None,
        portal: Portal::Unknown,
        clock: None,
    }
}

async fn await_allocations(relay: &Relay, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while relay.stats().await.allocations != count {
        assert!(Instant::now() < deadline, "there are never {count} allocations");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn who_ends_it_while_it_gathers_leaves_no_allocation() {
    let relay = relay().await;
    // As long as this one is waited for, gathering goes on.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("stun:{}", silent.local_addr().unwrap());
    let url = format!("turn:{}", relay.listeners()[0].address);
    let ice: Vec<IceServer> = serde_json::from_value(json!([
        {"urls": [silent_url]},
        {"urls": [url], "username": "alice", "credential": "secret"},
    ]))
    .unwrap();
    let here = Ipv4Addr::LOCALHOST.into();
    let begun = Attempt::begin(&nothing_known(), Role::Controlling, here, &ice).await;
    let mut attempt = begun.unwrap();
    tokio::select! {
        _ = attempt.gather() => panic!("the silent server was given up too soon"),
        () = await_allocations(&relay, 1) => {}
    }
    timeout(PATIENCE, attempt.close()).await.unwrap();
    await_allocations(&relay, 0).await;
    relay.stop().await;
}
