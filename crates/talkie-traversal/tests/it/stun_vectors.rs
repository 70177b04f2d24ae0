//! The published test vectors, RFC 5769 and RFC 8489 appendix B.1; and for RFC 5780, which has none,
//! what coturn's programs send, and its figures written out.

use talkie_traversal::stun::attributes::{
    CacheTimeout, ChangeRequest, IceControlled, MappedAddress, Nonce, OtherAddress, Padding,
    Priority, Realm, ResponseOrigin, ResponsePort, Software, UserHash, Username, XorMappedAddress,
};
use talkie_traversal::stun::auth::{Key, PasswordAlgorithm, SecurityFeatures};
use talkie_traversal::stun::{AttributeType, Class, Message, Method, TransactionId, Writer};

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
const MATRIX: &str = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

pub(crate) fn sample_request() -> Vec<u8> {
    unhex(
        "00010058 2112a442 b7e7a701bc34d686fa87dfae
         80220010 5354554e207465737420636c69656e74
         00240004 6e0001ff
         80290008 932ff9b151263b36
         00060009 6576746a3a68367659 202020
         00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
         80280004 e57a3bcf",
    )
}

pub(crate) fn sample_ipv4_response() -> Vec<u8> {
    unhex(
        "0101003c 2112a442 b7e7a701bc34d686fa87dfae
         8022000b 7465737420766563746f72 20
         00200008 0001a147e112a643
         00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
         80280004 c07d4c96",
    )
}

pub(crate) fn sample_ipv6_response() -> Vec<u8> {
    unhex(
        "01010048 2112a442 b7e7a701bc34d686fa87dfae
         8022000b 7465737420766563746f72 20
         00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
         00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
         80280004 c8fb0b4c",
    )
}

pub(crate) fn sample_long_term() -> Vec<u8> {
    unhex(
        "00010060 2112a442 78ad3433c6ad72c029da412e
         00060012 e3839ee38388e383aae38383e382afe382b9 0000
         0015001c 662f2f3439396b39353464364f4c33346f4c394653547679363473 41
         0014000b 6578616d706c652e6f7267 00
         00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666",
    )
}

/// As corrected by the errata: the example as printed has a wrong length and leaves
/// PASSWORD-ALGORITHM out.
pub(crate) fn sample_sha256() -> Vec<u8> {
    unhex(
        "00010090 2112a442 78ad3433c6ad72c029da412e
         001e0020 4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
         00150029 6f624d61744a6f7332414141 43662f2f3439396b39353464364f4c33346f4c394653547679363473 41
                  000000
         0014000b 6578616d706c652e6f7267 00
         001d0004 00020000
         001c0020 b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65",
    )
}

#[test]
fn rfc_5769_sample_request() {
    let bytes = sample_request();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, Method::BINDING));
    assert_eq!(message.transaction_id().to_string(), "b7e7a701bc34d686fa87dfae");
    assert_eq!(message.get::<Software<'_>>().unwrap().unwrap().as_str(), "STUN test client");
    assert_eq!(message.get::<Priority>().unwrap(), Some(Priority(0x6e00_01ff)));
    let tie_breaker = IceControlled(0x932f_f9b1_5126_3b36);
    assert_eq!(message.get::<IceControlled>().unwrap(), Some(tie_breaker));
    assert_eq!(message.get::<Username<'_>>().unwrap().unwrap().as_str(), "evtj:h6vY");
    assert_eq!(message.check_integrity(&Key::short_term(PASSWORD)), Some(true));
    assert_eq!(message.check_integrity(&Key::short_term("another")), Some(false));
    assert_eq!(message.check_integrity_sha256(&Key::short_term(PASSWORD)), None);
    assert_eq!(message.check_fingerprint(), Some(true));
}

#[test]
fn rfc_5769_sample_ipv4_response() {
    let bytes = sample_ipv4_response();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Success, Method::BINDING));
    let mapped = XorMappedAddress("192.0.2.1:32853".parse().unwrap());
    assert_eq!(message.get::<XorMappedAddress>().unwrap(), Some(mapped));
    assert_eq!(message.get::<Software<'_>>().unwrap().unwrap().as_str(), "test vector");
    assert_eq!(message.check_integrity(&Key::short_term(PASSWORD)), Some(true));
    assert_eq!(message.check_fingerprint(), Some(true));
}

#[test]
fn rfc_5769_sample_ipv6_response() {
    let bytes = sample_ipv6_response();
    let message = Message::parse(&bytes).unwrap();
    let mapped = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
    assert_eq!(message.get::<XorMappedAddress>().unwrap(), Some(XorMappedAddress(mapped)));
    assert_eq!(message.check_integrity(&Key::short_term(PASSWORD)), Some(true));
    assert_eq!(message.check_fingerprint(), Some(true));
}

#[test]
fn rfc_5769_sample_request_with_long_term_authentication() {
    let key = Key::long_term(PasswordAlgorithm::Md5, MATRIX, "example.org", "TheMatrIX");
    let bytes = sample_long_term();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.check_integrity(&key), Some(true));
    assert_eq!(message.check_fingerprint(), None);

    // This vector pads with zeros, so that the writer has to produce the same bytes.
    let mut written = Vec::new();
    Writer::new(&mut written, Class::Request, Method::BINDING, message.transaction_id())
        .attribute(&Username::new(MATRIX).unwrap())
        .attribute(&Nonce::new("f//499k954d6OL34oL9FSTvy64sA").unwrap())
        .attribute(&Realm::new("example.org").unwrap())
        .integrity(&key);
    assert_eq!(written, bytes);
}

#[test]
fn rfc_8489_b_1() {
    let key = Key::long_term(PasswordAlgorithm::Sha256, MATRIX, "example.org", "TheMatrIX");
    let bytes = sample_sha256();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.check_integrity_sha256(&key), Some(true));
    assert_eq!(message.check_integrity(&key), None);
    assert_eq!(message.get::<PasswordAlgorithm>().unwrap(), Some(PasswordAlgorithm::Sha256));
    let nonce = message.get::<Nonce<'_>>().unwrap().unwrap();
    assert_eq!(nonce.as_str(), "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA");
    let features = SecurityFeatures::of_nonce(nonce.as_str().as_bytes());
    let anonymous = SecurityFeatures { username_anonymity: true, ..SecurityFeatures::default() };
    assert_eq!(features, Some(anonymous));
    assert_eq!(&anonymous.nonce_prefix(), b"obMatJos2AAAC");

    let mut written = vec![1, 2, 3];
    let mut writer =
        Writer::new(&mut written, Class::Request, Method::BINDING, message.transaction_id());
    writer
        .attribute(&UserHash::of(MATRIX, "example.org"))
        .attribute(&nonce)
        .attribute(&Realm::new("example.org").unwrap())
        .attribute(&PasswordAlgorithm::Sha256)
        .integrity_sha256(&key);
    assert_eq!(writer.finish(), bytes.len());
    assert_eq!(written[3..], bytes);
}

#[test]
fn rfc_8489_long_term_key_example() {
    // RFC 8489 §9.2.2 gives the key itself; here it is the key of a known HMAC.
    let key = Key::long_term(PasswordAlgorithm::Md5, "user", "realm", "pass");
    let same = Key::from_bytes(&unhex("8493fbc53ba582fb4c044c456bdc40eb"));
    let mut buf = Vec::new();
    Writer::new(&mut buf, Class::Request, Method::ALLOCATE, TransactionId([1; 12])).integrity(&key);
    assert_eq!(Message::parse(&buf).unwrap().check_integrity(&same), Some(true));
}

#[test]
fn a_vector_with_any_bit_flipped_fails_its_checks() {
    let key = Key::short_term(PASSWORD);
    let bytes = sample_request();
    let fingerprint = bytes.len() - 8;
    for bit in 0..fingerprint * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let Ok(message) = Message::parse(&damaged) else {
            continue;
        };
        assert_ne!(message.check_integrity(&key), Some(true), "bit {bit}");
        assert_ne!(message.check_fingerprint(), Some(true), "bit {bit}");
    }
    assert!(Message::parse(&bytes).unwrap().contains(AttributeType::MESSAGE_INTEGRITY));
}

#[test]
fn rfc_5780_request_as_turnutils_stunclient_sends_it() {
    // RESPONSE-PORT with the two bytes of padding inside its length (§7.5), CHANGE-REQUEST with both
    // flags (§7.2).
    let bytes = unhex(
        "00010010 2112a442 d5fd73a288397427 2f55390c
         00270004 bdf10000
         00030004 00000006",
    );
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, Method::BINDING));
    assert_eq!(message.get::<ResponsePort>(), Ok(Some(ResponsePort(48_625))));
    let both = ChangeRequest { ip: true, port: true };
    assert_eq!(message.get::<ChangeRequest>(), Ok(Some(both)));
    assert_eq!(message.get::<Padding<'_>>(), Ok(None));
}

#[test]
fn rfc_5780_attributes_have_the_figures_layout() {
    let id =
        TransactionId([0xd5, 0xfd, 0x73, 0xa2, 0x88, 0x39, 0x74, 0x27, 0x2f, 0x55, 0x39, 0x0c]);
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Success, Method::BINDING, id)
        .attribute(&XorMappedAddress("127.0.0.1:48624".parse().unwrap()))
        .attribute(&MappedAddress("127.0.0.1:48624".parse().unwrap()))
        .attribute(&ResponseOrigin("127.0.0.2:13479".parse().unwrap()))
        .attribute(&OtherAddress("127.0.0.2:13479".parse().unwrap()))
        .attribute(&Padding(&[0; 5]))
        .attribute(&CacheTimeout(600));
    // The first four as coturn's client understood them; PADDING (§7.6) is padded in its turn.
    let expected = unhex(
        "01010044 2112a442 d5fd73a288397427 2f55390c
         00200008 00019ce2 5e12a443
         00010008 0001bdf0 7f000001
         802b0008 000134a7 7f000002
         802c0008 000134a7 7f000002
         00260005 0000000000 000000
         80270004 00000258",
    );
    assert_eq!(bytes, expected);
    for (ip, port, value) in
        [(false, false, 0_u8), (true, false, 4), (false, true, 2), (true, true, 6)]
    {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, Class::Request, Method::BINDING, id)
            .attribute(&ChangeRequest { ip, port });
        assert_eq!(bytes[20..], [0, 3, 0, 4, 0, 0, 0, value]);
    }
    // The bits beside the two flags are nobody's (§7.2).
    bytes.clear();
    Writer::new(&mut bytes, Class::Request, Method::BINDING, id)
        .raw(AttributeType::CHANGE_REQUEST, |out| out.extend([0xff, 0xff, 0xff, 0xfd]));
    let wish = Message::parse(&bytes).unwrap().get::<ChangeRequest>().unwrap().unwrap();
    assert_eq!(wish, ChangeRequest { ip: true, port: false });
}
