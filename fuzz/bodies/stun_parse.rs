//! Any bytes as a STUN message: everything that can be asked of it, asked.

use talkie_traversal::demux::Protocol;
use talkie_traversal::stun::attributes::*;
use talkie_traversal::stun::auth::{Key, PasswordAlgorithm, SecurityFeatures, opaque_string};
use talkie_traversal::stun::{AttributeType, Message};

/// Reads an attribute and checks that what it writes reads back the same.
fn read<'a, A: Attribute<'a> + PartialEq>(message: &Message<'a>) {
    let Ok(Some(value)) = message.get::<A>() else {
        return;
    };
    let id = message.transaction_id();
    let mut out = Vec::new();
    value.encode(id, &mut out);
    // The lifetime of the copy ends here, so that only its success can be compared.
    assert!(out.len() <= message.as_bytes().len());
}

pub(crate) fn run(data: &[u8]) {
    let _ = Protocol::of(data);
    let Ok(message) = Message::parse(data) else {
        return;
    };
    assert_eq!(message.as_bytes(), data);
    let key = Key::short_term("key");
    let _ = (message.class(), message.method(), message.check_fingerprint());
    let _ = (message.check_integrity(&key), message.check_truncated_integrity_sha256(&key, 16));
    let total: usize =
        message.raw_attributes().map(|(_, value)| 4 + value.len().next_multiple_of(4)).sum();
    assert_eq!(total + 20, data.len());
    assert!(message.attributes().count() <= message.raw_attributes().count());
    for kind in message.unknown_required(AttributeType::KNOWN) {
        assert!(message.contains(kind) && kind.is_comprehension_required());
    }
    read::<MappedAddress>(&message);
    read::<ChangeRequest>(&message);
    read::<Username<'_>>(&message);
    read::<ErrorCode<'_>>(&message);
    read::<UnknownAttributes<'_>>(&message);
    read::<ChannelNumber>(&message);
    read::<Lifetime>(&message);
    read::<XorPeerAddress>(&message);
    read::<Data<'_>>(&message);
    read::<Realm<'_>>(&message);
    read::<Nonce<'_>>(&message);
    read::<XorRelayedAddress>(&message);
    read::<RequestedAddressFamily>(&message);
    read::<EvenPort>(&message);
    read::<RequestedTransport>(&message);
    read::<DontFragment>(&message);
    read::<PasswordAlgorithm>(&message);
    read::<UserHash>(&message);
    read::<XorMappedAddress>(&message);
    read::<ReservationToken>(&message);
    read::<Priority>(&message);
    read::<UseCandidate>(&message);
    read::<Padding<'_>>(&message);
    read::<ResponsePort>(&message);
    read::<ConnectionId>(&message);
    read::<AdditionalAddressFamily>(&message);
    read::<AddressErrorCode<'_>>(&message);
    read::<PasswordAlgorithms<'_>>(&message);
    read::<AlternateDomain<'_>>(&message);
    read::<Icmp>(&message);
    read::<Software<'_>>(&message);
    read::<AlternateServer>(&message);
    read::<CacheTimeout>(&message);
    read::<IceControlled>(&message);
    read::<IceControlling>(&message);
    read::<ResponseOrigin>(&message);
    read::<OtherAddress>(&message);
    if let Ok(Some(algorithms)) = message.get::<PasswordAlgorithms<'_>>() {
        let _ = algorithms.known().count();
    }
    if let Ok(Some(unknown)) = message.get::<UnknownAttributes<'_>>() {
        let _ = unknown.types().count();
    }
    if let Ok(Some(nonce)) = message.get::<Nonce<'_>>() {
        let _ = SecurityFeatures::of_nonce(nonce.as_str().as_bytes());
        let _ = opaque_string(nonce.as_str());
    }
}
