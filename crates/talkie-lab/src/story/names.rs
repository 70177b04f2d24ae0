//! What a packet is: the network carries bytes and knows no protocol, so they are read here.

use std::net::SocketAddr;

use serde::Serialize;
use talkie_sim::nat::Flags;
use talkie_sim::net::Content;
use talkie_traversal::stun::attributes::{
    AttributeType, ErrorCode, Priority, XorMappedAddress, XorPeerAddress, XorRelayedAddress,
};
use talkie_traversal::stun::{Class, Message, Method};
use talkie_traversal::turn::channel_data::ChannelData;

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To learn how one is seen.
    Asking,
    /// To be given a relay.
    Allocating,
    /// To find out whether the other one can be reached.
    Checking,
    /// By the relay.
    Relaying,
    /// To have a TCP connection, or to end it.
    Connecting,
    /// Nothing but TCP's acknowledgement of what arrived.
    Acknowledging,
}

/// What the side says that chooses the way, in a check that [`names_the_way`].
const CHOICE: &str = "let us use this way";

/// A packet that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) what: String,
    pub(super) purpose: Purpose,
    /// The transaction, also in an envelope: the same in a request and its answer, on every leg.
    pub(super) transaction: Option<String>,
}

/// Reads a packet.
pub(super) fn name(content: Content, payload: &[u8]) -> Named {
    match content {
        Content::Tcp(segment) if payload.is_empty() => name_segment(segment.flags),
        // Each message of the relay's is a segment of its own.
        Content::Tcp(_) | Content::Udp => name_payload(payload),
    }
}

/// Whether it is a check by which a side chooses the way.
pub(super) fn names_the_way(what: &str) -> bool {
    what.ends_with(CHOICE)
}

fn name_segment(flags: Flags) -> Named {
    let (what, purpose) = match flags {
        flags if flags.contains(Flags::RST) => ("TCP RST: no such connection", Purpose::Connecting),
        flags if flags.contains(Flags::SYN | Flags::ACK) => {
            ("TCP SYN-ACK: the connection is there", Purpose::Connecting)
        }
        flags if flags.contains(Flags::SYN) => {
            ("TCP SYN: a connection, please", Purpose::Connecting)
        }
        flags if flags.contains(Flags::FIN) => ("TCP FIN: that was all", Purpose::Connecting),
        _ => ("TCP ACK", Purpose::Acknowledging),
    };
    Named { what: what.to_owned(), purpose, transaction: None }
}

fn name_payload(payload: &[u8]) -> Named {
    if let Ok(message) = Message::parse(payload) {
        return name_message(&message);
    }
    if let Ok(envelope) = ChannelData::parse(payload) {
        let inner = name_payload(envelope.data);
        let what = format!("relay: {}", inner.what);
        return Named { what, purpose: Purpose::Relaying, ..inner };
    }
    let what = format!("{} bytes of data", payload.len());
    Named { what, purpose: Purpose::Checking, transaction: None }
}

fn name_message(message: &Message<'_>) -> Named {
    let purpose = match message.method() {
        Method::BINDING if is_check(message) => Purpose::Checking,
        Method::BINDING => Purpose::Asking,
        Method::ALLOCATE | Method::REFRESH => Purpose::Allocating,
        _ => Purpose::Relaying,
    };
    let peer = message.get::<XorPeerAddress>().ok().flatten().map(|peer| peer.0);
    let transaction = Some(message.transaction_id().to_string());
    let what = match (message.class(), message.method()) {
        (Class::Indication, Method::SEND) => return envelope("to", peer, message),
        (Class::Indication, Method::DATA) => return envelope("from", peer, message),
        (Class::Request, Method::BINDING) if purpose == Purpose::Checking => check(message),
        (class, method) => {
            format!("{} {}{}", method_words(method), class_words(class), result(message, peer))
        }
    };
    Named { what, purpose, transaction }
}

/// Checks are authenticated, questions to a STUN server need not be (RFC 8445 §7.2.2).
fn is_check(message: &Message<'_>) -> bool {
    message.contains(AttributeType::MESSAGE_INTEGRITY)
        || message.contains(AttributeType::MESSAGE_INTEGRITY_SHA256)
}

/// PRIORITY says what the sender's address will be to the other side (RFC 8445 §7.1.1): of a relay it has
/// nothing in its highest byte (§5.1.2.2).
fn check(message: &Message<'_>) -> String {
    let Priority(priority) = message.get().ok().flatten().unwrap_or(Priority(u32::MAX));
    let from = if priority >> 24 == 0 { " over a relay" } else { "" };
    match message.contains(AttributeType::USE_CANDIDATE) {
        true => format!("check{from}: are you there? {CHOICE}"),
        false => format!("check{from}: are you there?"),
    }
}

fn envelope(preposition: &str, peer: Option<SocketAddr>, message: &Message<'_>) -> Named {
    let data = message.attributes().find(|(kind, _)| *kind == AttributeType::DATA);
    let inner = name_payload(data.map_or(&[], |(_, data)| data));
    let peer = peer.map_or_else(String::new, |peer| format!(" {preposition} {peer}"));
    Named { what: format!("relay{peer}: {}", inner.what), purpose: Purpose::Relaying, ..inner }
}

/// What a message says beside its type.
fn result(message: &Message<'_>, peer: Option<SocketAddr>) -> String {
    if let Ok(Some(error)) = message.get::<ErrorCode<'_>>() {
        return match error.code {
            401 => " (log in first)".to_owned(),
            code => format!(" {code} {}", error.reason),
        };
    }
    if let Ok(Some(relayed)) = message.get::<XorRelayedAddress>() {
        return format!(": your relay is {}", relayed.0);
    }
    if let Ok(Some(mapped)) = message.get::<XorMappedAddress>() {
        return format!(": you are {}", mapped.0);
    }
    // A permission is for all ports of an address (RFC 8656 §9).
    peer.map_or_else(String::new, |peer| format!(" for {}", peer.ip()))
}

fn method_words(method: Method) -> String {
    match method {
        Method::BINDING => "binding".into(),
        Method::ALLOCATE => "allocate".into(),
        Method::REFRESH => "refresh".into(),
        Method::CREATE_PERMISSION => "permission".into(),
        Method::CHANNEL_BIND => "channel".into(),
        Method(other) => format!("method {other:#05x}"),
    }
}

const fn class_words(class: Class) -> &'static str {
    match class {
        Class::Request => "request",
        Class::Indication => "indication",
        Class::Success => "success",
        Class::Error => "error",
    }
}
