//! The state cookie (RFC 9260 §5.1.3): everything an association begins with, in the peer's keeping.
//!
//! An INIT costs no memory: what it said and what was answered goes out in the INIT ACK, under a MAC with
//! a key that never leaves, and comes back in the COOKIE ECHO.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::peer::Peer;
use crate::sctp::serial::Tsn;

const MAC: usize = 32;
const BODY: usize = 41;

/// What a cookie says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    /// When it was made, since the machine's birth.
    pub(super) made: Duration,
    pub(super) own_tag: u32,
    pub(super) own_tsn: Tsn,
    pub(super) peer: Peer,
    /// Both tags of the association that existed when it was made, or zeros (RFC 9260 §5.2.2).
    pub(super) ties: (u32, u32),
}

/// Signs and reads cookies.
#[derive(Clone)]
pub(super) struct Jar {
    key: [u8; 32],
}

impl Jar {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    pub(super) fn seal(&self, cookie: &Cookie) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BODY + MAC);
        let millis = u64::try_from(cookie.made.as_millis()).unwrap_or(u64::MAX);
        bytes.extend_from_slice(&millis.to_be_bytes());
        let peer = &cookie.peer;
        let numbers = [cookie.own_tag, cookie.own_tsn.0, peer.tag, peer.tsn.0, peer.window];
        for number in numbers.into_iter().chain([cookie.ties.0, cookie.ties.1]) {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&peer.outbound.to_be_bytes());
        bytes.extend_from_slice(&peer.inbound.to_be_bytes());
        bytes.push(peer.capabilities.to_bits());
        let mac = self.mac(&bytes);
        bytes.extend_from_slice(&mac);
        bytes
    }

    /// Reads a cookie of ours; `None` for any other.
    pub(super) fn open(&self, bytes: &[u8]) -> Option<Cookie> {
        let (body, mac) = bytes.split_at_checked(BODY)?;
        if !bool::from(self.mac(body).ct_eq(mac)) {
            return None;
        }
        let number = |at: usize| Some(u32::from_be_bytes(*body.get(at..)?.first_chunk()?));
        let half = |at: usize| Some(u16::from_be_bytes(*body.get(at..)?.first_chunk()?));
        Some(Cookie {
            made: Duration::from_millis(u64::from_be_bytes(*body.first_chunk()?)),
            own_tag: number(8)?,
            own_tsn: Tsn(number(12)?),
            peer: Peer {
                tag: number(16)?,
                tsn: Tsn(number(20)?),
                window: number(24)?,
                outbound: half(36)?,
                inbound: half(38)?,
                capabilities: super::peer::Capabilities::from_bits(body[40]),
            },
            ties: (number(28)?, number(32)?),
        })
    }

    fn mac(&self, body: &[u8]) -> [u8; MAC] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Jar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key is a secret.
        f.write_str("Jar")
    }
}
