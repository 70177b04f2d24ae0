//! Parameters (RFC 9260 §3.2.1), and those of INIT that are understood here.

use super::{padded, u16_at, u32_at};

/// The sender's cookie, to be echoed (RFC 9260 §3.3.3).
pub const STATE_COOKIE: u16 = 7;
/// Parameters that were not recognized (RFC 9260 §3.3.3).
pub const UNRECOGNIZED: u16 = 8;
/// A host name, which is not to be used any more (RFC 9260 §3.3.2).
pub const HOST_NAME: u16 = 11;
/// Zero checksum acceptable (RFC 9653 §4).
pub const ZERO_CHECKSUM: u16 = 0x8001;
/// Supported extensions: a list of chunk types (RFC 5061 §4.2.7).
pub const EXTENSIONS: u16 = 0x8008;
/// FORWARD TSN is supported (RFC 3758 §3.1).
pub const FORWARD_TSN: u16 = 0xc000;
/// ECN is supported (RFC 9260 §3.3.2, reserved).
pub const ECN: u16 = 0x8000;

/// The lower layer that makes a checksum needless: DTLS (RFC 9653 §8).
pub const BY_DTLS: u32 = 1;

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// Its type.
    pub kind: u16,
    /// Its value, without padding.
    pub value: &'a [u8],
    /// The whole of it, without padding.
    pub whole: &'a [u8],
}

impl Parameter<'_> {
    /// Whether it and all after it are to be passed over, if its type isn't known (RFC 9260 §3.2.1).
    #[must_use]
    pub fn stops(&self) -> bool {
        self.kind & 0x8000 == 0
    }

    /// Whether it is to be reported, if its type isn't known.
    #[must_use]
    pub fn is_reported(&self) -> bool {
        self.kind & 0x4000 != 0
    }
}

/// Parameters one after another, up to the first whose length is wrong.
#[derive(Clone, Debug)]
pub struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Reads from `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether all are as long as they say, to the last byte; the padding of the last may be missing.
    #[must_use]
    pub fn are_whole(mut self) -> bool {
        self.by_ref().for_each(drop);
        self.rest.is_empty()
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Parameter<'a>> {
        let kind = u16_at(self.rest, 0)?;
        let length = usize::from(u16_at(self.rest, 2)?);
        if length < 4 {
            return None;
        }
        let whole = self.rest.get(..length)?;
        self.rest = self.rest.get(padded(length)..).unwrap_or_default();
        Some(Parameter { kind, value: &whole[4..], whole })
    }
}

/// Appends a parameter.
pub fn write(buf: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let [high, low] = kind.to_be_bytes();
    super::packet::write_chunk(buf, high, low, |buf| buf.extend_from_slice(value));
}

/// Whether a value of [`ZERO_CHECKSUM`] names DTLS.
#[must_use]
pub fn is_by_dtls(value: &[u8]) -> bool {
    u32_at(value, 0) == Some(BY_DTLS)
}
