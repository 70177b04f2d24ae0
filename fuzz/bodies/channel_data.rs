//! Any bytes as a stream of STUN and ChannelData, cut at any place, and as one datagram.

use talkie_traversal::stun::Message;
use talkie_traversal::turn::channel_data::ChannelData;
use talkie_traversal::turn::channel_data::stream::{MAX_FRAME, frame_length};

pub(crate) fn run(data: &[u8]) {
    if let Ok(message) = ChannelData::parse(data) {
        let mut out = Vec::new();
        let length = message.write(&mut out, false);
        assert_eq!(length, 4 + message.data.len());
        assert_eq!(out, data[..length]);
        assert_eq!(ChannelData::parse(&out), Ok(message));
    }
    let mut stream = data;
    loop {
        match frame_length(stream) {
            Ok(Some(length)) => {
                assert!((4..=MAX_FRAME).contains(&length) && length.is_multiple_of(4));
                // The answer does not depend on how much is there beyond the header.
                assert!(stream.len() < 8 || frame_length(&stream[..8]) == Ok(Some(length)));
                let Some((frame, rest)) = stream.split_at_checked(length) else {
                    return;
                };
                let _ = Message::parse(frame);
                let _ = ChannelData::parse(frame);
                stream = rest;
            }
            Ok(None) => {
                assert!(stream.len() < 4);
                return;
            }
            Err(_) => return,
        }
    }
}
