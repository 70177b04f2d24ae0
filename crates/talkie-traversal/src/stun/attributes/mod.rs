//! The attributes, grouped by the RFC that defines them. Each is a type that knows its number and
//! how to read and write its value; padding and order are the message's business.

mod address;
mod behaviour;
mod credential;
mod error_code;
mod ice;
mod kind;
mod text;
mod turn;

pub use address::{
    AlternateServer, MappedAddress, OtherAddress, ResponseOrigin, XorMappedAddress, XorPeerAddress,
    XorRelayedAddress,
};
pub use behaviour::{CacheTimeout, ChangeRequest, Padding, ResponsePort};
pub use credential::{PasswordAlgorithms, UserHash};
pub use error_code::{ErrorCode, UnknownAttributes};
pub use ice::{IceControlled, IceControlling, Nomination, Priority, UseCandidate};
pub use kind::AttributeType;
pub use text::{AlternateDomain, Nonce, Realm, Software, Username};
pub use turn::{
    AdditionalAddressFamily, AddressErrorCode, AddressFamily, ChannelNumber, ConnectionId, Data,
    DontFragment, EvenPort, Icmp, Lifetime, RequestedAddressFamily, RequestedTransport,
    ReservationToken,
};

use super::header::TransactionId;

/// A value that a message can carry.
pub trait Attribute<'a>: Sized {
    /// Its number.
    const TYPE: AttributeType;

    /// Reads the value, given without padding.
    ///
    /// # Errors
    /// If it is malformed.
    fn decode(value: &'a [u8], id: TransactionId) -> Result<Self, AttributeError>;

    /// Appends the value without padding.
    fn encode(&self, id: TransactionId, out: &mut Vec<u8>);
}

/// What is wrong with an attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// The length does not fit the type.
    #[error("attribute {0:?} has a wrong length")]
    Length(AttributeType),
    /// A field has a value that the type does not allow.
    #[error("attribute {0:?} has a wrong value")]
    Value(AttributeType),
}

/// The value as an array of a fixed length.
fn fixed<const N: usize>(kind: AttributeType, value: &[u8]) -> Result<[u8; N], AttributeError> {
    value.try_into().map_err(|_| AttributeError::Length(kind))
}

/// An attribute without a value.
macro_rules! flag {
    ($(#[$doc:meta])* $name:ident = $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name;

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
                if value.is_empty() { Ok(Self) } else { Err(AttributeError::Length(Self::TYPE)) }
            }

            fn encode(&self, _id: TransactionId, _out: &mut Vec<u8>) {}
        }
    };
}

/// An attribute that is one number in network byte order.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($number:ty) = $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $number);

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
                fixed(Self::TYPE, value).map(|bytes| Self(<$number>::from_be_bytes(bytes)))
            }

            fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0.to_be_bytes());
            }
        }
    };
}

/// An attribute that is opaque bytes of any length.
macro_rules! bytes {
    ($(#[$doc:meta])* $name:ident = $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name<'a>(pub &'a [u8]);

        impl<'a> Attribute<'a> for $name<'a> {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &'a [u8], _id: TransactionId) -> Result<Self, AttributeError> {
                Ok(Self(value))
            }

            fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
                out.extend_from_slice(self.0);
            }
        }
    };
}

use {bytes, flag, number};
