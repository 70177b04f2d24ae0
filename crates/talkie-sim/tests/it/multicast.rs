//! Groups within one local network.

use std::time::Duration;

use talkie_sansio::{Answer, Path, Transport, Want};
use talkie_sim::nat::Config;
use talkie_sim::net::{Host, Link, Network};

use crate::echo::{SECOND, at, ip, seeded};
use crate::guest::{Guest, Told, id};

const GROUP: &str = "224.0.0.251:5353";

fn join(network: &mut Network, host: Host<Guest>, interface: &str) {
    let want = Want::Join { id: id(1), interface: ip(interface), group: at(GROUP) };
    network.call(host, |guest, _| guest.want(want));
}

fn heard(network: &mut Network, host: Host<Guest>) -> Vec<Path> {
    std::iter::from_fn(|| network.poll_event(host))
        .filter_map(|told| match told {
            Told::Datagram(path, _) => Some(path),
            _ => None,
        })
        .collect()
}

#[test]
fn a_group_is_heard_by_those_who_joined_it_in_the_same_network() {
    let mut network = Network::new(&seeded(2));
    let internet = network.add_internet("internet");
    let link = Link::with_delay(Duration::from_millis(1));
    let homes = ["192.0.2.1", "192.0.2.2"].map(|outside| {
        let config = Config::full_cone([ip(outside)]);
        network.add_nat("home", internet, Link::default(), config)
    });
    let places = [(homes[0], "10.0.0.2"), (homes[0], "10.0.0.3"), (homes[0], "10.0.0.4")];
    let [ada, grace, deaf] = places.map(|(home, address)| {
        let host = network.add_hosted("guest", Guest::default());
        network.attach(host, home, link.clone(), [ip(address)]);
        host
    });
    let far = network.add_hosted("far", Guest::default());
    network.attach(far, homes[1], link, [ip("10.0.0.3")]);
    for (host, address) in [(ada, "10.0.0.2"), (grace, "10.0.0.3"), (far, "10.0.0.3")] {
        join(&mut network, host, address);
    }
    network.run_for(SECOND);
    let bound = Answer::Bound { id: id(1), local: at("10.0.0.2:5353") };
    let told: Vec<_> = std::iter::from_fn(|| network.poll_event(ada)).collect();
    assert!(
        matches!(&told[..], [Told::Interfaces(_), Told::Answer(_, answer)]
        | [Told::Answer(_, answer), Told::Interfaces(_)] if *answer == bound),
        "{told:?}"
    );

    let local = at("10.0.0.2:5353");
    let path = Path { transport: Transport::Udp, local, remote: at(GROUP) };
    network.call(ada, |guest, _| guest.send(path, b"who is there?"));
    network.run_for(SECOND);
    let at_grace = Path { local: at("10.0.0.3:5353"), remote: local, ..path };
    assert_eq!(heard(&mut network, grace), [at_grace]);
    assert_eq!(heard(&mut network, ada), [Path { remote: local, ..path }], "and by herself");
    assert_eq!((heard(&mut network, deaf), heard(&mut network, far)), (vec![], vec![]));
    // The answer goes to her alone.
    network.call(grace, |guest, _| guest.send(at_grace, b"I am"));
    network.run_for(SECOND);
    assert_eq!(heard(&mut network, ada), [Path { remote: at("10.0.0.3:5353"), ..path }]);
    let counters = network.counters();
    assert_eq!(counters.sent + counters.copies, counters.delivered + counters.dropped);
    assert_eq!(network.in_flight(), 0);
}
