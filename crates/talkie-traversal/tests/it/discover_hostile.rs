//! Discovery opposite servers that are not what they should be, and strangers; and the contract.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use talkie_sansio::conformance::{self, Input};
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};
use talkie_sim::nat;
use talkie_traversal::discover::{
    Config, Discovery, Event, Filtering, Finding, Kind, Mapping, Reason, Report,
};
use talkie_traversal::stun::attributes::{
    ChangeRequest, ErrorCode, MappedAddress, OtherAddress, XorMappedAddress,
};
use talkie_traversal::stun::{Class, Message, TransactionId, Writer};

use crate::discover_world::{Kind as Server, Lab, OUTSIDE, PRIMARY, config, config_at, ip, secs};
use crate::turn_world::addr;

const MAPPED: &str = "198.51.100.1:7000";

/// A discovery whose network is the test's own hand.
struct Scripted {
    discovery: Discovery,
    now: Instant,
    sent: Vec<(Path, Vec<u8>)>,
    /// When each was sent, since the start.
    times: Vec<Duration>,
    report: Option<Report>,
}

impl Scripted {
    fn new(config: Config) -> Self {
        let genesis = conformance::genesis();
        let discovery = Discovery::new(&genesis, config).unwrap();
        Self { discovery, now: genesis.now, sent: Vec::new(), times: Vec::new(), report: None }
    }

    /// Answers each request by `answer` until the report is there.
    fn run(
        &mut self,
        answer: impl Fn(&Path, &Message<'_>) -> Vec<(SocketAddr, Vec<u8>)>,
    ) -> Report {
        let born = self.now;
        for _ in 0..10_000 {
            let mut buf = Vec::new();
            while let Some(transmit) = self.discovery.poll_transmit(&mut buf) {
                let request = std::mem::take(&mut buf);
                let message = Message::parse(&request).unwrap();
                for (remote, mut response) in answer(&transmit.path, &message) {
                    let path = Path { remote, ..transmit.path };
                    let datagram = Datagram { path, payload: &mut response };
                    self.discovery.handle_datagram(self.now, datagram);
                }
                self.sent.push((transmit.path, request));
                self.times.push(self.now - born);
            }
            while let Some(event) = self.discovery.poll_event() {
                if let Event::Report(report) = event {
                    self.report = Some(*report);
                }
            }
            match self.discovery.poll_timeout() {
                Some(deadline) => self.now = deadline,
                None => return self.report.take().expect("a report at the end"),
            }
            self.discovery.handle_timeout(self.now);
        }
        panic!("it never ends");
    }
}

fn response(request: &Message<'_>, class: Class, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    fill(&mut Writer::new(&mut bytes, class, request.method(), request.transaction_id()));
    bytes
}

fn plain(request: &Message<'_>, other: Option<&str>) -> Vec<u8> {
    response(request, Class::Success, |writer| {
        writer.attribute(&XorMappedAddress(addr(MAPPED)));
        writer.optional(other.map(|other| OtherAddress(addr(other))).as_ref());
    })
}

/// As a server for behaviour discovery with one address answers.
fn full(request: &Message<'_>, mapped: SocketAddr, seen: SocketAddr) -> Vec<u8> {
    response(request, Class::Success, |writer| {
        writer.attribute(&XorMappedAddress(mapped)).attribute(&MappedAddress(seen));
    })
}

/// Whether a request is to the server and asks for nothing but an answer.
fn is_plain(path: &Path, request: &Message<'_>) -> bool {
    path.remote.ip() == addr(PRIMARY).ip() && request.as_bytes().len() == 20
}

#[test]
fn a_server_cannot_make_its_client_send_anywhere() {
    let others = [
        "127.0.0.1:22",
        "10.0.0.1:53",
        "192.168.1.1:80",
        "169.254.169.254:80",
        "224.0.0.1:1900",
        "255.255.255.255:9",
        "0.0.0.0:1",
        "0.1.2.3:4",
        "100.64.0.1:53",
        "240.0.0.1:9",
        "192.0.2.9:0",
        "[2001:db8::1]:3478",
    ];
    for other in others {
        let mut scripted = Scripted::new(config());
        let report = scripted.run(|path, request| vec![(path.remote, plain(request, Some(other)))]);
        let strays: Vec<_> = scripted
            .sent
            .iter()
            .filter(|(path, _)| ![addr(PRIMARY), addr(MAPPED)].contains(&path.remote))
            .collect();
        assert!(strays.is_empty(), "{other}: {strays:?}");
        assert_eq!(report.mapping, Finding::Unknown(Reason::OneAddress), "{other}");
    }
}

#[test]
fn a_server_cannot_name_anything_as_a_nat_s_outside() {
    let others = [
        "127.0.0.1:22",
        "192.168.1.1:80",
        "169.254.169.254:80",
        "100.64.0.1:53",
        "224.0.0.251:5353",
        "255.255.255.255:9",
        "0.0.0.0:1",
        "198.51.100.1:0",
    ];
    for other in others {
        let mut scripted = Scripted::new(config());
        let report =
            scripted.run(|path, it| vec![(path.remote, full(it, addr(other), addr(other)))]);
        assert!(scripted.sent.iter().all(|(path, _)| path.remote == addr(PRIMARY)), "{other}");
        assert_eq!(report.hairpinning, Finding::Unknown(Reason::Ignored), "{other}");
    }
}

#[test]
fn what_is_sent_in_all_is_bounded_whatever_the_server_does() {
    let silent = Scripted::new(config()).run(|_, _| Vec::new());
    assert_eq!(silent.kind(), Kind::Blocked);
    let mut scripted = Scripted::new(config());
    // It answers the first kind of request only, so that all else is in doubt.
    let answer = |path: &Path, request: &Message<'_>| {
        let is_first = path.remote == addr(PRIMARY) && request.as_bytes().len() == 20;
        let response = plain(request, Some("192.0.2.2:3479"));
        if is_first { vec![(path.remote, response)] } else { Vec::new() }
    };
    let report = scripted.run(answer);
    assert_eq!(report.filtering, Finding::Unknown(Reason::OtherSilent));
    assert!(scripted.sent.len() < 250, "{}", scripted.sent.len());
    assert!(report.took < secs(8), "{:?}", report.took);
}

#[test]
fn no_more_than_ten_transactions_begin_in_a_second() {
    let mut scripted = Scripted::new(config());
    let answer = |path: &Path, request: &Message<'_>| {
        let changes = request.get::<ChangeRequest>().unwrap().is_some();
        let response = plain(request, Some("192.0.2.2:3479"));
        if changes { Vec::new() } else { vec![(path.remote, response)] }
    };
    scripted.run(answer);
    let mut begun: Vec<(Duration, TransactionId)> = Vec::new();
    for (at, (_, request)) in scripted.times.iter().zip(&scripted.sent) {
        let message = Message::parse(request).unwrap();
        let id = message.transaction_id();
        if message.class() == Class::Request && !begun.iter().any(|(_, known)| *known == id) {
            begun.push((*at, id));
        }
    }
    assert!(begun.len() > 10, "{}", begun.len());
    for eleven in begun.windows(11) {
        assert!(eleven[10].0 - eleven[0].0 >= secs(1), "{eleven:?}");
    }
}

#[test]
fn a_server_that_ignores_change_request_is_found_out() {
    // It answers everything from where it was asked: a naive client calls that endpoint-independent.
    let answer = |path: &Path, request: &Message<'_>| {
        vec![(path.remote, plain(request, Some("192.0.2.2:3479")))]
    };
    let report = Scripted::new(config()).run(answer);
    assert_eq!(report.mapping, Finding::Known(Mapping::EndpointIndependent));
    assert_eq!(report.filtering, Finding::Unknown(Reason::Ignored));

    // It does not answer what it does not understand: a naive client calls that filtering.
    let answer = |path: &Path, request: &Message<'_>| {
        let changes = request.get::<ChangeRequest>().unwrap().is_some();
        let response = plain(request, Some("192.0.2.2:3479"));
        if changes { Vec::new() } else { vec![(path.remote, response)] }
    };
    let report = Scripted::new(config()).run(answer);
    assert_eq!(report.filtering, Finding::Unknown(Reason::Ignored));
}

#[test]
fn a_server_with_one_address_that_ignores_change_request_is_found_out() {
    let port = || Config { other_port: Some(3479), ..config() };
    let answer = |path: &Path, request: &Message<'_>| {
        let answer = || (path.remote, full(request, addr(MAPPED), addr(MAPPED)));
        is_plain(path, request).then(answer).into_iter().collect()
    };
    let report = Scripted::new(port()).run(answer);
    assert_eq!(report.mapping, Finding::Unknown(Reason::NotThePort));
    assert_eq!(report.filtering, Finding::Unknown(Reason::Ignored));

    // Where nothing can be let in to see what it does, because the NAT maps by port: what it sends
    // is no more than any STUN server does.
    let answer = |path: &Path, request: &Message<'_>| {
        let mapped = SocketAddr::new(addr(MAPPED).ip(), path.remote.port());
        let bare = || {
            response(request, Class::Success, |writer| {
                writer.attribute(&XorMappedAddress(mapped));
            })
        };
        is_plain(path, request).then(|| (path.remote, bare())).into_iter().collect()
    };
    let report = Scripted::new(port()).run(answer);
    assert_eq!(report.mapping, Finding::Known(Mapping::AddressAndPortDependent));
    assert_eq!(report.filtering, Finding::Unknown(Reason::Ignored));
}

#[test]
fn who_answers_in_short_proves_nothing_by_silence() {
    // It has had enough soon: bare answers to plain requests, none to others.
    let budget = Cell::new(8_u32);
    let answer = |path: &Path, request: &Message<'_>| {
        if !is_plain(path, request) {
            return Vec::new();
        }
        let left = budget.replace(budget.get().saturating_sub(1));
        let answer = match left {
            0 => plain(request, None),
            _ => full(request, addr(MAPPED), addr(MAPPED)),
        };
        vec![(path.remote, answer)]
    };
    let sockets = config_at("10.0.0.2", 5);
    let config = Config { other_port: Some(3479), lifetime: Some(secs(300)), ..sockets };
    let report = Scripted::new(config).run(answer);
    assert_eq!(report.filtering, Finding::Unknown(Reason::Throttled));
    assert_eq!(report.fragments, Finding::Unknown(Reason::Throttled));
    assert_eq!(report.lifetime, Finding::Unknown(Reason::Throttled));
}

#[test]
fn refusals_are_named() {
    let answer = |path: &Path, request: &Message<'_>| {
        let code = ErrorCode { code: 401, reason: "" };
        let refusal = response(request, Class::Error, |writer| {
            writer.attribute(&code);
        });
        vec![(path.remote, refusal)]
    };
    let report = Scripted::new(config()).run(answer);
    assert_eq!(report.mapped, Finding::Unknown(Reason::Refused(401)));
    assert_eq!(report.kind(), Kind::Unclear);
}

#[test]
fn a_box_that_rewrites_addresses_is_found_out() {
    let with = |seen: &'static str| {
        let answer = move |path: &Path, request: &Message<'_>| {
            vec![(path.remote, full(request, addr(MAPPED), addr(seen)))]
        };
        Scripted::new(config()).run(answer).rewritten
    };
    assert_eq!(with(MAPPED), Finding::Known(false));
    assert_eq!(with("10.0.0.2:50001"), Finding::Known(true));
}

#[test]
fn strangers_are_not_believed() {
    let mut scripted = Scripted::new(config());
    let forged = |path: &Path, request: &Message<'_>| {
        // The right id, from elsewhere; and the right place with another id.
        let mut other = plain(request, None);
        other[19] ^= 1;
        vec![(addr("203.0.113.9:3478"), plain(request, None)), (path.remote, other)]
    };
    assert_eq!(scripted.run(forged).mapped, Finding::Unknown(Reason::NoAnswer));
    let sent = u64::try_from(scripted.sent.len()).unwrap();
    assert_eq!(scripted.discovery.counters().unexpected, 2 * sent);
}

/// A run in the lab as a script for the kit: what arrived, when.
fn script() -> Vec<Input> {
    let genesis = conformance::genesis();
    let mut discovery = Discovery::new(&genesis, config()).unwrap();
    let mut script = Vec::new();
    let local = config().local[0];
    let garbage = Path { transport: Transport::Udp, local, remote: addr("203.0.113.9:9") };
    let mut now = genesis.now;
    for round in 0..400 {
        let mut buf = Vec::new();
        while let Some(transmit) = discovery.poll_transmit(&mut buf) {
            let request = std::mem::take(&mut buf);
            let message = Message::parse(&request).unwrap();
            // A symmetric NAT that filters all.
            if message.get::<ChangeRequest>().unwrap().is_none() {
                let bytes = plain(&message, Some("192.0.2.2:3479"));
                script.push(Input::Datagram(transmit.path, bytes.clone()));
                script.push(Input::Datagram(garbage, vec![0; round % 30]));
                let datagram = Datagram { path: transmit.path, payload: &mut bytes.clone() };
                discovery.handle_datagram(now, datagram);
            }
        }
        let Some(deadline) = discovery.poll_timeout() else { break };
        script.push(Input::Elapse(deadline - now));
        now = deadline;
        discovery.handle_timeout(now);
    }
    script.push(Input::Elapse(secs(60)));
    script
}

#[test]
fn the_contract_of_machines_is_kept() {
    let make = |genesis: Genesis| Discovery::new(&genesis, config()).unwrap();
    let script = script();
    let record = conformance::run(make, (), &script);
    let reports = record.events.iter().filter(|event| event.starts_with("Report"));
    assert_eq!(reports.count(), 1, "{:#?}", record.events);
    conformance::check(make, || (), &script, 64);
}

#[test]
fn many_behind_one_address_are_not_told_wrong_things() {
    let mut lab = Lab::new(20);
    let place = lab.nat(nat::Config::full_cone([ip(OUTSIDE)]));
    let hosts: Vec<_> =
        (2..40).map(|host| lab.start(place, config_at(&format!("10.0.0.{host}"), 4))).collect();
    let mut throttled = 0;
    for host in hosts {
        let report = lab.finish(host, Duration::from_secs(60));
        match report.filtering {
            Finding::Known(filtering) => assert_eq!(filtering, Filtering::EndpointIndependent),
            Finding::Unknown(_) => throttled += 1,
        }
        if let Finding::Known(mapping) = report.mapping {
            assert_eq!(mapping, Mapping::EndpointIndependent);
        }
    }
    assert!(throttled > 0, "the server's budget is smaller than that");
}

#[test]
fn many_who_ask_a_server_with_one_address_are_not_told_wrong_things_either() {
    let mut lab = Lab::with(20, Server::OneAddress);
    let place = lab.nat(nat::Config::full_cone([ip(OUTSIDE)]));
    let with = |host| Config {
        other_port: Some(3479),
        ..config_at(&format!("10.0.0.{host}"), Config::SOCKETS)
    };
    let hosts: Vec<_> = (2..120).map(|host| lab.start(place, with(host))).collect();
    let mut reasons = Vec::new();
    for host in hosts {
        let report = lab.finish(host, Duration::from_secs(60));
        // One address cannot tell more, and silence of a server in want of budget is none of the NAT's.
        let Finding::Unknown(reason) = report.filtering else { panic!("{report:#?}") };
        let Finding::Unknown(_) = report.mapping else { panic!("{report:#?}") };
        reasons.push(reason);
    }
    let by_budget = |reason: &&Reason| matches!(reason, Reason::Throttled | Reason::Ignored);
    assert!(reasons.iter().filter(by_budget).count() > 0, "{reasons:?}");
}
