//! Writing a message into the caller's buffer.

use super::HEADER_LENGTH;
use super::attributes::{Attribute, AttributeType};
use super::auth::Key;
use super::header::{Class, MAGIC_COOKIE, Method, TransactionId, message_type};

/// Appends one message to a buffer, which may hold other bytes before it.
///
/// The header's length is right after every step. Padding is zero. An attribute that would take the
/// message past the 65,535 bytes of the length field is left out and [`overflowed`](Self::overflowed)
/// tells.
#[derive(Debug)]
pub struct Writer<'b> {
    buf: &'b mut Vec<u8>,
    start: usize,
    id: TransactionId,
    overflowed: bool,
}

impl<'b> Writer<'b> {
    /// Appends the header.
    pub fn new(buf: &'b mut Vec<u8>, class: Class, method: Method, id: TransactionId) -> Self {
        let start = buf.len();
        buf.extend_from_slice(&message_type(class, method).to_be_bytes());
        buf.extend_from_slice(&[0, 0]);
        buf.extend_from_slice(&MAGIC_COOKIE.to_be_bytes());
        buf.extend_from_slice(&id.0);
        Self { buf, start, id, overflowed: false }
    }

    /// Appends an attribute.
    pub fn attribute<'v, A: Attribute<'v>>(&mut self, attribute: &A) -> &mut Self {
        let id = self.id;
        self.raw(A::TYPE, |out| attribute.encode(id, out))
    }

    /// Appends an attribute if there is one.
    pub fn optional<'v, A: Attribute<'v>>(&mut self, attribute: Option<&A>) -> &mut Self {
        if let Some(attribute) = attribute {
            self.attribute(attribute);
        }
        self
    }

    /// Appends an attribute whose value `encode` appends to the buffer.
    pub fn raw(&mut self, kind: AttributeType, encode: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        let at = self.buf.len();
        self.buf.extend_from_slice(&kind.0.to_be_bytes());
        self.buf.extend_from_slice(&[0, 0]);
        encode(self.buf);
        let length = self.buf.len() - at - 4;
        self.buf.resize(at + 4 + length.next_multiple_of(4), 0);
        match u16::try_from(length) {
            Ok(length) if self.buf.len() - self.start - HEADER_LENGTH <= usize::from(u16::MAX) => {
                self.buf[at + 2..at + 4].copy_from_slice(&length.to_be_bytes());
                self.set_length(0);
            }
            _ => {
                self.buf.truncate(at);
                self.overflowed = true;
            }
        }
        self
    }

    /// Appends UNKNOWN-ATTRIBUTES with the given types.
    pub fn unknown_attributes(
        &mut self,
        types: impl IntoIterator<Item = AttributeType>,
    ) -> &mut Self {
        self.raw(AttributeType::UNKNOWN_ATTRIBUTES, |out| {
            out.extend(types.into_iter().flat_map(|kind| kind.0.to_be_bytes()));
        })
    }

    /// Appends MESSAGE-INTEGRITY over all that is written so far (RFC 8489 §14.5).
    pub fn integrity(&mut self, key: &Key) -> &mut Self {
        if let Some(end) = self.reserve(24) {
            let mac = key.sha1(&self.head(), &self.buf[self.start + 4..end]);
            self.raw(AttributeType::MESSAGE_INTEGRITY, |out| out.extend_from_slice(&mac));
        }
        self
    }

    /// Appends MESSAGE-INTEGRITY-SHA256 over all that is written so far (RFC 8489 §14.6).
    pub fn integrity_sha256(&mut self, key: &Key) -> &mut Self {
        if let Some(end) = self.reserve(36) {
            let mac = key.sha256(&self.head(), &self.buf[self.start + 4..end]);
            self.raw(AttributeType::MESSAGE_INTEGRITY_SHA256, |out| out.extend_from_slice(&mac));
        }
        self
    }

    /// Appends FINGERPRINT, which must be the last attribute (RFC 8489 §14.7).
    pub fn fingerprint(&mut self) -> &mut Self {
        if self.reserve(8).is_some() {
            let crc = crc(&self.buf[self.start..]).to_be_bytes();
            self.raw(AttributeType::FINGERPRINT, |out| out.extend_from_slice(&crc));
        }
        self
    }

    /// Whether an attribute did not fit and was left out; such a message is not to be sent.
    #[must_use]
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// The message's length: it is the last so many bytes of the buffer.
    #[must_use = "the message is the last so many bytes of the buffer"]
    pub fn finish(&self) -> usize {
        self.buf.len() - self.start
    }

    /// Sets the length field as if `more` bytes were written, which integrity and fingerprint
    /// cover. Returns where the message ends now, `None` if the bytes do not fit.
    fn reserve(&mut self, more: usize) -> Option<usize> {
        if self.finish() - HEADER_LENGTH + more > usize::from(u16::MAX) {
            self.overflowed = true;
            return None;
        }
        self.set_length(more);
        Some(self.buf.len())
    }

    fn set_length(&mut self, more: usize) {
        let length = u16::try_from(self.finish() - HEADER_LENGTH + more)
            .expect("what does not fit was left out");
        self.buf[self.start + 2..self.start + 4].copy_from_slice(&length.to_be_bytes());
    }

    fn head(&self) -> [u8; 4] {
        let head = &self.buf[self.start..];
        [head[0], head[1], head[2], head[3]]
    }
}

/// FINGERPRINT's value for the bytes before it (RFC 8489 §14.7).
pub(super) fn crc(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes) ^ 0x5354_554E
}
