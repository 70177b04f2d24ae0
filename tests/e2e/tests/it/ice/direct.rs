//! Two hosts that reach each other without a NAT: each stack with each other, either role, trickle or not.

use super::peer::Kind::{Aioice, Libnice, Ours};
use super::{Connected, Kind, Role, Side, connect};
use crate::lab::Lab;

const OPEN: &[&str] = &["--left", "none", "--right", "none"];
const ROLES: [[Role; 2]; 2] =
    [[Role::Controlling, Role::Controlled], [Role::Controlled, Role::Controlling]];

/// Both roles, with trickle and without.
fn meet(left: Kind, right: Kind) {
    let lab = Lab::up(OPEN);
    for [ours, theirs] in ROLES {
        let [ours, theirs] = [Side::new(left, ours), Side::new(right, theirs)];
        on_one_pair(&connect(&lab, &ours, &theirs));
        on_one_pair(&connect(&lab, &ours.whole(), &theirs.whole()));
    }
}

/// Both have chosen the same one, of the only candidates that there are.
fn on_one_pair(connected: &Connected) {
    let [left, right] = connected.ways();
    assert_eq!((&left.local, &left.remote), (&right.remote, &right.local));
    for end in [left.local, left.remote] {
        assert_eq!((&*end.kind, &*end.transport), ("host", "udp"));
    }
}

/// That the two others understand each other shows that their wrappers and the lab are sound.
#[test]
fn the_others_connect_to_each_other() {
    meet(Aioice, Libnice);
}

#[test]
fn ours_connects_to_itself() {
    meet(Ours, Ours);
}

#[test]
fn ours_connects_to_aioice() {
    meet(Ours, Aioice);
}

#[test]
fn ours_connects_to_libnice() {
    meet(Ours, Libnice);
}

/// RFC 8445 §7.3.1.1: one of the two gives way.
#[test]
fn two_of_the_same_role_connect() {
    let lab = Lab::up(OPEN);
    for kind in [Ours, Aioice, Libnice] {
        for role in [Role::Controlling, Role::Controlled] {
            on_one_pair(&connect(&lab, &Side::new(Ours, role), &Side::new(kind, role)));
        }
    }
}

/// RFC 5245 §8.1.1.2, which RFC 8445 has done away with.
#[test]
fn an_aggressive_nominator_is_understood() {
    let lab = Lab::up(OPEN);
    let theirs = Side::new(Libnice, Role::Controlling).more(&["--aggressive"]);
    on_one_pair(&connect(&lab, &Side::new(Ours, Role::Controlled), &theirs));
}

/// RFC 8445 §2.5: it only answers, so this side controls whatever it was told.
#[test]
fn a_lite_agent_is_connected_to() {
    let lab = Lab::up(OPEN);
    for role in [Role::Controlling, Role::Controlled] {
        let theirs = Side::new(Libnice, Role::Controlled).more(&["--lite"]);
        on_one_pair(&connect(&lab, &Side::new(Ours, role), &theirs));
    }
}

#[test]
fn an_agent_that_renominates_is_connected_to() {
    let lab = Lab::up(OPEN);
    for [ours, theirs] in ROLES {
        let theirs = Side::new(Libnice, theirs).more(&["--renomination"]);
        on_one_pair(&connect(&lab, &Side::new(Ours, ours), &theirs));
    }
}
