//! Text. RFC 8489 bounds what may be sent more tightly than what must be understood, because
//! RFC 5389 allowed six bytes a character.

use super::{Attribute, AttributeError, AttributeType};
use crate::stun::header::TransactionId;

/// The longest text that must be understood: 127 characters of six bytes, plus one (RFC 8489 §14.3,
/// §14.9, §14.10, §14.14).
const DECODE_MAX: usize = 763;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident = $kind:ident, $fits:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<'a>(&'a str);

        impl<'a> $name<'a> {
            /// Takes a text short enough to be sent.
            ///
            /// # Errors
            /// If it is too long.
            pub fn new(text: &'a str) -> Result<Self, AttributeError> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) {
                    Ok(Self(text))
                } else {
                    Err(AttributeError::Length(AttributeType::$kind))
                }
            }

            /// Takes a text that came out of a message or [`new`](Self::new).
            #[allow(dead_code, reason = "not every text is sent back")]
            pub(in crate::stun) fn accepted(text: &'a str) -> Self {
                Self(text)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &'a str {
                self.0
            }
        }

        impl<'a> Attribute<'a> for $name<'a> {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &'a [u8], _id: TransactionId) -> Result<Self, AttributeError> {
                if value.len() > DECODE_MAX {
                    return Err(AttributeError::Length(Self::TYPE));
                }
                str::from_utf8(value).map(Self).map_err(|_| AttributeError::Value(Self::TYPE))
            }

            fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
                out.extend_from_slice(self.0.as_bytes());
            }
        }
    };
}

text! {
    /// Whose credential it is; fewer than 509 bytes (RFC 8489 §14.3).
    Username = USERNAME, |text| text.len() < 509
}
text! {
    /// The domain of long-term credentials; fewer than 128 characters (RFC 8489 §14.9).
    Realm = REALM, under_128
}
text! {
    /// The server's proof of freshness; fewer than 128 characters (RFC 8489 §14.10).
    Nonce = NONCE, under_128
}
text! {
    /// Name and version of the program; fewer than 128 characters (RFC 8489 §14.14).
    Software = SOFTWARE, under_128
}
text! {
    /// The domain name of an alternate server; at most 255 bytes (RFC 8489 §14.16).
    AlternateDomain = ALTERNATE_DOMAIN, |text| text.len() <= 255
}

fn under_128(text: &str) -> bool {
    text.len() < 128 || text.chars().nth(127).is_none()
}
