//! Without any IPv4 address: hosts to each other, and over a relay.

use super::peer::Kind::{Aioice, Libnice, OursOnTokio};
use super::server::{SERVER_V6, Server};
use super::{Kind, Role, Side, connect};
use crate::lab::{Lab, SERVER};

const OPEN: &[&str] = &["--left", "none", "--right", "none", "--ipv6"];
const ROLES: [[Role; 2]; 2] =
    [[Role::Controlling, Role::Controlled], [Role::Controlled, Role::Controlling]];

fn sides(theirs: Kind, roles: [Role; 2]) -> [Side; 2] {
    let ours = Side::new(OursOnTokio, roles[0]).more(&["ipv6"]);
    [ours, Side::new(theirs, roles[1]).more(&["--ipv6"])]
}

#[test]
fn the_others_are_met_over_ipv6() {
    let lab = Lab::up(OPEN);
    for theirs in [Aioice, Libnice] {
        for roles in ROLES {
            let [left, right] = sides(theirs, roles);
            for way in connect(&lab, &left, &right).ways() {
                assert!(way.local.address.is_ipv6() && way.remote.address.is_ipv6(), "{way:?}");
                assert_eq!((&*way.local.kind, &*way.remote.kind), ("host", "host"));
            }
        }
    }
}

/// RFC 8656 §7.1: an address of that family is asked for.
fn relayed(lab: &Lab) {
    let turn = format!("turn:[{SERVER_V6}]:3478,alice,wonder");
    for theirs in [Aioice, Libnice] {
        for roles in ROLES {
            let [left, right] = sides(theirs, roles);
            let left = Side { servers: vec![turn.clone()], relay_only: true, ..left };
            let [way, _] = connect(lab, &left, &right).ways();
            assert_eq!((&*way.local.kind, &*way.remote.kind), ("relay", "host"));
            assert_eq!(way.local.address.ip().to_string(), SERVER_V6);
        }
    }
}

#[test]
fn our_relay_has_ipv6_addresses() {
    let lab = Lab::up(OPEN);
    let _server = Server::talkie(&lab);
    relayed(&lab);
}

/// coturn 4.6 knows ADDITIONAL-ADDRESS-FAMILY by the number of a draft alone, and gives one family for it: IPv4,
/// or what it is told to prefer.
#[test]
fn coturn_relays_ipv6() {
    let lab = Lab::up(OPEN);
    let prefer = "--allocation-default-address-family=keep";
    let addresses = ["--listening-ip", SERVER_V6, "--relay-ip", SERVER_V6];
    let _server =
        Server::coturn_with(&lab, &[&["--no-tls", "--no-dtls", prefer], &addresses[..]].concat());
    relayed(&lab);
}

/// RFC 8656 §7.1 and RFC 6156: a client of one family is relayed in the other.
#[test]
fn a_relay_leads_from_one_family_to_the_other() {
    let lab = Lab::up(OPEN);
    let _server = Server::talkie(&lab);
    let turn = format!("turn:{SERVER}:3478,alice,wonder");
    let ours = Side::new(OursOnTokio, Role::Controlling).relayed_by(&turn);
    let theirs = Side::new(Aioice, Role::Controlled).more(&["--ipv6"]);
    let [way, _] = connect(&lab, &ours, &theirs).ways();
    assert!(way.local.address.is_ipv6() && way.remote.address.is_ipv6(), "{way:?}");
}
