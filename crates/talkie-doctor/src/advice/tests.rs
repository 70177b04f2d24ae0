//! Situations and what is said of them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Verdict::{Direct, Impaired, Offline, Relay, Unclear};
use super::*;
use crate::report::*;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn leg(scheme: &'static str, transport: &'static str) -> Leg {
    let relays = scheme != "stun";
    let relayed = address("203.0.113.5:50000");
    let rtt = Millis(Duration::from_millis(20));
    Leg {
        scheme,
        transport,
        host: "talk.example.org".to_owned(),
        address: Some(address("203.0.113.5:3478")),
        rtt: Some(rtt),
        mapped: Some(address("198.51.100.7:40000")),
        other: None,
        certificate: None,
        echo: if relays { Echo::Returned { relayed, rtt } } else { Echo::NotTried },
        failure: None,
    }
}

fn failed(mut leg: Leg, kind: FailureKind) -> Leg {
    leg.rtt = None;
    leg.mapped = None;
    leg.echo = if leg.scheme == "stun" { Echo::NotTried } else { Echo::Refused };
    leg.failure = Some(Failure { kind, message: "no answer from there".to_owned() });
    leg
}

fn behaviours(mapping: Behaviour, filtering: Behaviour) -> Nat {
    use Behaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
    Nat {
        family: Family::Ipv4,
        server: address("203.0.113.5:3478"),
        local: address("192.168.1.5:50000"),
        mapped: Some(address("198.51.100.7:40000")),
        translates: Some(true),
        mapping: Some(mapping),
        port_dependent: Some(mapping == AddressAndPortDependent),
        filtering: Some(filtering),
        nat_type: match (mapping, filtering) {
            (EndpointIndependent, EndpointIndependent) => Some(NatType::FullCone),
            (EndpointIndependent, AddressDependent) => Some(NatType::AddressRestricted),
            (EndpointIndependent, AddressAndPortDependent) => Some(NatType::PortRestricted),
            (AddressAndPortDependent, AddressAndPortDependent) => Some(NatType::Symmetric),
            _ => None,
        },
        allocation: Some(Allocation::Random),
        pooled: Some(true),
        hairpin: Some(true),
        fragments: Some(true),
        alg: Some(false),
        lifetime: None,
        unknown: BTreeMap::new(),
    }
}

fn port_restricted() -> Nat {
    behaviours(Behaviour::EndpointIndependent, Behaviour::AddressAndPortDependent)
}

fn symmetric() -> Nat {
    behaviours(Behaviour::AddressAndPortDependent, Behaviour::AddressAndPortDependent)
}

/// A home behind a port-restricted NAT, with a server that works in every way.
fn home() -> Report {
    let private: IpAddr = [192, 168, 1, 5].into();
    let server = Server {
        url: "https://talk.example.org".to_owned(),
        web: Some(Web {
            address: Some(address("203.0.113.5:443")),
            rtt: Some(Millis(Duration::from_millis(20))),
            status: Some(200),
            certificate: Some(Certificate { trust: Trust::Trusted, sha256: "AA".to_owned() }),
            signaling: Some(Millis(Duration::from_millis(60))),
            failure: None,
        }),
        credentials: Credentials::Issued,
        legs: vec![leg("stun", "udp"), leg("turn", "udp"), leg("turn", "tcp"), leg("turns", "tls")],
        failure: None,
    };
    Report {
        schema: SCHEMA,
        version: "0",
        taken_at: 0,
        duration: Millis::default(),
        host: Host {
            interfaces: vec![Interface {
                name: "eth0".to_owned(),
                kind: InterfaceKind::Network,
                addresses: vec![Address { address: private, scope: Scope::Private }],
                mtu: Some(1500),
            }],
            routes: vec![Route {
                family: Family::Ipv4,
                source: private,
                interface: Some("eth0".to_owned()),
                gateway: Some([192, 168, 1, 1].into()),
            }],
            reach: vec![
                Reach { family: Family::Ipv4, routed: true, reached: Some(true) },
                Reach { family: Family::Ipv6, routed: false, reached: None },
            ],
            proxies: Vec::new(),
        },
        servers: vec![server],
        nats: vec![port_restricted()],
        port_mapping: PortMapping::default(),
        mtu: Some(PathMtu { bytes: 1500, source: MtuSource::PathAtLeast }),
        portal: Portal::None,
        clock: None,
    }
}

fn with(change: impl FnOnce(&mut Report)) -> Report {
    let mut report = home();
    change(&mut report);
    report
}

fn codes(report: &Report) -> Vec<Code> {
    diagnose(report).findings.iter().map(|finding| finding.code).collect()
}

fn legs(report: &mut Report, broken: &[&str]) {
    for leg in &mut report.servers[0].legs {
        if broken.contains(&leg.transport) {
            *leg = failed(leg.clone(), FailureKind::Silent);
        }
    }
}

fn router(external: [u8; 4]) -> PortMapping {
    let pmp =
        Gateway { answer: Answer::Ready, external: Some(external.into()), rtt: Millis::default() };
    PortMapping { gateway: Some([192, 168, 1, 1].into()), nat_pmp: Some(pmp), ..Default::default() }
}

/// What it is called, what was found, and the verdict and the first finding that follow.
type Situation = (&'static str, Report, Verdict, Code);

/// The NATs on the way.
fn nats() -> Vec<Situation> {
    vec![
        ("a home", home(), Direct, Code::Ipv6),
        ("symmetric NAT", with(|it| it.nats = vec![symmetric()]), Relay, Code::SymmetricNat),
        (
            "symmetric NAT, and no relay that works",
            with(|it| {
                it.nats = vec![symmetric()];
                for leg in it.servers[0].legs.iter_mut().skip(1) {
                    *leg = failed(leg.clone(), FailureKind::NotRelayed);
                }
            }),
            Offline,
            Code::RelayBroken,
        ),
        (
            "carrier's NAT, as the router tells",
            with(|it| it.port_mapping = router([100, 64, 3, 2])),
            Direct,
            Code::CarrierNat,
        ),
        (
            "carrier's NAT, as on a phone",
            with(|it| it.host.routes[0].source = [100, 64, 3, 2].into()),
            Direct,
            Code::CarrierNat,
        ),
        (
            "two routers",
            with(|it| it.port_mapping = router([192, 168, 0, 2])),
            Direct,
            Code::DoubleNat,
        ),
        (
            "something rewrites addresses",
            with(|it| it.nats[0].alg = Some(true)),
            Direct,
            Code::AddressRewriting,
        ),
    ]
}

/// The ways to the server and its relay.
fn ways() -> Vec<Situation> {
    vec![
        (
            "UDP blocked",
            with(|it| {
                legs(it, &["udp"]);
                it.nats.clear();
            }),
            Relay,
            Code::UdpBlocked,
        ),
        (
            "TLS only",
            with(|it| {
                legs(it, &["udp", "tcp"]);
                it.nats.clear();
            }),
            Relay,
            Code::TlsOnly,
        ),
        (
            "no relay was named",
            with(|it| {
                it.servers[0].web = None;
                it.servers[0].legs.truncate(1);
            }),
            Direct,
            Code::RelayUntried,
        ),
        ("the relay's TLS port is closed", with(|it| legs(it, &["tls"])), Impaired, Code::WayFails),
        (
            "wrong credentials",
            with(|it| {
                let server = &mut it.servers[0];
                server.web = None;
                server.legs.truncate(2);
                server.legs[1] = failed(server.legs[1].clone(), FailureKind::Credentials);
            }),
            Impaired,
            Code::CredentialsRefused,
        ),
    ]
}

/// The servers.
fn servers() -> Vec<Situation> {
    vec![
        (
            "the server does not answer",
            with(|it| {
                let server = &mut it.servers[0];
                server.legs.clear();
                let message = "no answer from 203.0.113.5:443 over TCP".to_owned();
                let web = server.web.as_mut().unwrap();
                *web = Web { rtt: None, signaling: None, ..web.clone() };
                web.failure = Some(Failure { kind: FailureKind::Silent, message });
                it.nats.clear();
            }),
            Offline,
            Code::ServerUnreachable,
        ),
        (
            "the server is no talkie serve",
            with(|it| {
                let server = &mut it.servers[0];
                server.legs.clear();
                let message = "the signaling: the server answered with HTTP status 404".to_owned();
                let web = server.web.as_mut().unwrap();
                *web = Web { status: Some(404), signaling: None, ..web.clone() };
                web.failure = Some(Failure { kind: FailureKind::Unexpected, message });
                it.nats.clear();
                it.mtu = None;
            }),
            Offline,
            Code::ServerUnreachable,
        ),
        (
            "the server is on this machine",
            with(|it| {
                let nat = &mut it.nats[0];
                nat.server = address("127.0.0.1:3478");
                nat.local = address("127.0.0.1:40000");
                nat.mapped = Some(nat.local);
                nat.translates = Some(false);
                nat.nat_type = None;
            }),
            Unclear,
            Code::ServerNear,
        ),
        (
            "a certificate that has expired",
            with(|it| {
                let web = it.servers[0].web.as_mut().unwrap();
                web.certificate.as_mut().unwrap().trust = Trust::Expired;
            }),
            Direct,
            Code::Certificate,
        ),
        (
            "a server with one address",
            with(|it| {
                let nat = &mut it.nats[0];
                (nat.mapping, nat.filtering, nat.nat_type) = (None, None, None);
                let why = "the server has no second address to test from".to_owned();
                nat.unknown.insert("filtering".to_owned(), why);
                it.host.reach.clear();
            }),
            Direct,
            Code::ServerLimited,
        ),
    ]
}

/// This host and its network.
fn networks() -> Vec<Situation> {
    vec![
        (
            "a login portal",
            with(|it| {
                it.portal = Portal::Suspected { evidence: "a redirection".to_owned() };
                legs(it, &["udp", "tcp", "tls"]);
                it.nats.clear();
                it.servers[0].web = None;
            }),
            Offline,
            Code::LoginPortal,
        ),
        (
            "the clock is an hour ahead",
            with(|it| {
                let server = "https://talk.example.org".to_owned();
                it.clock = Some(Clock { server, ahead_seconds: 3600.0 });
            }),
            Direct,
            Code::ClockSkew,
        ),
        ("a VPN", with(|it| it.host.interfaces[0].kind = InterfaceKind::Tunnel), Direct, Code::Vpn),
        (
            "no network",
            with(|it| {
                it.host = Host::default();
                legs(it, &["udp", "tcp", "tls"]);
                it.nats.clear();
                it.servers[0].web = None;
            }),
            Offline,
            Code::NoNetwork,
        ),
        (
            "packets of 1200 bytes at most",
            with(|it| it.mtu = Some(PathMtu { bytes: 1200, source: MtuSource::Path })),
            Direct,
            Code::SmallMtu,
        ),
        (
            "IPv6 that leads nowhere",
            with(|it| {
                it.host.reach[1] =
                    Reach { family: Family::Ipv6, routed: true, reached: Some(false) };
            }),
            Direct,
            Code::Ipv6,
        ),
    ]
}

#[test]
fn each_situation_has_its_verdict_and_its_most_important_finding() {
    let situations = [nats(), ways(), servers(), networks()].concat();
    for (situation, report, verdict, first) in situations {
        let diagnosis = diagnose(&report);
        assert_eq!(diagnosis.verdict, verdict, "{situation}: {diagnosis:#?}");
        let codes: Vec<_> = diagnosis.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes.first(), Some(&first), "{situation}: {codes:?}");
        assert!(diagnosis.headline.ends_with('.'), "{situation}: {}", diagnosis.headline);
        for finding in &diagnosis.findings {
            assert!(finding.detail.ends_with('.'), "{situation}: {}", finding.detail);
        }
    }
}

#[test]
fn nothing_is_promised_that_was_not_seen() {
    let no_signaling = |it: &mut Report| {
        let web = it.servers[0].web.as_mut().unwrap();
        let message = "the signaling: no answer".to_owned();
        web.failure = Some(Failure { kind: FailureKind::Silent, message });
        web.signaling = None;
        it.nats.clear();
    };
    let useless = with(|it| {
        no_signaling(it);
        it.servers[0].legs.clear();
    });
    let captured = Report {
        portal: Portal::Suspected { evidence: "a redirection".to_owned() },
        ..useless.clone()
    };
    let blind = with(|it| {
        no_signaling(it);
        it.servers[0].legs = vec![leg("stun", "tcp")];
    });
    for (report, verdict, words) in [
        (useless, Offline, "https://talk.example.org answers, and cannot be used."),
        (captured, Offline, "The network wants a login"),
        (blind, Impaired, "A server that was named does not do its part."),
    ] {
        let diagnosis = diagnose(&report);
        assert_eq!(diagnosis.verdict, verdict, "{words}");
        assert!(diagnosis.headline.contains(words), "{}", diagnosis.headline);
        assert!(!diagnosis.headline.contains("Direct"), "{}", diagnosis.headline);
        // One was named; what is wrong with it is said.
        assert!(!codes(&report).contains(&Code::RelayUntried), "{words}");
    }
}

#[test]
fn the_table_of_others_follows_the_nat_and_the_relay() {
    use Outcome::{Direct, LikelyDirect, LikelyRelay, None as Nothing, Relay};
    let outcomes = |report: &Report| -> Vec<Outcome> {
        diagnose(report).peers.iter().map(|peer| peer.outcome).collect()
    };
    assert_eq!(outcomes(&home()), [Direct, Direct, Direct, Direct, Relay]);
    let sym = with(|it| it.nats = vec![symmetric()]);
    assert_eq!(outcomes(&sym), [Direct, Direct, Direct, Relay, Relay]);
    let broken = with(|it| {
        it.nats = vec![symmetric()];
        legs(it, &["tcp", "tls"]);
        it.servers[0].legs[1] = failed(leg("turn", "udp"), FailureKind::Rejected);
    });
    assert_eq!(outcomes(&broken), [Direct, Direct, Direct, Nothing, Nothing]);
    let blocked = with(|it| {
        legs(it, &["udp"]);
        it.nats.clear();
    });
    assert_eq!(outcomes(&blocked), [Relay; 5]);
    let one_address = with(|it| {
        let nat = &mut it.nats[0];
        (nat.mapping, nat.filtering, nat.nat_type) = (None, None, None);
    });
    let likely = [Direct, Direct, Direct, LikelyDirect, LikelyRelay];
    assert_eq!(outcomes(&one_address), likely);
    let unknown = with(|it| it.nats.clear());
    assert_eq!(outcomes(&unknown), []);
    let firewall = with(|it| {
        let nat = &mut it.nats[0];
        nat.translates = Some(false);
        nat.nat_type = Some(NatType::Firewall);
    });
    assert_eq!(outcomes(&firewall), [Direct, Direct, Direct, Direct, Relay]);
}

#[test]
fn ipv6_alone_is_judged_by_its_own_nat() {
    let report = with(|it| {
        let nat = &mut it.nats[0];
        nat.family = Family::Ipv6;
        nat.server = address("[2001:db8::5]:3478");
        nat.local = address("[2001:db8:1::7]:50000");
        nat.mapped = Some(nat.local);
        nat.translates = Some(false);
        nat.nat_type = Some(NatType::Firewall);
        it.host.routes[0] = Route {
            family: Family::Ipv6,
            source: "2001:db8:1::7".parse().unwrap(),
            interface: Some("eth0".to_owned()),
            gateway: None,
        };
        it.host.reach = vec![
            Reach { family: Family::Ipv4, routed: false, reached: None },
            Reach { family: Family::Ipv6, routed: true, reached: Some(true) },
        ];
    });
    assert_eq!(diagnose(&report).verdict, Direct);
    assert!(codes(&report).contains(&Code::Ipv6Only));
}

#[test]
fn what_fails_comes_before_what_is_good_to_know() {
    let report = with(|it| {
        it.nats = vec![symmetric()];
        it.nats[0].hairpin = Some(false);
        it.port_mapping = router([100, 64, 0, 9]);
        it.mtu = Some(PathMtu { bytes: 1000, source: MtuSource::Path });
        let proxy = "http://proxy.example:3128".to_owned();
        it.host.proxies.push(Proxy { variable: "http_proxy".to_owned(), value: proxy });
    });
    let expected = [
        Code::SmallMtu,
        Code::SymmetricNat,
        Code::CarrierNat,
        Code::NoHairpin,
        Code::Ipv6,
        Code::Proxy,
        Code::PortMapping,
    ];
    assert_eq!(codes(&report), expected);
}

#[test]
fn a_host_without_ipv6_blames_no_server_for_its_ipv6_legs() {
    let report = with(|it| {
        let mut v6 = failed(leg("turn", "udp"), FailureKind::NoRoute);
        v6.address = Some(address("[2001:db8::5]:3478"));
        it.servers[0].legs.push(v6);
    });
    assert_eq!(diagnose(&report).verdict, Direct);
    assert!(!codes(&report).contains(&Code::WayFails));
}
