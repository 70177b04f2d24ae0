//! The keys that follow from a room's key.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::RoomKey;

const SALT: &[u8] = b"talkie sealed signaling 1";

/// Each as bytes behind its length in two, so that different lists never give the same bytes.
pub(super) fn fields(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u16::try_from(part.len()).expect("identifiers and nonces are short");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// A room's key, and the room that it is for.
pub(super) struct Keys {
    prk: Prk,
    room: String,
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

impl Keys {
    pub(super) fn new(key: &RoomKey, room: &str) -> Self {
        let prk = Salt::new(HKDF_SHA256, SALT).extract(key.as_str().as_bytes());
        Self { prk, room: room.to_lowercase() }
    }

    pub(super) fn room(&self) -> &str {
        &self.room
    }

    pub(super) fn derive(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut key = [0; 32];
        let info = [&*fields(parts)];
        let okm = self.prk.expand(&info, Length).expect("HKDF gives up to 8,160 bytes");
        okm.fill(&mut key).expect("as long as was said");
        key
    }
}
