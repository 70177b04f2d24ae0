//! Connectivity checks as bytes: Binding requests and responses with a short-term credential
//! (RFC 8445 §7.1, §7.3).
//!
//! What does not prove that it comes from the other side is dropped without an answer. RFC 8445 §7.3
//! would answer it with an error; to a stranger that would be a way to make us send.

use std::net::SocketAddr;

use crate::stun::attributes::{
    IceControlled, IceControlling, Priority, UseCandidate, Username, XorMappedAddress,
};
use crate::stun::auth::Key;
use crate::stun::{AttributeType, Class, Message, Method, TransactionId, Writer};

/// The keys and names of a session.
#[derive(Debug)]
pub(super) struct Session {
    /// USERNAME on requests that we send: theirs:ours (RFC 8445 §7.2.2).
    to_them: String,
    /// USERNAME on theirs: ours:theirs.
    from_them: String,
    ours: Key,
    theirs: Key,
    is_controlling: bool,
    tie_breaker: u64,
}

/// RFC 8445 §5.1.2.1, with the type preference of a peer-reflexive candidate and of a relayed one. The
/// latter tells the other side of a relay that the description did not know of yet.
const PRIORITY: u32 = (110 << 24) + RELAYED;
const RELAYED: u32 = (65_535 << 8) + 255;

/// What a check of theirs comes to.
pub(super) struct Checked {
    pub(super) answer: Vec<u8>,
    pub(super) nominates: bool,
    pub(super) is_relayed: bool,
}

impl Session {
    pub(super) fn new(
        ours: (&str, &str),
        theirs: (&str, &str),
        is_controlling: bool,
        tie_breaker: u64,
    ) -> Self {
        Self {
            to_them: format!("{}:{}", theirs.0, ours.0),
            from_them: format!("{}:{}", ours.0, theirs.0),
            ours: Key::short_term(ours.1),
            theirs: Key::short_term(theirs.1),
            is_controlling,
            tie_breaker,
        }
    }

    pub(super) fn is_controlling(&self) -> bool {
        self.is_controlling
    }

    pub(super) fn request(&self, id: TransactionId, nominates: bool, is_relayed: bool) -> Vec<u8> {
        let priority = if is_relayed { RELAYED } else { PRIORITY };
        let mut out = Vec::with_capacity(160);
        let mut writer = Writer::new(&mut out, Class::Request, Method::BINDING, id);
        let name = Username::new(&self.to_them).expect("two names of at most 32 bytes each fit");
        writer.attribute(&name).attribute(&Priority(priority));
        match self.is_controlling {
            true => writer.attribute(&IceControlling(self.tie_breaker)),
            false => writer.attribute(&IceControlled(self.tie_breaker)),
        };
        writer.optional(nominates.then_some(UseCandidate).as_ref());
        writer.integrity(&self.theirs).fingerprint();
        out
    }

    /// The answer to a request of theirs; `None` if it is not theirs.
    pub(super) fn answer(&self, request: &Message<'_>, from: SocketAddr) -> Option<Checked> {
        let name = request.get::<Username<'_>>().ok().flatten()?;
        let is_theirs = name.as_str() == self.from_them
            && request.check_fingerprint() == Some(true)
            && request.check_integrity(&self.ours) == Some(true);
        if !is_theirs || request.unknown_required(AttributeType::KNOWN).next().is_some() {
            return None;
        }
        let mut out = Vec::with_capacity(100);
        Writer::new(&mut out, Class::Success, Method::BINDING, request.transaction_id())
            .attribute(&XorMappedAddress(from))
            .integrity(&self.ours)
            .fingerprint();
        let priority = request.get::<Priority>().ok().flatten();
        Some(Checked {
            answer: out,
            nominates: request.contains(AttributeType::USE_CANDIDATE),
            is_relayed: priority.is_some_and(|Priority(priority)| priority >> 24 == 0),
        })
    }

    /// How they see us, if the response is theirs.
    pub(super) fn mapped(&self, response: &Message<'_>) -> Option<SocketAddr> {
        let is_theirs = response.class() == Class::Success
            && response.check_fingerprint() == Some(true)
            && response.check_integrity(&self.theirs) == Some(true);
        if !is_theirs || response.unknown_required(AttributeType::KNOWN).next().is_some() {
            return None;
        }
        Some(response.get::<XorMappedAddress>().ok().flatten()?.0)
    }
}
