//! Data channels over another implementation, which knows associations and streams; what opens a channel is
//! answered as RFC 8832 wants.

use bytes::Bytes;
use talkie_proto::datachannel::dcep::Dcep;
use talkie_proto::datachannel::{
    ChannelId, Config, DataChannels, Event, Kind, Options, Role, State,
};
use talkie_proto::sctp::{self, Reliability, SendOptions};

use super::{Begins, MakePeer, Meeting, Peer, Said, Told, bad, dcsctp, pattern, sctp_proto};
use crate::datachannel_world::channels;
use crate::sctp_world::Link;

fn others() -> [MakePeer; 3] {
    [
        || dcsctp::peer(&dcsctp::options()),
        || dcsctp::peer(&dcsctp::zero_checksum()),
        || sctp_proto::peer(sctp_proto::config()),
    ]
}

/// So few streams that they have to be used again.
fn meeting(link: Link, theirs: Box<dyn Peer>, begins: Begins) -> Meeting<DataChannels> {
    let sctp = sctp::Config { streams: 2, ..sctp::Config::default() };
    let ours = channels(5, Config { role: Some(Role::Client), sctp, ..Config::default() });
    let mut meeting = Meeting::new(link, ours, theirs);
    meeting.begin(begins);
    meeting
}

fn links() -> [Link; 3] {
    [Link::default(), bad(2), bad(3)]
}

/// What is sent, as it is on the wire.
fn messages() -> [(Kind, Bytes, u32, Bytes); 5] {
    let zero = Bytes::from_static(&[0]);
    [
        (Kind::Text, "hello".into(), 51, "hello".into()),
        (Kind::Text, Bytes::new(), 56, zero.clone()),
        (Kind::Binary, Bytes::new(), 57, zero.clone()),
        (Kind::Binary, zero.clone(), 53, zero),
        (Kind::Binary, pattern(50_000, 1), 53, pattern(50_000, 1)),
    ]
}

fn closed(meeting: &Meeting<DataChannels>, channel: ChannelId) -> bool {
    meeting.events.contains(&Event::Closed(channel))
}

#[test]
fn our_channels_open_carry_messages_and_close_again_and_again() {
    for other in others() {
        for (link, begins) in links().into_iter().zip([Begins::We, Begins::They, Begins::We]) {
            let mut meeting = meeting(link, other(), begins);
            for round in 1..4 {
                let now = meeting.now;
                let options = Options {
                    label: "x".into(),
                    ordered: round != 2,
                    reliability: Reliability::Reliable,
                    ..Options::default()
                };
                let channel = meeting.ours.open(now, options).expect("it may");
                assert_eq!(meeting.ours.stream(channel), Some(0), "the only one");
                for (kind, payload, ..) in messages() {
                    meeting.ours.send(now, channel, kind, payload).expect("it has room");
                }
                meeting.run_until(|meeting| meeting.they_got.len() == 5 * round);
                let got = &meeting.they_got[5 * (round - 1)..];
                for (_, _, ppid, payload) in messages() {
                    assert!(got.contains(&Said { stream: 0, ppid, payload }));
                }
                let now = meeting.now;
                meeting.ours.close(now, channel);
                follow(&mut meeting, 0);
                meeting.run_until(|meeting| closed(meeting, channel));
                // Their side may be told later.
                meeting.run_until(|meeting| {
                    let done = |told: &&Told| **told == Told::ResetDone(0);
                    meeting.told.iter().filter(done).count() >= round
                });
            }
        }
    }
}

/// They reset a stream as soon as ours is; sctp-proto does so by itself.
fn follow(meeting: &mut Meeting<DataChannels>, stream: u16) {
    let known = |meeting: &Meeting<_>| {
        meeting.told.iter().filter(|told| **told == Told::Reset(stream)).count()
    };
    let before = known(meeting);
    meeting.run_until(|meeting| known(meeting) > before);
    let now = meeting.now;
    meeting.theirs.reset(now, stream);
}

#[test]
fn their_channels_open_carry_messages_and_close() {
    for other in others() {
        for link in links() {
            let mut meeting = meeting(link, other(), Begins::We);
            for round in 1..4 {
                let open = Dcep::Open(Options { label: "theirs".into(), ..Options::default() });
                let payload = open.to_bytes().into();
                meeting.they_send(Said { stream: 1, ppid: 50, payload }, SendOptions::default());
                for (_, _, ppid, payload) in messages() {
                    meeting.they_send(Said { stream: 1, ppid, payload }, SendOptions::default());
                }
                meeting.run_until(|meeting| meeting.got.len() == 5 * round);
                let channel = meeting.got.last().expect("a message").channel;
                let got = meeting.got[5 * (round - 1)..].iter();
                for (message, (kind, payload, ..)) in got.zip(messages()) {
                    assert_eq!((message.channel, message.kind), (channel, kind));
                    assert!(message.payload == payload);
                }
                assert_eq!(meeting.ours.state(channel), Some(State::Open));
                let now = meeting.now;
                assert!(meeting.theirs.reset(now, 1));
                meeting.run_until(|meeting| closed(meeting, channel));
                assert!(meeting.events.contains(&Event::Closing(channel)));
            }
        }
    }
}
