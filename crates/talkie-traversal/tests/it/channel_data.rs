//! ChannelData and the framing of streams (RFC 8656 §12.4, §12.5).

use proptest::collection::vec;
use proptest::prelude::*;
use talkie_traversal::stun::attributes::ChannelNumber;
use talkie_traversal::turn::channel_data::stream::{BadFrame, MAX_FRAME, frame_length};
use talkie_traversal::turn::channel_data::{ChannelData, ChannelDataError};

use crate::stun_vectors::sample_request;

#[test]
fn a_datagram_may_be_padded_and_no_more() {
    let parse = |bytes: &[u8]| ChannelData::parse(bytes).map(|message| message.data.len());
    assert_eq!(parse(b"\x40\x00\x00\x00"), Ok(0));
    assert_eq!(parse(b"\x40\x00\x00\x01x"), Ok(1));
    assert_eq!(parse(b"\x40\x00\x00\x01x\0\0\0"), Ok(1));
    assert_eq!(parse(b"\x40\x00\x00\x01x\0\0\0\0"), Err(ChannelDataError::BadLength));
    assert_eq!(parse(b"\x40\x00\x00\x02x"), Err(ChannelDataError::BadLength));
    assert_eq!(parse(b"\x40\x00\x00"), Err(ChannelDataError::TooShort));
    assert_eq!(parse(b"\x50\x00\x00\x00"), Err(ChannelDataError::BadChannel));
    assert_eq!(parse(b"\x3f\xff\x00\x00"), Err(ChannelDataError::BadChannel));
    assert_eq!(parse(b"\x4f\xff\x00\x00"), Ok(0));
}

#[test]
fn a_payload_beyond_the_length_field_is_not_written() {
    let mut out = vec![1];
    let data = vec![0; 65_536];
    assert_eq!(ChannelData { channel: ChannelNumber::MIN, data: &data }.write(&mut out, true), 0);
    assert_eq!(out, [1]);
    let longest = ChannelData { channel: ChannelNumber::MIN, data: &data[1..] };
    assert_eq!(longest.write(&mut out, true), 65_540);
    assert_eq!(frame_length(&out[1..]), Ok(Some(65_540)));
    const { assert!(65_540 <= MAX_FRAME) };
}

#[test]
fn frames_are_told_as_early_as_can_be() {
    let stun = sample_request();
    for length in 0..stun.len() {
        let expected = (length >= 4).then_some(stun.len());
        assert_eq!(frame_length(&stun[..length]), Ok(expected), "{length}");
    }
    assert_eq!(frame_length(b"\x40\x00\x00\x05"), Ok(Some(12)));
    assert_eq!(frame_length(b"\x40\x00\x00"), Ok(None));
    for bad in [
        // HTTP's POST, TLS, RTP, QUIC, a STUN length that is no multiple of four, a missing cookie.
        &b"P"[..],
        b"\x16",
        b"\x80",
        b"\xC0",
        b"\x04",
        b"\x00\x01\x00\x01",
        b"\x00\x01\x00\x00\x21\x13",
    ] {
        assert_eq!(frame_length(bad), Err(BadFrame), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn parsing_undoes_writing(
        number in 0x4000u16..0x5000,
        data in vec(any::<u8>(), 0..2000),
        is_padded in any::<bool>(),
        before in vec(any::<u8>(), 0..5),
    ) {
        let channel = ChannelNumber::new(number).unwrap();
        let mut out = before.clone();
        let length = ChannelData { channel, data: &data }.write(&mut out, is_padded);
        prop_assert_eq!(length, out.len() - before.len());
        let message = ChannelData::parse(&out[before.len()..]).unwrap();
        prop_assert_eq!(message, ChannelData { channel, data: &data });
        if is_padded {
            prop_assert_eq!(frame_length(&out[before.len()..]), Ok(Some(length)));
        }
    }

    #[test]
    fn any_stream_is_cut_or_refused(stream in vec(any::<u8>(), 0..100)) {
        let _ = ChannelData::parse(&stream);
        if let Ok(Some(length)) = frame_length(&stream) {
            prop_assert!(length.is_multiple_of(4) && (4..=MAX_FRAME).contains(&length));
            // More bytes never change the answer, unless they show that it is none.
            let mut more = stream.clone();
            more.push(0);
            prop_assert!(frame_length(&more) == Ok(Some(length)) || stream.len() < 8);
        }
    }
}
