//! An IPv6 network whose way to IPv4 is a NAT64.

use std::time::Duration;

use talkie_sansio::{Answer, Path, Transport, Want};
use talkie_sim::nat::{Config, Filtering, Hairpinning, Prefix};
use talkie_sim::net::{Host, Link, Loss, NatBox, Network, Resolver};
use talkie_sim::trace::Cause;

use crate::echo::{Echo, SECOND, at, ip, seeded};
use crate::guest::{Guest, Told, id};

const INSIDE: &str = "[2001:db8:64::2]:5000";
const SERVER: &str = "192.0.2.33:3478";
/// The server as those inside see it.
const SERVER_INSIDE: &str = "[64:ff9b::192.0.2.33]:3478";

struct Mobile {
    network: Network,
    nat: NatBox,
    phone: Host<Echo>,
    server: Host<Echo>,
    v6_server: Host<Echo>,
}

impl Mobile {
    fn new(filtering: Filtering) -> Self {
        let mut network = Network::new(&seeded(3));
        let internet = network.add_internet("internet");
        let server = network.add_host("server", Echo::answering());
        network.attach(server, internet, Link::default(), [ip("192.0.2.33"), ip("192.0.2.34")]);
        network.listen(server, Transport::Tcp, 3478);
        let v6_server = network.add_host("v6 server", Echo::answering());
        network.attach(v6_server, internet, Link::default(), [ip("2001:db8::33")]);
        // RFC 6146 §3: mappings are endpoint-independent.
        let config = Config {
            filtering,
            hairpinning: Hairpinning::ExternalSource,
            ..Config::carrier_grade([ip("198.51.100.1")])
        };
        let nat = network.add_nat64("nat64", internet, Link::default(), config, Prefix::WELL_KNOWN);
        let phone = network.add_host("phone", Echo::default());
        network.attach(phone, nat, Link::default(), [ip("2001:db8:64::2")]);
        Self { network, nat, phone, server, v6_server }
    }

    fn send(&mut self, transport: Transport, remote: &str) {
        let path = Path { transport, local: at(INSIDE), remote: at(remote) };
        self.network.call(self.phone, |phone, _| phone.send_by(path, b"hello"));
        self.network.run_for(SECOND);
    }
}

#[test]
fn an_ipv6_host_reaches_an_ipv4_server_and_back() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut mobile = Mobile::new(Filtering::AddressDependent);
        mobile.send(transport, SERVER_INSIDE);
        let seen = mobile.network.poll_event(mobile.server).unwrap();
        assert_eq!(seen.path.local, at(SERVER));
        assert_eq!(seen.path.remote.ip(), ip("198.51.100.1"), "an IPv4 packet of the pool");
        let answer = mobile.network.poll_event(mobile.phone).unwrap();
        let back = Path { transport, local: at(INSIDE), remote: at(SERVER_INSIDE) };
        assert_eq!((answer.path, &answer.payload[..]), (back, &b"hello"[..]));
        let rows = mobile.network.rows(mobile.nat);
        assert_eq!((rows[0].inside, rows[0].outside), (at(INSIDE), seen.path.remote));
    }
}

#[test]
fn ipv6_passes_without_translation() {
    let mut mobile = Mobile::new(Filtering::AddressDependent);
    mobile.send(Transport::Udp, "[2001:db8::33]:9");
    let seen = mobile.network.poll_event(mobile.v6_server).unwrap();
    assert_eq!(seen.path.remote, at(INSIDE));
    assert!(mobile.network.poll_event(mobile.phone).is_some());
    // The same port towards IPv4 is another matter, before and after.
    mobile.send(Transport::Udp, SERVER_INSIDE);
    assert!(mobile.network.poll_event(mobile.phone).is_some());
    mobile.send(Transport::Udp, "[2001:db8::33]:10");
    let seen = mobile.network.poll_event(mobile.v6_server).unwrap();
    assert_eq!(seen.path.remote, at(INSIDE));
}

#[test]
fn whom_it_lets_in_is_its_filtering() {
    // RFC 6146 §3.5.1.2: either kind of filtering.
    for (filtering, reaches) in
        [(Filtering::EndpointIndependent, true), (Filtering::AddressDependent, false)]
    {
        let mut mobile = Mobile::new(filtering);
        mobile.send(Transport::Udp, SERVER_INSIDE);
        let outside = mobile.network.poll_event(mobile.server).unwrap().path.remote;
        mobile.network.poll_event(mobile.phone).unwrap();
        mobile.network.call(mobile.server, |server, _| {
            server.send("192.0.2.34:9", outside, b"from elsewhere");
        });
        mobile.network.run_for(SECOND);
        let remote = mobile.network.poll_event(mobile.phone).map(|seen| seen.path.remote);
        assert_eq!(remote, reaches.then(|| at("[64:ff9b::192.0.2.34]:9")));
    }
}

#[test]
fn two_inside_reach_each_other_by_its_outside_addresses() {
    let mut mobile = Mobile::new(Filtering::EndpointIndependent);
    let other = mobile.network.add_host("other", Echo::default());
    mobile.network.attach(other, mobile.nat, Link::default(), [ip("2001:db8:64::3")]);
    mobile.send(Transport::Udp, SERVER_INSIDE);
    let outside = mobile.network.poll_event(mobile.server).unwrap().path.remote;
    let known = format!("[64:ff9b::198.51.100.1]:{}", outside.port());
    mobile.network.poll_event(mobile.phone).unwrap();
    mobile.network.call(other, |machine, _| {
        machine.send("[2001:db8:64::3]:7000", at(&known), b"hello neighbour");
    });
    mobile.network.run_for(SECOND);
    let seen = mobile.network.poll_event(mobile.phone).unwrap();
    // RFC 6146 §3.8: as if it came from outside.
    assert_eq!(seen.path.remote.ip(), ip("64:ff9b::198.51.100.1"));
}

#[test]
fn what_grows_by_translation_must_fit_the_link_inside() {
    let mut mobile = Mobile::new(Filtering::EndpointIndependent);
    mobile.send(Transport::Udp, SERVER_INSIDE);
    let outside = mobile.network.poll_event(mobile.server).unwrap().path.remote;
    mobile.network.poll_event(mobile.phone).unwrap();
    // 1500 bytes as IPv4, 1520 as IPv6.
    mobile.network.call(mobile.server, |server, _| {
        server.send("192.0.2.33:3478", outside, &[0; 1472]);
    });
    mobile.network.run_for(SECOND);
    assert_eq!(mobile.network.poll_event(mobile.phone), None);
    let needed = Cause::FragmentationNeeded { mtu: 1500 };
    assert_eq!(mobile.network.counters().dropped_for(needed), 1);
}

#[test]
fn a_dns64_gives_names_addresses_that_lead_there() {
    let mut network = Network::new(&seeded(4));
    let internet = network.add_internet("internet");
    let link = Link { loss: Loss::None, ..Link::with_delay(Duration::from_millis(1)) };
    let phone = network.add_hosted("phone", Guest::default());
    network.attach(phone, internet, link, [ip("2001:db8:64::2")]);
    let prefix = Prefix::new("2001:db8:aaaa::".parse().unwrap(), 96).unwrap();
    network.set_resolver(phone, Resolver { dns64: Some(prefix), ..Resolver::default() });
    network.set_name("old.example", [ip("192.0.2.33")]);
    network.set_name("new.example", [ip("192.0.2.33"), ip("2001:db8::33")]);
    let mut resolve = |name: &str| {
        let want = Want::Resolve { id: id(1), name: name.into() };
        network.call(phone, |guest, _| guest.want(want));
        network.run_for(SECOND);
        std::iter::from_fn(|| network.poll_event(phone)).find_map(|told| match told {
            Told::Answer(_, Answer::Resolved { addresses, .. }) => Some(addresses),
            _ => None,
        })
    };
    let embedded = ip("2001:db8:aaaa::192.0.2.33");
    assert_eq!(resolve("old.example"), Some(vec![embedded, ip("192.0.2.33")]));
    assert_eq!(resolve("new.example"), Some(vec![ip("2001:db8::33"), ip("192.0.2.33")]));
    // RFC 7050: how a host learns the prefix.
    assert_eq!(resolve("ipv4only.arpa").unwrap()[0], ip("2001:db8:aaaa::192.0.0.170"));
}
