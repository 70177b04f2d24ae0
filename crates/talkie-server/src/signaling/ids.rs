//! Identifiers. Those that clients see are random, long enough that none is ever met twice, and
//! written in URL-safe base64.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, Serializer};
use subtle::ConstantTimeEq as _;

/// A WebSocket, for as long as it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SocketId(pub(super) u64);

/// Why a text is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of this server")]
pub struct ParseIdError;

fn decode<const N: usize>(text: &str) -> Result<[u8; N], ParseIdError> {
    // Before decoding, so that a long text costs nothing.
    if text.len() != (N * 4).div_ceil(3) {
        return Err(ParseIdError);
    }
    URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(ParseIdError)
}

/// A peer in a room. New for each join and unique over all rooms of a cluster, so that what comes
/// late for a former membership finds nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId([u8; 12]);

impl PeerId {
    /// The peer with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }
}

impl FromStr for PeerId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        decode(text).map(Self)
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({self})")
    }
}

impl Serialize for PeerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A session. Not a secret: the token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SessionId(pub(super) [u8; 16]);

impl SessionId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        decode(text).ok().map(Self)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// What proves that a session is the caller's.
#[derive(Clone)]
pub(super) struct Token([u8; 24]);

impl Token {
    pub(super) fn new(bytes: [u8; 24]) -> Self {
        Self(bytes)
    }

    pub(super) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Takes the same time wherever the two differ.
    pub(super) fn matches(&self, text: &str) -> bool {
        decode::<24>(text).is_ok_and(|other| self.0.ct_eq(&other).into())
    }
}

/// What lets its holder into a locked room: one for each room, drawn when the room is made and
/// told to everybody who is in.
#[derive(Clone, Copy)]
pub struct Pass([u8; 16]);

impl Pass {
    /// The pass with these bytes, which must be random.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Whether `text` is this pass. Takes the same time wherever the two differ.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        decode::<16>(text).is_ok_and(|other| self.0.ct_eq(&other).into())
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pass(..)")
    }
}

impl Serialize for Pass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}
