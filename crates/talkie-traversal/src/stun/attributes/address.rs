//! Transport addresses, plain and obfuscated (RFC 8489 §14.1, §14.2).
//!
//! The obfuscated kinds hide the address from NATs that rewrite any bytes looking like one: port
//! and IPv4 address are XORed with the magic cookie, an IPv6 address with cookie and transaction id.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Attribute, AttributeError, AttributeType};
use crate::stun::header::{MAGIC_COOKIE, TransactionId};

macro_rules! address {
    ($(#[$doc:meta])* $name:ident = $kind:ident, $mask:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub SocketAddr);

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &[u8], id: TransactionId) -> Result<Self, AttributeError> {
                decode(Self::TYPE, value, $mask(id)).map(Self)
            }

            fn encode(&self, id: TransactionId, out: &mut Vec<u8>) {
                encode(self.0, $mask(id), out);
            }
        }
    };
}

address! {
    /// The client's address as the server sees it, unprotected from NATs that rewrite addresses.
    MappedAddress = MAPPED_ADDRESS, plain
}
address! {
    /// Another server to turn to (RFC 8489 §14.15).
    AlternateServer = ALTERNATE_SERVER, plain
}
address! {
    /// Where the response was sent from (RFC 5780 §7.3).
    ResponseOrigin = RESPONSE_ORIGIN, plain
}
address! {
    /// Where the response would come from if both address and port were changed (RFC 5780 §7.4).
    OtherAddress = OTHER_ADDRESS, plain
}
address! {
    /// The client's address as the server sees it.
    XorMappedAddress = XOR_MAPPED_ADDRESS, obfuscated
}
address! {
    /// A peer's address (RFC 8656 §18.3).
    XorPeerAddress = XOR_PEER_ADDRESS, obfuscated
}
address! {
    /// The address on which a relay takes packets for its client (RFC 8656 §18.5).
    XorRelayedAddress = XOR_RELAYED_ADDRESS, obfuscated
}

fn plain(_id: TransactionId) -> u128 {
    0
}

/// What an IPv6 address is XORed with; IPv4 and port use its first bits.
fn obfuscated(id: TransactionId) -> u128 {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(&id.0);
    u128::from_be_bytes(mask)
}

fn decode(kind: AttributeType, value: &[u8], mask: u128) -> Result<SocketAddr, AttributeError> {
    // The first byte is ignored (RFC 8489 §14.1).
    let Some(([_, family, high, low], address)) = value.split_first_chunk() else {
        return Err(AttributeError::Length(kind));
    };
    let ip = match (family, address.len()) {
        (1, 4) => IpAddr::V4(Ipv4Addr::from_bits(
            u32::from_be_bytes(super::fixed(kind, address)?) ^ (mask >> 96) as u32,
        )),
        (2, 16) => IpAddr::V6(Ipv6Addr::from_bits(
            u128::from_be_bytes(super::fixed(kind, address)?) ^ mask,
        )),
        (1 | 2, _) => return Err(AttributeError::Length(kind)),
        _ => return Err(AttributeError::Value(kind)),
    };
    let port = u16::from_be_bytes([*high, *low]) ^ (mask >> 112) as u16;
    Ok(SocketAddr::new(ip, port))
}

fn encode(address: SocketAddr, mask: u128, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0, if address.is_ipv4() { 1 } else { 2 }]);
    out.extend_from_slice(&(address.port() ^ (mask >> 112) as u16).to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => {
            out.extend_from_slice(&(ip.to_bits() ^ (mask >> 96) as u32).to_be_bytes());
        }
        IpAddr::V6(ip) => out.extend_from_slice(&(ip.to_bits() ^ mask).to_be_bytes()),
    }
}
