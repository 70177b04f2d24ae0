//! Sealed payloads: what peers that share a room's key say to each other, unreadable and
//! unchangeable for the server (docs/signaling.md, "Sealed payloads").
//!
//! From the key everything else is derived by HKDF. The `check` shows the server that two have the
//! same key, without telling it. The card, which the server hands to the others, carries a fresh
//! nonce and the sealed name. Key and both nonces give one AES-GCM key for each direction of a pair,
//! under which messages are counted: a message that is changed, repeated, left out or put in another
//! place does not open, and nothing opens after it.

mod channel;
mod derive;
mod key;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, UnboundKey};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::message::{Join, Peer, PeerId, plain};
use derive::{Keys, fields};

pub use channel::{Channel, OpenError, Payload};
pub use key::{ParseRoomKeyError, RoomKey};

/// A name is padded to multiples of this, so that its length does not show.
const PADDING: usize = 128;
/// Nonces that are remembered. Nobody meets that many in one room, unless the server makes them up.
const MAX_MET: usize = 4_096;
/// Characters of a name.
const MAX_NAME: usize = 64;

/// Drawn for each join.
type JoinNonce = [u8; 32];

/// A room whose key one has, for one join: the keys of a later join are others.
pub struct SealedRoom {
    keys: Keys,
    nonce: JoinNonce,
    card: String,
    /// A nonce that comes again would begin the same keys anew.
    met: BTreeSet<JoinNonce>,
}

/// Somebody who has the key.
#[derive(Debug)]
pub struct Met {
    /// What it calls itself, without control characters.
    pub name: String,
    /// What the two of you say to each other.
    pub channel: Channel,
}

/// Why a peer is not to be talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Stranger {
    /// It has no card, or one that the room's key does not open.
    #[error("the other side does not have this room's key")]
    NoKey,
    /// Its card was met before: the server shows an old one.
    #[error("the server shows an old card again")]
    Repeated,
}

/// The system has no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandomness;

#[derive(Serialize, Deserialize)]
struct Inside {
    name: String,
}

impl SealedRoom {
    /// Prepares to join `room` under a name that only those with the key will read.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn new(key: &RoomKey, room: &str, name: &str) -> Result<Self, NoRandomness> {
        let mut nonce = [0; 32];
        rand::fill(&mut nonce).map_err(|_| NoRandomness)?;
        Ok(Self::with_nonce(key, room, name, nonce))
    }

    fn with_nonce(key: &RoomKey, room: &str, name: &str, nonce: JoinNonce) -> Self {
        let keys = Keys::new(key, room);
        let card = make_card(&keys, &nonce, name);
        Self { keys, nonce, card, met: BTreeSet::from([nonce]) }
    }

    /// What the server needs to let one in.
    #[must_use]
    pub fn join(&self) -> Join {
        Join {
            room: self.keys.room().to_owned(),
            card: Some(self.card.clone()),
            check: Some(self.check()),
            ..Join::default()
        }
    }

    /// What the server compares, and what tells it nothing.
    #[must_use]
    pub fn check(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.keys.derive(&[b"check", self.keys.room().as_bytes()]))
    }

    /// Opens the card of a peer of the room, in which `own` is this side's identifier.
    ///
    /// # Errors
    /// If it does not have the key, as far as its card shows.
    pub fn meet(&mut self, own: &PeerId, peer: &Peer) -> Result<Met, Stranger> {
        let card = peer.card.as_deref().and_then(|card| open_card(&self.keys, card));
        let (nonce, name) = card.ok_or(Stranger::NoKey)?;
        if self.met.len() >= MAX_MET || !self.met.insert(nonce) {
            return Err(Stranger::Repeated);
        }
        let (own, other) = ((own, &self.nonce), (&peer.id, &nonce));
        Ok(Met { name, channel: Channel::new(&self.keys, own, other) })
    }
}

impl std::fmt::Debug for SealedRoom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedRoom").finish_non_exhaustive()
    }
}

/// The key of a card, which seals nothing else: hence the constant nonce.
fn card_key(keys: &Keys, nonce: &JoinNonce) -> LessSafeKey {
    aes(&keys.derive(&[b"card", keys.room().as_bytes(), nonce]))
}

fn card_data(keys: &Keys, nonce: &JoinNonce) -> Aad<Vec<u8>> {
    Aad::from(fields(&[b"talkie card 1", keys.room().as_bytes(), nonce]))
}

fn make_card(keys: &Keys, nonce: &JoinNonce, name: &str) -> String {
    let inside = Inside { name: plain(name.trim(), MAX_NAME) };
    let mut sealed = serde_json::to_vec(&inside).expect("a struct of a string");
    sealed.resize(sealed.len().next_multiple_of(PADDING), b' ');
    seal(&card_key(keys, nonce), 0, card_data(keys, nonce), &mut sealed);
    format!("1.{}.{}", URL_SAFE_NO_PAD.encode(nonce), URL_SAFE_NO_PAD.encode(sealed))
}

fn open_card(keys: &Keys, card: &str) -> Option<(JoinNonce, String)> {
    let (nonce, sealed) = card.strip_prefix("1.")?.split_once('.')?;
    let nonce: JoinNonce = URL_SAFE_NO_PAD.decode(nonce).ok()?.try_into().ok()?;
    let mut sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let opened = open(&card_key(keys, &nonce), 0, card_data(keys, &nonce), &mut sealed)?;
    let inside: Inside = serde_json::from_slice(opened).ok()?;
    Some((nonce, plain(inside.name.trim(), MAX_NAME)))
}

fn aes(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are a key of AES-256"))
}

/// AES-GCM's nonce: four zero bytes and a number in eight.
fn nonce(number: u64) -> aws_lc_rs::aead::Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    aws_lc_rs::aead::Nonce::assume_unique_for_key(bytes)
}

fn seal(key: &LessSafeKey, number: u64, data: Aad<Vec<u8>>, bytes: &mut Vec<u8>) {
    key.seal_in_place_append_tag(nonce(number), data, bytes)
        .expect("shorter than the 64 GiB that AES-GCM takes");
}

fn open<'a>(
    key: &LessSafeKey,
    number: u64,
    data: Aad<Vec<u8>>,
    bytes: &'a mut [u8],
) -> Option<&'a [u8]> {
    key.open_in_place(nonce(number), data, bytes).ok().map(|opened| &*opened)
}
