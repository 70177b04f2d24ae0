use std::collections::BTreeMap;

use super::*;
use crate::pair::tried::Failure;
use crate::report::Millis;

fn nat(nat_type: NatType, outside: &str) -> Nat {
    use Behaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
    let (mapping, filtering) = match nat_type {
        NatType::Open | NatType::FullCone => (EndpointIndependent, EndpointIndependent),
        NatType::AddressRestricted => (EndpointIndependent, AddressDependent),
        NatType::Firewall | NatType::PortRestricted => {
            (EndpointIndependent, AddressAndPortDependent)
        }
        NatType::Symmetric => (AddressAndPortDependent, AddressAndPortDependent),
    };
    Nat {
        family: Family::Ipv4,
        server: "192.0.2.1:3478".parse().unwrap(),
        local: "10.0.0.2:5000".parse().unwrap(),
        mapped: Some(format!("{outside}:5000").parse().unwrap()),
        translates: Some(!matches!(nat_type, NatType::Open | NatType::Firewall)),
        mapping: Some(mapping),
        port_dependent: None,
        filtering: Some(filtering),
        nat_type: Some(nat_type),
        allocation: None,
        pooled: None,
        hairpin: None,
        fragments: None,
        alg: None,
        lifetime: None,
        unknown: BTreeMap::new(),
    }
}

fn side(nat_type: NatType, outside: &str) -> Side {
    Side { udp: Some(true), nats: vec![nat(nat_type, outside)], ..Side::default() }
}

fn blocked() -> Side {
    Side { udp: Some(false), ..Side::default() }
}

fn path(direct: bool, local: CandidateType, remote: CandidateType) -> Tried {
    let found = Found {
        direct,
        local,
        remote,
        local_address: "10.0.0.2:5000".parse().unwrap(),
        remote_address: "198.51.100.2:5000".parse().unwrap(),
        after: Millis::default(),
    };
    Tried { path: Some(found), had_relay: true, ..Tried::default() }
}

fn relayed() -> Tried {
    path(false, CandidateType::Relay, CandidateType::Prflx)
}

#[test]
fn why_it_is_relayed_follows_from_both_sides() {
    use NatType::{PortRestricted, Symmetric};
    let one = |kind| side(kind, "198.51.100.1");
    let two = |kind| side(kind, "198.51.100.2");
    for (ours, theirs, words) in [
        (one(Symmetric), two(Symmetric), "Both NATs are symmetric"),
        (
            one(PortRestricted),
            two(Symmetric),
            "There is a symmetric NAT on the other side and a port-restricted NAT on your side.",
        ),
        (
            one(Symmetric),
            two(PortRestricted),
            "There is a symmetric NAT on your side and a port-restricted NAT on the other side.",
        ),
        (blocked(), two(PortRestricted), "UDP is blocked on your side"),
        (one(PortRestricted), blocked(), "UDP is blocked on the other side"),
        (blocked(), blocked(), "UDP is blocked on both sides"),
        (one(PortRestricted), two(PortRestricted), "Something else keeps it away"),
        (one(PortRestricted), one(PortRestricted), "behind the same outside address, 198.51.100.1"),
        (Side::default(), two(Symmetric), "What NAT there is on your side could not"),
        (Side::default(), Side::default(), "on your side and the other side could not"),
    ] {
        let verdict = judge(&ours, &theirs, &relayed(), None);
        assert_eq!(verdict.outcome, Outcome::Relayed);
        assert!(verdict.why[0].contains(words), "{words}: {:?}", verdict.why);
        assert!(!verdict.advice.is_empty(), "{words}");
    }
}

#[test]
fn advice_names_the_side_that_can_change_it() {
    let advice = |ours: NatType, theirs: NatType| {
        let (ours, theirs) = (side(ours, "198.51.100.1"), side(theirs, "198.51.100.2"));
        judge(&ours, &theirs, &relayed(), None).advice.join("\n")
    };
    let both = advice(NatType::Symmetric, NatType::Symmetric);
    assert!(both.contains("On your side") && both.contains("On the other side"), "{both}");
    let theirs = advice(NatType::PortRestricted, NatType::Symmetric);
    assert!(!theirs.contains("On your side") && theirs.contains("On the other side"), "{theirs}");
    let mut carrier = side(NatType::Symmetric, "198.51.100.1");
    carrier.nats[0].local = "100.64.3.4:5000".parse().unwrap();
    let other = side(NatType::Symmetric, "198.51.100.2");
    let advice = judge(&carrier, &other, &relayed(), None).advice;
    assert!(advice[0].contains("the provider's NAT"), "{advice:?}");
}

#[test]
fn a_port_that_an_early_packet_moves_is_suspected_of_routers_that_keep_ports() {
    let mut ours = side(NatType::PortRestricted, "198.51.100.1");
    let theirs = side(NatType::PortRestricted, "198.51.100.2");
    let before = judge(&ours, &theirs, &relayed(), None);
    assert!(!before.why[0].contains("Linux router"), "{before:?}");
    ours.nats[0].allocation = Some(Allocation::Preserved);
    let after = judge(&ours, &theirs, &relayed(), None);
    assert!(after.why[0].contains("Linux router without a firewall"), "{after:?}");
    assert!(
        after.advice[1].starts_with("On your side") && after.advice[1].contains("ct state new")
    );
    assert!(!after.advice.iter().any(|advice| advice.contains("On the other side")), "{after:?}");
}

#[test]
fn a_direct_path_is_explained_and_needs_no_advice() {
    use CandidateType::{Host, Prflx, Srflx};
    let ours = side(NatType::PortRestricted, "198.51.100.1");
    let theirs = side(NatType::PortRestricted, "198.51.100.2");
    for (local, remote, words) in [
        (Host, Host, "no NAT between them"),
        (Srflx, Prflx, "Hole punching went through both NATs"),
        (Host, Srflx, "The packets of one side opened the way"),
    ] {
        let verdict = judge(&ours, &theirs, &path(true, local, remote), None);
        assert_eq!(verdict.outcome, Outcome::Direct);
        assert!(verdict.why[0].contains(words), "{:?}", verdict.why);
        assert!(verdict.advice.is_empty(), "{:?}", verdict.advice);
    }
}

#[test]
fn without_a_path_a_missing_relay_is_named() {
    let (ours, theirs) = (side(NatType::Symmetric, "198.51.100.1"), blocked());
    let tried = Tried { failure: Some(Failure::Silence), ..Tried::default() };
    let verdict = judge(&ours, &theirs, &tried, Some(&tried));
    assert_eq!(verdict.outcome, Outcome::Failed);
    assert!(verdict.why[1].contains("Neither side got an address on a relay"), "{verdict:?}");
    let with = Tried { had_relay: true, ..tried.clone() };
    assert_eq!(judge(&ours, &theirs, &tried, Some(&with)).why.len(), 1);
}
