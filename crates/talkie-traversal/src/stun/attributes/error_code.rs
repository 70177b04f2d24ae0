//! Why a request failed (RFC 8489 §14.8, §14.13).

use super::{Attribute, AttributeError, AttributeType};
use crate::stun::header::TransactionId;

/// ERROR-CODE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorCode<'a> {
    /// 300 to 699.
    pub code: u16,
    /// For humans only; empty if it was no UTF-8.
    pub reason: &'a str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal $reason:literal;)*) => {
        impl ErrorCode<'static> {
            $($(#[$doc])* pub const $name: Self = Self { code: $code, reason: $reason };)*
        }
    };
}

codes! {
    /// RFC 8489 §14.8.
    TRY_ALTERNATE = 300 "Try Alternate";
    /// RFC 8489 §14.8.
    BAD_REQUEST = 400 "Bad Request";
    /// RFC 8489 §14.8.
    UNAUTHENTICATED = 401 "Unauthenticated";
    /// RFC 8656 §19.
    FORBIDDEN = 403 "Forbidden";
    /// RFC 8489 §14.8.
    UNKNOWN_ATTRIBUTE = 420 "Unknown Attribute";
    /// RFC 8656 §19.
    ALLOCATION_MISMATCH = 437 "Allocation Mismatch";
    /// RFC 8489 §14.8.
    STALE_NONCE = 438 "Stale Nonce";
    /// RFC 8656 §19.
    ADDRESS_FAMILY_NOT_SUPPORTED = 440 "Address Family not Supported";
    /// RFC 8656 §19.
    WRONG_CREDENTIALS = 441 "Wrong Credentials";
    /// RFC 8656 §19.
    UNSUPPORTED_TRANSPORT = 442 "Unsupported Transport Protocol";
    /// RFC 8656 §19.
    PEER_ADDRESS_FAMILY_MISMATCH = 443 "Peer Address Family Mismatch";
    /// RFC 6062 §6.3.
    CONNECTION_ALREADY_EXISTS = 446 "Connection Already Exists";
    /// RFC 6062 §6.3.
    CONNECTION_TIMEOUT_OR_FAILURE = 447 "Connection Timeout or Failure";
    /// RFC 8656 §19.
    ALLOCATION_QUOTA_REACHED = 486 "Allocation Quota Reached";
    /// RFC 8445 §16.2.
    ROLE_CONFLICT = 487 "Role Conflict";
    /// RFC 8489 §14.8.
    SERVER_ERROR = 500 "Server Error";
    /// RFC 8656 §19.
    INSUFFICIENT_CAPACITY = 508 "Insufficient Capacity";
}

impl ErrorCode<'_> {
    /// The code with an empty reason phrase, for the smallest response.
    #[must_use]
    pub fn bare(self) -> ErrorCode<'static> {
        ErrorCode { code: self.code, reason: "" }
    }
}

/// The class and number of a code as they are on the wire.
pub(super) fn split(code: u16) -> [u8; 2] {
    [(code / 100 % 8) as u8, (code % 100) as u8]
}

/// The code of a class and number on the wire (RFC 8489 §14.8: class 3 to 6, number 0 to 99).
pub(super) fn join(class: u8, number: u8) -> Option<u16> {
    let class = class & 7;
    ((3..=6).contains(&class) && number < 100).then(|| u16::from(class) * 100 + u16::from(number))
}

impl<'a> Attribute<'a> for ErrorCode<'a> {
    const TYPE: AttributeType = AttributeType::ERROR_CODE;

    fn decode(value: &'a [u8], _id: TransactionId) -> Result<Self, AttributeError> {
        let Some(([_, _, class, number], reason)) = value.split_first_chunk() else {
            return Err(AttributeError::Length(Self::TYPE));
        };
        let code = join(*class, *number).ok_or(AttributeError::Value(Self::TYPE))?;
        if reason.len() > 763 {
            return Err(AttributeError::Length(Self::TYPE));
        }
        Ok(Self { code, reason: str::from_utf8(reason).unwrap_or_default() })
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        let [class, number] = split(self.code);
        out.extend_from_slice(&[0, 0, class, number]);
        // RFC 8489 §14.8: fewer than 128 characters.
        let end = self.reason.char_indices().nth(127).map_or(self.reason.len(), |(end, _)| end);
        out.extend_from_slice(&self.reason.as_bytes()[..end]);
    }
}

/// UNKNOWN-ATTRIBUTES as received; [`Writer::unknown_attributes`](crate::stun::Writer) writes one
/// from a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnknownAttributes<'a>(&'a [u8]);

impl<'a> UnknownAttributes<'a> {
    /// The types that the server did not understand.
    pub fn types(&self) -> impl Iterator<Item = AttributeType> + use<'a> {
        self.0.chunks_exact(2).map(|pair| AttributeType(u16::from_be_bytes([pair[0], pair[1]])))
    }
}

impl<'a> Attribute<'a> for UnknownAttributes<'a> {
    const TYPE: AttributeType = AttributeType::UNKNOWN_ATTRIBUTES;

    fn decode(value: &'a [u8], _id: TransactionId) -> Result<Self, AttributeError> {
        if value.len().is_multiple_of(2) {
            Ok(Self(value))
        } else {
            Err(AttributeError::Length(Self::TYPE))
        }
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0);
    }
}
