//! TURN's attributes (RFC 8656 §18, RFC 6062 §6.2); its addresses are with the other addresses.

use std::fmt;
use std::time::Duration;

use super::error_code::{join, split};
use super::{Attribute, AttributeError, AttributeType, bytes, fixed, flag, number};
use crate::stun::header::TransactionId;

/// A channel, 0x4000 to 0x4FFF (RFC 8656 §12).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber(u16);

impl ChannelNumber {
    /// The lowest channel.
    pub const MIN: Self = Self(0x4000);
    /// The highest channel.
    pub const MAX: Self = Self(0x4FFF);

    /// Takes a number in the range.
    #[must_use]
    pub fn new(number: u16) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&number).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for ChannelNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelNumber({:#06x})", self.0)
    }
}

impl Attribute<'_> for ChannelNumber {
    const TYPE: AttributeType = AttributeType::CHANNEL_NUMBER;

    fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
        let [high, low, _, _] = fixed(Self::TYPE, value)?;
        Self::new(u16::from_be_bytes([high, low])).ok_or(AttributeError::Value(Self::TYPE))
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
    }
}

/// How long an allocation lives without a refresh; whole seconds on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lifetime(pub Duration);

impl Attribute<'_> for Lifetime {
    const TYPE: AttributeType = AttributeType::LIFETIME;

    fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
        let seconds = u32::from_be_bytes(fixed(Self::TYPE, value)?);
        Ok(Self(Duration::from_secs(u64::from(seconds))))
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        let seconds = u32::try_from(self.0.as_secs()).unwrap_or(u32::MAX);
        out.extend_from_slice(&seconds.to_be_bytes());
    }
}

bytes! {
    /// The payload of a Send or Data indication.
    Data = DATA
}
flag! {
    /// Asks that the relayed packet not be fragmented.
    DontFragment = DONT_FRAGMENT
}
number! {
    /// A TCP connection to a peer (RFC 6062 §6.2.1).
    ConnectionId(u32) = CONNECTION_ID
}

/// The family of an address; the wire may hold values that are neither constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressFamily(pub u8);

impl AddressFamily {
    /// IPv4.
    pub const IPV4: Self = Self(1);
    /// IPv6.
    pub const IPV6: Self = Self(2);
}

macro_rules! family {
    ($(#[$doc:meta])* $name:ident = $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub AddressFamily);

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
                let [family, _, _, _] = fixed(Self::TYPE, value)?;
                Ok(Self(AddressFamily(family)))
            }

            fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
                out.extend_from_slice(&[self.0.0, 0, 0, 0]);
            }
        }
    };
}

family! {
    /// Which family the relayed address shall be of.
    RequestedAddressFamily = REQUESTED_ADDRESS_FAMILY
}
family! {
    /// Which family a second relayed address shall be of.
    AdditionalAddressFamily = ADDITIONAL_ADDRESS_FAMILY
}

/// Asks for an even relayed port (RFC 8656 §18.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EvenPort {
    /// Whether the next higher port shall be kept for a later allocation.
    pub reserve_next: bool,
}

impl Attribute<'_> for EvenPort {
    const TYPE: AttributeType = AttributeType::EVEN_PORT;

    fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
        let [flags] = fixed(Self::TYPE, value)?;
        Ok(Self { reserve_next: flags & 0x80 != 0 })
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        out.push(u8::from(self.reserve_next) << 7);
    }
}

/// The transport between relay and peers: an IP protocol number (RFC 8656 §18.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestedTransport(pub u8);

impl RequestedTransport {
    /// TCP (RFC 6062).
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
}

impl Attribute<'_> for RequestedTransport {
    const TYPE: AttributeType = AttributeType::REQUESTED_TRANSPORT;

    fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
        let [protocol, _, _, _] = fixed(Self::TYPE, value)?;
        Ok(Self(protocol))
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.0, 0, 0, 0]);
    }
}

/// Names a port kept by EVEN-PORT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReservationToken(pub [u8; 8]);

impl Attribute<'_> for ReservationToken {
    const TYPE: AttributeType = AttributeType::RESERVATION_TOKEN;

    fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
        fixed(Self::TYPE, value).map(Self)
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

/// Why one of the two families asked for was not given (RFC 8656 §18.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressErrorCode<'a> {
    /// The family not given.
    pub family: AddressFamily,
    /// 300 to 699.
    pub code: u16,
    /// For humans only; empty if it was no UTF-8.
    pub reason: &'a str,
}

impl<'a> Attribute<'a> for AddressErrorCode<'a> {
    const TYPE: AttributeType = AttributeType::ADDRESS_ERROR_CODE;

    fn decode(value: &'a [u8], _id: TransactionId) -> Result<Self, AttributeError> {
        let Some(([family, _, class, number], reason)) = value.split_first_chunk() else {
            return Err(AttributeError::Length(Self::TYPE));
        };
        let code = join(*class, *number).ok_or(AttributeError::Value(Self::TYPE))?;
        let reason = str::from_utf8(reason).unwrap_or_default();
        Ok(Self { family: AddressFamily(*family), code, reason })
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        let [class, number] = split(self.code);
        out.extend_from_slice(&[self.family.0, 0, class, number]);
        out.extend_from_slice(self.reason.as_bytes());
    }
}

/// An ICMP error that a relay got for a packet to a peer (RFC 8656 §18.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Icmp {
    /// The ICMP type; 7 bits.
    pub kind: u8,
    /// The ICMP code; 9 bits.
    pub code: u16,
    /// The error data, such as the path's MTU.
    pub data: u32,
}

impl Attribute<'_> for Icmp {
    const TYPE: AttributeType = AttributeType::ICMP;

    fn decode(value: &[u8], _id: TransactionId) -> Result<Self, AttributeError> {
        let [_, _, kind, code, a, b, c, d] = fixed(Self::TYPE, value)?;
        Ok(Self {
            kind: kind >> 1,
            code: u16::from(kind & 1) << 8 | u16::from(code),
            data: u32::from_be_bytes([a, b, c, d]),
        })
    }

    fn encode(&self, _id: TransactionId, out: &mut Vec<u8>) {
        let both = u16::from(self.kind & 0x7F) << 9 | self.code & 0x1FF;
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&both.to_be_bytes());
        out.extend_from_slice(&self.data.to_be_bytes());
    }
}
