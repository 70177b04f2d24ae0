use std::net::SocketAddr;

use talkie_sim::nat::{Config, Hairpinning, Reason};
use talkie_sim::net::{Link, Network, NodeId};
use talkie_sim::trace::{Cause, Way, What};

use crate::echo::{Echo, SECOND, SERVER, Street, at, ip, seeded};

const LEFT: &str = "192.0.2.1";
const RIGHT: &str = "192.0.2.2";

fn classic(outside: &str) -> [(&'static str, Config); 4] {
    let outside = || [ip(outside)];
    [
        ("full cone", Config::full_cone(outside())),
        ("address-restricted", Config::address_restricted_cone(outside())),
        ("port-restricted", Config::port_restricted_cone(outside())),
        ("symmetric", Config::symmetric(outside())),
    ]
}

#[test]
fn a_server_answers_through_each_nat() {
    for (name, config) in classic(LEFT) {
        let mut street = Street::new(config, Config::full_cone([ip(RIGHT)]));
        let outside = street.outside(street.ada);
        assert_eq!(outside.ip(), ip(LEFT), "{name}");
        let rows = street.network.rows(street.nats[0]);
        assert_eq!((rows[0].inside, rows[0].outside), (at("10.0.0.2:5000"), outside), "{name}");
        assert_eq!(street.network.in_flight(), 0);
    }
}

/// Both learn their outside addresses from the server, tell each other by carrier pigeon, and send
/// twice. RFC 5128 §3.3: it works unless both change ports, or one does and the other minds ports.
#[test]
fn holes_are_punched_where_the_textbook_says_so() {
    let mut seen = Vec::new();
    for (left, left_config) in classic(LEFT) {
        for (right, right_config) in classic(RIGHT) {
            let mut street = Street::new(left_config.clone(), right_config);
            let (ada, grace) = (street.ada, street.grace);
            let hers = street.outside(grace);
            let his = street.outside(ada);
            let reaches = punch(&mut street, his, hers);
            seen.push((left, right, reaches));
        }
    }
    let fails: Vec<_> = seen
        .iter()
        .filter(|(.., reaches)| !reaches)
        .map(|(left, right, _)| (*left, *right))
        .collect();
    assert_eq!(
        fails,
        [
            ("port-restricted", "symmetric"),
            ("symmetric", "port-restricted"),
            ("symmetric", "symmetric")
        ]
    );
}

/// Whether a packet gets through in either direction, answered to wherever it came from.
fn punch(street: &mut Street, his: SocketAddr, hers: SocketAddr) -> bool {
    let (ada, grace) = (street.ada, street.grace);
    for _ in 0..2 {
        street.send(ada, "10.0.0.2:5000", hers);
        street.send(grace, "10.0.0.2:5000", his);
    }
    let mut arrived = false;
    for host in [ada, grace] {
        while let Some(seen) = street.network.poll_event(host) {
            street.send(host, "10.0.0.2:5000", seen.path.remote);
            let other = if NodeId::from(host) == ada.into() { grace } else { ada };
            arrived |= street.network.poll_event(other).is_some();
        }
    }
    arrived
}

#[test]
fn neighbours_meet_inside_and_by_hairpin() {
    for (hairpinning, expected) in [
        (Hairpinning::Unsupported, None),
        (Hairpinning::ExternalSource, Some("192.0.2.1:5000")),
        (Hairpinning::InternalSource, Some("10.0.0.2:5000")),
    ] {
        let config = Config { hairpinning, ..Config::full_cone([ip(LEFT)]) };
        let mut street = Street::new(config, Config::full_cone([ip(RIGHT)]));
        let ida = street.network.add_host("ida", Echo::default());
        street.network.attach(ida, street.nats[0], Link::default(), [ip("10.0.0.3")]);
        street.outside(street.ada);
        street.send(ida, "10.0.0.3:6000", at(SERVER));
        let outside = street.network.poll_event(street.server).unwrap().path.remote;
        street.network.poll_event(ida).unwrap();

        street.send(street.ada, "10.0.0.2:5000", outside);
        let seen = street.network.poll_event(ida).map(|seen| seen.path.remote);
        assert_eq!(seen, expected.map(at), "{hairpinning:?}");

        // The short way does not need the NAT.
        street.send(street.ada, "10.0.0.2:5000", at("10.0.0.3:6000"));
        let seen = street.network.poll_event(ida).unwrap();
        assert_eq!(seen.path.remote, at("10.0.0.2:5000"));
    }
}

#[test]
fn two_levels_translate_twice_and_meet_at_the_provider() {
    let mut network = Network::new(&seeded(1));
    network.record(1000);
    let internet = network.add_internet("internet");
    let server = network.add_host("server", Echo::answering());
    network.attach(server, internet, Link::default(), [ip("198.51.100.1")]);
    let provider = Config::carrier_grade([ip("203.0.113.1"), ip("203.0.113.2")]);
    let provider = network.add_nat("provider", internet, Link::default(), provider);
    let homes = [1, 2].map(|home| {
        let outside = ip(&format!("100.64.0.{home}"));
        let name = format!("home {home}");
        let nat = network.add_nat(&name, provider, Link::default(), Config::full_cone([outside]));
        let host = network.add_host(&format!("host {home}"), Echo::default());
        // The same private address in both homes.
        network.attach(host, nat, Link::default(), [ip("192.168.1.2")]);
        host
    });
    let outside = homes.map(|host| {
        network.call(host, |machine, _| machine.send("192.168.1.2:5000", at(SERVER), b"hello"));
        network.run_for(SECOND);
        assert_eq!(network.poll_event(host).unwrap().path.remote, at(SERVER));
        network.poll_event(server).unwrap().path.remote
    });
    assert!(outside.iter().all(|seen| seen.to_string().starts_with("203.0.113.")));

    let translations = network
        .trace()
        .entries()
        .filter_map(|entry| match entry.what {
            What::Translated { way, .. } => Some((network.trace().box_name(entry.node), way)),
            _ => None,
        })
        .take(4);
    assert_eq!(
        translations.collect::<Vec<_>>(),
        [("home 1", Way::Out), ("provider", Way::Out), ("provider", Way::In), ("home 1", Way::In)]
    );

    // The provider's NAT filters by address and port, so the first packet only opens the way back.
    for (from, to) in [(0, 1), (1, 0)] {
        network.call(homes[from], |machine, _| {
            machine.send("192.168.1.2:5000", outside[to], b"hello neighbour");
        });
        network.run_for(SECOND);
    }
    assert_eq!(network.poll_event(homes[1]), None);
    assert_eq!(network.poll_event(homes[0]).unwrap().path.remote, outside[1]);
}

#[test]
fn a_firewall_lets_addresses_through_and_strangers_not() {
    let mut network = Network::new(&seeded(1));
    let internet = network.add_internet("internet");
    let server = network.add_host("server", Echo::answering());
    network.attach(server, internet, Link::default(), [ip("2001:db8:1::1")]);
    let firewall = network.add_nat("firewall", internet, Link::default(), Config::firewall());
    let ada = network.add_host("ada", Echo::default());
    network.attach(ada, firewall, Link::default(), [ip("2001:db8:2::2")]);

    let uninvited = at("[2001:db8:2::2]:5000");
    network.call(server, |machine, _| machine.send("[2001:db8:1::1]:9", uninvited, b"knock"));
    network.run_for(SECOND);
    assert_eq!(network.poll_event(ada), None);
    assert_eq!(network.counters().dropped_for(Cause::Nat(Reason::NoMapping)), 1);

    let remote = at("[2001:db8:1::1]:9");
    network.call(ada, |machine, _| machine.send("[2001:db8:2::2]:5000", remote, b"hello"));
    network.run_for(SECOND);
    assert_eq!(network.poll_event(server).unwrap().path.remote, uninvited);
    assert_eq!(network.poll_event(ada).unwrap().path.remote, remote);
}

#[test]
fn private_addresses_do_not_cross_the_internet() {
    let mut street = Street::new(Config::full_cone([ip(LEFT)]), Config::full_cone([ip(RIGHT)]));
    street.send(street.ada, "10.0.0.2:5000", at("192.168.7.7:1"));
    assert_eq!(street.network.counters().dropped_for(Cause::PrivateAddress), 1);
    street.send(street.ada, "10.0.0.2:5000", at("198.51.100.99:1"));
    assert_eq!(street.network.counters().dropped_for(Cause::NoRoute), 1);
}
