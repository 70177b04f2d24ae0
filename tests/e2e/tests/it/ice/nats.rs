//! Behind NATs: the four classic types against each other, with talkie's NAT in the boxes and a relay in
//! reserve, and two with the kernel's.

use super::peer::Kind::{self, Aioice, Libnice, Ours};
use super::peer::Way;
use super::server::Server;
use super::{Role, Side, connect};
use crate::lab::Lab;

const FULL: &str = "full-cone";
const ADDRESS: &str = "address-restricted";
const PORT: &str = "port-restricted";
const SYMMETRIC: &str = "symmetric";

/// Both find a way, and in the end the one that theory allows.
fn meet(left: &str, right: &str, kind: &str, theirs: Kind) {
    let lab = Lab::up(&["--left", left, "--right", right, "--kind", kind]);
    let _server = Server::talkie(&lab);
    let servers = [Server::stun(), Server::turn()];
    let ours = Side::new(Ours, Role::Controlling).with(&servers);
    let theirs = Side::new(theirs, Role::Controlled).with(&servers);
    let connected = connect(&lab, &ours, &theirs);
    let needs_relay = matches!([left, right], [SYMMETRIC, PORT | SYMMETRIC] | [PORT, SYMMETRIC]);
    let is_right = |way: &Way| {
        let relayed = [&way.local, &way.remote].iter().any(|end| end.kind == "relay");
        relayed == needs_relay
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

#[test]
fn the_kernels_nats_are_punched_through() {
    meet("linux-firewalled", "linux-firewalled", "kernel", Ours);
    meet(SYMMETRIC, SYMMETRIC, "kernel", Ours);
}
