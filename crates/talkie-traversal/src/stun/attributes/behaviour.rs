//! NAT behaviour discovery's attributes (RFC 5780 §7); its addresses are with the other addresses.

use super::{Attribute, AttributeError, AttributeType, bytes, fixed, number};
use crate::stun::header::TransactionId;

/// Asks for a response from another address or port (RFC 5780 §7.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChangeRequest {
    /// From the alternate address.
    pub ip: bool,
    /// From the alternate port.
    pub port: bool,
}

impl Attribute<'_> for ChangeRequest {
    const TYPE: AttributeType = AttributeType::CHANGE_REQUEST;

    fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
        let [_, _, _, flags] = fixed(Self::TYPE, value)?;
        Ok(Self { ip: flags & 4 != 0, port: flags & 2 != 0 })
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, 0, 0, u8::from(self.ip) << 2 | u8::from(self.port) << 1]);
    }
}

/// Asks for the response on another port of the client (RFC 5780 §7.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResponsePort(pub u16);

impl Attribute<'_> for ResponsePort {
    const TYPE: AttributeType = AttributeType::RESPONSE_PORT;

    fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
        // Senders disagree on whether the two bytes after the port belong to the length.
        match value {
            [high, low] | [high, low, _, _] => Ok(Self(u16::from_be_bytes([*high, *low]))),
            _ => Err(AttributeError::Length(Self::TYPE)),
        }
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_be_bytes());
    }
}

number! {
    /// How long, in seconds, the answer holds (RFC 5780 §7.1).
    CacheTimeout(u32) = CACHE_TIMEOUT
}
bytes! {
    /// Makes a message long, to see whether fragments pass (RFC 5780 §7.6). Servers that echo it
    /// must take care not to amplify.
    Padding = PADDING
}
