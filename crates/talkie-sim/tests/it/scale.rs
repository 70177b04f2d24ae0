//! Many hosts, many packets. That it ends is the test: within seconds, in a debug build, too.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use talkie_sim::nat::Config;
use talkie_sim::net::{Link, Loss, Network};

use crate::caller::Caller;
use crate::echo::{SECOND, seeded};

fn address(host: u32) -> IpAddr {
    IpAddr::from((0x0b00_0000 + host).to_be_bytes())
}

#[test]
fn ten_thousand_hosts_send_a_million_packets() {
    let mut network = Network::new(&seeded(1));
    let internet = network.add_internet("internet");
    let link = Link {
        delay: Duration::from_millis(17),
        jitter: Duration::from_millis(3),
        loss: Loss::Random(0.01),
        ..Link::default()
    };
    let mut hosts = Vec::new();
    for number in 0..10_000 {
        let at = |number: u32| SocketAddr::new(address(number), 5000);
        let caller = Caller::new(network.now(), at(number), at(number ^ 1), 100);
        let host = network.add_host("host", caller);
        network.attach(host, internet, link.clone(), [address(number)]);
        hosts.push(host);
    }
    network.run_for(10 * SECOND);
    assert_eq!((network.counters().sent, network.in_flight()), (1_000_000, 0));
    let seen: u64 = hosts.iter().map(|host| network.machine(*host).seen).sum();
    assert_eq!(seen, network.counters().delivered);
    // 0.99 squared.
    assert!((970_000..990_000).contains(&seen), "{seen}");
}

#[test]
fn two_thousand_homes_call_each_other() {
    let mut network = Network::new(&seeded(1));
    let internet = network.add_internet("internet");
    let mut hosts = Vec::new();
    for number in 0..2000 {
        let config = Config::port_restricted_cone([address(number)]);
        let nat = network.add_nat("home", internet, Link::default(), config);
        let inside = IpAddr::from([192, 168, 1, 2]);
        let remote = SocketAddr::new(address(number ^ 1), 5000);
        let caller = Caller::new(network.now(), SocketAddr::new(inside, 5000), remote, 20);
        let host = network.add_host("host", caller);
        network.attach(host, nat, Link::default(), [inside]);
        hosts.push((host, nat));
    }
    network.run_for(SECOND);
    // The first packets of both cross on the internet, so nothing is filtered.
    assert!(hosts.iter().all(|(host, _)| network.machine(*host).seen == 20));
    assert!(hosts.iter().all(|(_, nat)| network.rows(*nat).len() == 1));
}
