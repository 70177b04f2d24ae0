//! Stateless nonces (RFC 8489 §9.2.1, RFC 8656 §5).
//!
//! A nonce is the low byte of the minute it was made in and a MAC over the whole minute and the
//! client's 5-tuple, so it proves, without a byte of state, that its bearer received our reply at
//! that address not long ago. It is short because an attacker who spoofs addresses would have us
//! send it to somebody else: 12 characters, or 25 with the security features in front.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use talkie_sansio::Path;

use crate::stun::auth::SecurityFeatures;

/// Announced when the reply that carries the nonce carries PASSWORD-ALGORITHMS (§18.1).
const FEATURES: SecurityFeatures =
    SecurityFeatures { password_algorithms: true, username_anonymity: false };
/// Nine bytes in base64: one of time, eight of MAC. Guessing one takes 2^63 packets on average,
/// and a guessed nonce is worth nothing without the password.
const TOKEN_LEN: usize = 12;
const MAC_LEN: usize = 8;
/// The resolution of a nonce's age.
const MINUTE: u64 = 60;

/// The longest nonce made here.
pub(super) const MAX_LEN: usize = SecurityFeatures::PREFIX_LENGTH + TOKEN_LEN;

/// Makes and checks nonces.
pub(super) struct Nonces {
    keyed: Hmac<Sha256>,
    minutes: u64,
}

/// What a nonce presented by a client is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Ours, for this client, and young enough; `features` when it announced password algorithms.
    Valid {
        /// Whether the nonce announced PASSWORD-ALGORITHMS.
        features: bool,
    },
    /// Too old, made for another client, or not ours: answered by 438 with a fresh one.
    Stale,
}

/// A nonce as text.
#[derive(Clone, Copy)]
pub(super) struct Nonce {
    text: [u8; MAX_LEN],
    len: usize,
}

impl Nonce {
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.len]).expect("base64 is ASCII")
    }
}

impl Nonces {
    /// `lifetime` is rounded up to minutes and is at most two hours, so that the low byte of the
    /// minute is enough to recover the whole.
    pub(super) fn new(key: [u8; 32], lifetime: Duration) -> Self {
        let keyed = Hmac::new_from_slice(&key).expect("HMAC takes a key of any length");
        Self { keyed, minutes: lifetime.as_secs().div_ceil(MINUTE).clamp(1, 120) }
    }

    /// A nonce for the client at `path`; with `features` it announces PASSWORD-ALGORITHMS.
    pub(super) fn make(&self, unix: Duration, path: &Path, features: bool) -> Nonce {
        let minute = unix.as_secs() / MINUTE;
        let mut token = [0; 1 + MAC_LEN];
        token[0] = low_byte(minute);
        token[1..].copy_from_slice(&self.mac(minute, path, features));
        let mut nonce = Nonce { text: [0; MAX_LEN], len: 0 };
        if features {
            nonce.len = SecurityFeatures::PREFIX_LENGTH;
            nonce.text[..nonce.len].copy_from_slice(&FEATURES.nonce_prefix());
        }
        encode(&token, &mut nonce.text[nonce.len..nonce.len + TOKEN_LEN]);
        nonce.len += TOKEN_LEN;
        nonce
    }

    pub(super) fn check(&self, unix: Duration, path: &Path, nonce: &[u8]) -> Verdict {
        let (features, text) = match nonce.strip_prefix(&FEATURES.nonce_prefix()) {
            Some(text) => (true, text),
            None => (false, nonce),
        };
        let mut token = [0; 1 + MAC_LEN];
        if text.len() != TOKEN_LEN
            || STANDARD.decode_slice_unchecked(text, &mut token) != Ok(token.len())
        {
            return Verdict::Stale;
        }
        let now = unix.as_secs() / MINUTE;
        let age = u64::from(low_byte(now).wrapping_sub(token[0]));
        let made = now.saturating_sub(age);
        let genuine = self.mac(made, path, features).ct_eq(&token[1..]);
        if bool::from(genuine) && age <= self.minutes {
            Verdict::Valid { features }
        } else {
            Verdict::Stale
        }
    }

    fn mac(&self, minute: u64, path: &Path, features: bool) -> [u8; MAC_LEN] {
        let mut mac = self.keyed.clone();
        mac.update(&minute.to_be_bytes());
        mac.update(&[path.transport as u8, u8::from(features)]);
        // Only the client's side: behind a wildcard listener the local address may be known for
        // one packet and not for the next.
        update_address(&mut mac, path.remote);
        let full = mac.finalize().into_bytes();
        let mut short = [0; MAC_LEN];
        short.copy_from_slice(&full[..MAC_LEN]);
        short
    }
}

fn update_address(mac: &mut Hmac<Sha256>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => mac.update(&ip.octets()),
        IpAddr::V6(ip) => mac.update(&ip.octets()),
    }
    mac.update(&address.port().to_be_bytes());
}

fn encode(bytes: &[u8], text: &mut [u8]) {
    STANDARD.encode_slice(bytes, text).expect("three bytes make four characters");
}

fn low_byte(minute: u64) -> u8 {
    minute.to_be_bytes()[7]
}

#[cfg(test)]
mod tests {
    use super::*;
    use talkie_sansio::Transport;

    const NOON: Duration = Duration::from_secs(1_800_000_000);

    fn nonces() -> Nonces {
        Nonces::new([1; 32], Duration::from_secs(600))
    }

    fn path(remote: &str) -> Path {
        let local = "192.0.2.1:3478".parse().unwrap();
        Path { transport: Transport::Udp, local, remote: remote.parse().unwrap() }
    }

    #[test]
    fn a_nonce_is_good_for_its_client_alone() {
        let nonces = nonces();
        let client = path("198.51.100.1:1000");
        for features in [false, true] {
            let nonce = nonces.make(NOON, &client, features);
            let text = nonce.as_str().as_bytes();
            assert_eq!(nonces.check(NOON, &client, text), Verdict::Valid { features });
            for other in ["198.51.100.1:1001", "198.51.100.2:1000", "[2001:db8::1]:1000"] {
                assert_eq!(nonces.check(NOON, &path(other), text), Verdict::Stale, "{other}");
            }
            let tcp = Path { transport: Transport::Tcp, ..client };
            assert_eq!(nonces.check(NOON, &tcp, text), Verdict::Stale);
        }
    }

    #[test]
    fn a_nonce_expires_and_never_comes_back() {
        let nonces = nonces();
        let client = path("198.51.100.1:1000");
        let nonce = nonces.make(NOON, &client, false);
        let text = nonce.as_str().as_bytes();
        let check =
            |minutes: u64| nonces.check(NOON + Duration::from_secs(60 * minutes), &client, text);
        assert_eq!(check(10), Verdict::Valid { features: false });
        // 256 minutes later the low byte of the minute is the same again.
        for minutes in [11, 12, 255, 256, 257, 266, 512, 65_536] {
            assert_eq!(check(minutes), Verdict::Stale, "after {minutes} minutes");
        }
        assert_eq!(nonces.check(NOON - Duration::from_secs(60), &client, text), Verdict::Stale);
    }

    #[test]
    fn the_features_cannot_be_added_or_taken_away() {
        let nonces = nonces();
        let client = path("198.51.100.1:1000");
        let with = nonces.make(NOON, &client, true);
        let stripped = &with.as_str().as_bytes()[SecurityFeatures::PREFIX_LENGTH..];
        assert_eq!(nonces.check(NOON, &client, stripped), Verdict::Stale);
        let without = nonces.make(NOON, &client, false);
        let dressed = format!("obMatJos2AAAB{}", without.as_str());
        assert_eq!(nonces.check(NOON, &client, dressed.as_bytes()), Verdict::Stale);
        let weakened = with.as_str().replace("AAAB", "AAAA");
        assert_eq!(nonces.check(NOON, &client, weakened.as_bytes()), Verdict::Stale);
    }

    #[test]
    fn garbage_is_stale() {
        let nonces = nonces();
        let client = path("198.51.100.1:1000");
        for garbage in [&b""[..], b"obMatJos2", b"============", b"\xff\xff\xff\xff", &[b'A'; 763]]
        {
            assert_eq!(nonces.check(NOON, &client, garbage), Verdict::Stale);
        }
    }
}
