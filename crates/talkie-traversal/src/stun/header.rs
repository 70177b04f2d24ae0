//! What the 20 bytes in front of every STUN message say (RFC 8489 §5).

use std::fmt;

/// The fixed value in bytes 4 to 8 of every message.
pub const MAGIC_COOKIE: u32 = 0x2112_A442;

/// Ties a response to its request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub [u8; 12]);

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionId({self})")
    }
}

/// The role of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Wants a response.
    Request,
    /// Wants none.
    Indication,
    /// The request was carried out.
    Success,
    /// The request was not carried out.
    Error,
}

impl Class {
    /// Whether the message answers a request.
    #[must_use]
    pub fn is_response(self) -> bool {
        matches!(self, Self::Success | Self::Error)
    }
}

/// What a message is about; 12 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(pub u16);

impl Method {
    /// RFC 8489 §3.
    pub const BINDING: Self = Self(0x001);
    /// RFC 8656 §7.
    pub const ALLOCATE: Self = Self(0x003);
    /// RFC 8656 §8.
    pub const REFRESH: Self = Self(0x004);
    /// RFC 8656 §11.
    pub const SEND: Self = Self(0x006);
    /// RFC 8656 §11.
    pub const DATA: Self = Self(0x007);
    /// RFC 8656 §10.
    pub const CREATE_PERMISSION: Self = Self(0x008);
    /// RFC 8656 §12.
    pub const CHANNEL_BIND: Self = Self(0x009);
    /// RFC 6062 §4.3.
    pub const CONNECT: Self = Self(0x00A);
    /// RFC 6062 §4.3.
    pub const CONNECTION_BIND: Self = Self(0x00B);
    /// RFC 6062 §4.4.
    pub const CONNECTION_ATTEMPT: Self = Self(0x00C);
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::BINDING => "Binding",
            Self::ALLOCATE => "Allocate",
            Self::REFRESH => "Refresh",
            Self::SEND => "Send",
            Self::DATA => "Data",
            Self::CREATE_PERMISSION => "CreatePermission",
            Self::CHANNEL_BIND => "ChannelBind",
            Self::CONNECT => "Connect",
            Self::CONNECTION_BIND => "ConnectionBind",
            Self::CONNECTION_ATTEMPT => "ConnectionAttempt",
            Self(other) => return write!(f, "Method({other:#05x})"),
        };
        f.write_str(name)
    }
}

/// The first two bytes of a message. Class and method are interleaved (RFC 8489 §5, figure 3):
/// `00 MMMMM C MMM C MMMM`.
pub(super) fn message_type(class: Class, method: Method) -> u16 {
    let method = method.0;
    let class = match class {
        Class::Request => 0x000,
        Class::Indication => 0x010,
        Class::Success => 0x100,
        Class::Error => 0x110,
    };
    (method & 0x00F) | (method & 0x070) << 1 | (method & 0xF80) << 2 | class
}

/// The class in a message type whose two top bits are zero.
pub(super) fn class_of(message_type: u16) -> Class {
    match message_type & 0x110 {
        0x000 => Class::Request,
        0x010 => Class::Indication,
        0x100 => Class::Success,
        _ => Class::Error,
    }
}

/// The method in a message type whose two top bits are zero.
pub(super) fn method_of(message_type: u16) -> Method {
    Method((message_type & 0x000F) | (message_type & 0x00E0) >> 1 | (message_type & 0x3E00) >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_and_method_are_interleaved() {
        // RFC 8489 §5: a Binding request is 0x0001, its success response 0x0101.
        assert_eq!(message_type(Class::Request, Method::BINDING), 0x0001);
        assert_eq!(message_type(Class::Success, Method::BINDING), 0x0101);
        assert_eq!(message_type(Class::Error, Method::ALLOCATE), 0x0113);
        assert_eq!(message_type(Class::Indication, Method::SEND), 0x0016);
        for method in 0..=0xFFF {
            for class in [Class::Request, Class::Indication, Class::Success, Class::Error] {
                let wire = message_type(class, Method(method));
                assert_eq!(wire & 0xC000, 0);
                assert_eq!((class_of(wire), method_of(wire)), (class, Method(method)));
            }
        }
    }
}
