//! The network changes while two talk.

use super::{Netcat, any, meet};
use crate::ice::server::Server;
use crate::lab::Lab;

/// The host has another address than before, and the routes that it had.
fn moves(lab: &Lab, host: &str, to: &str) {
    let script = format!(
        "set -e; gateway=$(ip -4 route show default | cut -d' ' -f3); ip -4 address flush dev eth0; \
         ip address add {to} dev eth0; ip route replace default via $gateway"
    );
    let output = lab.talkie("exec", &[host, "--", "sh", "-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn talk(first: &mut Netcat, words: &str) {
    first.say(words);
    let back = first.event("data", |event| event["text"] == words);
    assert!(back["thereAndBackMs"].is_number(), "{back}");
}

#[test]
fn a_side_that_moves_is_found_again() {
    let lab = behind();
    let _server = Server::talkie(&lab);
    let [mut first, second] = meet(&lab, &[]);
    first.event("selected", any);
    second.event("selected", any);
    talk(&mut first, "before");
    moves(&lab, "left", "10.1.0.77/24");
    first.event("candidate", |event| event["candidate"]["address"] == "10.1.0.77");
    first.event("state", |event| event["state"] == "completed");
    talk(&mut first, "after");
}

/// Neither knows where the other is, but for the server.
#[test]
fn two_that_move_at_once_find_each_other_over_the_server() {
    let lab = behind();
    let _server = Server::talkie(&lab);
    let [mut first, mut second] = meet(&lab, &[]);
    first.event("selected", any);
    second.event("selected", any);
    talk(&mut first, "before");
    moves(&lab, "left", "10.1.0.77/24");
    moves(&lab, "right", "10.2.0.77/24");
    for (side, old) in [(&first, "10.1.0.2"), (&second, "10.2.0.2")] {
        side.event("restart", any);
        side.event("selected", |event| event["pair"]["local"]["address"] != old);
        side.event("state", |event| event["state"] == "completed");
    }
    talk(&mut first, "after");
    second.end_input();
    first.end_input();
    assert_eq!((first.end(), second.end()), (Some(0), Some(0)));
}

fn behind() -> Lab {
    Lab::up(&["--left", "port-restricted", "--right", "port-restricted"])
}
