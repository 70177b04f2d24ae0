//! Credentials (RFC 8489 §9): keys for message integrity, hashed usernames, and the security
//! features that a server announces in its nonce.
//!
//! A [`Key`] holds the HMAC states after the key block, so that checking or making a message's
//! integrity costs no key schedule.
//!
//! Usernames, realms and passwords are meant to be prepared with [`opaque_string`] where they enter
//! the program (configuration, an application's call), once, and are taken as they are here.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

/// How a long-term credential becomes a key (RFC 8489 §18.5), weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PasswordAlgorithm {
    /// MD5, for peers older than RFC 8489.
    Md5,
    /// SHA-256.
    Sha256,
}

/// A message integrity key.
#[derive(Clone)]
pub struct Key {
    sha1: Hmac<Sha1>,
    sha256: Hmac<Sha256>,
}

impl Key {
    /// The key of a short-term credential: the password itself (RFC 8489 §9.1.1).
    #[must_use]
    pub fn short_term(password: &str) -> Self {
        Self::from_bytes(password.as_bytes())
    }

    /// The key of a long-term credential: a hash of `username:realm:password` (RFC 8489 §18.5.1).
    #[must_use]
    pub fn long_term(
        algorithm: PasswordAlgorithm,
        username: &str,
        realm: &str,
        password: &str,
    ) -> Self {
        let parts = [username, ":", realm, ":", password];
        match algorithm {
            PasswordAlgorithm::Md5 => Self::from_bytes(&hash::<Md5>(&parts)),
            PasswordAlgorithm::Sha256 => Self::from_bytes(&hash::<Sha256>(&parts)),
        }
    }

    /// A key from its bytes, as a database of hashed credentials keeps them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            sha1: Hmac::new_from_slice(bytes).expect("HMAC takes keys of any length"),
            sha256: Hmac::new_from_slice(bytes).expect("HMAC takes keys of any length"),
        }
    }

    pub(super) fn sha1(&self, head: &[u8; 4], rest: &[u8]) -> [u8; 20] {
        self.sha1.clone().chain_update(head).chain_update(rest).finalize().into_bytes().into()
    }

    pub(super) fn sha256(&self, head: &[u8; 4], rest: &[u8]) -> [u8; 32] {
        self.sha256.clone().chain_update(head).chain_update(rest).finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

fn hash<D: Digest>(parts: &[&str]) -> md5::digest::Output<D> {
    let mut digest = D::new();
    for part in parts {
        digest.update(part.as_bytes());
    }
    digest.finalize()
}

/// USERHASH's value: SHA-256 of `username:realm` (RFC 8489 §14.4).
#[must_use]
pub fn user_hash(username: &str, realm: &str) -> [u8; 32] {
    hash::<Sha256>(&[username, ":", realm]).into()
}

/// What a server supports beyond RFC 5389, announced at the start of its nonces so that an attacker
/// in the middle cannot take it away unnoticed (RFC 8489 §9.2, §18.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityFeatures {
    /// PASSWORD-ALGORITHMS.
    pub password_algorithms: bool,
    /// USERHASH.
    pub username_anonymity: bool,
}

/// What a nonce with security features starts with (RFC 8489 §9.2).
const NONCE_COOKIE: &[u8] = b"obMatJos2";

impl SecurityFeatures {
    /// How long [`nonce_prefix`](Self::nonce_prefix) is.
    pub const PREFIX_LENGTH: usize = 13;

    /// The nonce cookie with these features: what a server puts in front of every nonce.
    ///
    /// The bits count from the right: §9.2 and §18.1 as printed say from the left, but the verified
    /// erratum 6290 on §18.1 turns that round, and the example in appendix B.1 has it so.
    #[must_use]
    pub fn nonce_prefix(self) -> [u8; Self::PREFIX_LENGTH] {
        let bits = u8::from(self.password_algorithms) | u8::from(self.username_anonymity) << 1;
        let mut prefix = *b"obMatJos2AAAA";
        // Only two of the 24 bits are assigned: base64's last digit.
        prefix[12] = b'A' + bits;
        prefix
    }

    /// The features that a nonce announces; `None` if it announces nothing. A bit counts from
    /// either side, because a server that follows the text as printed, or the example in RFC 8656
    /// §20 (`gAAA`), would otherwise seem to announce nothing and could be bid down.
    #[must_use]
    pub fn of_nonce(nonce: &[u8]) -> Option<Self> {
        let digits: [u8; 4] = nonce.strip_prefix(NONCE_COOKIE)?.get(..4)?.try_into().ok()?;
        let mut bits = 0;
        for digit in digits {
            bits = bits << 6 | u32::from(base64_digit(digit)?);
        }
        Some(Self {
            password_algorithms: bits & (1 | 1 << 23) != 0,
            username_anonymity: bits & (2 | 1 << 22) != 0,
        })
    }
}

fn base64_digit(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Why a string cannot be part of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpaqueStringError {
    /// RFC 8265 §4.2.2 forbids the empty string.
    #[error("it is empty")]
    Empty,
    /// It has a control character (RFC 8264 §4.3).
    #[error("it has a control character")]
    Control,
}

/// Prepares a username, realm or password (the OpaqueString profile, RFC 8265 §4.2): other spaces
/// become U+0020, control characters are refused.
///
/// Left out: normalisation to NFC and the refusal of the other code points outside the
/// FreeformClass (unassigned and ignorable ones, old Hangul jamo), which need tables of the Unicode
/// database. A composed and a decomposed spelling of one word are two words here.
///
/// # Errors
/// If the string may not be used.
pub fn opaque_string(text: &str) -> Result<Cow<'_, str>, OpaqueStringError> {
    if text.is_empty() {
        return Err(OpaqueStringError::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(OpaqueStringError::Control);
    }
    let foreign = |c| c != ' ' && is_space(c);
    if !text.contains(foreign) {
        return Ok(Cow::Borrowed(text));
    }
    Ok(Cow::Owned(text.replace(foreign, " ")))
}

/// Unicode's general category Zs.
fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{A0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}
