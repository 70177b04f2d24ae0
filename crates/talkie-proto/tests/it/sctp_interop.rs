//! Associations with another implementation, the crate sctp-proto: both roles, with and without loss.

use bytes::Bytes;
use sctp_proto::PayloadProtocolIdentifier;
use talkie_proto::sctp::{Association, Config, End, Event, SendOptions};

use crate::interop_world::Meeting;
use crate::sctp_world::{Link, World, association};

const LENGTHS: [usize; 5] = [1, 1000, 20_000, 60_000, 3];

fn send_all(meeting: &mut Meeting<Association>) {
    for length in LENGTHS {
        for stream in 0..3 {
            let options = SendOptions { unordered: stream == 2, ..SendOptions::default() };
            let payload = Bytes::from(vec![7; length]);
            meeting.ours.send(meeting.now, stream, 53, payload, options).expect("it has room");
        }
    }
    let theirs = &mut meeting.theirs.as_mut().expect("they are connected").1;
    let mut stream =
        theirs.open_stream(9, PayloadProtocolIdentifier::Binary).expect("a new stream");
    for length in LENGTHS {
        stream.write(&vec![7; length]).expect("it has room");
    }
}

#[test]
fn messages_go_both_ways_and_the_end_is_agreed() {
    let now = World::new(Link::default()).now;
    for loss in [0, 20, 100] {
        for we_begin in [true, false] {
            let mut meeting = Meeting::new(now, association(3, &Config::default()), we_begin, loss);
            meeting.run_until(|meeting| {
                meeting.they_connected && meeting.events.contains(&Event::Connected)
            });
            send_all(&mut meeting);
            meeting.run_until(|meeting| meeting.we_got.len() == 5 && meeting.they_got.len() == 15);
            assert_eq!(meeting.we_got, LENGTHS);
            let now = meeting.now;
            meeting.ours.shutdown(now);
            meeting.run_until(|meeting| meeting.events.contains(&Event::Ended(End::Shutdown)));
        }
    }
}

fn connected(loss: u64) -> Meeting<Association> {
    let now = World::new(Link::default()).now;
    let mut meeting = Meeting::new(now, association(3, &Config::default()), true, loss);
    meeting
        .run_until(|meeting| meeting.they_connected && meeting.events.contains(&Event::Connected));
    meeting
}

fn send(meeting: &mut Meeting<Association>, stream: u16, length: usize) {
    let (now, options) = (meeting.now, SendOptions::default());
    let payload = Bytes::from(vec![7; length]);
    meeting.ours.send(now, stream, 53, payload, options).expect("it has room");
}

#[test]
fn a_stream_is_reset_by_us_and_used_again() {
    for loss in [0, 20, 100] {
        let mut meeting = connected(loss);
        for round in 1..4 {
            send(&mut meeting, 4, 20_000);
            send(&mut meeting, 4, 3);
            let now = meeting.now;
            meeting.ours.reset_streams(now, &[4]).expect("it may");
            // They follow with their side.
            let (ours, theirs) =
                (Event::ResetDone { streams: vec![4], done: true }, Event::StreamsReset(vec![4]));
            let count = |meeting: &Meeting<Association>, event: &Event| {
                meeting.events.iter().filter(|one| *one == event).count()
            };
            meeting.run_until(|meeting| {
                count(meeting, &ours) == round
                    && count(meeting, &theirs) == round
                    && meeting.they_completed.len() == round
            });
            assert_eq!(meeting.they_got.len(), 2 * round);
        }
    }
}

#[test]
fn a_stream_is_reset_by_them_and_used_again() {
    for loss in [0, 20, 100] {
        let mut meeting = connected(loss);
        for round in 1..4 {
            let binary = PayloadProtocolIdentifier::Binary;
            meeting.write_theirs(9, &[(binary, &[7; 20_000])]);
            meeting.run_until(|meeting| meeting.we_got.len() == round);
            meeting.close_theirs(9);
            let told = Event::StreamsReset(vec![9]);
            meeting.run_until(|meeting| {
                meeting.events.iter().filter(|event| **event == told).count() >= round
            });
            let now = meeting.now;
            meeting.ours.reset_streams(now, &[9]).expect("it may");
            meeting.run_until(|meeting| meeting.they_completed.len() >= round);
        }
    }
}
