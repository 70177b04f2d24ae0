//! A room's key, as it stands behind `#` in a link.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::NoRandomness;

/// 22 to 128 characters of URL-safe base64.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomKey(String);

/// Why a text is no room's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a room's key is 22 to 128 letters, digits, - and _")]
pub struct ParseRoomKeyError;

impl RoomKey {
    /// A random one of 128 bits.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// From bytes that nobody else has: at least 16, at most 96.
    ///
    /// # Errors
    /// If there are fewer or more.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseRoomKeyError> {
        URL_SAFE_NO_PAD.encode(bytes).parse()
    }

    /// As it stands in a link.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomKey {
    type Err = ParseRoomKeyError;

    fn from_str(text: &str) -> Result<Self, ParseRoomKeyError> {
        let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if (22..=128).contains(&text.len()) && text.bytes().all(is_key) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseRoomKeyError)
        }
    }
}

impl fmt::Debug for RoomKey {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomKey(..)")
    }
}
