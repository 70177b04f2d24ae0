//! Names in place of addresses (draft-ietf-mmusic-mdns-ice-candidates), resolved by the multicast DNS of aioice,
//! and its names by ours. Multicast does not leave a link, so both sides are programs on one host.

use super::peer::Kind::{Aioice, OursOnTokio};
use super::peer::Peer;
use super::{Connected, Role, Side, Telling};
use crate::lab::Lab;

fn meet(ours: &[&str], theirs: &[&str]) -> Connected {
    let lab = Lab::up(&["--left", "none", "--right", "none"]);
    let sides = [
        Peer::start(&lab, "left", &Side::new(OursOnTokio, Role::Controlling).more(ours)),
        Peer::start(&lab, "left", &Side::new(Aioice, Role::Controlled).more(theirs)),
    ];
    Peer::introduce(&sides[0], &sides[1], Telling::Trickle);
    for side in &sides {
        side.hears("# selected ");
    }
    let connected = Connected(sides);
    connected.talk("hello");
    connected
}

#[test]
fn our_names_are_resolved_by_another_stack() {
    let connected = meet(&["hide"], &[]);
    let candidate = connected.0[0].hears("a=candidate:");
    assert!(candidate.contains(".local "), "{candidate}");
}

#[test]
fn another_stacks_names_are_resolved_by_ours() {
    let connected = meet(&[], &["--hide"]);
    let candidate = connected.0[1].hears("a=candidate:");
    assert!(candidate.contains(".local "), "{candidate}");
}
