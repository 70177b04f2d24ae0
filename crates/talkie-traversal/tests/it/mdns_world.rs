//! Names on a simulated local network: who finds whom, through loss, and who does not.

use std::net::IpAddr;
use std::time::Duration;

use talkie_sansio::conformance;
use talkie_sim::nat::Config as Nat;
use talkie_sim::net::{Change, Host, Link, Loss, Network};
use talkie_traversal::mdns::{Config, Event, Mdns, Why};

const SECOND: Duration = Duration::from_secs(1);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn network(seed: u8) -> Network {
    let mut genesis = conformance::genesis();
    genesis.seed = [seed; 32];
    Network::new(&genesis)
}

fn add(network: &mut Network) -> Host<Mdns> {
    let genesis = network.genesis();
    network.add_hosted("mdns", Mdns::new(&genesis, Config::default()))
}

fn resolved(name: &str, address: &str) -> Event {
    Event::Resolved { name: name.to_owned(), addresses: vec![ip(address)] }
}

#[test]
fn a_name_is_found_in_one_round_trip() {
    let mut network = network(1);
    let lan = network.add_lan("lan");
    let (ada, grace) = (add(&mut network), add(&mut network));
    let link = Link::with_delay(Duration::from_millis(2));
    network.attach(ada, lan, link.clone(), [ip("192.168.1.5"), ip("2001:db8::5")]);
    network.attach(grace, lan, link, [ip("192.168.1.6"), ip("2001:db8::6")]);
    let [v4, v6] = ["192.168.1.5", "2001:db8::5"]
        .map(|own| network.call(ada, |mdns, now| mdns.register(now, ip(own)).unwrap()));
    assert_ne!(v4, v6);
    network.run_for(5 * SECOND);
    for (name, address) in [(v4, "192.168.1.5"), (v6, "2001:db8::5")] {
        network.call(grace, |mdns, now| mdns.resolve(now, &name).unwrap());
        let asked = network.now();
        let event = network.run_until_event(grace, SECOND).unwrap();
        assert_eq!(event, resolved(&name, address));
        // Two links each way.
        assert!(network.now() - asked <= Duration::from_millis(10));
    }
    network.run_for(60 * SECOND);
    assert_eq!(network.poll_event(grace), None);
}

#[test]
fn a_name_is_found_through_loss() {
    for seed in 0..50 {
        let mut network = network(seed);
        let lan = network.add_lan("lan");
        let (ada, grace) = (add(&mut network), add(&mut network));
        let link = Link { loss: Loss::Random(0.1), ..Link::with_delay(Duration::from_millis(2)) };
        network.attach(ada, lan, link.clone(), [ip("192.168.1.5")]);
        network.attach(grace, lan, link, [ip("192.168.1.6")]);
        // Told and asked for at the same moment: what is lost is asked again.
        let name = network.call(ada, |mdns, now| mdns.register(now, ip("192.168.1.5")).unwrap());
        network.call(grace, |mdns, now| mdns.resolve(now, &name).unwrap());
        let event = network.run_until_event(grace, 11 * SECOND).unwrap();
        assert_eq!(event, resolved(&name, "192.168.1.5"), "seed {seed}");
    }
}

#[test]
fn a_name_is_not_found_from_another_network() {
    let mut network = network(3);
    let internet = network.add_internet("internet");
    let link = Link::with_delay(Duration::from_millis(2));
    let hosts = [1, 2].map(|index| {
        let nat = Nat::full_cone([IpAddr::from([192, 0, 2, index])]);
        let home = network.add_nat("home", internet, link.clone(), nat);
        let host = add(&mut network);
        network.attach(host, home, link.clone(), [ip("192.168.1.5")]);
        host
    });
    let name = network.call(hosts[0], |mdns, now| mdns.register(now, ip("192.168.1.5")).unwrap());
    network.call(hosts[1], |mdns, now| mdns.resolve(now, &name).unwrap());
    let event = network.run_until_event(hosts[1], 11 * SECOND).unwrap();
    assert_eq!(event, Event::Unresolved { name, why: Why::NoAnswer });
}

#[test]
fn names_follow_their_address_to_another_network() {
    let mut network = network(4);
    let (first, second) = (network.add_lan("first"), network.add_lan("second"));
    let (ada, grace) = (add(&mut network), add(&mut network));
    let link = Link::with_delay(Duration::from_millis(2));
    let attachment = network.attach(ada, first, link.clone(), [ip("192.168.1.5")]);
    network.attach(grace, second, link.clone(), [ip("10.0.0.6")]);
    let old = network.call(ada, |mdns, now| mdns.register(now, ip("192.168.1.5")).unwrap());
    network.run_for(5 * SECOND);
    let to = second.into();
    let link = link.into();
    let addresses = vec![ip("10.0.0.5")];
    network.change(Change::Move { attachment, to, link, addresses });
    network.run_for(SECOND);
    let new = network.call(ada, |mdns, now| mdns.register(now, ip("10.0.0.5")).unwrap());
    network.call(grace, |mdns, now| {
        mdns.resolve(now, &old).unwrap();
        mdns.resolve(now, &new).unwrap();
    });
    assert_eq!(network.run_until_event(grace, SECOND), Some(resolved(&new, "10.0.0.5")));
    let event = network.run_until_event(grace, 11 * SECOND);
    assert_eq!(event, Some(Event::Unresolved { name: old, why: Why::NoAnswer }));
    // Closed, it leaves no socket behind and answers nobody.
    network.call(ada, |mdns, now| mdns.close(now));
    network.run_for(SECOND);
    assert_eq!(network.sockets(ada), []);
}
