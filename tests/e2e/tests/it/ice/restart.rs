//! Either side begins anew (RFC 8445 §9), and what is said goes on. aioice cannot: its connection has the same
//! credentials for ever.

use super::peer::Kind::{Libnice, OursOnTokio};
use super::{Connected, Kind, Role, Side, connect};
use crate::lab::Lab;

const ROLES: [[Role; 2]; 2] =
    [[Role::Controlling, Role::Controlled], [Role::Controlled, Role::Controlling]];

/// The side of that number restarts: both have other credentials then, and a pair of the new ones.
fn restart(connected: &Connected, first: usize) {
    let before = connected.0.each_ref().map(|side| (side.so_far(), side.way()));
    connected.0[first].tell("/restart");
    for (side, (earlier, way)) in connected.0.iter().zip(before) {
        let fragment = side.hears_since(earlier, "a=ice-ufrag:");
        assert_ne!(fragment, side.hears("a=ice-ufrag:"));
        side.hears_since(earlier, "# selected ");
        assert_eq!(side.way(), way, "nothing else has changed");
    }
    connected.talk(&format!("after a restart by {first}"));
}

fn both_restart(theirs: Kind) {
    let lab = Lab::up(&["--left", "none", "--right", "none"]);
    for [ours, theirs_role] in ROLES {
        let [left, right] = [Side::new(OursOnTokio, ours), Side::new(theirs, theirs_role)];
        let connected = connect(&lab, &left, &right);
        restart(&connected, 0);
        restart(&connected, 1);
    }
}

#[test]
fn ours_and_libnice_restart() {
    both_restart(Libnice);
}

#[test]
fn ours_and_ours_restart() {
    both_restart(OursOnTokio);
}
