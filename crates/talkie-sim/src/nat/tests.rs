mod classic;
mod tcp;

use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn pool(addresses: &[&str]) -> Vec<IpAddr> {
    addresses.iter().map(|address| address.parse().unwrap()).collect()
}

/// Any time will do to begin with.
#[expect(clippy::disallowed_methods, reason = "an Instant can only be made from the clock")]
fn begin() -> Instant {
    Instant::now()
}

fn nat(config: Config) -> Nat {
    Nat::new(config, [7; 32])
}

fn port_restricted() -> Config {
    Config::port_restricted_cone(pool(&["192.0.2.1"]))
}

/// The source that the world sees.
fn out(nat: &mut Nat, now: Instant, inside: &str, remote: &str) -> SocketAddr {
    match nat.handle_outbound(now, Protocol::Udp, at(inside), at(remote)) {
        Verdict::Outside { source } => source,
        other => panic!("{inside} to {remote}: {other:?}"),
    }
}

fn lets_in(nat: &mut Nat, now: Instant, outside: SocketAddr, remote: &str) -> bool {
    matches!(nat.handle_inbound(now, Protocol::Udp, outside, at(remote)), Verdict::Inside { .. })
}

#[test]
fn who_may_send_in_is_what_filtering_says() {
    // RFC 4787 §5, after one packet to 198.51.100.1:1000.
    for (filtering, same_address, others) in [
        (Filtering::EndpointIndependent, true, true),
        (Filtering::AddressDependent, true, false),
        (Filtering::AddressAndPortDependent, false, false),
    ] {
        for mapping in [
            Mapping::EndpointIndependent,
            Mapping::AddressDependent,
            Mapping::AddressAndPortDependent,
        ] {
            let mut nat = nat(Config { mapping, filtering, ..port_restricted() });
            let now = begin();
            let outside = out(&mut nat, now, "10.0.0.2:5000", "198.51.100.1:1000");
            assert!(lets_in(&mut nat, now, outside, "198.51.100.1:1000"));
            assert_eq!(lets_in(&mut nat, now, outside, "198.51.100.1:2000"), same_address);
            assert_eq!(lets_in(&mut nat, now, outside, "198.51.100.2:1000"), others);
            let other = SocketAddr::new(outside.ip(), outside.port() ^ 1);
            let verdict = nat.handle_inbound(now, Protocol::Udp, other, at("198.51.100.1:1000"));
            assert_eq!(verdict, Verdict::Dropped(Reason::NoMapping));
        }
    }
}

#[test]
fn what_the_world_sees_is_what_mapping_says() {
    // RFC 4787 §4.1: the same inside port towards another port, and towards another address.
    for (mapping, same_for_port, same_for_address) in [
        (Mapping::EndpointIndependent, true, true),
        (Mapping::AddressDependent, true, false),
        (Mapping::AddressAndPortDependent, false, false),
    ] {
        for ports in [Ports::Preserving, Ports::Sequential { step: 1 }, Ports::Random] {
            let mut nat = nat(Config { mapping, ports, ..port_restricted() });
            let now = begin();
            let first = out(&mut nat, now, "10.0.0.2:5000", "198.51.100.1:1000");
            let port = out(&mut nat, now, "10.0.0.2:5000", "198.51.100.1:2000");
            let address = out(&mut nat, now, "10.0.0.2:5000", "198.51.100.2:1000");
            assert_eq!(first == port, same_for_port, "{mapping:?}, {ports:?}");
            assert_eq!(first == address, same_for_address, "{mapping:?}, {ports:?}");
            assert_eq!(out(&mut nat, now, "10.0.0.2:5000", "198.51.100.1:1000"), first);
        }
    }
}

#[test]
fn what_comes_in_goes_to_whom_it_is_meant_for() {
    let mut nat = nat(port_restricted());
    let now = begin();
    for inside in ["10.0.0.2:5000", "10.0.0.3:5000", "10.0.0.2:5001"] {
        let outside = out(&mut nat, now, inside, "198.51.100.1:1000");
        let remote = at("198.51.100.1:1000");
        let expected = Verdict::Inside { source: remote, to: at(inside) };
        assert_eq!(nat.handle_inbound(now, Protocol::Udp, outside, remote), expected);
    }
}

#[test]
fn ports_are_kept_until_two_want_the_same() {
    let mut nat = nat(port_restricted());
    let now = begin();
    assert_eq!(out(&mut nat, now, "10.0.0.2:5000", "198.51.100.1:1000"), at("192.0.2.1:5000"));
    assert_eq!(out(&mut nat, now, "10.0.0.3:5000", "198.51.100.1:1000"), at("192.0.2.1:5001"));
    // A port that is nobody's to keep.
    let low = out(&mut nat, now, "10.0.0.2:123", "198.51.100.1:1000");
    assert!(low.port() >= 1024, "{low}");
}

#[test]
fn ports_come_one_after_the_other() {
    for step in [1, 2, 7] {
        let mut nat = nat(Config { ports: Ports::Sequential { step }, ..port_restricted() });
        let now = begin();
        let mut port = || out(&mut nat, now, "10.0.0.2:5000", "198.51.100.1:1000").port();
        let first = port();
        let next = |n: u16| at(&format!("10.0.0.2:{}", 5000 + n)).to_string();
        for n in 1..100 {
            let seen = out(&mut nat, now, &next(n), "198.51.100.1:1000").port();
            let distance = (u32::from(seen) + 64512 - u32::from(first)) % 64512;
            assert_eq!(distance, u32::from(n * step), "step {step}, mapping {n}");
        }
    }
}

#[test]
fn random_ports_follow_from_the_seed_alone() {
    let config = Config { ports: Ports::Random, ..port_restricted() };
    let now = begin();
    let ports = |seed| {
        let mut nat = Nat::new(config.clone(), [seed; 32]);
        let port = |n| out(&mut nat, now, &format!("10.0.0.2:{n}"), "198.51.100.1:1000").port();
        (5000..5050).map(port).collect::<Vec<_>>()
    };
    assert_eq!(ports(1), ports(1));
    assert_ne!(ports(1), ports(2));
    let sequential = ports(1).windows(2).filter(|pair| pair[0].abs_diff(pair[1]) < 10).count();
    assert!(sequential < 5, "{:?}", ports(1));
}

#[test]
fn parity_and_neighbours_are_kept_where_asked() {
    let now = begin();
    let parity = Config { ports: Ports::Random, parity: true, ..port_restricted() };
    let mut even = nat(parity);
    for port in 5000..5100 {
        let outside = out(&mut even, now, &format!("10.0.0.2:{port}"), "198.51.100.1:1000");
        assert_eq!(outside.port() % 2, port % 2);
    }
    for mapping in [Mapping::EndpointIndependent, Mapping::AddressAndPortDependent] {
        let config =
            Config { mapping, ports: Ports::Random, contiguous: true, ..port_restricted() };
        let mut nat = nat(config);
        let rtp = out(&mut nat, now, "10.0.0.2:6000", "198.51.100.1:1000");
        let rtcp = out(&mut nat, now, "10.0.0.2:6001", "198.51.100.1:1001");
        assert_eq!(rtcp.port(), rtp.port() + 1, "{mapping:?}");
    }
}

#[test]
fn silence_ends_a_mapping_and_traffic_keeps_it() {
    let lifetime = Duration::from_secs(30);
    let config = Config { lifetime, ..Config::full_cone(pool(&["192.0.2.1"])) };
    let begin = begin();
    for inbound_refresh in [false, true] {
        let mut nat = nat(Config { inbound_refresh, ..config.clone() });
        let outside = out(&mut nat, begin, "10.0.0.2:5000", "198.51.100.1:1000");
        assert_eq!(
            out(&mut nat, begin + 20 * SECOND, "10.0.0.2:5000", "198.51.100.1:1000"),
            outside
        );
        assert!(lets_in(&mut nat, begin + 45 * SECOND, outside, "203.0.113.1:1"));
        // RFC 4787 REQ-6: from inside always, from outside where the NAT does so.
        assert_eq!(
            lets_in(&mut nat, begin + 55 * SECOND, outside, "203.0.113.1:1"),
            inbound_refresh
        );
        assert_eq!(nat.rows().len(), usize::from(inbound_refresh));
    }
}

#[test]
fn a_remote_s_permission_ends_by_itself() {
    let lifetime = Duration::from_secs(30);
    let mut nat = nat(Config { lifetime, ..port_restricted() });
    let begin = begin();
    let outside = out(&mut nat, begin, "10.0.0.2:5000", "198.51.100.1:1000");
    out(&mut nat, begin + 20 * SECOND, "10.0.0.2:5000", "198.51.100.2:1000");
    let now = begin + 35 * SECOND;
    assert!(!lets_in(&mut nat, now, outside, "198.51.100.1:1000"));
    assert!(lets_in(&mut nat, now, outside, "198.51.100.2:1000"));
    assert_eq!(nat.rows().len(), 1);
}

#[test]
fn deadlines_are_told_and_kept() {
    let mut nat = nat(Config { lifetime: Duration::from_secs(30), ..port_restricted() });
    let begin = begin();
    assert_eq!(nat.poll_timeout(), None);
    out(&mut nat, begin, "10.0.0.2:5000", "198.51.100.1:1000");
    out(&mut nat, begin + 10 * SECOND, "10.0.0.2:5000", "198.51.100.1:1000");
    assert_eq!(nat.poll_timeout(), Some(begin + 30 * SECOND));
    nat.handle_timeout(begin + 30 * SECOND);
    assert_eq!(nat.poll_timeout(), Some(begin + 40 * SECOND));
    assert_eq!(nat.rows().len(), 1);
    nat.handle_timeout(begin + 40 * SECOND);
    assert_eq!((nat.poll_timeout(), nat.rows().len()), (None, 0));
}

#[test]
fn neighbours_meet_by_their_outside_addresses_where_it_hairpins() {
    let now = begin();
    let (ada, grace) = ("10.0.0.2:5000", "10.0.0.3:6000");
    for (hairpinning, expected) in [
        (Hairpinning::Unsupported, Err(Reason::NoHairpinning)),
        (Hairpinning::ExternalSource, Ok("192.0.2.1:5000")),
        (Hairpinning::InternalSource, Ok(ada)),
    ] {
        let mut nat = nat(Config { hairpinning, ..port_restricted() });
        let hers = out(&mut nat, now, grace, "198.51.100.1:1000");
        out(&mut nat, now, ada, "198.51.100.1:1000");
        // Grace has not sent to Ada yet.
        let first = nat.handle_outbound(now, Protocol::Udp, at(ada), hers);
        assert!(matches!(first, Verdict::Dropped(Reason::Filtered | Reason::NoHairpinning)));
        nat.handle_outbound(now, Protocol::Udp, at(grace), at("192.0.2.1:5000"));
        let verdict = nat.handle_outbound(now, Protocol::Udp, at(ada), hers);
        let expected = match expected {
            Ok(source) => Verdict::Inside { source: at(source), to: at(grace) },
            Err(reason) => Verdict::Dropped(reason),
        };
        assert_eq!(verdict, expected, "{hairpinning:?}");
    }
}

#[test]
fn masquerade_looks_endpoint_independent_until_flows_clash() {
    let mut nat = nat(Config::linux_masquerade(pool(&["192.0.2.1"])));
    let now = begin();
    for remote in ["198.51.100.1:1000", "198.51.100.1:2000", "198.51.100.2:1000"] {
        assert_eq!(out(&mut nat, now, "10.0.0.2:5000", remote), at("192.0.2.1:5000"));
    }
    // Another host may have the same port, as long as it talks to somebody else.
    assert_eq!(out(&mut nat, now, "10.0.0.3:5000", "203.0.113.9:1"), at("192.0.2.1:5000"));
    assert_ne!(out(&mut nat, now, "10.0.0.3:5000", "198.51.100.1:1000"), at("192.0.2.1:5000"));
    let verdict = nat.handle_inbound(now, Protocol::Udp, at("192.0.2.1:5000"), at("203.0.113.9:1"));
    assert!(matches!(verdict, Verdict::Inside { to, .. } if to == at("10.0.0.3:5000")));
}

#[test]
fn after_a_clash_masquerade_keeps_to_the_port_that_it_gave() {
    let (first, second) = ("198.51.100.1:1000", "198.51.100.2:1000");
    let begin = begin();
    for preset in [Preset::LinuxMasquerade, Preset::LinuxFirewalled] {
        let mut nat = nat(preset.config(pool(&["192.0.2.1"])));
        assert_eq!(out(&mut nat, begin, "10.0.0.2:5000", first), at("192.0.2.1:5000"));
        let seen = out(&mut nat, begin, "10.0.0.3:5000", first);
        assert_ne!(seen, at("192.0.2.1:5000"));
        // What a server sees is still true for others, and its neighbour has not moved.
        assert_eq!(out(&mut nat, begin, "10.0.0.3:5000", second), seen, "{preset}");
        assert_eq!(out(&mut nat, begin, "10.0.0.2:5000", second), at("192.0.2.1:5000"));
        // Its own port is free again once both have been forgotten.
        let now = begin + 31 * SECOND;
        assert_eq!(out(&mut nat, now, "10.0.0.3:5000", first), at("192.0.2.1:5000"));
    }
    // Also after a clash with a packet that came uninvited.
    let mut nat = nat(Config::linux_masquerade(pool(&["192.0.2.1"])));
    out(&mut nat, begin, "10.0.0.2:5000", first);
    assert!(!lets_in(&mut nat, begin, at("192.0.2.1:5000"), second));
    let seen = out(&mut nat, begin, "10.0.0.2:5000", second);
    assert_ne!(seen, at("192.0.2.1:5000"));
    assert_eq!(out(&mut nat, begin, "10.0.0.2:5000", "198.51.100.3:1000"), seen);
}

#[test]
fn an_uninvited_packet_moves_a_masqueraded_port() {
    let now = begin();
    for (unsolicited, kept) in [(Unsolicited::Tracked, false), (Unsolicited::Forgotten, true)] {
        let config = Config { unsolicited, ..Config::linux_masquerade(pool(&["192.0.2.1"])) };
        let mut nat = nat(config);
        let seen = out(&mut nat, now, "10.0.0.2:5000", "198.51.100.1:3478");
        // The peer's first packet is here before ours has gone to it.
        assert!(!lets_in(&mut nat, now, seen, "203.0.113.9:7000"));
        assert_eq!(out(&mut nat, now, "10.0.0.2:5000", "203.0.113.9:7000") == seen, kept);
    }
    // A connection is refused and forgotten, and an echo request has nothing to do with those going out.
    for protocol in [Protocol::Tcp(Flags::SYN), Protocol::Icmp] {
        let mut nat = nat(Config::linux_masquerade(pool(&["192.0.2.1"])));
        let (outside, remote) = (at("192.0.2.1:5000"), at("203.0.113.9:7000"));
        let early = nat.handle_inbound(now, protocol, outside, remote);
        assert_eq!(early, Verdict::Dropped(Reason::NoMapping));
        let ours = nat.handle_outbound(now, protocol, at("10.0.0.2:5000"), remote);
        assert_eq!(ours, Verdict::Outside { source: outside }, "{protocol:?}");
    }
    // In time it is forgotten.
    let mut nat = nat(Config::linux_masquerade(pool(&["192.0.2.1"])));
    assert!(!lets_in(&mut nat, now, at("192.0.2.1:5000"), "203.0.113.9:7000"));
    let later = now + 31 * SECOND;
    assert_eq!(out(&mut nat, later, "10.0.0.2:5000", "203.0.113.9:7000"), at("192.0.2.1:5000"));
}

#[test]
fn a_firewall_keeps_addresses_and_strangers_out() {
    let mut nat = nat(Config::firewall());
    let now = begin();
    let inside = "[2001:db8::2]:5000";
    assert!(!lets_in(&mut nat, now, at(inside), "[2001:db8:9::9]:1000"));
    assert_eq!(out(&mut nat, now, inside, "[2001:db8:9::9]:1000"), at(inside));
    assert!(lets_in(&mut nat, now, at(inside), "[2001:db8:9::9]:1000"));
    assert!(!lets_in(&mut nat, now, at(inside), "[2001:db8:9::9]:1001"));
}

#[test]
fn hosts_keep_their_address_of_the_pool_or_take_turns() {
    let outside = pool(&["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    let now = begin();
    for (pooling, most) in [(Pooling::Paired, 1), (Pooling::Arbitrary, 3)] {
        let mut nat = nat(Config { pooling, ..Config::port_restricted_cone(outside.clone()) });
        let address = |n| out(&mut nat, now, &format!("10.0.0.2:{n}"), "198.51.100.1:1000").ip();
        let mut seen: Vec<_> = (5000..5030).map(address).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), most, "{pooling:?}");
    }
    let mut paired = nat(Config::port_restricted_cone(outside));
    let mut seen: Vec<_> = (2..32)
        .map(|host| out(&mut paired, now, &format!("10.0.0.{host}:5000"), "198.51.100.1:1000").ip())
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 3, "the pool is shared out");
}

#[test]
fn who_has_taken_all_ports_towards_a_remote_makes_nobody_search_for_long() {
    let now = begin();
    let mut linux =
        nat(Config { most_mappings: usize::MAX, ..Config::linux_masquerade(pool(&["192.0.2.1"])) });
    let remote = at("198.51.100.1:1000");
    for port in 1..=u16::MAX {
        let inside = SocketAddr::from(([10, 0, 0, 2], port));
        let verdict = linux.handle_outbound(now, Protocol::Udp, inside, remote);
        assert!(matches!(verdict, Verdict::Outside { .. }), "{port}: {verdict:?}");
    }
    // Each would walk past all ports twice, which takes minutes.
    for n in 0..5_000_u16 {
        let inside = SocketAddr::from(([10, 0, 0, 3], 1 + n));
        let verdict = linux.handle_outbound(now, Protocol::Udp, inside, remote);
        assert_eq!(verdict, Verdict::Dropped(Reason::NoPort));
    }
    let other =
        linux.handle_outbound(now, Protocol::Udp, at("10.0.0.3:1"), at("198.51.100.2:1000"));
    assert!(matches!(other, Verdict::Outside { .. }), "{other:?}");
}

#[test]
fn a_table_has_an_end() {
    let now = begin();
    let mut small = nat(Config { most_mappings: 10, ..port_restricted() });
    for port in 5000..5010 {
        out(&mut small, now, &format!("10.0.0.2:{port}"), "198.51.100.1:1000");
    }
    let one_more =
        small.handle_outbound(now, Protocol::Udp, at("10.0.0.2:6000"), at("198.51.100.1:1000"));
    assert_eq!(one_more, Verdict::Dropped(Reason::TableFull));

    let mut all_ports = nat(Config { most_mappings: usize::MAX, ..port_restricted() });
    for port in 1024..=65_535 {
        let inside = SocketAddr::from(([10, 0, 0, 2], port));
        let verdict =
            all_ports.handle_outbound(now, Protocol::Udp, inside, at("198.51.100.1:1000"));
        assert!(matches!(verdict, Verdict::Outside { .. }), "{port}: {verdict:?}");
    }
    let one_more =
        all_ports.handle_outbound(now, Protocol::Udp, at("10.9.9.9:1"), at("198.51.100.1:1000"));
    assert_eq!(one_more, Verdict::Dropped(Reason::NoPort));

    // The last port that is free is found, by whomever.
    let mut but_one = nat(Config { most_mappings: usize::MAX, ..port_restricted() });
    for port in (1024..=65_535).filter(|port| *port != 40_000) {
        let inside = SocketAddr::from(([10, 0, 0, 2], port));
        but_one.handle_outbound(now, Protocol::Udp, inside, at("198.51.100.1:1000"));
    }
    assert_eq!(out(&mut but_one, now, "10.9.9.9:2000", "198.51.100.1:1000").port(), 40_000);

    // Hosts that all want one port find others without a long search.
    let mut same_port = nat(Config { most_mappings: usize::MAX, ..port_restricted() });
    for host in 0..30_000_u32 {
        let inside = SocketAddr::from(((0x0a00_0000 | host).to_be_bytes(), 5000));
        let verdict =
            same_port.handle_outbound(now, Protocol::Udp, inside, at("198.51.100.1:1000"));
        assert!(matches!(verdict, Verdict::Outside { .. }), "{host}: {verdict:?}");
    }

    let mut few_remotes = nat(Config { most_remotes: 3, ..port_restricted() });
    let mut outside = at("0.0.0.0:0");
    for n in 0..5 {
        let now = now + n * SECOND;
        outside =
            out(&mut few_remotes, now, "10.0.0.2:5000", &format!("198.51.100.1:{}", 1000 + n));
    }
    let now = now + 5 * SECOND;
    let open =
        (1000..1005).map(|n| lets_in(&mut few_remotes, now, outside, &format!("198.51.100.1:{n}")));
    assert_eq!(open.collect::<Vec<_>>(), [false, false, true, true, true]);
}

#[test]
fn nothing_passes_where_udp_is_blocked() {
    let mut nat = nat(Config { udp: false, ..port_restricted() });
    let now = begin();
    let verdict =
        nat.handle_outbound(now, Protocol::Udp, at("10.0.0.2:5000"), at("198.51.100.1:1000"));
    assert_eq!(verdict, Verdict::Dropped(Reason::Blocked));
    let verdict =
        nat.handle_inbound(now, Protocol::Udp, at("192.0.2.1:5000"), at("198.51.100.1:1000"));
    assert_eq!(verdict, Verdict::Dropped(Reason::Blocked));
}

#[test]
fn levels_are_nats_one_after_the_other() {
    let mut home = nat(Config::home_router(pool(&["100.64.0.5"])));
    let mut provider = nat(Config::carrier_grade(pool(&["192.0.2.1"])));
    let now = begin();
    let remote = "198.51.100.1:1000";
    let between = out(&mut home, now, "10.0.0.2:5000", remote);
    let outside = out(&mut provider, now, &between.to_string(), remote);
    assert_eq!(outside.ip(), pool(&["192.0.2.1"])[0]);
    let inner = provider.handle_inbound(now, Protocol::Udp, outside, at(remote));
    assert_eq!(inner, Verdict::Inside { source: at(remote), to: between });
    let host = home.handle_inbound(now, Protocol::Udp, between, at(remote));
    assert_eq!(host, Verdict::Inside { source: at(remote), to: at("10.0.0.2:5000") });
}

#[test]
fn the_table_reads_like_a_textbook_s() {
    let mut nat = nat(port_restricted());
    let now = begin();
    out(&mut nat, now, "10.0.0.2:5000", "198.51.100.2:1000");
    out(&mut nat, now + SECOND, "10.0.0.2:5000", "198.51.100.1:1000");
    out(&mut nat, now + SECOND, "10.0.0.3:5000", "198.51.100.1:1000");
    let rows: Vec<_> = nat
        .rows()
        .iter()
        .map(|row| {
            format!(
                "{} {} {} {} {}",
                row.inside,
                row.outside,
                row.to,
                row.from,
                (row.used - now).as_secs()
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "10.0.0.2:5000 192.0.2.1:5000 any 198.51.100.1:1000 1",
            "10.0.0.2:5000 192.0.2.1:5000 any 198.51.100.2:1000 0",
            "10.0.0.3:5000 192.0.2.1:5001 any 198.51.100.1:1000 1",
        ]
    );
    nat.reboot();
    assert!(nat.rows().is_empty());
}

fn any_config() -> impl Strategy<Value = Config> {
    let mapping = prop_oneof![
        Just(Mapping::EndpointIndependent),
        Just(Mapping::AddressDependent),
        Just(Mapping::AddressAndPortDependent)
    ];
    let filtering = prop_oneof![
        Just(Filtering::EndpointIndependent),
        Just(Filtering::AddressDependent),
        Just(Filtering::AddressAndPortDependent)
    ];
    let ports = prop_oneof![
        Just(Ports::Preserving),
        Just(Ports::PreservingOrRandom),
        (1..4_u16).prop_map(|step| Ports::Sequential { step }),
        Just(Ports::Random)
    ];
    let flags = any::<[bool; 6]>();
    (mapping, filtering, ports, flags).prop_map(|(mapping, filtering, ports, flags)| {
        let [overloading, parity, contiguous, arbitrary, hairpins, tracked] = flags;
        Config {
            mapping,
            filtering,
            ports,
            overloading,
            parity,
            contiguous,
            pooling: if arbitrary { Pooling::Arbitrary } else { Pooling::Paired },
            hairpinning: if hairpins {
                Hairpinning::ExternalSource
            } else {
                Hairpinning::Unsupported
            },
            unsolicited: if tracked { Unsolicited::Tracked } else { Unsolicited::Forgotten },
            inbound_refresh: hairpins,
            most_mappings: 20,
            most_remotes: 3,
            ..Config::port_restricted_cone(pool(&["192.0.2.1", "192.0.2.2"]))
        }
    })
}

proptest! {
    /// Whatever the behaviours, in whatever order packets come: a packet that is let in reaches the
    /// host whose mapping it names, the same packets give the same answers, and the table stays small.
    #[test]
    fn no_packet_goes_astray(
        config in any_config(),
        packets in prop::collection::vec((any::<bool>(), 0..5_u8, 0..3_u8, 0..40_u64), 1..200),
    ) {
        let begin = begin();
        let (mut now, mut one, mut two) = (begin, nat(config.clone()), nat(config.clone()));
        let mut owners = std::collections::HashMap::new();
        for (outbound, host, remote, pause) in packets {
            now += Duration::from_secs(pause);
            let inside = SocketAddr::from(([10, 0, 0, host], 5000));
            let remote = SocketAddr::from(([198, 51, 100, remote % 2], 1000 + u16::from(remote)));
            let outside = SocketAddr::from(([192, 0, 2, 1], 5000 + u16::from(host % 2)));
            let verdict = if outbound {
                let verdict = one.handle_outbound(now, Protocol::Udp, inside, remote);
                prop_assert_eq!(verdict, two.handle_outbound(now, Protocol::Udp, inside, remote));
                verdict
            } else {
                let verdict = one.handle_inbound(now, Protocol::Udp, outside, remote);
                prop_assert_eq!(verdict, two.handle_inbound(now, Protocol::Udp, outside, remote));
                verdict
            };
            match verdict {
                Verdict::Outside { source } => {
                    prop_assert!(config.outside.contains(&source.ip()));
                    prop_assert!(source.port() >= 1024);
                    owners.insert((source, remote), inside);
                }
                Verdict::Inside { to, .. } if config.overloading => {
                    let known = owners.iter().any(|((seen, _), owner)| *seen == outside && *owner == to);
                    prop_assert!(known, "{} reached {}", outside, to);
                }
                Verdict::Inside { to, .. } => {
                    let now_there = one.rows().iter().any(|row| row.outside == outside && row.inside == to);
                    prop_assert!(now_there, "{} reached {}", outside, to);
                }
                Verdict::Dropped(_) => {}
            }
            prop_assert!(one.rows().len() <= 60);
        }
        one.handle_timeout(now + config.lifetime);
        prop_assert!(one.rows().is_empty());
        prop_assert_eq!(one.poll_timeout(), None);
    }
}

#[test]
fn a_port_that_is_held_open_leads_to_its_holder_from_whomever() {
    let mut nat = nat(Config::symmetric(pool(&["192.0.2.1"])));
    let (now, minute) = (begin(), 60 * SECOND);
    let (holder, other) = (at("10.0.0.2:5000"), at("10.0.0.3:5000"));
    let (held, known) = (at("192.0.2.1:7000"), "203.0.113.1:1");
    let before = out(&mut nat, now, "10.0.0.2:5000", known);
    let mut hold = |outside, inside| nat.forward(now, Kind::Udp, outside, inside, now + minute);
    assert!(!hold(at("192.0.2.9:7000"), holder), "it is not this box's");
    assert!(!hold(before, other), "somebody has it");
    assert!(hold(held, holder));
    assert!(!hold(held, other), "somebody holds it");
    let stranger = "198.51.100.9:9";
    assert!(lets_in(&mut nat, now, held, stranger));
    // Who came by it is answered from it, and so is who is new; with others it is as before.
    assert_eq!(out(&mut nat, now, "10.0.0.2:5000", stranger), held);
    assert_eq!(out(&mut nat, now, "10.0.0.2:5000", "198.51.100.7:7"), held);
    assert_eq!(out(&mut nat, now, "10.0.0.2:5000", known), before);
    // Nobody else is given it, and it lapses.
    for port in 1..2000 {
        assert_ne!(out(&mut nat, now, "10.0.0.3:5000", &format!("203.0.113.1:{port}")), held);
    }
    assert!(!lets_in(&mut nat, now + minute, held, stranger));
    // RFC 6887 §11.3: the port that the holder has already by its packets is as good.
    assert!(nat.forward(now, Kind::Udp, before, holder, now + minute));
}
