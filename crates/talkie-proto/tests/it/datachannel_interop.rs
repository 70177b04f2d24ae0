//! Data channels with the crate sctp-proto, which knows associations and streams; what is said on them is
//! answered as RFC 8832 wants.

use bytes::Bytes;
use sctp_proto::PayloadProtocolIdentifier;
use talkie_proto::datachannel::dcep::Dcep;
use talkie_proto::datachannel::{Config, DataChannels, Event, Kind, Options, Role};
use talkie_proto::sctp;

use crate::datachannel_world::channels;
use crate::interop_world::Meeting;
use crate::sctp_world::{Link, World};

fn meeting(we_begin: bool, loss: u64) -> Meeting<DataChannels> {
    let now = World::new(Link::default()).now;
    // So few streams that they have to be used again.
    let sctp = sctp::Config { streams: 2, ..sctp::Config::default() };
    let ours = channels(5, Config { role: Some(Role::Client), sctp, ..Config::default() });
    let mut meeting = Meeting::new(now, ours, we_begin, loss);
    meeting
        .run_until(|meeting| meeting.they_connected && meeting.ours.association().is_established());
    meeting
}

#[test]
fn our_channels_open_carry_messages_and_close_again_and_again() {
    for loss in [0, 20, 100] {
        for we_begin in [true, false] {
            let mut meeting = meeting(we_begin, loss);
            for round in 1..4 {
                let now = meeting.now;
                let options = Options { label: "x".into(), ordered: false, ..Options::default() };
                let channel = meeting.ours.open(now, options).expect("it may");
                assert_eq!(meeting.ours.stream(channel), Some(0), "the only one");
                for length in [1, 1000, 50_000] {
                    let payload = Bytes::from(vec![7; length]);
                    meeting.ours.send(now, channel, Kind::Binary, payload).expect("it has room");
                }
                meeting.run_until(|meeting| meeting.they_got.len() == 3 * round);
                let now = meeting.now;
                meeting.ours.close(now, channel);
                meeting.run_until(|meeting| {
                    meeting.events.contains(&Event::Closed(channel))
                        && meeting.they_completed.len() == round
                });
            }
        }
    }
}

#[test]
fn their_channels_open_carry_messages_and_close() {
    for loss in [0, 20, 100] {
        let mut meeting = meeting(true, loss);
        for round in 1..4 {
            let open = Dcep::Open(Options { label: "theirs".into(), ..Options::default() });
            let open = open.to_bytes();
            let messages: [(_, &[u8]); 2] = [
                (PayloadProtocolIdentifier::Dcep, &open),
                (PayloadProtocolIdentifier::Binary, &[7; 20_000]),
            ];
            meeting.write_theirs(1, &messages);
            meeting.run_until(|meeting| meeting.we_got.len() == round);
            meeting.close_theirs(1);
            meeting.run_until(|meeting| {
                let closed = |event: &&Event| matches!(event, Event::Closed(_));
                meeting.events.iter().filter(closed).count() == round
                    && meeting.they_completed.len() >= round
            });
        }
    }
}
