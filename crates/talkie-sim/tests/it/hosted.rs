//! Machines that ask for sockets, streams and names.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use talkie_sansio::{Answer, Path, Transport, Want, WantError};
use talkie_sim::nat::Config;
use talkie_sim::net::{Attachment, Change, Host, Link, NatBox, Network, Resolver};
use talkie_sim::trace::Cause;

use crate::echo::{SECOND, at, ip, seeded};
use crate::guest::{Guest, Told, by_length, id};

const ADA: &str = "192.0.2.1";
const GRACE: &str = "192.0.2.2";

/// Two guests on the internet, 20 ms apart.
struct Town {
    network: Network,
    ada: Host<Guest>,
    grace: Host<Guest>,
    ada_link: Attachment,
}

impl Town {
    fn new() -> Self {
        let mut network = Network::new(&seeded(1));
        let internet = network.add_internet("internet");
        let [ada, grace] = ["ada", "grace"].map(|name| network.add_hosted(name, Guest::default()));
        let link = Link::with_delay(Duration::from_millis(5));
        let ada_link = network.attach(ada, internet, link.clone(), [ip(ADA)]);
        network.attach(grace, internet, link, [ip(GRACE)]);
        let mut town = Self { network, ada, grace, ada_link };
        town.run();
        for host in [ada, grace] {
            assert!(matches!(&town.told(host)[..], [Told::Interfaces(_)]));
        }
        town
    }

    fn run(&mut self) {
        self.network.run_for(SECOND);
    }

    fn told(&mut self, host: Host<Guest>) -> Vec<Told> {
        std::iter::from_fn(|| self.network.poll_event(host)).collect()
    }

    /// The one answer to a want.
    fn ask(&mut self, host: Host<Guest>, want: Want) -> Answer {
        self.network.call(host, |guest, _| guest.want(want));
        self.run();
        match &self.told(host)[..] {
            [Told::Answer(_, answer)] => answer.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn send(&mut self, host: Host<Guest>, path: Path, payload: &[u8]) {
        self.network.call(host, |guest, _| guest.send(path, payload));
        self.run();
    }

    /// Ada's stream to Grace's listener at port 9.
    fn connect(&mut self) -> (Path, Path) {
        self.ask(self.grace, listen(1, GRACE, 9..=9));
        let Answer::Connected { path, .. } = self.ask(self.ada, connect(1, None)) else {
            panic!("not connected");
        };
        let told = self.told(self.grace);
        let [Told::Answer(_, Answer::Accepted { id: listener, path: other })] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(*listener, id(1));
        (path, *other)
    }
}

fn bind(number: u64, local: &str, ports: RangeInclusive<u16>) -> Want {
    Want::Bind { id: id(number), local: ip(local), ports }
}

fn listen(number: u64, local: &str, ports: RangeInclusive<u16>) -> Want {
    Want::Listen { id: id(number), local: ip(local), ports, framer: by_length }
}

/// A stream to Grace's port 9.
fn connect(number: u64, local: Option<SocketAddr>) -> Want {
    let remote = SocketAddr::new(ip(GRACE), 9);
    let (transport, server_name) = (Transport::Tcp, None);
    Want::Connect { id: id(number), transport, local, remote, server_name, framer: by_length }
}

fn udp(local: SocketAddr, remote: SocketAddr) -> Path {
    Path { transport: Transport::Udp, local, remote }
}

fn failed(number: u64, error: ErrorKind) -> Answer {
    Answer::Failed { id: id(number), error: WantError::Io(error) }
}

#[test]
fn a_socket_takes_the_first_free_port_of_its_range() {
    let mut town = Town::new();
    let ada = town.ada;
    for (number, port) in [(1, 5000), (2, 5001)] {
        let local = SocketAddr::new(ip(ADA), port);
        let answer = town.ask(ada, bind(number, ADA, 5000..=5001));
        assert_eq!(answer, Answer::Bound { id: id(number), local });
    }
    assert_eq!(town.ask(ada, bind(3, ADA, 5000..=5001)), failed(3, ErrorKind::AddrInUse));
    assert_eq!(town.ask(ada, bind(4, GRACE, 0..=0)), failed(4, ErrorKind::AddrNotAvailable));
    town.network.call(ada, |guest, _| guest.want(Want::Close { id: id(1) }));
    assert_eq!(town.network.sockets(ada), [at("192.0.2.1:5001")]);
    assert!(matches!(town.ask(ada, bind(5, ADA, 0..=0)), Answer::Bound { local, .. }
        if local.port() >= 32_768));
}

#[test]
fn datagrams_pass_between_open_sockets_only() {
    let mut town = Town::new();
    let (ada, grace) = (town.ada, town.grace);
    let (here, there) = (at("192.0.2.1:5000"), at("192.0.2.2:6000"));
    town.send(ada, udp(here, there), b"too early");
    assert_eq!(town.network.counters().dropped_for(Cause::NoSocket), 1, "nobody may send");
    town.ask(ada, bind(1, ADA, 5000..=5000));
    town.send(ada, udp(here, there), b"nobody is there");
    assert_eq!(town.network.counters().dropped_for(Cause::NoSocket), 2, "nobody hears");
    town.ask(grace, bind(1, GRACE, 6000..=6000));
    town.send(ada, udp(here, there), b"hello");
    assert_eq!(town.told(grace), [Told::Datagram(udp(there, here), b"hello".to_vec())]);
    town.network.call(grace, |guest, _| guest.want(Want::Close { id: id(1) }));
    town.send(ada, udp(here, there), b"too late");
    assert_eq!(town.told(grace), []);
}

#[test]
fn a_machine_hears_of_other_addresses_and_of_none() {
    let mut town = Town::new();
    let (ada, link) = (town.ada, town.ada_link);
    let mut readdress = |addresses: &[IpAddr]| {
        town.network.change(Change::Readdress(link, addresses.to_vec()));
        town.run();
        town.told(ada)
    };
    let told = readdress(&[ip("192.0.2.9"), ip("2001:db8::9")]);
    let [Told::Interfaces(interfaces)] = &told[..] else { panic!("{told:?}") };
    let names: Vec<_> = interfaces.iter().map(|it| (&it.name[..], it.address)).collect();
    assert_eq!(names, [("eth0", ip("192.0.2.9")), ("eth0", ip("2001:db8::9"))]);
    assert_eq!(readdress(&[ip("192.0.2.9"), ip("2001:db8::9")]), [], "that is nothing new");
    assert_eq!(readdress(&[]), [Told::Interfaces(Vec::new())]);
}

#[test]
fn a_stream_takes_a_round_trip_and_carries_frames() {
    let mut town = Town::new();
    let (ada, grace) = (town.ada, town.grace);
    town.ask(grace, listen(1, GRACE, 9..=9));
    let begin = town.network.now();
    town.network.call(ada, |guest, _| guest.want(connect(1, None)));
    town.run();
    let told = town.told(ada);
    let [Told::Answer(when, Answer::Connected { path, .. })] = told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(when - begin, Duration::from_millis(20));
    let other = Path { local: path.remote, remote: path.local, ..path };
    town.told(grace);
    // Two frames and a half in one, then the other half.
    town.send(ada, path, &[0, 1, b'a', 0, 2, b'b', b'c', 0]);
    town.send(ada, path, &[1, b'd']);
    let frames: Vec<&[u8]> = vec![&[0, 1, b'a'], &[0, 2, b'b', b'c'], &[0, 1, b'd']];
    let expected: Vec<Told> =
        frames.into_iter().map(|frame| Told::Datagram(other, frame.to_vec())).collect();
    assert_eq!(town.told(grace), expected);
}

#[test]
fn who_hangs_up_is_told_nothing_more_and_the_other_is() {
    let mut town = Town::new();
    let (path, other) = town.connect();
    let (ada, grace) = (town.ada, town.grace);
    town.network.call(ada, |guest, _| {
        guest.send(path, &[0, 1, b'!']);
        guest.want(Want::HangUp { path });
    });
    town.run();
    assert_eq!(town.told(ada), []);
    let Told::Answer(_, Answer::Closed { path: closed }) = &town.told(grace)[1] else {
        panic!("not closed");
    };
    assert_eq!(*closed, other);
    assert_eq!((town.network.streams(ada), town.network.streams(grace)), (vec![], vec![]));
    town.send(ada, path, &[0, 0]);
    assert_eq!(town.network.counters().refused, 1);
}

#[test]
fn a_stream_that_breaks_its_framing_ends() {
    let mut town = Town::new();
    let (path, other) = town.connect();
    town.send(town.ada, path, &[0xff, 0xff, 0]);
    let (ada, grace) = (town.ada, town.grace);
    assert!(matches!(&town.told(grace)[..], [Told::Answer(_, Answer::Closed { path })]
        if *path == other));
    assert!(matches!(&town.told(ada)[..], [Told::Answer(_, Answer::Closed { .. })]));
}

#[test]
fn a_stream_that_cannot_be_is_refused_or_times_out() {
    let mut town = Town::new();
    let ada = town.ada;
    assert_eq!(town.ask(ada, connect(1, None)), failed(1, ErrorKind::ConnectionRefused));
    let elsewhere = Some(at("192.0.2.7:0"));
    assert_eq!(town.ask(ada, connect(2, elsewhere)), failed(2, ErrorKind::AddrNotAvailable));
    town.network.change(Change::Cut(town.ada_link));
    assert_eq!(town.ask(ada, connect(5, None)), failed(5, ErrorKind::NetworkUnreachable));
    let here = Some(at("192.0.2.1:0"));
    town.network.call(ada, |guest, _| guest.want(connect(3, here)));
    town.network.call(ada, |guest, _| guest.want(connect(4, here)));
    town.network.call(ada, |guest, _| guest.want(Want::Close { id: id(4) }));
    town.network.run_for(200 * SECOND);
    let told = town.told(ada);
    let [Told::Answer(_, answer)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*answer, Answer::Failed { id: id(3), error: WantError::TimedOut });
}

#[test]
fn two_who_connect_to_each_other_at_once_have_one_stream() {
    let mut town = Town::new();
    let ends = [at("192.0.2.1:7000"), at("192.0.2.2:7000")];
    let transport = Transport::Tcp;
    for (host, local, remote) in [(town.ada, ends[0], ends[1]), (town.grace, ends[1], ends[0])] {
        let (local, server_name) = (Some(local), None);
        let want =
            Want::Connect { id: id(1), transport, local, remote, server_name, framer: by_length };
        town.network.call(host, |guest, _| guest.want(want));
    }
    town.run();
    for (host, local, remote) in [(town.ada, ends[0], ends[1]), (town.grace, ends[1], ends[0])] {
        let path = Path { transport, local, remote };
        let told = town.told(host);
        assert!(
            matches!(&told[..], [Told::Answer(_, answer)]
            if *answer == Answer::Connected { id: id(1), path }),
            "{told:?}"
        );
    }
}

#[test]
fn names_have_addresses_in_the_order_that_suits_the_host() {
    let mut town = Town::new();
    let ada = town.ada;
    let v6 = ip("2001:db8::1");
    town.network.set_name("turn.example", [ip("192.0.2.5"), v6]);
    let resolve = |town: &mut Town, name: &str| {
        let begin = town.network.now();
        town.network.call(ada, |guest, _| {
            guest.want(Want::Resolve { id: id(1), name: name.into() });
        });
        town.network.run_for(20 * SECOND);
        match town.told(ada).pop() {
            Some(Told::Answer(when, Answer::Resolved { addresses, .. })) => {
                (when - begin, Ok(addresses))
            }
            Some(Told::Answer(when, Answer::Failed { error, .. })) => (when - begin, Err(error)),
            other => panic!("{other:?}"),
        }
    };
    let usual = Duration::from_millis(20);
    assert_eq!(resolve(&mut town, "Turn.Example."), (usual, Ok(vec![ip("192.0.2.5"), v6])));
    town.network.change(Change::Readdress(town.ada_link, vec![ip("2001:db8::2"), ip(ADA)]));
    town.network.run_for(SECOND);
    assert_eq!(resolve(&mut town, "turn.example").1, Ok(vec![v6, ip("192.0.2.5")]));
    assert_eq!(resolve(&mut town, "nobody.example").1, Err(WantError::NoAddress));
    assert_eq!(resolve(&mut town, "192.0.2.77").1, Ok(vec![ip("192.0.2.77")]));
    town.network.set_resolver(ada, Resolver { answers: false, ..Resolver::default() });
    assert_eq!(resolve(&mut town, "turn.example"), (10 * SECOND, Err(WantError::TimedOut)));
}

#[test]
fn a_guest_behind_a_nat_is_seen_where_the_nat_puts_it() {
    let mut town = Town::new();
    let internet = town.network.add_internet("another");
    let config = Config::port_restricted_cone([ip("198.51.100.1")]);
    let home: NatBox = town.network.add_nat("home", internet, Link::default(), config);
    let link = Link::default().into();
    let addresses = vec![ip("10.0.0.2")];
    town.network.change(Change::Move {
        attachment: town.ada_link,
        to: home.into(),
        link,
        addresses,
    });
    town.run();
    let told = town.told(town.ada);
    assert!(matches!(&told[..], [Told::Interfaces(list)] if list[0].address == ip("10.0.0.2")));
    town.ask(town.ada, bind(1, "10.0.0.2", 5000..=5000));
    town.send(town.ada, udp(at("10.0.0.2:5000"), at("203.0.113.1:9")), b"hello");
    assert_eq!(town.network.rows(home)[0].outside, at("198.51.100.1:5000"));
}
