//! The other side's process stands still, and may go on: consent (RFC 7675) is missed, and comes back or not.

use std::thread;
use std::time::{Duration, Instant};

use super::peer::Kind::{Aioice, Libnice, OursOnTokio};
use super::peer::Signal;
use super::{Kind, Role, Side, connect};
use crate::lab::Lab;

/// It goes on once this side has seen that it is silent.
fn comes_back(kind: Kind) {
    let lab = Lab::up(&["--left", "none", "--right", "none"]);
    let [ours, theirs] =
        [Side::new(OursOnTokio, Role::Controlling), Side::new(kind, Role::Controlled)];
    let connected = connect(&lab, &ours, &theirs);
    let [ours, theirs] = &connected.0;
    ours.hears("# ConnectionState(Completed)");
    theirs.signal(Signal::Stop);
    ours.hears("# ConnectionState(Disconnected)");
    let silent = ours.so_far();
    theirs.signal(Signal::Continue);
    ours.hears_since(silent, "# ConnectionState(Completed)");
    connected.tell(0, "again from 0");
    // libnice's own timers ran on while it stood still: where one of its checks was under way it has given up by now,
    // hears, and cannot send any more.
    if kind != Libnice || !theirs.has_said("# failed") {
        connected.tell(1, "again from 1");
    }
}

/// It never goes on.
fn stays_away(theirs: Kind) {
    let lab = Lab::up(&["--left", "none", "--right", "none"]);
    let [ours, theirs] =
        [Side::new(OursOnTokio, Role::Controlled), Side::new(theirs, Role::Controlling)];
    let connected = connect(&lab, &ours, &theirs);
    let [ours, theirs] = &connected.0;
    ours.hears("# ConnectionState(Completed)");
    theirs.signal(Signal::Stop);
    let stopped = Instant::now();
    ours.hears("# ConnectionState(Disconnected)");
    ours.hears("# ConnectionState(Failed)");
    // Consent lasts for 30 s from the last answer (RFC 7675 §5.1), which came at most one interval (6 s) before;
    // and hope for 39.5 s from the other side's last candidate (RFC 8863 §4).
    let spent = stopped.elapsed();
    assert!(spent > Duration::from_secs(23) && spent < Duration::from_secs(45), "{spent:?}");
    ours.tell("nobody is asked to hear this");
    ours.hears("# there is no connection");
}

/// All at the same time, since most of it is waiting.
#[test]
fn a_side_that_stands_still_is_missed_and_welcomed_back() {
    thread::scope(|scope| {
        for theirs in [Aioice, Libnice] {
            scope.spawn(move || comes_back(theirs));
            scope.spawn(move || stays_away(theirs));
        }
    });
}
