//! Over streams: a relay that is reached by TCP or TLS, and TCP from host to host (RFC 6544).

use super::peer::Kind::{Libnice, OursOnTokio};
use super::server::Server;
use super::{Role, Side, connect};
use crate::lab::{Lab, SERVER};

const OPEN: &[&str] = &["--left", "none", "--right", "none"];
const ROLES: [[Role; 2]; 2] =
    [[Role::Controlling, Role::Controlled], [Role::Controlled, Role::Controlling]];

/// Ours by the relay alone, and the other directly.
fn relayed(lab: &Lab, turn: &str, trust: &[&str], how: &str) {
    for [ours, theirs] in ROLES {
        let ours = Side::new(OursOnTokio, ours).relayed_by(turn).more(trust);
        let connected = connect(lab, &ours, &Side::new(Libnice, theirs));
        let [way, _] = connected.ways();
        assert_eq!((&*way.local.kind, &*way.remote.kind), ("relay", "host"), "{way:?}");
        assert!(connected.0[0].has_said(&format!("# a relay over {how}")));
    }
}

#[test]
fn our_relay_is_reached_by_tcp_and_tls() {
    let lab = Lab::up(OPEN);
    let server = Server::talkie(&lab);
    let tcp = format!("turn:{SERVER}:3478?transport=tcp,alice,wonder");
    relayed(&lab, &tcp, &[], "tcp");
    let tls = format!("turns:{SERVER}:5349,alice,wonder");
    relayed(&lab, &tls, &[&format!("trust={}", server.certificate())], "tls");
}

#[test]
fn coturn_is_reached_by_tcp() {
    let lab = Lab::up(OPEN);
    let _server = Server::coturn(&lab);
    let tcp = format!("turn:{SERVER}:3478?transport=tcp,alice,wonder");
    relayed(&lab, &tcp, &[], "tcp");
}

#[test]
fn tcp_candidates_connect_to_libnice() {
    let lab = Lab::up(OPEN);
    for [ours, theirs] in ROLES {
        let ours = Side::new(OursOnTokio, ours).more(&["tcp"]);
        let theirs = Side::new(Libnice, theirs).more(&["--tcp"]);
        for way in connect(&lab, &ours, &theirs).ways() {
            assert!(way.local.transport.starts_with("tcp"), "{way:?}");
        }
    }
}
