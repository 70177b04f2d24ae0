//! What two peers say to each other: a key and a count for each direction.

use aws_lc_rs::aead::{Aad, LessSafeKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::derive::{Keys, fields};
use super::{JoinNonce, aes, open, seal};
use crate::message::PeerId;

/// A sealed payload as it goes over the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payload {
    pub(super) sealed: Numbered,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Numbered {
    pub(super) n: u64,
    pub(super) data: String,
}

/// Why a payload is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Somebody on the way changed, repeated, left out or made up a message. Nothing opens any
    /// more; the other side is to be told with [`Channel::refusal`].
    #[error("a message was changed, repeated or left out on the way")]
    Tampered,
    /// The other side met such a message, and says so.
    #[error("the other side met a message that was changed, repeated or left out on the way")]
    Refused,
    /// It comes from the other side, and is not what was expected.
    #[error("the other side says what this version does not understand: {0}")]
    Unexpected(String),
}

/// Both directions between two peers, since the later one of them joined.
pub struct Channel {
    outward: Direction,
    inward: Direction,
    is_broken: bool,
}

struct Direction {
    key: LessSafeKey,
    room: String,
    from: PeerId,
    to: PeerId,
    count: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    refused: bool,
}

type End<'a> = (&'a PeerId, &'a JoinNonce);

impl Channel {
    pub(super) fn new(keys: &Keys, own: End<'_>, other: End<'_>) -> Self {
        let outward = Direction::new(keys, own, other);
        let inward = Direction::new(keys, other, own);
        Self { outward, inward, is_broken: false }
    }

    /// Seals a message for the other side.
    ///
    /// # Errors
    /// If it can't be written as JSON.
    pub fn seal(&mut self, message: &impl Serialize) -> Result<Payload, serde_json::Error> {
        let mut bytes = serde_json::to_vec(message)?;
        self.outward.count += 1;
        let (n, data) = (self.outward.count, self.outward.data());
        seal(&self.outward.key, n, data, &mut bytes);
        Ok(Payload { sealed: Numbered { n, data: URL_SAFE_NO_PAD.encode(bytes) } })
    }

    /// Opens the message that follows the last one, and only that.
    ///
    /// # Errors
    /// If it does not open, or is not what was expected.
    pub fn open<T: DeserializeOwned>(&mut self, payload: &RawValue) -> Result<T, OpenError> {
        let opened = self.bytes(payload);
        let Some(bytes) = opened else {
            self.is_broken = true;
            return Err(OpenError::Tampered);
        };
        if serde_json::from_slice::<Refusal>(&bytes).is_ok_and(|refusal| refusal.refused) {
            self.is_broken = true;
            return Err(OpenError::Refused);
        }
        serde_json::from_slice(&bytes).map_err(|error| OpenError::Unexpected(error.to_string()))
    }

    /// Tells the other side that something was tampered with: the last message of this side.
    #[must_use]
    pub fn refusal(&mut self) -> Payload {
        self.seal(&Refusal { refused: true }).expect("a struct of a bool")
    }

    fn bytes(&mut self, payload: &RawValue) -> Option<Vec<u8>> {
        if self.is_broken {
            return None;
        }
        let Payload { sealed } = serde_json::from_str(payload.get()).ok()?;
        self.inward.count += 1;
        if sealed.n != self.inward.count {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed.data).ok()?;
        let data = self.inward.data();
        let length = open(&self.inward.key, sealed.n, data, &mut bytes)?.len();
        bytes.truncate(length);
        Some(bytes)
    }
}

impl Direction {
    fn new(keys: &Keys, from: End<'_>, to: End<'_>) -> Self {
        let ends = [from.0.as_str(), to.0.as_str()].map(str::as_bytes);
        let room = keys.room();
        let key = keys.derive(&[b"payload", room.as_bytes(), ends[0], ends[1], from.1, to.1]);
        let (from, to) = (from.0.clone(), to.0.clone());
        Self { key: aes(&key), room: room.to_owned(), from, to, count: 0 }
    }

    fn data(&self) -> Aad<Vec<u8>> {
        let (from, to) = (self.from.as_str().as_bytes(), self.to.as_str().as_bytes());
        let count = self.count.to_be_bytes();
        Aad::from(fields(&[b"talkie payload 1", self.room.as_bytes(), from, to, &count]))
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("is_broken", &self.is_broken).finish_non_exhaustive()
    }
}
