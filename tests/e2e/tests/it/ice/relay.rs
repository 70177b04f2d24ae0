//! Over a relay: talkie's and coturn's, one on the way or two.

use std::thread;

use super::peer::Kind::{Aioice, Libnice, Ours, OursOnTokio};
use super::server::Server;
use super::{Kind, Role, Side, connect};
use crate::lab::{Lab, SERVER};

const OPEN: &[&str] = &["--left", "none", "--right", "none"];
const ROLES: [[Role; 2]; 2] =
    [[Role::Controlling, Role::Controlled], [Role::Controlled, Role::Controlling]];

/// Ours is reachable by the relay alone, and the other directly, and the other way round; then both by
/// the relay alone.
fn relayed(start: fn(&Lab) -> Server, theirs: Kind) {
    let lab = Lab::up(OPEN);
    let _server = start(&lab);
    let turn = Server::turn();
    for roles in ROLES {
        let [left, right] = [Side::new(Ours, roles[0]), Side::new(theirs, roles[1])];
        let [far_left, far_right] =
            [left.clone().relayed_by(&turn), right.clone().relayed_by(&turn)];
        for [left, right] in [[&far_left, &right], [&left, &far_right], [&far_left, &far_right]] {
            let connected = connect(&lab, left, right);
            for (way, [near, far]) in connected.ways().iter().zip([[left, right], [right, left]]) {
                for (end, side) in [(&way.local, near), (&way.remote, far)] {
                    let is_relayed = end.address.ip().to_string() == SERVER;
                    assert_eq!(is_relayed, side.relay_only, "{way:?} of {left:?} and {right:?}");
                }
            }
        }
    }
}

#[test]
fn ours_reaches_itself_by_our_relay() {
    relayed(Server::talkie, Ours);
}

#[test]
fn ours_reaches_aioice_by_our_relay() {
    relayed(Server::talkie, Aioice);
}

#[test]
fn ours_reaches_libnice_by_our_relay() {
    relayed(Server::talkie, Libnice);
}

#[test]
fn ours_reaches_itself_by_coturn() {
    relayed(Server::coturn, Ours);
}

#[test]
fn ours_reaches_aioice_by_coturn() {
    relayed(Server::coturn, Aioice);
}

#[test]
fn ours_reaches_libnice_by_coturn() {
    relayed(Server::coturn, Libnice);
}

/// coturn is killed and started again: it knows no allocation any more. Another one is asked for, and what is
/// said goes on from there. aioice needs no word of signaling for that; libnice keeps a nominated pair until
/// there is a restart (RFC 8445 §8.1.1).
#[test]
fn a_relay_that_has_forgotten_everything_is_asked_again() {
    thread::scope(|scope| {
        for theirs in [Aioice, Libnice] {
            scope.spawn(move || relay_crashes(theirs));
        }
    });
}

fn relay_crashes(theirs: Kind) {
    let lab = Lab::up(OPEN);
    let mut server = Server::coturn(&lab);
    let ours = Side::new(OursOnTokio, Role::Controlling).relayed_by(&Server::turn());
    let connected = connect(&lab, &ours, &Side::new(theirs, Role::Controlled));
    let [side, other] = &connected.0;
    let (before, earlier) = (side.way(), side.so_far());
    server.crash(&lab);
    side.takes(|now| now.local.address != before.local.address);
    if theirs == Libnice {
        let earlier = other.so_far();
        side.tell("/restart");
        other.hears_since(earlier, "# selected ");
    } else {
        side.hears_since(earlier, "# ConnectionState(Completed)");
    }
    connected.talk("after a crash");
}
