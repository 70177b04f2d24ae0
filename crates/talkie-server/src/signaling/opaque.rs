//! What clients hand each other through the server unread: a peer's card and a room's check. Only
//! length and alphabet are looked at, and neither is ever logged.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use subtle::ConstantTimeEq as _;

/// What a peer shows to the others of its room, sealed with a key that the server does not have:
/// 1 to 1,024 characters of URL-safe base64 and `.`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Card(Arc<str>);

/// What tells that two peers have the same key, without telling the key: 1 to 64 characters of
/// URL-safe base64.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Check(Box<str>);

/// Why a text is no card or no check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too long, empty or not URL-safe base64")]
pub struct OpaqueError;

impl Card {
    /// Its most characters.
    pub(super) const MAX_CHARACTERS: usize = 1_024;

    /// Checks length and alphabet.
    ///
    /// # Errors
    /// If the text is no card.
    pub fn parse(text: &str) -> Result<Self, OpaqueError> {
        let allowed = |byte| is_base64url(byte) || byte == b'.';
        let fits = (1..=Self::MAX_CHARACTERS).contains(&text.len());
        (fits && text.bytes().all(allowed)).then(|| Self(text.into())).ok_or(OpaqueError)
    }
}

impl TryFrom<String> for Card {
    type Error = OpaqueError;

    fn try_from(text: String) -> Result<Self, OpaqueError> {
        Self::parse(&text)
    }
}

impl Serialize for Card {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Check {
    /// Checks length and alphabet.
    ///
    /// # Errors
    /// If the text is no check.
    pub fn parse(text: &str) -> Result<Self, OpaqueError> {
        let fits = (1..=64).contains(&text.len());
        (fits && text.bytes().all(is_base64url)).then(|| Self(text.into())).ok_or(OpaqueError)
    }

    /// Whether the two are the same; two that are missing are. Takes the same time wherever two of
    /// one length differ.
    #[must_use]
    pub fn agree(one: Option<&Self>, other: Option<&Self>) -> bool {
        match (one, other) {
            (None, None) => true,
            (Some(one), Some(other)) => one.0.as_bytes().ct_eq(other.0.as_bytes()).into(),
            _ => false,
        }
    }
}

impl TryFrom<String> for Check {
    type Error = OpaqueError;

    fn try_from(text: String) -> Result<Self, OpaqueError> {
        Self::parse(&text)
    }
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(..)")
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Check(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_and_checks_are_bounded_and_of_one_alphabet() {
        let long = "a".repeat(1_024);
        for good in ["A", "az09-_.", &long] {
            let card = Card::parse(good).unwrap();
            assert_eq!(serde_json::to_value(card).unwrap(), *good);
        }
        for bad in ["", "a b", "a=", "a+", "a/", "é", "a\0", "<b>", &format!("{long}a")] {
            assert_eq!(Card::parse(bad), Err(OpaqueError), "{bad}");
        }
        assert!(Check::parse(&long[..64]).is_ok());
        for bad in ["", "a.b", "a=", &long[..65]] {
            assert!(Check::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_check_agrees_with_its_equal_only() {
        let check = |text: &str| Check::parse(text).unwrap();
        let (one, same, other, longer) = (check("abc"), check("abc"), check("abd"), check("abcd"));
        assert!(Check::agree(Some(&one), Some(&same)));
        assert!(Check::agree(None, None));
        for other in [Some(&other), Some(&longer), None] {
            assert!(!Check::agree(Some(&one), other));
            assert!(!Check::agree(other, Some(&one)));
        }
    }

    #[test]
    fn neither_is_printed() {
        let (card, check) = (Card::parse("hush"), Check::parse("hush"));
        assert!(!format!("{card:?} {check:?}").contains("hush"));
    }
}
