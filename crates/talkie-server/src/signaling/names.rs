//! Names of rooms and peers: parsed once, valid from then on.

use std::fmt;
use std::sync::Arc;

/// Longest name of a room or a peer, in characters.
pub(super) const MAX_CHARACTERS: usize = 64;

/// 1 to 64 lower-case letters, digits and `-`, neither first nor last a `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Arc<str>);

impl RoomName {
    /// Parses and lower-cases.
    ///
    /// # Errors
    /// If the text is no room name.
    pub fn parse(text: &str) -> Result<Self, RoomNameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if text.is_empty()
            || text.len() > MAX_CHARACTERS
            || text.starts_with('-')
            || text.ends_with('-')
            || !text.bytes().all(allowed)
        {
            return Err(RoomNameError);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text names no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a room name is 1 to 64 letters, digits and inner hyphens")]
pub struct RoomNameError;

/// Cleans the name that a peer shows to others: without characters that steer the text around
/// them, and trimmed. `None` if it is too long.
pub(super) fn peer_name(text: &str) -> Option<Box<str>> {
    let cleaned: String = text.chars().filter(|&c| !steers(c)).collect();
    let name = cleaned.trim();
    (name.chars().count() <= MAX_CHARACTERS).then(|| name.into())
}

/// Control characters, line and paragraph separators, bidirectional marks, embeddings, overrides
/// and isolates (Unicode UAX #9), byte order marks. The zero-width joiner stays: emoji need it.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_names_are_lower_cased_and_nothing_else_is_mended() {
        assert_eq!(RoomName::parse("Blue-Otter-7").unwrap().as_str(), "blue-otter-7");
        let long = "a".repeat(65);
        for bad in ["", "-a", "a-", "-", "a b", "../etc", "a/b", "a_b", "é", "a\0", "a.b", &long] {
            assert_eq!(RoomName::parse(bad), Err(RoomNameError), "{bad:?}");
        }
        assert!(RoomName::parse(&long[..64]).is_ok());
    }

    #[test]
    fn peer_names_lose_what_steers_text_and_keep_the_rest() {
        assert_eq!(peer_name("  Zoë 👩‍💻 ").as_deref(), Some("Zoë 👩‍💻"));
        assert_eq!(peer_name("a\u{202e}b\u{2066}c\n\0\u{7f}\u{9b}d").as_deref(), Some("abcd"));
        assert_eq!(peer_name("\u{200f} \u{2069}").as_deref(), Some(""));
        assert_eq!(peer_name("").as_deref(), Some(""));
        assert!(peer_name(&"ö".repeat(64)).is_some());
        assert!(peer_name(&"ö".repeat(65)).is_none());
        // Removed characters do not count.
        assert!(peer_name(&format!("{}{}", "\u{202e}".repeat(1_000), "x".repeat(64))).is_some());
    }
}
