//! Streams are reset from either side.

use talkie_proto::sctp::{Association, Config, Event, SendOptions};

use super::{Begins, MakePeer, Meeting, Said, Told, bad, dcsctp, meet, pattern, sctp_proto};
use crate::sctp_world::Link;

fn said(stream: u16, number: usize) -> Said {
    Said { stream, ppid: 53, payload: pattern(2000, number) }
}

fn told(meeting: &Meeting<Association>, told: &Told) -> usize {
    meeting.told.iter().filter(|one| *one == told).count()
}

fn count(meeting: &Meeting<Association>, event: &Event) -> usize {
    meeting.events.iter().filter(|one| *one == event).count()
}

fn others() -> [MakePeer; 2] {
    [|| dcsctp::peer(&dcsctp::options()), || dcsctp::peer(&dcsctp::interleaving())]
}

fn links() -> [Link; 3] {
    [Link::default(), bad(5), bad(6)]
}

#[test]
fn our_reset_comes_between_old_messages_and_new_ones() {
    for other in others() {
        for link in links() {
            let mut meeting = meet(link, &Config::default(), other(), Begins::We);
            let mut sent = vec![];
            for round in 1..=4 {
                let before = told(&meeting, &Told::Reset(7));
                for number in 0..5 {
                    sent.push(said(7, round * 10 + number));
                    meeting.send(said(7, round * 10 + number), SendOptions::default());
                }
                let now = meeting.now;
                meeting.ours.reset_streams(now, &[7]).expect("it may");
                // Sometimes the next ones are queued while the reset is under way.
                if round % 2 == 0 {
                    meeting.run_until(|meeting| told(meeting, &Told::Reset(7)) > before);
                }
            }
            meeting.run_until(|meeting| meeting.they_got.len() == sent.len());
            assert!(meeting.they_got == sent);
            let done = Event::ResetDone { streams: vec![7], done: true };
            meeting.run_until(|meeting| count(meeting, &done) == told(meeting, &Told::Reset(7)));
        }
    }
}

#[test]
fn their_reset_comes_between_old_messages_and_new_ones() {
    for other in others() {
        for link in links() {
            let mut meeting = meet(link, &Config::default(), other(), Begins::They);
            let mut sent = vec![];
            for round in 1..=4 {
                for number in 0..5 {
                    sent.push(said(7, round * 10 + number));
                    meeting.they_send(said(7, round * 10 + number), SendOptions::default());
                }
                // They drop what is queued when they reset.
                meeting.run_until(|meeting| meeting.got.len() == sent.len());
                assert!(meeting.theirs.reset(meeting.now, 7));
                let reset = Event::StreamsReset(vec![7]);
                meeting.run_until(|meeting| {
                    count(meeting, &reset) == round && told(meeting, &Told::ResetDone(7)) == round
                });
            }
            assert!(meeting.we_got() == sent);
        }
    }
}

#[test]
fn both_may_reset_the_same_stream_at_once() {
    for other in others() {
        for link in links() {
            let mut meeting = meet(link, &Config::default(), other(), Begins::Both);
            for round in 1..=4 {
                meeting.send(said(7, round), SendOptions::default());
                meeting.they_send(said(7, round), SendOptions::default());
                meeting.run_until(|meeting| {
                    meeting.got.len() == round && meeting.they_got.len() == round
                });
                let now = meeting.now;
                assert!(meeting.theirs.reset(now, 7));
                meeting.ours.reset_streams(now, &[7]).expect("it may");
                let done = Event::ResetDone { streams: vec![7], done: true };
                let reset = Event::StreamsReset(vec![7]);
                meeting.run_until(|meeting| {
                    [count(meeting, &done), count(meeting, &reset)] == [round; 2]
                        && [Told::Reset(7), Told::ResetDone(7)].map(|one| told(meeting, &one))
                            == [round; 2]
                });
            }
        }
    }
}

#[test]
fn many_streams_are_reset_together() {
    for other in others() {
        let mut meeting = meet(bad(3), &Config::default(), other(), Begins::We);
        let streams: Vec<u16> = (0..600).collect();
        for stream in &streams {
            meeting.send(said(*stream, 1), SendOptions::default());
        }
        let now = meeting.now;
        meeting.ours.reset_streams(now, &streams).expect("they may");
        meeting.run_until(|meeting| {
            streams.iter().all(|stream| meeting.has_told(&Told::Reset(*stream)))
        });
        assert_eq!(meeting.they_got.len(), 600);
    }
}

#[test]
fn a_descendant_of_pion_follows_a_reset_with_its_own() {
    for link in links() {
        let mut meeting =
            meet(link, &Config::default(), sctp_proto::peer(sctp_proto::config()), Begins::We);
        for round in 1..=3 {
            meeting.send(said(4, round), SendOptions::default());
            let now = meeting.now;
            meeting.ours.reset_streams(now, &[4]).expect("it may");
            let done = Event::ResetDone { streams: vec![4], done: true };
            let reset = Event::StreamsReset(vec![4]);
            meeting.run_until(|meeting| {
                [count(meeting, &done), count(meeting, &reset)] == [round; 2]
                    && told(meeting, &Told::ResetDone(4)) == round
                    && meeting.they_got.len() == round
            });
        }
        for round in 1..=3 {
            meeting.they_send(said(9, round), SendOptions::default());
            meeting.run_until(|meeting| meeting.got.len() == round);
            assert!(meeting.theirs.reset(meeting.now, 9));
            let reset = Event::StreamsReset(vec![9]);
            meeting.run_until(|meeting| count(meeting, &reset) >= round);
            let now = meeting.now;
            meeting.ours.reset_streams(now, &[9]).expect("it may");
            meeting.run_until(|meeting| told(meeting, &Told::ResetDone(9)) >= round);
        }
    }
}
