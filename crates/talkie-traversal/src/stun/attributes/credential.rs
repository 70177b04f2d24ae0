//! What long-term credentials need beside texts (RFC 8489 §14.4, §14.11, §14.12).

use super::{Attribute, AttributeError, AttributeType, fixed};
use crate::stun::auth::{PasswordAlgorithm, user_hash};
use crate::stun::header::TransactionId;

/// A username that only who knows it can recognise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserHash(pub [u8; 32]);

impl UserHash {
    /// The hash of a prepared username in a prepared realm.
    #[must_use]
    pub fn of(username: &str, realm: &str) -> Self {
        Self(user_hash(username, realm))
    }
}

impl Attribute<'_> for UserHash {
    const TYPE: AttributeType = AttributeType::USERHASH;

    fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
        fixed(Self::TYPE, value).map(Self)
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl PasswordAlgorithm {
    /// RFC 8489 §18.5.
    fn number(self) -> u16 {
        match self {
            Self::Md5 => 1,
            Self::Sha256 => 2,
        }
    }

    fn from_number(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Md5),
            2 => Some(Self::Sha256),
            _ => None,
        }
    }
}

/// PASSWORD-ALGORITHM: the algorithm that the client chose.
impl Attribute<'_> for PasswordAlgorithm {
    const TYPE: AttributeType = AttributeType::PASSWORD_ALGORITHM;

    fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
        // Neither algorithm has parameters.
        let [a, b, length @ ..] = fixed::<4>(Self::TYPE, value)?;
        let algorithm = Self::from_number(u16::from_be_bytes([a, b]));
        algorithm.filter(|_| length == [0, 0]).ok_or(AttributeError::Value(Self::TYPE))
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number().to_be_bytes());
        out.extend_from_slice(&[0, 0]);
    }
}

/// PASSWORD-ALGORITHMS: what the server offers, best first. Kept as it is on the wire, because a
/// client has to send it back unchanged (RFC 8489 §9.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PasswordAlgorithms<'a>(&'a [u8]);

impl<'a> PasswordAlgorithms<'a> {
    /// SHA-256, then MD5.
    pub const SHA256_MD5: PasswordAlgorithms<'static> =
        PasswordAlgorithms(&[0, 2, 0, 0, 0, 1, 0, 0]);
    /// SHA-256 alone.
    pub const SHA256: PasswordAlgorithms<'static> = PasswordAlgorithms(&[0, 2, 0, 0]);

    /// Takes a value that came out of a message.
    pub(in crate::stun) fn accepted(value: &'a [u8]) -> Self {
        Self(value)
    }

    /// The value on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The algorithms known here, in the server's order.
    pub fn known(&self) -> impl Iterator<Item = PasswordAlgorithm> + use<'a> {
        Entries(self.0)
            .filter(|(_, parameters)| parameters.is_empty())
            .filter_map(|(number, _)| PasswordAlgorithm::from_number(number))
    }
}

impl<'a> Attribute<'a> for PasswordAlgorithms<'a> {
    const TYPE: AttributeType = AttributeType::PASSWORD_ALGORITHMS;

    fn decode(value: &'a [u8], _id: TransactionId) -> Result<Self, AttributeError> {
        let mut entries = Entries(value);
        for _ in entries.by_ref() {}
        if value.is_empty() || !entries.0.is_empty() {
            return Err(AttributeError::Length(Self::TYPE));
        }
        Ok(Self(value))
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0);
    }
}

/// Number and parameters of each algorithm; the bytes left are those not understood.
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let ([a, b, c, d], rest) = self.0.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let parameters = rest.get(..length)?;
        // The last entry's padding may be the attribute's own.
        self.0 = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_be_bytes([*a, *b]), parameters))
    }
}
