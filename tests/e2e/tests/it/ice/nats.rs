//! Behind NATs, with a relay in reserve: the four classic types against each other with talkie's NAT in the
//! boxes, and the five that nftables can be with the kernel's.

use super::peer::Kind::{self, Aioice, Libnice, Ours};
use super::peer::Way;
use super::server::Server;
use super::{Role, Side, connect};
use crate::lab::Lab;

const FULL: &str = "full-cone";
const ADDRESS: &str = "address-restricted";
const PORT: &str = "port-restricted";
const SYMMETRIC: &str = "symmetric";
/// No translation: only what was asked for comes in.
const FIREWALL: &str = "firewall";
/// `masquerade`, and what comes uninvited is dropped.
const FIREWALLED: &str = "linux-firewalled";
/// `masquerade`, and what comes uninvited is tracked.
const MASQUERADE: &str = "linux-masquerade";
/// `masquerade random,fully-random`.
const RANDOM: &str = "linux-random-fully";

/// Whether there is no way but the relay; `None` if that is a matter of who is first: what comes uninvited
/// takes the port that hole punching would need (`linux-masquerade`).
fn needs_relay(left: &str, right: &str) -> Option<bool> {
    let is_random = |side: &str| matches!(side, SYMMETRIC | RANDOM);
    let asks_port = |side: &str| !matches!(side, FULL | ADDRESS);
    match [left, right] {
        _ if is_random(left) && asks_port(right) || is_random(right) && asks_port(left) => {
            Some(true)
        }
        [MASQUERADE, _] | [_, MASQUERADE] => None,
        _ => Some(false),
    }
}

/// Both find a way, and in the end the one that theory allows.
fn meet(left: &str, right: &str, kind: &str, theirs: Kind) {
    let lab = Lab::up(&["--left", left, "--right", right, "--kind", kind]);
    let _server = Server::talkie(&lab);
    let servers = [Server::stun(), Server::turn()];
    let ours = Side::new(Ours, Role::Controlling).with(&servers);
    let theirs = Side::new(theirs, Role::Controlled).with(&servers);
    let connected = connect(&lab, &ours, &theirs);
    let needs_relay = needs_relay(left, right);
    let is_right = |way: &Way| {
        let relayed = [&way.local, &way.remote].iter().any(|end| end.kind == "relay");
        needs_relay.is_none_or(|needs| relayed == needs)
    };
    for side in &connected.0 {
        side.takes(is_right);
    }
}

fn against_all(left: &str, theirs: Kind) {
    for right in [FULL, ADDRESS, PORT, SYMMETRIC] {
        meet(left, right, "tun", theirs);
    }
}

#[test]
fn a_full_cone_meets_all_types() {
    against_all(FULL, Ours);
}

#[test]
fn an_address_restricted_cone_meets_all_types() {
    against_all(ADDRESS, Ours);
}

#[test]
fn a_port_restricted_cone_meets_all_types() {
    against_all(PORT, Ours);
}

#[test]
fn a_symmetric_nat_meets_all_types() {
    against_all(SYMMETRIC, Ours);
}

#[test]
fn the_others_are_met_behind_nats() {
    for theirs in [Aioice, Libnice] {
        meet(PORT, PORT, "tun", theirs);
        meet(SYMMETRIC, SYMMETRIC, "tun", theirs);
    }
}

/// It asks as RFC 3489 had it, before there was a magic cookie.
#[test]
fn libnice_learns_its_outside_address_from_our_server() {
    let lab = Lab::up(&["--left", PORT, "--right", PORT]);
    let _server = Server::talkie(&lab);
    let servers = [Server::stun()];
    let ours = Side::new(Libnice, Role::Controlling).with(&servers);
    let theirs = Side::new(Libnice, Role::Controlled).with(&servers);
    for way in connect(&lab, &ours, &theirs).ways() {
        let kinds = [&way.local, &way.remote].map(|end| end.kind.clone());
        assert!(kinds.iter().all(|kind| kind == "srflx" || kind == "prflx"), "{way:?}");
    }
}

/// Whatever is first, there is a connection; and where each keeps its port and drops strangers, a direct one.
fn behind_the_kernel(left: &str, rights: &[&str]) {
    for right in rights {
        meet(left, right, "kernel", Ours);
    }
}

#[test]
fn the_kernels_firewall_meets_all_of_its_nats() {
    behind_the_kernel(FIREWALL, &[FIREWALL, FIREWALLED, MASQUERADE, RANDOM, SYMMETRIC]);
}

#[test]
fn the_kernels_firewalled_nat_meets_all_others() {
    behind_the_kernel(FIREWALLED, &[FIREWALLED, MASQUERADE, RANDOM, SYMMETRIC]);
}

#[test]
fn the_kernels_plain_nat_meets_all_others() {
    behind_the_kernel(MASQUERADE, &[MASQUERADE, RANDOM, SYMMETRIC]);
}

#[test]
fn the_kernels_random_nats_meet_each_other() {
    behind_the_kernel(RANDOM, &[RANDOM, SYMMETRIC]);
    behind_the_kernel(SYMMETRIC, &[SYMMETRIC]);
}
