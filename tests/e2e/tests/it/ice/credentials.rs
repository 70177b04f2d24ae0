//! A server's challenges: credentials that it does not know, and nonces that grow old.

use std::thread;
use std::time::Duration;

use super::peer::Kind::{Aioice, OursOnTokio};
use super::peer::Peer;
use super::server::Server;
use super::{Role, Side, Telling};
use crate::lab::{Lab, SERVER};

const OPEN: &[&str] = &["--left", "none", "--right", "none"];

/// The agent goes on with what it has, and names the server.
fn refused(lab: &Lab, login: &str) {
    let turn = format!("turn:{SERVER}:3478,{login}");
    let ours = Side::new(OursOnTokio, Role::Controlling).with(&[turn]);
    let theirs = Side::new(Aioice, Role::Controlled);
    let connected = super::connect(lab, &ours, &theirs);
    let error = connected.0[0].hears("# CandidateError(");
    let url = format!("turn:{SERVER}:3478");
    assert!(error.contains(&url) && error.contains("code: 401"), "{error}");
}

#[test]
fn wrong_credentials_are_told_with_the_server() {
    let lab = Lab::up(OPEN);
    for start in [Server::coturn as fn(&Lab) -> Server, Server::talkie] {
        let _server = start(&lab);
        refused(&lab, "alice,wander");
        refused(&lab, "bob,wonder");
    }
}

/// RFC 8489 §9.2.4: 438 brings another nonce, with which the same is asked again.
#[test]
fn a_nonce_that_has_grown_old_is_replaced() {
    let lab = Lab::up(OPEN);
    let server =
        Server::coturn_with(&lab, &["--no-tls", "--no-dtls", "--stale-nonce=1", "--verbose"]);
    let ours = Peer::start(
        &lab,
        "left",
        &Side::new(OursOnTokio, Role::Controlling).relayed_by(&Server::turn()),
    );
    ours.hears("a=end-of-candidates");
    thread::sleep(Duration::from_secs(3));
    // Only now is a permission asked for.
    let theirs = Peer::start(&lab, "right", &Side::new(Aioice, Role::Controlled));
    Peer::introduce(&ours, &theirs, Telling::Trickle);
    assert!(ours.hears("# selected ").contains(" typ relay "));
    ours.tell("by a fresh nonce");
    theirs.hears("by a fresh nonce");
    assert!(server.log().contains("error 438"), "{}", server.log());
}
