//! What is tried first: priorities of candidates and pairs, ranks of addresses, foundations.

use std::collections::BTreeSet;
use std::net::IpAddr;

use proptest::prelude::*;
use talkie_sansio::{Interface, Transport};
use talkie_traversal::ice::priority::{self, Foundations, Network};
use talkie_traversal::ice::{CandidateType, Protocol, TcpType};

const KINDS: [CandidateType; 4] = [
    CandidateType::Host,
    CandidateType::ServerReflexive,
    CandidateType::PeerReflexive,
    CandidateType::Relayed,
];
const PROTOCOLS: [Protocol; 4] = [
    Protocol::Udp,
    Protocol::Tcp(TcpType::Active),
    Protocol::Tcp(TcpType::Passive),
    Protocol::Tcp(TcpType::SimultaneousOpen),
];

fn interface(name: &str, address: &str) -> Interface {
    Interface::new(name, address.parse().unwrap())
}

#[test]
fn the_formula_is_the_rfcs() {
    // RFC 8445 §5.1.2.1 with 126, 65535 and 1: what every agent with one address sends.
    let host = priority::of(CandidateType::Host, Protocol::Udp, None, 0, 1);
    assert_eq!(host, 2_130_706_431);
    let reflexive = priority::of(CandidateType::ServerReflexive, Protocol::Udp, None, 0, 1);
    assert_eq!(reflexive, 1_694_498_815);
    let second = priority::of(CandidateType::Host, Protocol::Udp, None, 0, 2);
    assert_eq!(second, 2_130_706_430);
}

#[test]
fn types_come_in_the_rfcs_order_and_tcp_behind_udp() {
    use CandidateType::{Host, PeerReflexive, Relayed, ServerReflexive};
    let udp = |kind| priority::of(kind, Protocol::Udp, None, 8000, 1);
    let tcp = |kind, tcp| priority::of(kind, Protocol::Tcp(tcp), None, 0, 1);
    let relay = |transport| priority::of(Relayed, Protocol::Udp, Some(transport), 0, 1);
    let order = [
        udp(Host),
        udp(PeerReflexive),
        udp(ServerReflexive),
        tcp(Host, TcpType::Active),
        tcp(Host, TcpType::Passive),
        tcp(Host, TcpType::SimultaneousOpen),
        tcp(PeerReflexive, TcpType::SimultaneousOpen),
        tcp(ServerReflexive, TcpType::SimultaneousOpen),
        tcp(ServerReflexive, TcpType::Active),
        tcp(ServerReflexive, TcpType::Passive),
        relay(Transport::Udp),
        relay(Transport::Tcp),
        relay(Transport::Tls),
    ];
    assert!(order.is_sorted_by(|better, worse| better > worse), "{order:?}");
}

#[test]
fn families_and_interfaces_take_turns() {
    let interfaces = [
        interface("lo", "127.0.0.1"),
        interface("eth0", "192.168.1.5"),
        interface("eth0", "2001:db8::5"),
        interface("eth0", "2001:db8::6"),
        interface("eth0", "fe80::5"),
        interface("wlan0", "192.168.7.5"),
        interface("wlan0", "2001:db8:7::5"),
        interface("tun0", "10.8.0.2"),
        interface("wwan0", "100.64.0.2"),
    ];
    let ranks = priority::ranks(&interfaces);
    let mut order: Vec<_> = interfaces.iter().zip(ranks).collect();
    order.sort_by_key(|(_, rank)| *rank);
    let order: Vec<_> = order.iter().map(|(one, _)| one.address.to_string()).collect();
    assert_eq!(
        order,
        [
            "2001:db8::5",
            "192.168.1.5",
            "2001:db8:7::5",
            "192.168.7.5",
            "2001:db8::6",
            "100.64.0.2",
            "10.8.0.2",
            "fe80::5",
            "127.0.0.1",
        ]
    );
}

#[test]
fn networks_are_told_by_their_names() {
    for (name, expected) in [
        ("eth0", Network::Ordinary),
        ("enp3s0", Network::Ordinary),
        ("wlp2s0", Network::Ordinary),
        ("en0", Network::Ordinary),
        ("wwan0", Network::Cellular),
        ("rmnet_data0", Network::Cellular),
        ("pdp_ip0", Network::Cellular),
        ("tun0", Network::Tunnel),
        ("wg0", Network::Tunnel),
        ("utun4", Network::Tunnel),
        ("docker0", Network::Inside),
        ("br-0a1b2c", Network::Inside),
    ] {
        assert_eq!(Network::of(name), expected, "{name}");
    }
}

#[test]
fn foundations_are_equal_exactly_where_the_rfc_wants_it() {
    let foundations = Foundations::new([1; 16]);
    let base: IpAddr = [192, 168, 1, 5].into();
    let server = Some((IpAddr::from([192, 0, 2, 1]), Transport::Udp));
    let of = |kind, protocol, base, server| foundations.of(kind, protocol, base, server);
    let first = of(CandidateType::ServerReflexive, Protocol::Udp, base, server);
    assert_eq!(first, of(CandidateType::ServerReflexive, Protocol::Udp, base, server));
    let mut all = BTreeSet::from([first.clone()]);
    for other in [
        of(CandidateType::Relayed, Protocol::Udp, base, server),
        of(CandidateType::ServerReflexive, Protocol::Tcp(TcpType::Active), base, server),
        of(CandidateType::ServerReflexive, Protocol::Tcp(TcpType::Passive), base, server),
        of(CandidateType::ServerReflexive, Protocol::Udp, [192, 168, 1, 6].into(), server),
        of(
            CandidateType::ServerReflexive,
            Protocol::Udp,
            base,
            Some(([192, 0, 2, 2].into(), Transport::Udp)),
        ),
        of(
            CandidateType::ServerReflexive,
            Protocol::Udp,
            base,
            Some(([192, 0, 2, 1].into(), Transport::Tcp)),
        ),
        of(CandidateType::ServerReflexive, Protocol::Udp, base, None),
        // Another agent's tells nothing of the same base.
        Foundations::new([2; 16]).of(CandidateType::ServerReflexive, Protocol::Udp, base, server),
    ] {
        assert!(all.insert(other));
    }
    assert!(all.iter().all(|one| (1..=32).contains(&one.len())));
}

proptest! {
    #[test]
    fn priorities_are_within_the_rfcs_bounds_and_ranks_order_them(
        kind in 0..4_usize, protocol in 0..4_usize, rank in 0..8191_u16, component in 1..=256_u16
    ) {
        let of = |rank| priority::of(KINDS[kind], PROTOCOLS[protocol], None, rank, component);
        prop_assert!((1..=i32::MAX as u32).contains(&of(rank)));
        prop_assert!(of(rank) > of(rank + 1));
    }

    #[test]
    fn both_agents_give_a_pair_the_same_priority_and_no_two_pairs_of_one_agent_share_it(
        g in any::<u32>(), d in any::<u32>(), other in any::<u32>()
    ) {
        let (g, d, other) = (g >> 1, d >> 1, other >> 1);
        let expected = (u128::from(g.min(d)) << 32) + 2 * u128::from(g.max(d)) + u128::from(g > d);
        prop_assert_eq!(u128::from(priority::pair(g, d)), expected);
        if other != d {
            prop_assert_ne!(priority::pair(g, d), priority::pair(g, other));
        }
        // Whatever a check says, nothing overflows.
        let _ = priority::pair(u32::MAX, g);
        let _ = priority::pair(u32::MAX, u32::MAX);
    }

    #[test]
    fn every_address_has_a_rank_of_its_own(
        all in proptest::collection::vec((0..5_usize, any::<IpAddr>()), 0..40)
    ) {
        let names = ["eth0", "wlan0", "tun0", "wwan0", "docker0"];
        let interfaces: Vec<_> = all
            .into_iter()
            .map(|(name, address)| Interface::new(names[name], address))
            .collect();
        let ranks: BTreeSet<_> = priority::ranks(&interfaces).into_iter().collect();
        let expected: BTreeSet<_> = (0..u16::try_from(interfaces.len()).unwrap()).collect();
        prop_assert_eq!(ranks, expected);
    }
}
