//! The rules of messages and attributes (RFC 8489 §5, §6.3.1, §14).

use talkie_traversal::stun::attributes::{
    Attribute, AttributeError, ChannelNumber, Data, ErrorCode, EvenPort, Lifetime, MappedAddress,
    Nonce, PasswordAlgorithms, Priority, Realm, Software, UnknownAttributes, UserHash, Username,
    XorMappedAddress,
};
use talkie_traversal::stun::auth::{
    Key, OpaqueStringError, PasswordAlgorithm, SecurityFeatures, opaque_string,
};
use talkie_traversal::stun::{
    AttributeType, Class, Message, Method, ParseError, TransactionId, Writer,
};

use crate::stun_vectors::{sample_request, unhex};
use crate::turn_world::addr;

const ID: TransactionId = TransactionId(*b"transaction!");

fn write(build: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut buf = Vec::new();
    build(&mut Writer::new(&mut buf, Class::Request, Method::BINDING, ID));
    buf
}

#[test]
fn a_header_that_is_not_right_is_no_message() {
    let good = sample_request();
    assert!(Message::parse(&good).is_ok());
    let parse = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        Message::parse(&bytes).err()
    };
    assert_eq!(parse(&|bytes| bytes.truncate(19)), Some(ParseError::TooShort));
    assert_eq!(parse(&|bytes| bytes.clear()), Some(ParseError::TooShort));
    assert_eq!(parse(&|bytes| bytes[0] |= 0x40), Some(ParseError::NotStun));
    assert_eq!(parse(&|bytes| bytes[0] |= 0x80), Some(ParseError::NotStun));
    assert_eq!(parse(&|bytes| bytes[4] ^= 1), Some(ParseError::BadCookie));
    assert_eq!(parse(&|bytes| bytes[3] += 1), Some(ParseError::BadLength));
    assert_eq!(parse(&|bytes| bytes[3] += 4), Some(ParseError::BadLength));
    assert_eq!(parse(&|bytes| bytes.extend([0; 4])), Some(ParseError::BadLength));
    // The first attribute's length: beyond the end, alone or with its padding.
    assert_eq!(parse(&|bytes| bytes[22] = 0xFF), Some(ParseError::BadAttribute));
    let mut padding = write(|writer| {
        writer.raw(AttributeType(0x8001), |out| out.extend([1; 4]));
    });
    padding[23] = 5;
    assert_eq!(Message::parse(&padding).err(), Some(ParseError::BadAttribute));
}

#[test]
fn padding_is_zero_and_ignored() {
    let mut bytes = write(|writer| {
        writer.attribute(&Software::new("abcde").unwrap());
    });
    assert_eq!(bytes[20..], *b"\x80\x22\x00\x05abcde\0\0\0");
    bytes[29..32].copy_from_slice(&[0xFF; 3]);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.get::<Software<'_>>().unwrap().unwrap().as_str(), "abcde");
}

#[test]
fn what_follows_an_integrity_attribute_is_ignored() {
    let key = Key::short_term("key");
    let bytes = write(|writer| {
        writer
            .attribute(&Priority(1))
            .integrity(&key)
            .attribute(&XorMappedAddress(addr("192.0.2.1:1")))
            .raw(AttributeType(0x7777), |_| {})
            .integrity(&Key::short_term("second"))
            .integrity_sha256(&key)
            .attribute(&Lifetime(std::time::Duration::ZERO))
            .integrity_sha256(&Key::short_term("second"))
            .fingerprint();
    });
    let message = Message::parse(&bytes).unwrap();
    let kinds: Vec<_> = message.attributes().map(|(kind, _)| kind).collect();
    let expected = [
        AttributeType::PRIORITY,
        AttributeType::MESSAGE_INTEGRITY,
        AttributeType::MESSAGE_INTEGRITY_SHA256,
        AttributeType::FINGERPRINT,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(message.raw_attributes().count(), 9);
    assert_eq!(message.get::<XorMappedAddress>().unwrap(), None);
    assert_eq!(message.unknown_required(AttributeType::KNOWN).count(), 0);
    assert_eq!(message.check_integrity(&key), Some(true));
    assert_eq!(message.check_integrity_sha256(&key), Some(true));
    assert_eq!(message.check_fingerprint(), Some(true));
}

#[test]
fn an_integrity_attribute_out_of_order_does_not_count() {
    let key = Key::short_term("key");
    let bytes = write(|writer| {
        writer.integrity_sha256(&key).integrity(&key).fingerprint().integrity_sha256(&key);
    });
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.check_integrity(&key), None);
    assert_eq!(message.check_integrity_sha256(&key), Some(true));
    // RFC 8489 §14.7: FINGERPRINT has to be the last.
    assert_eq!(message.check_fingerprint(), Some(false));
}

#[test]
fn the_first_of_equal_attributes_counts() {
    let bytes = write(|writer| {
        writer.attribute(&Priority(1)).attribute(&Priority(2));
    });
    assert_eq!(Message::parse(&bytes).unwrap().get::<Priority>().unwrap(), Some(Priority(1)));
}

#[test]
fn truncated_sha256_is_taken_only_where_it_is_allowed() {
    let key = Key::short_term("key");
    for length in [0, 4, 12, 16, 20, 31, 32, 33, 36] {
        // The value covers the length that the header has with the truncated attribute.
        let full = write(|writer| {
            writer.raw(AttributeType::MESSAGE_INTEGRITY_SHA256, |out| {
                out.resize(out.len() + length, 0);
            });
        });
        let mac = hmac_of_header(b"key", &full);
        let mut bytes = full.clone();
        let end = 24 + length.min(32);
        bytes[24..end].copy_from_slice(&mac[..length.min(32)]);
        let message = Message::parse(&bytes).unwrap();
        let whole = message.check_integrity_sha256(&key);
        assert_eq!(whole, Some(length == 32), "{length}");
        // A usage cannot allow less than 16 bytes.
        for shortest in [0, 4, 16] {
            let truncated = message.check_truncated_integrity_sha256(&key, shortest);
            assert_eq!(truncated, Some(matches!(length, 16 | 20 | 32)), "{length}, {shortest}");
        }
        let stricter = message.check_truncated_integrity_sha256(&key, 20);
        assert_eq!(stricter, Some(matches!(length, 20 | 32)), "{length}");
    }
}

/// HMAC-SHA256 of a message's header, computed without the code under test.
fn hmac_of_header(key: &[u8], message: &[u8]) -> Vec<u8> {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(&message[..20]);
    mac.finalize().into_bytes().to_vec()
}

#[test]
fn a_fingerprint_that_is_not_the_last_is_wrong_even_if_its_sum_is_right() {
    let mut bytes = write(|writer| {
        writer.attribute(&Priority(1)).fingerprint().attribute(&Priority(2));
    });
    let sum = crc32fast::hash(&bytes[..28]) ^ 0x5354_554E;
    bytes[32..36].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(Message::parse(&bytes).unwrap().check_fingerprint(), Some(false));
}

#[test]
fn unknown_attributes_are_listed() {
    let bytes = write(|writer| {
        writer
            .raw(AttributeType(0x7001), |_| {})
            .attribute(&Priority(1))
            .raw(AttributeType(0x9001), |_| {})
            .raw(AttributeType(0x7002), |_| {});
    });
    let message = Message::parse(&bytes).unwrap();
    let unknown: Vec<_> = message.unknown_required(&[AttributeType::PRIORITY]).collect();
    assert_eq!(unknown, [AttributeType(0x7001), AttributeType(0x7002)]);

    let response = write(|writer| {
        writer.attribute(&ErrorCode::UNKNOWN_ATTRIBUTE).unknown_attributes(unknown);
    });
    let response = Message::parse(&response).unwrap();
    let listed = response.get::<UnknownAttributes<'_>>().unwrap().unwrap();
    assert_eq!(listed.types().collect::<Vec<_>>(), [AttributeType(0x7001), AttributeType(0x7002)]);
    assert_eq!(response.get::<ErrorCode<'_>>().unwrap().unwrap().reason, "Unknown Attribute");
}

#[test]
fn malformed_values_are_errors_and_not_panics() {
    let decode = |value: &[u8]| MappedAddress::decode(value, ID).err();
    let kind = AttributeType::MAPPED_ADDRESS;
    assert_eq!(decode(&[]), Some(AttributeError::Length(kind)));
    assert_eq!(decode(&[0, 1, 0, 0, 1, 2, 3]), Some(AttributeError::Length(kind)));
    assert_eq!(decode(&[0, 2, 0, 0, 1, 2, 3, 4]), Some(AttributeError::Length(kind)));
    assert_eq!(decode(&[0, 3, 0, 0, 1, 2, 3, 4]), Some(AttributeError::Value(kind)));
    // The first byte must be ignored.
    let ignored = MappedAddress::decode(&[0xFF, 1, 0, 80, 192, 0, 2, 1], ID);
    assert_eq!(ignored, Ok(MappedAddress(addr("192.0.2.1:80"))));

    for code in [[0, 0, 2, 99], [0, 0, 7, 0], [0, 0, 4, 100]] {
        assert!(ErrorCode::decode(&code, ID).is_err());
    }
    assert_eq!(ErrorCode::decode(&[0xFF, 0xFF, 0xFC, 1], ID).unwrap().code, 401);
    assert!(ChannelNumber::decode(&[0x3F, 0xFF, 0, 0], ID).is_err());
    assert!(ChannelNumber::decode(&[0x50, 0, 0, 0], ID).is_err());
    assert!(ChannelNumber::decode(&[0x4F, 0xFF, 0, 0], ID).is_ok());
    assert!(EvenPort::decode(&[0x80], ID).unwrap().reserve_next);
    assert!(Username::decode(&[0xFF], ID).is_err());
    assert!(PasswordAlgorithm::decode(&[0, 3, 0, 0], ID).is_err());
    assert!(PasswordAlgorithm::decode(&[0, 2, 0, 1], ID).is_err());
    assert!(PasswordAlgorithms::decode(&[0, 2, 0], ID).is_err());
    assert!(PasswordAlgorithms::decode(&[0, 2, 0, 5, 1], ID).is_err());
}

#[test]
fn texts_have_the_rfcs_bounds() {
    // Fewer than 128 characters to send, up to 763 bytes to understand.
    let wide = "\u{10348}".repeat(127);
    assert_eq!(wide.len(), 508);
    assert!(Realm::new(&wide).is_ok());
    assert!(Realm::new(&"a".repeat(128)).is_err());
    assert!(Nonce::new(&"a".repeat(128)).is_err());
    assert!(Username::new(&"a".repeat(508)).is_ok());
    assert!(Username::new(&"a".repeat(509)).is_err());
    let received = [b'a'; 764];
    assert!(Nonce::decode(&received[..763], ID).is_ok());
    assert!(Nonce::decode(&received, ID).is_err());
    assert!(Username::decode(&received[..763], ID).is_ok());
    // A reason phrase too long is cut, never sent.
    let mut out = Vec::new();
    ErrorCode { code: 500, reason: &"\u{E9}".repeat(200) }.encode(ID, &mut out);
    assert_eq!(out.len(), 4 + 127 * 2);
    assert!(std::str::from_utf8(&out[4..]).is_ok());
}

#[test]
fn what_does_not_fit_is_left_out_and_told() {
    for (length, fits) in [(65_524, true), (65_528, true), (65_529, false), (65_536, false)] {
        let mut buf = Vec::new();
        let mut writer = Writer::new(&mut buf, Class::Indication, Method::DATA, ID);
        writer.attribute(&Data(&vec![1; length]));
        assert_eq!(writer.overflowed(), !fits, "{length}");
        let mark = writer.finish();
        writer.attribute(&Priority(1)).integrity(&Key::short_term("key")).fingerprint();
        if length == 65_524 || length == 65_528 {
            assert_eq!(writer.finish(), mark, "nothing more fits");
            assert!(writer.overflowed());
        }
        assert!(Message::parse(&buf).is_ok());
    }
}

#[test]
fn features_are_read_from_nonces_of_either_bit_order() {
    let features = |text: &str| SecurityFeatures::of_nonce(text.as_bytes());
    let none = SecurityFeatures::default();
    let both = SecurityFeatures { password_algorithms: true, username_anonymity: true };
    assert_eq!(features("obMatJos2AAAA"), Some(none));
    assert_eq!(features("obMatJos2AAADx"), Some(both));
    assert_eq!(features("obMatJos2wAAAx"), Some(both));
    assert_eq!(features("obMatJos2AAA"), None);
    assert_eq!(features("obMatJos2AA=A"), None);
    assert_eq!(features("a plain nonce"), None);
    for expected in [none, both, SecurityFeatures { password_algorithms: true, ..none }] {
        assert_eq!(SecurityFeatures::of_nonce(&expected.nonce_prefix()), Some(expected));
    }
}

#[test]
fn strings_of_credentials_are_prepared() {
    assert_eq!(opaque_string("plain pass").unwrap(), "plain pass");
    assert_eq!(opaque_string("\u{3000}wide\u{A0}").unwrap(), " wide ");
    assert_eq!(opaque_string(""), Err(OpaqueStringError::Empty));
    assert_eq!(opaque_string("tab\there"), Err(OpaqueStringError::Control));
    assert_eq!(opaque_string("a\u{85}b"), Err(OpaqueStringError::Control));
}

#[test]
fn a_user_hash_is_sha256_of_name_and_realm() {
    use sha2::Digest as _;
    let expected: [u8; 32] = sha2::Sha256::digest(b"ann:test").into();
    assert_eq!(UserHash::of("ann", "test"), UserHash(expected));
    // RFC 8489 B.1's.
    let matrix = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";
    let b1 = unhex("4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704");
    assert_eq!(UserHash::of(matrix, "example.org").0[..], b1);
}
