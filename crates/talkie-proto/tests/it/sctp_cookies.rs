//! The table of RFC 9260 §5.2.4: what a cookie does to an association that there is, by the tags in it.

use std::time::{Duration, Instant};

use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::reconfig::{Reconfig, Streams};
use talkie_proto::sctp::wire::{Data, Init, Packet, Parameters, kind, parameter};
use talkie_proto::sctp::{Association, Config, End, Event};
use talkie_sansio::{Datagram, Machine as _, Path, Transport};

use crate::sctp_hostile::{ended, packet};
use crate::sctp_world::{ADA, BOB, Link, World, association};

/// One association, and a peer of which only the packets are real.
pub(crate) struct Lone {
    pub(crate) end: Association,
    pub(crate) now: Instant,
}

/// What an INIT ACK gave.
struct Given {
    tag: u32,
    cookie: Vec<u8>,
}

impl Lone {
    pub(crate) fn new() -> Self {
        let now = World::new(Link::default()).now;
        Self { end: association(2, &Config::default()), now }
    }

    pub(crate) fn hand(&mut self, mut packet: Vec<u8>) {
        let path = Path {
            transport: Transport::Udp,
            local: ([192, 0, 2, 1], 1).into(),
            remote: ([192, 0, 2, 2], 2).into(),
        };
        self.end.handle_datagram(self.now, Datagram { path, payload: &mut packet });
    }

    pub(crate) fn packets(&mut self) -> Vec<Vec<u8>> {
        let mut buf = Vec::new();
        std::iter::from_fn(|| {
            buf.clear();
            self.end.poll_transmit(&mut buf).map(|_| buf.clone())
        })
        .collect()
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.end.poll_event()).collect()
    }

    /// An INIT with that tag and TSN, and what is answered.
    fn ask(&mut self, tag: u32, tsn: u32) -> Given {
        let parameters = Parameters::new(&[]);
        let tsn = Tsn(tsn);
        let init = Init { tag, window: 100_000, outbound: 9, inbound: 9, tsn, parameters };
        self.hand(packet(0, kind::INIT, 0, |buf| init.write(buf)));
        let answer = self.packets().pop().expect("an answer");
        let chunk = Packet::parse(&answer).expect("a packet").chunks().next().expect("a chunk");
        let init = Init::parse(&chunk).expect("an INIT ACK");
        let mut parameters = init.parameters.clone();
        let cookie = parameters.find(|found| found.kind == parameter::STATE_COOKIE);
        Given { tag: init.tag, cookie: cookie.expect("a cookie").value.to_vec() }
    }

    /// The cookie comes back; tells whether it was acknowledged.
    fn echo(&mut self, given: &Given) -> bool {
        let cookie = &given.cookie;
        self.hand(packet(given.tag, kind::COOKIE_ECHO, 0, |buf| buf.extend_from_slice(cookie)));
        self.packets().iter().any(|packet| packet[12] == kind::COOKIE_ACK)
    }

    fn data(&mut self, given: &Given, tsn: u32, ssn: u16) {
        let tsn = Tsn(tsn);
        let data = Data { flags: 3, tsn, stream: 0, ssn, ppid: 51, payload: b"data" };
        self.hand(packet(given.tag, kind::DATA, 3, |buf| data.write(buf)));
    }

    fn has_message(&mut self) -> bool {
        self.end.take_message().is_some()
    }
}

#[test]
fn an_old_cookie_of_another_tag_takes_nothing_from_what_has_been_received() {
    let mut lone = Lone::new();
    let (first, second) = (lone.ask(1, 1000), lone.ask(2, 2000));
    assert!(lone.echo(&first));
    lone.data(&first, 1000, 0);
    assert!(!lone.echo(&second), "other TSNs: another association");
    assert!(lone.has_message());
    lone.data(&first, 1001, 1);
    assert!(lone.has_message());
    assert_eq!(lone.events(), [Event::Connected, Event::Readable, Event::Readable]);
}

#[test]
fn a_peer_that_began_twice_is_known_by_its_later_tag() {
    let mut lone = Lone::new();
    let (first, second) = (lone.ask(1, 1000), lone.ask(2, 1000));
    assert!(lone.echo(&first));
    lone.data(&first, 1000, 0);
    assert!(lone.echo(&second));
    lone.data(&second, 1001, 1);
    lone.data(&second, 1002, 2);
    let tags = lone.packets().iter().map(|packet| packet[4..8].to_vec()).collect::<Vec<_>>();
    assert!(!tags.is_empty() && tags.iter().all(|tag| tag[..] == [0, 0, 0, 2]));
    assert!((0..3).all(|_| lone.has_message()));
}

#[test]
fn a_restart_needs_a_tag_of_its_own() {
    let mut lone = Lone::new();
    let first = lone.ask(1, 1000);
    assert!(lone.echo(&first));
    let (same, other) = (lone.ask(1, 5000), lone.ask(3, 5000));
    assert!(!lone.echo(&same));
    assert!(lone.echo(&other));
    assert_eq!(lone.events(), [Event::Connected, Event::Restarted]);
    // The cookies of before are worth nothing now.
    assert!(!lone.echo(&first) && !lone.echo(&same));
    assert!(lone.echo(&other), "the same again is acknowledged again");
    assert_eq!(lone.end.counters().bad_cookies, 3);
}

#[test]
fn a_cookie_that_comes_ten_thousand_times_is_acknowledged_in_bounds() {
    let mut lone = Lone::new();
    let given = lone.ask(1, 1000);
    let cookie = &given.cookie;
    let echo = packet(given.tag, kind::COOKIE_ECHO, 0, |buf| buf.extend_from_slice(cookie));
    (0..10_000).for_each(|_| lone.hand(echo.clone()));
    let bytes: usize = lone.packets().iter().map(Vec::len).sum();
    assert!(bytes < 1000, "{bytes} bytes");
}

#[test]
fn a_peer_to_whom_every_cookie_is_too_old_is_given_up() {
    let strict = Config { cookie_life: Duration::from_millis(1), ..Config::default() };
    let mut world = World::with(Link::default(), &Config::default(), &strict);
    let now = world.now;
    world.ends[ADA].connect(now).expect("it has not begun");
    world.run_for(Duration::from_secs(120));
    assert_eq!(ended(&world, ADA), Some(End::Unreachable));
}

#[test]
fn who_ends_an_association_does_not_get_a_new_one() {
    let mut world = World::connected(Link::default());
    world.link.loss = 1000;
    world.send(BOB, 0, "never read");
    let now = world.now;
    world.ends[BOB].shutdown(now);
    world.run_for(Duration::from_secs(1));
    world.ends[ADA] = association(7, &Config::default());
    world.link.loss = 0;
    world.ends[ADA].connect(world.now).expect("it has not begun");
    world.run_for(Duration::from_secs(5));
    assert!(world.events[BOB].contains(&Event::Restarted));
    assert_eq!([ADA, BOB].map(|end| ended(&world, end)), [Some(End::Shutdown); 2]);
}

#[test]
fn who_ends_an_association_that_its_peer_ends_too_does_not_get_a_new_one() {
    let mut world = World::connected(Link::default());
    world.link.loss = 1000;
    world.send(BOB, 0, "never read");
    let now = world.now;
    world.ends[BOB].shutdown(now);
    world.ends[ADA].shutdown(now);
    world.drain();
    world.link.loss = 0;
    // ADA's SHUTDOWN comes, and then she begins anew.
    world.lose = Some(Box::new(|from, _| from == BOB));
    world.run_for(Duration::from_millis(500));
    world.lose = None;
    world.ends[ADA] = association(7, &Config::default());
    world.ends[ADA].connect(world.now).expect("it has not begun");
    world.run_for(Duration::from_secs(5));
    assert!(world.events[BOB].contains(&Event::Restarted));
    assert_eq!([ADA, BOB].map(|end| ended(&world, end)), [Some(End::Shutdown); 2]);
}

#[test]
fn an_end_that_waits_for_a_peer_that_has_begun_anew_comes() {
    let mut world = World::connected(Link::default());
    let now = world.now;
    world.ends[ADA].shutdown(now);
    // ADA goes before she hears of the SHUTDOWN ACK.
    world.lose = Some(Box::new(|from, packet| from == BOB && packet[12] == kind::SHUTDOWN_ACK));
    world.run_for(Duration::from_millis(100));
    world.lose = None;
    world.ends[ADA] = association(7, &Config::default());
    world.ends[ADA].connect(world.now).expect("it has not begun");
    world.run_for(Duration::from_millis(100));
    assert_eq!(ended(&world, BOB), Some(End::Shutdown));
}

#[test]
fn a_peer_that_cannot_skip_interleaved_messages_gets_none() {
    let extensions = [
        (vec![kind::I_DATA], true),
        (vec![kind::I_DATA, kind::I_FORWARD_TSN], true),
        (vec![kind::FORWARD_TSN, kind::I_DATA], false),
        (vec![kind::FORWARD_TSN, kind::I_DATA, kind::I_FORWARD_TSN], true),
    ];
    for (kinds, interleaves) in extensions {
        let mut lone = Lone::new();
        let mut parameters = Vec::new();
        parameter::write(&mut parameters, parameter::EXTENSIONS, &kinds);
        let (tsn, none) = (Tsn(9), Parameters::new(&[]));
        let init = Init { tag: 1, window: 9000, outbound: 9, inbound: 9, tsn, parameters: none };
        let init = packet(0, kind::INIT, 0, |buf| {
            init.write(buf);
            buf.extend_from_slice(&parameters);
        });
        let now = lone.now;
        lone.end.connect_with(now, &init[12..]).expect("an INIT");
        assert_eq!(lone.end.is_interleaved(), interleaves, "{kinds:?}");
    }
}

#[test]
fn nobody_begins_with_a_window_too_small_for_a_packet() {
    let mut lone = Lone::new();
    for (window, answer) in [(0, kind::ABORT), (1499, kind::ABORT), (1500, kind::INIT_ACK)] {
        let parameters = Parameters::new(&[]);
        let init = Init { tag: 1, window, outbound: 9, inbound: 9, tsn: Tsn(1), parameters };
        lone.hand(packet(0, kind::INIT, 0, |buf| init.write(buf)));
        assert_eq!(lone.packets()[0][12], answer, "window {window}");
    }
}

#[test]
fn a_reset_from_before_a_restart_lets_nothing_overtake_one_from_after_it() {
    let mut lone = Lone::new();
    for (tag, first) in [(1, 100), (2, 200)] {
        let given = lone.ask(tag, first);
        assert!(lone.echo(&given));
        let reset = packet(given.tag, kind::RE_CONFIG, 0, |buf| {
            let (request, last_tsn) = (first, first - 1);
            let streams = Streams::new(&[0, 0]);
            Reconfig::OutgoingReset { request, response: 0, last_tsn, streams }.write(buf);
        });
        lone.hand(reset);
        lone.data(&given, first, 0);
        lone.packets();
    }
    // Nobody has fetched an event before.
    while lone.end.poll_event().expect("there are more") != Event::Restarted {}
    assert_eq!(lone.end.peek_message(), None, "it comes after the reset");
    let rest = lone.events();
    assert!(rest.contains(&Event::StreamsReset(vec![0])), "{rest:?}");
    assert!(lone.has_message());
}
