//! A received message, seen in place.
//!
//! [`Message::parse`] walks the attributes once, so that every later walk needs no check, and
//! remembers where the integrity attributes stand. Nothing is copied and nothing allocated.

use subtle::ConstantTimeEq as _;

use super::attributes::{Attribute, AttributeError, AttributeType};
use super::auth::Key;
use super::header::{Class, MAGIC_COOKIE, Method, TransactionId, class_of, method_of};
use super::{HEADER_LENGTH, writer};

/// Why bytes are no STUN message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Fewer bytes than a header.
    #[error("shorter than a STUN header")]
    TooShort,
    /// One of the two top bits is set (RFC 8489 §5).
    #[error("the first two bits are not zero")]
    NotStun,
    /// The magic cookie is missing.
    #[error("no magic cookie")]
    BadCookie,
    /// The length field is no multiple of four or differs from the bytes that are there.
    #[error("the length field does not fit the datagram")]
    BadLength,
    /// An attribute reaches beyond the message.
    #[error("an attribute reaches beyond the message")]
    BadAttribute,
}

/// A well-formed STUN message in a borrowed buffer.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    marks: Marks,
}

/// Where the effective integrity attributes stand.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    integrity: Option<usize>,
    integrity_sha256: Option<usize>,
    fingerprint: Option<usize>,
}

impl<'a> Message<'a> {
    /// Takes a datagram, or one message of a stream, that must be one whole STUN message.
    ///
    /// # Errors
    /// If it is none; such bytes are to be dropped without an answer (RFC 8489 §6.3).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        if bytes.len() < HEADER_LENGTH {
            return Err(ParseError::TooShort);
        }
        if bytes[0] & 0xC0 != 0 {
            return Err(ParseError::NotStun);
        }
        if bytes[4..8] != MAGIC_COOKIE.to_be_bytes() {
            return Err(ParseError::BadCookie);
        }
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        if !length.is_multiple_of(4) || length + HEADER_LENGTH != bytes.len() {
            return Err(ParseError::BadLength);
        }
        let mut walk = Walk { bytes, offset: HEADER_LENGTH };
        for _ in walk.by_ref() {}
        if walk.offset != bytes.len() {
            return Err(ParseError::BadAttribute);
        }
        let mut marks = Marks::default();
        for (offset, kind, _) in Effective::new(bytes) {
            match kind {
                AttributeType::MESSAGE_INTEGRITY => marks.integrity = Some(offset),
                AttributeType::MESSAGE_INTEGRITY_SHA256 => marks.integrity_sha256 = Some(offset),
                AttributeType::FINGERPRINT => marks.fingerprint = Some(offset),
                _ => {}
            }
        }
        Ok(Self { bytes, marks })
    }

    /// The class.
    #[must_use]
    pub fn class(&self) -> Class {
        class_of(self.message_type())
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        method_of(self.message_type())
    }

    fn message_type(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    /// The transaction id.
    #[must_use]
    pub fn transaction_id(&self) -> TransactionId {
        let mut id = [0; 12];
        id.copy_from_slice(&self.bytes[8..HEADER_LENGTH]);
        TransactionId(id)
    }

    /// The whole message.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Every attribute in the order on the wire, the ignorable ones too.
    #[must_use]
    pub fn raw_attributes(&self) -> RawAttributes<'a> {
        RawAttributes(Walk { bytes: self.bytes, offset: HEADER_LENGTH })
    }

    /// The attributes that count. What follows MESSAGE-INTEGRITY is ignored except
    /// MESSAGE-INTEGRITY-SHA256 and FINGERPRINT, what follows MESSAGE-INTEGRITY-SHA256 except
    /// FINGERPRINT, and FINGERPRINT is the last (RFC 8489 §14.5 to §14.7).
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes(Effective::new(self.bytes))
    }

    /// The first occurrence of an attribute (RFC 8489 §14: later ones may be ignored).
    ///
    /// # Errors
    /// If its value is malformed.
    pub fn get<A: Attribute<'a>>(&self) -> Result<Option<A>, AttributeError> {
        self.attributes()
            .find(|(kind, _)| *kind == A::TYPE)
            .map(|(_, value)| A::decode(value, self.transaction_id()))
            .transpose()
    }

    /// Whether the attribute is there, well-formed or not.
    #[must_use]
    pub fn contains(&self, kind: AttributeType) -> bool {
        self.attributes().any(|(present, _)| present == kind)
    }

    /// The comprehension-required attributes that are not in `known`, in order, repeats included:
    /// what an error response 420 lists (RFC 8489 §6.3.1).
    pub fn unknown_required<'k>(
        &self,
        known: &'k [AttributeType],
    ) -> impl Iterator<Item = AttributeType> + use<'a, 'k> {
        self.attributes()
            .map(|(kind, _)| kind)
            .filter(move |kind| kind.is_comprehension_required() && !known.contains(kind))
    }

    /// Whether FINGERPRINT is right; `None` if there is none. One that is not the last attribute is
    /// wrong (RFC 8489 §14.7).
    #[must_use]
    pub fn check_fingerprint(&self) -> Option<bool> {
        let offset = self.marks.fingerprint?;
        let value = self.bytes.get(offset + 4..).filter(|value| value.len() == 4);
        let expected = writer::crc(&self.bytes[..offset]).to_be_bytes();
        Some(value == Some(&expected[..]) && self.declared_length(offset) == 4)
    }

    /// Whether MESSAGE-INTEGRITY was made with `key`; `None` if there is none. Takes the same time
    /// whatever the value.
    #[must_use]
    pub fn check_integrity(&self, key: &Key) -> Option<bool> {
        let offset = self.marks.integrity?;
        if self.declared_length(offset) != 20 {
            return Some(false);
        }
        // RFC 8489 §14.5: the length field that was hashed ends at this attribute.
        let mac = key.sha1(&self.head_until(offset + 24), &self.bytes[4..offset]);
        Some(mac.ct_eq(&self.bytes[offset + 4..offset + 24]).into())
    }

    /// Whether MESSAGE-INTEGRITY-SHA256 was made with `key`; `None` if there is none. It has to be
    /// all of the 32 bytes.
    #[must_use]
    pub fn check_integrity_sha256(&self, key: &Key) -> Option<bool> {
        self.check_truncated_integrity_sha256(key, 32)
    }

    /// As [`check_integrity_sha256`](Self::check_integrity_sha256), for the usages that allow a
    /// value truncated to `shortest` bytes, never less than 16, in steps of 4 (RFC 8489 §14.6).
    #[must_use]
    pub fn check_truncated_integrity_sha256(&self, key: &Key, shortest: usize) -> Option<bool> {
        let offset = self.marks.integrity_sha256?;
        let length = self.declared_length(offset);
        if !(shortest.max(16)..=32).contains(&length) || !length.is_multiple_of(4) {
            return Some(false);
        }
        let end = offset + 4 + length;
        let mac = key.sha256(&self.head_until(end), &self.bytes[4..offset]);
        Some(mac[..length].ct_eq(&self.bytes[offset + 4..end]).into())
    }

    fn declared_length(&self, offset: usize) -> usize {
        usize::from(u16::from_be_bytes([self.bytes[offset + 2], self.bytes[offset + 3]]))
    }

    /// The first four bytes of the header as they were when the message ended at `end`.
    fn head_until(&self, end: usize) -> [u8; 4] {
        let length = u16::try_from(end - HEADER_LENGTH).expect("a message's length fits its field");
        let [high, low] = length.to_be_bytes();
        [self.bytes[0], self.bytes[1], high, low]
    }
}

/// The attributes of a message as they stand; see [`Message::raw_attributes`].
#[derive(Clone, Debug)]
pub struct RawAttributes<'a>(Walk<'a>);

impl<'a> Iterator for RawAttributes<'a> {
    type Item = (AttributeType, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(_, kind, value)| (kind, value))
    }
}

/// The attributes of a message that count; see [`Message::attributes`].
#[derive(Clone, Debug)]
pub struct Attributes<'a>(Effective<'a>);

impl<'a> Iterator for Attributes<'a> {
    type Item = (AttributeType, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(_, kind, value)| (kind, value))
    }
}

/// Steps over the attributes, with offsets; stops early at one that does not fit.
#[derive(Clone, Debug)]
struct Walk<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Walk<'a> {
    type Item = (usize, AttributeType, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.bytes[self.offset..];
        let (head, body) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = body.get(..length)?;
        let padded = length.next_multiple_of(4);
        if body.len() < padded {
            return None;
        }
        let offset = self.offset;
        self.offset += 4 + padded;
        Some((offset, AttributeType(u16::from_be_bytes([head[0], head[1]])), value))
    }
}

/// [`Walk`] without the attributes that a receiver ignores.
#[derive(Clone, Debug)]
struct Effective<'a> {
    walk: Walk<'a>,
    after: AttributeType,
}

impl<'a> Effective<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        // Any type but the three integrity ones stands for "none of them yet".
        Self { walk: Walk { bytes, offset: HEADER_LENGTH }, after: AttributeType(0) }
    }

    fn counts(&self, kind: AttributeType) -> bool {
        use AttributeType as T;
        match self.after {
            T::MESSAGE_INTEGRITY => {
                matches!(kind, T::MESSAGE_INTEGRITY_SHA256 | T::FINGERPRINT)
            }
            T::MESSAGE_INTEGRITY_SHA256 => kind == T::FINGERPRINT,
            T::FINGERPRINT => false,
            _ => true,
        }
    }
}

impl<'a> Iterator for Effective<'a> {
    type Item = (usize, AttributeType, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = self.walk.next()?;
            if !self.counts(found.1) {
                continue;
            }
            if found.1.is_integrity() {
                self.after = found.1;
            }
            return Some(found);
        }
    }
}
