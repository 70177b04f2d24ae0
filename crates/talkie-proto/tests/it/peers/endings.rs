//! Associations end, and begin anew.

use std::time::Duration;

use talkie_proto::sctp::{Association, Config, End, Event, SendOptions};
use talkie_sansio::Machine as _;

use super::{Begins, MakePeer, Meeting, Said, Told, bad, dcsctp, meet, pattern, sctp_proto};
use crate::sctp_world::{Link, association};

fn said(number: usize, length: usize) -> Said {
    Said { stream: 1, ppid: 51, payload: pattern(length, number) }
}

fn others() -> [MakePeer; 3] {
    [
        || dcsctp::peer(&dcsctp::zero_checksum()),
        || dcsctp::peer(&dcsctp::options()),
        || sctp_proto::peer(sctp_proto::config()),
    ]
}

fn links() -> [Link; 3] {
    [Link::default(), bad(8), bad(9)]
}

fn has_ended(meeting: &Meeting<Association>, end: End) -> bool {
    meeting.events.contains(&Event::Ended(end))
}

#[test]
fn our_end_in_order_delivers_everything_first() {
    for (number, other) in others().into_iter().enumerate() {
        for link in links() {
            let mut meeting = meet(link, &Config::default(), other(), Begins::We);
            for number in 0..20 {
                meeting.send(said(number, 5000), SendOptions::default());
            }
            let now = meeting.now;
            meeting.ours.shutdown(now);
            meeting.run_until(|meeting| has_ended(meeting, End::Shutdown));
            // One who has answered may miss our last word; dcsctp then asks until it gives up.
            let over = |meeting: &Meeting<_>| {
                meeting.has_told(&Told::Closed) || meeting.has_told(&Told::Aborted)
            };
            if number < 2 {
                meeting.run_until(over);
            }
            assert_eq!(meeting.they_got.len(), 20);
        }
    }
}

#[test]
fn their_end_in_order_delivers_everything_first() {
    for (number, other) in others().into_iter().enumerate() {
        for link in links() {
            let mut meeting = meet(link, &Config::default(), other(), Begins::They);
            for number in 0..20 {
                meeting.they_send(said(number, 5000), SendOptions::default());
            }
            if number == 2 {
                // What sctp-proto has not sent when it is told to end, it never sends.
                meeting.run_until(|meeting| meeting.got.len() == 20);
            }
            let now = meeting.now;
            meeting.theirs.shutdown(now);
            meeting.run_until(|meeting| has_ended(meeting, End::Shutdown));
            assert_eq!(meeting.got.len(), 20);
        }
    }
}

#[test]
fn both_may_end_it_at_once() {
    for other in &others()[..2] {
        for link in links() {
            let mut meeting = meet(link, &Config::default(), other(), Begins::Both);
            for number in 0..5 {
                meeting.send(said(number, 5000), SendOptions::default());
                meeting.they_send(said(number, 5000), SendOptions::default());
            }
            let now = meeting.now;
            meeting.ours.shutdown(now);
            meeting.theirs.shutdown(now);
            meeting.run_until(|meeting| has_ended(meeting, End::Shutdown));
            assert_eq!((meeting.got.len(), meeting.they_got.len()), (5, 5));
        }
    }
}

#[test]
fn an_abort_is_heard_by_the_other_side() {
    for other in &others()[..2] {
        let mut meeting = meet(Link::default(), &Config::default(), other(), Begins::We);
        meeting.send(said(1, 100_000), SendOptions::default());
        let now = meeting.now;
        meeting.ours.abort(now);
        meeting.run_until(|meeting| meeting.has_told(&Told::Aborted));
        assert!(has_ended(&meeting, End::Aborted));

        let mut meeting = meet(Link::default(), &Config::default(), other(), Begins::We);
        meeting.they_send(said(1, 100_000), SendOptions::default());
        let now = meeting.now;
        meeting.theirs.abort(now);
        let aborted = |event: &Event| matches!(event, Event::Ended(End::AbortedByPeer(_)));
        meeting.run_until(|meeting| meeting.events.iter().any(aborted));
    }
    // One that knows no aborts hears ours.
    let other = sctp_proto::peer(sctp_proto::config());
    let mut meeting = meet(Link::default(), &Config::default(), other, Begins::We);
    let now = meeting.now;
    meeting.ours.abort(now);
    meeting.run_until(|meeting| meeting.has_told(&Told::Closed));
}

#[test]
fn we_begin_anew_and_they_notice() {
    for other in &others()[..2] {
        for link in links() {
            let mut meeting = meet(link, &Config::default(), other(), Begins::We);
            // See the module `dcsctp`: nothing that leaves in more than one piece.
            for number in 0..100 {
                meeting.they_send(said(number, 1000), SendOptions::default());
            }
            meeting.send(said(2, 50_000), SendOptions::default());
            meeting.run_for(Duration::from_millis(30));
            let now = meeting.now;
            meeting.ours = association(8, &Config::default());
            meeting.ours.connect(now).expect("it has not begun");
            meeting.run_until(|meeting| meeting.has_told(&Told::Restarted));
            meeting.they_got.clear();
            meeting.send(said(3, 5000), SendOptions::default());
            meeting.run_until(|meeting| meeting.they_got.contains(&said(3, 5000)));
            meeting.they_send(said(4, 5000), SendOptions::default());
            meeting.run_until(|meeting| meeting.we_got().contains(&said(4, 5000)));
        }
    }
}

#[test]
fn they_begin_anew_and_we_notice() {
    for other in others() {
        for link in links() {
            let mut meeting = meet(link, &Config::default(), other(), Begins::We);
            meeting.they_send(said(1, 50_000), SendOptions::default());
            meeting.send(said(2, 50_000), SendOptions::default());
            meeting.run_for(Duration::from_millis(30));
            meeting.theirs = other();
            meeting.told.clear();
            let now = meeting.now;
            meeting.theirs.connect(now);
            meeting.run_until(|meeting| {
                meeting.events.contains(&Event::Restarted) && meeting.has_told(&Told::Connected)
            });
            meeting.send(said(3, 5000), SendOptions::default());
            meeting.they_send(said(4, 5000), SendOptions::default());
            meeting.run_until(|meeting| {
                meeting.they_got.contains(&said(3, 5000))
                    && meeting.we_got().contains(&said(4, 5000))
            });
        }
    }
}

#[test]
fn a_peer_that_falls_silent_is_given_up() {
    for other in others() {
        let config = Config { retransmissions: 4, ..Config::default() };
        let mut meeting = meet(Link::default(), &config, other(), Begins::We);
        meeting.link.loss = 1000;
        meeting.send(said(1, 100), SendOptions::default());
        meeting.run_until(|meeting| has_ended(meeting, End::Unreachable));
        assert_eq!(meeting.ours.poll_timeout(), None);
    }
}
