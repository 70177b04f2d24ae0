//! Discovery from behind simulated NATs: what it finds is what they are.

use std::time::Duration;

use talkie_sim::nat::{self, Ports};
use talkie_sim::net::Oversize;
use talkie_traversal::discover::{
    Allocation, Config, Discovery, Event, Filtering, Finding, Fragments, Hairpinning, Kind,
    Mapping, Pooling, Reason,
};

use crate::discover_world::{
    Kind as Server, Lab, OUTSIDE, PRIMARY, PRIMARY_V6, SECOND, config, config_at, ip, secs,
};
use crate::turn_world::addr;

use Finding::{Known, Unknown};

const MAPPINGS: [(nat::Mapping, Mapping); 3] = [
    (nat::Mapping::EndpointIndependent, Mapping::EndpointIndependent),
    (nat::Mapping::AddressDependent, Mapping::AddressDependent),
    (nat::Mapping::AddressAndPortDependent, Mapping::AddressAndPortDependent),
];
const FILTERINGS: [(nat::Filtering, Filtering); 3] = [
    (nat::Filtering::EndpointIndependent, Filtering::EndpointIndependent),
    (nat::Filtering::AddressDependent, Filtering::AddressDependent),
    (nat::Filtering::AddressAndPortDependent, Filtering::AddressAndPortDependent),
];

fn any(mapping: nat::Mapping, filtering: nat::Filtering) -> nat::Config {
    let ports = Ports::Random;
    nat::Config { mapping, filtering, ports, ..nat::Config::full_cone([ip(OUTSIDE)]) }
}

/// All combinations of one mapping with the filterings, with loss, for many seeds.
fn every_seed_with(mapping: usize, share: f64, seeds: u64) {
    let (mapping, found_mapping) = MAPPINGS[mapping];
    for (filtering, found_filtering) in FILTERINGS {
        for seed in 0..seeds {
            let report = Lab::new(seed).lossy(share).behind(any(mapping, filtering));
            let found = (report.mapping, report.filtering);
            let expected = (Known(found_mapping), Known(found_filtering));
            assert_eq!(found, expected, "seed {seed}: {report:#?}");
        }
    }
}

#[test]
fn every_endpoint_independent_nat_is_known_by_every_seed_with_loss() {
    every_seed_with(0, 0.1, 200);
}

#[test]
fn every_address_dependent_nat_is_known_by_every_seed_with_loss() {
    every_seed_with(1, 0.1, 200);
}

#[test]
fn every_address_and_port_dependent_nat_is_known_by_every_seed_with_loss() {
    every_seed_with(2, 0.1, 200);
}

#[test]
fn heavy_loss_makes_it_slow_and_not_wrong() {
    let mut unknown = 0;
    for (mapping, found_mapping) in MAPPINGS {
        for (filtering, found_filtering) in FILTERINGS {
            for seed in 0..20 {
                // Half of all round trips fail.
                let report = Lab::new(seed).lossy(0.3).behind(any(mapping, filtering));
                let is_mapped = report.mapping.known().is_none_or(|it| it == found_mapping);
                let is_filtered = report.filtering.known().is_none_or(|it| it == found_filtering);
                assert!(is_mapped && is_filtered, "seed {seed}: {report:#?}");
                let both = (report.mapping.known(), report.filtering.known());
                unknown += usize::from(!matches!(both, (Some(_), Some(_))));
            }
        }
    }
    assert!(unknown <= 4, "{unknown} of 180 are not known");
}

#[test]
fn a_healthy_network_takes_little_more_than_a_second() {
    for (mapping, _) in MAPPINGS {
        for (filtering, _) in FILTERINGS {
            let report = Lab::new(1).behind(any(mapping, filtering));
            assert!(report.took < Duration::from_millis(1500), "{:?}\n{report}", report.took);
            assert_eq!(report.answered, report.sent);
        }
    }
}

#[test]
fn presets_have_their_classic_names() {
    let out = || [ip(OUTSIDE)];
    let table = [
        (nat::Config::full_cone(out()), Kind::FullCone),
        (nat::Config::address_restricted_cone(out()), Kind::AddressRestrictedCone),
        (nat::Config::port_restricted_cone(out()), Kind::PortRestrictedCone),
        (nat::Config::symmetric(out()), Kind::Symmetric),
        (nat::Config::linux_random_fully(out()), Kind::Symmetric),
        (nat::Config::home_router(out()), Kind::PortRestrictedCone),
        // Its ports stay the same until they clash.
        (nat::Config::linux_masquerade(out()), Kind::PortRestrictedCone),
        (nat::Config::carrier_grade(out()), Kind::PortRestrictedCone),
    ];
    for (config, kind) in table {
        let report = Lab::new(3).behind(config);
        assert_eq!(report.kind(), kind, "{report}");
    }
}

#[test]
fn what_has_no_classic_name_is_called_by_its_parts() {
    let (mapping, filtering) =
        (nat::Mapping::AddressDependent, nat::Filtering::EndpointIndependent);
    let report = Lab::new(3).behind(any(mapping, filtering));
    assert_eq!(
        report.kind().to_string(),
        "none of the four: address-dependent mapping with endpoint-independent filtering"
    );
}

#[test]
fn ports_and_addresses_are_described() {
    let of = |config: nat::Config| {
        let report = Lab::new(4).behind(config);
        (report.allocation, report.pooling)
    };
    let out = || [ip(OUTSIDE)];
    let cone = nat::Config::port_restricted_cone(out());
    assert_eq!(of(cone.clone()), (Known(Allocation::Preserving), Known(Pooling::Paired)));
    let step = |step| nat::Config { ports: Ports::Sequential { step }, ..cone.clone() };
    assert_eq!(of(step(1)).0, Known(Allocation::Sequential(1)));
    assert_eq!(of(step(2)).0, Known(Allocation::Sequential(2)));
    assert_eq!(of(nat::Config::symmetric(out())).0, Known(Allocation::Random));
    let in_turn =
        nat::Config { ports: Ports::Sequential { step: 1 }, ..nat::Config::symmetric(out()) };
    assert_eq!(of(in_turn).0, Known(Allocation::Sequential(1)));
    let pool = nat::Config {
        outside: vec![ip(OUTSIDE), ip("198.51.100.2")],
        pooling: nat::Pooling::Arbitrary,
        ..cone
    };
    assert_eq!(of(pool).1, Known(Pooling::Arbitrary));
}

#[test]
fn every_mapping_seen_is_reported_with_its_distance() {
    let config = nat::Config {
        ports: Ports::Sequential { step: 2 },
        ..nat::Config::symmetric([ip(OUTSIDE)])
    };
    let report = Lab::new(4).behind(config);
    // Four sockets to the server, the first one to its other address by both ports as well.
    assert_eq!(report.seen.len(), 6);
    assert_eq!(report.deltas(), [2; 5]);
}

#[test]
fn hairpinning_is_seen_where_it_can_be() {
    let with = |hairpinning, config: nat::Config| {
        Lab::new(4).behind(nat::Config { hairpinning, ..config }).hairpinning
    };
    let cones = [nat::Config::full_cone, nat::Config::port_restricted_cone];
    for cone in cones.map(|cone| cone([ip(OUTSIDE)])) {
        let table = [
            (nat::Hairpinning::ExternalSource, Hairpinning::ExternalSource),
            (nat::Hairpinning::InternalSource, Hairpinning::InternalSource),
            (nat::Hairpinning::Unsupported, Hairpinning::Unsupported),
        ];
        for (hairpinning, found) in table {
            assert_eq!(with(hairpinning, cone.clone()), Known(found));
        }
    }
    let symmetric = nat::Config::symmetric([ip(OUTSIDE)]);
    let found = with(nat::Hairpinning::ExternalSource, symmetric);
    assert_eq!(found, Unknown(Reason::Filtered));
}

#[test]
fn two_nats_in_a_row_are_one() {
    let mut lab = Lab::new(5);
    let carrier = lab.nat(nat::Config::carrier_grade([ip(OUTSIDE)]));
    let home = nat::Config::full_cone([ip("100.64.0.7")]);
    let home = lab.network.add_nat("home", carrier, lab.link.clone(), home);
    let report = lab.discover(home.into(), config());
    assert_eq!(report.kind(), Kind::PortRestrictedCone);
    assert_eq!(report.mapped.known().map(|mapped| mapped.ip()), Some(ip(OUTSIDE)));
}

#[test]
fn blocked_udp_is_called_so_within_seconds() {
    let report = Lab::new(5).behind(nat::Config::udp_blocked([ip(OUTSIDE)]));
    assert_eq!((report.kind(), report.mapped), (Kind::Blocked, Unknown(Reason::NoAnswer)));
    assert!(report.took <= Duration::from_millis(3100), "{:?}", report.took);
    assert!(report.to_string().contains("UDP is blocked"), "{report}");
    assert!(report.sent >= 20 && report.answered == 0, "{} sent", report.sent);
}

#[test]
fn no_nat_and_a_firewall_are_told_apart() {
    let mut lab = Lab::new(6);
    let place = lab.internet.into();
    let report = lab.discover(place, config_at(OUTSIDE, 4));
    assert_eq!((report.kind(), report.translated), (Kind::Open, Known(false)));
    assert_eq!(report.hairpinning, Unknown(Reason::NotTranslated));

    let mut lab = Lab::new(6);
    let place = lab.nat(nat::Config::firewall());
    let report = lab.discover(place, config_at(OUTSIDE, 4));
    assert_eq!((report.kind(), report.translated), (Kind::Firewall, Known(false)));
    assert_eq!(report.mapping, Known(Mapping::EndpointIndependent));
    assert_eq!(report.filtering, Known(Filtering::AddressAndPortDependent));
}

#[test]
fn ipv6_is_a_run_of_its_own() {
    let v6 = |nat: Option<nat::Config>, address: &str| {
        let mut lab = Lab::new(6).lossy(0.1);
        let place = match nat {
            Some(config) => lab.nat(config),
            None => lab.internet.into(),
        };
        let config = Config { server: addr(PRIMARY_V6), ..config_at(address, 4) };
        lab.discover(place, config)
    };
    let report = v6(None, "2001:db8:2::7");
    assert_eq!((report.kind(), report.fragments), (Kind::Open, Known(Fragments::Pass)));
    // What a home router does with IPv6: no translation, and a filter.
    let report = v6(Some(nat::Config::home_router([ip(OUTSIDE)])), "2001:db8:2::7");
    assert_eq!(report.kind(), Kind::Firewall);
    let nat66 = nat::Config::symmetric([ip("2001:db8:3::1")]);
    assert_eq!(v6(Some(nat66), "fd00::7").kind(), Kind::Symmetric);
}

#[test]
fn a_server_with_one_address_tells_what_ports_can_tell() {
    let port = Config { other_port: Some(3479), ..config() };
    let discover = |mapping, filtering, config: &Config| {
        let mut lab = Lab::with(7, Server::OneAddress);
        let place = lab.nat(any(mapping, filtering));
        let report = lab.discover(place, config.clone());
        (report.mapping, report.filtering)
    };
    use nat::{Filtering as F, Mapping as M};
    let unknown = Unknown(Reason::NotThePort);
    let cone = discover(M::EndpointIndependent, F::EndpointIndependent, &port);
    assert_eq!(cone, (unknown, Unknown(Reason::NotThePort)));
    let cone = discover(M::EndpointIndependent, F::AddressAndPortDependent, &port);
    assert_eq!(cone, (unknown, Known(Filtering::AddressAndPortDependent)));
    let symmetric = discover(M::AddressAndPortDependent, F::AddressAndPortDependent, &port);
    assert_eq!(symmetric.0, Known(Mapping::AddressAndPortDependent));
    assert_eq!(symmetric.1, Known(Filtering::AddressAndPortDependent));
    // Another server completes the mapping.
    let port = Config { second: Some(addr(SECOND)), ..port };
    for (mapping, found) in MAPPINGS {
        assert_eq!(discover(mapping, F::EndpointIndependent, &port).0, Known(found));
    }
}

#[test]
fn a_plain_server_tells_little_and_says_why() {
    let plain = |config| {
        let mut lab = Lab::with(7, Server::Plain);
        let place = lab.nat(nat::Config::port_restricted_cone([ip(OUTSIDE)]));
        lab.discover(place, config)
    };
    let report = plain(config());
    assert_eq!(report.kind(), Kind::Unclear);
    assert_eq!(report.mapping, Unknown(Reason::OneAddress));
    assert_eq!(report.filtering, Unknown(Reason::OneAddress));
    assert_eq!(report.allocation, Known(Allocation::Preserving));
    assert_eq!(report.fragments, Unknown(Reason::Refused(420)));
    assert_eq!(report.rewritten, Unknown(Reason::Ignored), "it sends no plain address");
    // Two servers that see the same are enough to call it a cone.
    let report = plain(Config { second: Some(addr(SECOND)), ..config() });
    assert_eq!((report.kind(), report.mapping), (Kind::Cone, Known(Mapping::EndpointIndependent)));
}

#[test]
fn silence_of_an_address_that_is_always_silent_proves_nothing() {
    let mut lab = Lab::with(8, Server::DeadAlternate);
    let place = lab.nat(nat::Config::full_cone([ip(OUTSIDE)]));
    let report = lab.discover(place, config());
    assert_eq!(report.mapping, Unknown(Reason::OtherSilent));
    assert_eq!(report.filtering, Unknown(Reason::OtherSilent));
    assert!(report.took < secs(5), "{:?}", report.took);
}

#[test]
fn silence_that_may_be_the_server_s_is_no_filter_whatever_the_mapping() {
    for (server, kinds) in [
        (Server::Unchanging, [Reason::Ignored, Reason::Unshown, Reason::Unshown]),
        (Server::WithoutResponsePort, [Reason::Ignored, Reason::Unshown, Reason::Unshown]),
    ] {
        for ((mapping, found), reason) in MAPPINGS.into_iter().zip(kinds) {
            for filtering in [nat::Filtering::EndpointIndependent, STRICT] {
                let mut lab = Lab::with(8, server);
                let place = lab.nat(any(mapping, filtering));
                let report = lab.discover(place, config());
                assert_eq!(report.mapping, Known(found));
                let expected = match (server, filtering, reason) {
                    (Server::Unchanging, ..) => Unknown(reason),
                    (_, nat::Filtering::EndpointIndependent, _) => {
                        Known(Filtering::EndpointIndependent)
                    }
                    // Where one port is seen by all, it need not be named.
                    (.., Reason::Ignored) => Known(Filtering::AddressAndPortDependent),
                    _ => Unknown(Reason::Unshown),
                };
                assert_eq!(report.filtering, expected, "{mapping:?} {filtering:?}");
                assert!(report.took < secs(5), "{:?}", report.took);
            }
        }
    }
}

const STRICT: nat::Filtering = nat::Filtering::AddressAndPortDependent;

#[test]
fn fragments_pass_or_they_do_not() {
    let mut lab = Lab::new(9);
    assert_eq!(lab.behind(any_cone()).fragments, Known(Fragments::Pass));
    let mut lab = Lab::new(9);
    lab.link.oversize = Oversize::Vanishes;
    assert_eq!(lab.behind(any_cone()).fragments, Known(Fragments::Lost));
}

fn any_cone() -> nat::Config {
    nat::Config::full_cone([ip(OUTSIDE)])
}

#[test]
fn progress_is_told_while_it_goes_on() {
    let mut lab = Lab::new(11);
    let place = lab.nat(nat::Config::port_restricted_cone([ip(OUTSIDE)]));
    let host = lab.start(place, config());
    let mut told = Vec::new();
    while let Some(event) = lab.network.run_until_event(host, secs(10)) {
        match event {
            Event::Progress(test, words) => told.push((test, words)),
            _ => break,
        }
    }
    use talkie_traversal::discover::Test as T;
    let tests: Vec<_> = told.iter().map(|(test, _)| *test).collect();
    assert_eq!(tests.first(), Some(&T::Contact));
    for test in
        [T::Mapping, T::Filtering, T::Allocation, T::Hairpinning, T::Fragments, T::Rewriting]
    {
        assert!(tests.contains(&test), "{told:?}");
    }
    assert_eq!(lab.network.machine(host).counters().unexpected, 0);
}

#[test]
fn what_cannot_work_is_refused() {
    let genesis = crate::discover_world::genesis(1);
    let refusal = |config| Discovery::new(&genesis, config).err().map(|error| error.to_string());
    let locals =
        |list: &[&str]| Config::new(addr(PRIMARY), list.iter().map(|local| addr(local)).collect());
    assert_eq!(refusal(locals(&["10.0.0.1:1", "10.0.0.1:2"])), None);
    let table: [(&[&str], &str); 5] = [
        (&[], "needs a local address"),
        (&["0.0.0.0:1"], "of an interface"),
        (&["10.0.0.1:0"], "of an interface"),
        (&["10.0.0.1:1", "10.0.0.1:1"], "port of its own"),
        (&["[2001:db8::1]:1"], "one family"),
    ];
    for (list, words) in table {
        assert!(refusal(locals(list)).unwrap().contains(words), "{list:?}");
    }
}
#[test]
fn the_lifetime_is_found_by_halves() {
    let of = |config: nat::Config| {
        let mut lab = Lab::new(10).lossy(0.05);
        let place = lab.nat(config);
        let sockets = Config { lifetime: Some(secs(300)), ..config_at("10.0.0.2", 5) };
        lab.discover(place, sockets).lifetime.known().expect("it is found")
    };
    for seconds in [20, 30, 65, 120, 180] {
        for inbound_refresh in [false, true] {
            let lifetime = secs(seconds);
            let found = of(nat::Config { lifetime, inbound_refresh, ..any_cone() });
            let below = found.below.expect("it ends");
            assert!(found.at_least <= lifetime && lifetime <= below + secs(1), "{found:?}");
            assert!(below - found.at_least <= (lifetime / 8).max(secs(4)), "{found:?}");
            assert_eq!(found.inbound_refresh, Some(inbound_refresh), "{seconds} s: {found:?}");
        }
    }
    let found = of(nat::Config { lifetime: secs(900), ..any_cone() });
    assert_eq!((found.below, found.at_least >= secs(300)), (None, true));
}
