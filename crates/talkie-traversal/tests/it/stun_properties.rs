//! What holds for every message: writing then parsing gives the same, and no input panics.

use proptest::collection::vec;
use proptest::prelude::*;
use talkie_traversal::stun::attributes::{
    AdditionalAddressFamily, AddressErrorCode, AddressFamily, AlternateDomain, AlternateServer,
    CacheTimeout, ChangeRequest, ChannelNumber, ConnectionId, Data, DontFragment, ErrorCode,
    EvenPort, IceControlled, IceControlling, Icmp, Lifetime, MappedAddress, Nonce, OtherAddress,
    Padding, PasswordAlgorithms, Priority, Realm, RequestedAddressFamily, RequestedTransport,
    ReservationToken, ResponseOrigin, ResponsePort, Software, UnknownAttributes, UseCandidate,
    UserHash, Username, XorMappedAddress, XorPeerAddress, XorRelayedAddress,
};
use talkie_traversal::stun::auth::{Key, PasswordAlgorithm};
use talkie_traversal::stun::{
    Attribute, AttributeType, Class, Message, Method, TransactionId, Writer,
};

use crate::stun_vectors;

/// Raw values for one attribute; each kind takes what it needs.
#[derive(Clone, Debug)]
struct Raw {
    kind: usize,
    number: u64,
    bytes: [u8; 32],
    address: std::net::SocketAddr,
    text: String,
    data: Vec<u8>,
}

fn raw() -> impl Strategy<Value = Raw> {
    (
        any::<usize>(),
        any::<u64>(),
        any::<[u8; 32]>(),
        any::<(std::net::IpAddr, u16)>(),
        "\\PC{0,127}",
        vec(any::<u8>(), 0..300),
    )
        .prop_map(|(kind, number, bytes, address, text, data)| Raw {
            kind,
            number,
            bytes,
            address: address.into(),
            text,
            data,
        })
}

/// Does something with the attribute that a [`Raw`] stands for.
trait Visitor<'r> {
    fn visit<A>(&mut self, attribute: A)
    where
        A: Attribute<'r> + PartialEq + std::fmt::Debug;
}

fn visit<'r>(raw: &'r Raw, visitor: &mut impl Visitor<'r>) {
    let mut token = [0; 8];
    token.copy_from_slice(&raw.bytes[..8]);
    let family = AddressFamily(raw.bytes[0]);
    let code = 300 + (raw.number % 400) as u16;
    let short = raw.number as u16;
    let word = raw.number as u32;
    let domain = raw.text.get(..raw.text.len().min(255)).unwrap_or_default();
    let algorithms = if raw.number.is_multiple_of(2) {
        PasswordAlgorithms::SHA256_MD5
    } else {
        PasswordAlgorithms::SHA256
    };
    let algorithm = if raw.number.is_multiple_of(2) {
        PasswordAlgorithm::Md5
    } else {
        PasswordAlgorithm::Sha256
    };
    let channel = ChannelNumber::new(0x4000 + short % 0x1000).unwrap();
    let reason: &'r str = &raw.text;
    match raw.kind % 38 {
        0 => visitor.visit(MappedAddress(raw.address)),
        1 => visitor.visit(ChangeRequest { ip: short & 1 != 0, port: short & 2 != 0 }),
        2 => visitor.visit(Username::new(&raw.text).unwrap()),
        3 => visitor.visit(ErrorCode { code, reason }),
        4 => visitor.visit(channel),
        5 => visitor.visit(Lifetime(std::time::Duration::from_secs(u64::from(word)))),
        6 => visitor.visit(XorPeerAddress(raw.address)),
        7 => visitor.visit(Data(&raw.data)),
        8 => visitor.visit(Realm::new(&raw.text).unwrap()),
        9 => visitor.visit(Nonce::new(&raw.text).unwrap()),
        10 => visitor.visit(XorRelayedAddress(raw.address)),
        11 => visitor.visit(RequestedAddressFamily(family)),
        12 => visitor.visit(EvenPort { reserve_next: short & 1 != 0 }),
        13 => visitor.visit(RequestedTransport(raw.bytes[0])),
        14 => visitor.visit(DontFragment),
        15 => visitor.visit(algorithm),
        16 => visitor.visit(UserHash(raw.bytes)),
        17 => visitor.visit(XorMappedAddress(raw.address)),
        18 => visitor.visit(ReservationToken(token)),
        19 => visitor.visit(Priority(word)),
        20 => visitor.visit(UseCandidate),
        21 => visitor.visit(Padding(&raw.data)),
        22 => visitor.visit(ResponsePort(short)),
        23 => visitor.visit(ConnectionId(word)),
        24 => visitor.visit(AdditionalAddressFamily(family)),
        25 => visitor.visit(AddressErrorCode { family, code, reason }),
        26 => visitor.visit(algorithms),
        27 => visitor.visit(AlternateDomain::new(domain).unwrap()),
        28 => visitor.visit(Icmp { kind: raw.bytes[0] & 0x7F, code: short & 0x1FF, data: word }),
        29 => visitor.visit(Software::new(&raw.text).unwrap()),
        30 => visitor.visit(AlternateServer(raw.address)),
        31 => visitor.visit(CacheTimeout(word)),
        32 => visitor.visit(IceControlled(raw.number)),
        33 => visitor.visit(IceControlling(raw.number)),
        34 => visitor.visit(ResponseOrigin(raw.address)),
        35 => visitor.visit(OtherAddress(raw.address)),
        _ => {}
    }
}

struct Write<'w, 'b>(&'w mut Writer<'b>);

impl<'r> Visitor<'r> for Write<'_, '_> {
    fn visit<A>(&mut self, attribute: A)
    where
        A: Attribute<'r> + PartialEq + std::fmt::Debug,
    {
        self.0.attribute(&attribute);
    }
}

/// Compares with the next attribute of a message.
struct Compare<I>(I, TransactionId);

impl<'r, I: Iterator<Item = (AttributeType, &'r [u8])>> Visitor<'r> for Compare<I> {
    fn visit<A>(&mut self, attribute: A)
    where
        A: Attribute<'r> + PartialEq + std::fmt::Debug,
    {
        let (kind, value) = self.0.next().expect("as many attributes as were written");
        assert_eq!(kind, A::TYPE);
        assert_eq!(A::decode(value, self.1).as_ref(), Ok(&attribute));
    }
}

/// Everything that can be asked of a message.
pub(crate) fn exercise(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else {
        return;
    };
    let key = Key::short_term("key");
    let _ = (message.class(), message.method(), message.check_fingerprint());
    let _ = (message.check_integrity(&key), message.check_truncated_integrity_sha256(&key, 16));
    assert!(message.attributes().count() <= message.raw_attributes().count());
    for kind in message.unknown_required(&[]) {
        assert!(message.contains(kind));
    }
    macro_rules! get {
        ($($name:ty),* $(,)?) => {$(
            if let Ok(Some(value)) = message.get::<$name>() {
                let mut out = Vec::new();
                value.encode(message.transaction_id(), &mut out);
                assert!(<$name>::decode(&out, message.transaction_id()).is_ok());
            }
        )*};
    }
    get!(
        MappedAddress,
        ChangeRequest,
        Username<'_>,
        ErrorCode<'_>,
        UnknownAttributes<'_>,
        ChannelNumber,
        Lifetime,
        XorPeerAddress,
        Data<'_>,
        Realm<'_>,
        Nonce<'_>,
        XorRelayedAddress,
        RequestedAddressFamily,
        EvenPort,
        RequestedTransport,
        DontFragment,
        PasswordAlgorithm,
        UserHash,
        XorMappedAddress,
        ReservationToken,
        Priority,
        UseCandidate,
        Padding<'_>,
        ResponsePort,
        ConnectionId,
        AdditionalAddressFamily,
        AddressErrorCode<'_>,
        PasswordAlgorithms<'_>,
        AlternateDomain<'_>,
        Icmp,
        Software<'_>,
        AlternateServer,
        CacheTimeout,
        IceControlled,
        IceControlling,
        ResponseOrigin,
        OtherAddress,
    );
    if let Ok(Some(algorithms)) = message.get::<PasswordAlgorithms<'_>>() {
        let _ = algorithms.known().count();
    }
    if let Ok(Some(unknown)) = message.get::<UnknownAttributes<'_>>() {
        let _ = unknown.types().count();
    }
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![
        Just(Class::Request),
        Just(Class::Indication),
        Just(Class::Success),
        Just(Class::Error),
    ]
}

proptest! {
    #[test]
    fn parsing_undoes_writing(
        class in class(),
        method in 0u16..0x1000,
        id in any::<[u8; 12]>(),
        before in vec(any::<u8>(), 0..9),
        raws in vec(raw(), 0..12),
        password in "[a-z]{1,70}",
        ends in 0u8..8,
    ) {
        let key = Key::short_term(&password);
        let mut buf = before.clone();
        let mut writer = Writer::new(&mut buf, class, Method(method), TransactionId(id));
        for raw in &raws {
            visit(raw, &mut Write(&mut writer));
        }
        if ends & 1 != 0 { writer.integrity(&key); }
        if ends & 2 != 0 { writer.integrity_sha256(&key); }
        if ends & 4 != 0 { writer.fingerprint(); }
        prop_assert!(!writer.overflowed());
        let length = writer.finish();
        prop_assert_eq!(length + before.len(), buf.len());
        prop_assert_eq!(&buf[..before.len()], &before[..]);

        let message = Message::parse(&buf[before.len()..]).unwrap();
        prop_assert_eq!(message.class(), class);
        prop_assert_eq!(message.method(), Method(method));
        prop_assert_eq!(message.transaction_id(), TransactionId(id));
        prop_assert_eq!(message.check_integrity(&key), (ends & 1 != 0).then_some(true));
        prop_assert_eq!(message.check_integrity_sha256(&key), (ends & 2 != 0).then_some(true));
        prop_assert_eq!(message.check_fingerprint(), (ends & 4 != 0).then_some(true));
        let mut compare = Compare(message.attributes(), message.transaction_id());
        for raw in &raws {
            visit(raw, &mut compare);
        }
        let rest: Vec<_> = compare.0.map(|(kind, _)| kind).collect();
        prop_assert_eq!(rest.len(), (ends & 7).count_ones() as usize);
        exercise(&buf[before.len()..]);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        exercise(&bytes);
    }

    #[test]
    fn arbitrary_attributes_never_panic(
        attributes in vec((0usize..60, vec(any::<u8>(), 0..40)), 0..10),
        header in any::<[u8; 2]>(),
    ) {
        let mut buf = Vec::new();
        let mut writer =
            Writer::new(&mut buf, Class::Request, Method::BINDING, TransactionId([7; 12]));
        for (index, value) in &attributes {
            let kind = AttributeType::KNOWN.get(*index).copied().unwrap_or(AttributeType(0x7F00));
            writer.raw(kind, |out| out.extend_from_slice(value));
        }
        buf[0] = header[0] & 0x3F;
        buf[1] = header[1];
        prop_assert!(Message::parse(&buf).is_ok());
        exercise(&buf);
    }

    #[test]
    fn damaged_messages_never_panic(
        which in 0usize..5,
        damage in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<proptest::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = [
            stun_vectors::sample_request(),
            stun_vectors::sample_ipv4_response(),
            stun_vectors::sample_ipv6_response(),
            stun_vectors::sample_long_term(),
            stun_vectors::sample_sha256(),
        ][which].clone();
        for (index, value) in damage {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        exercise(&bytes);
    }
}
