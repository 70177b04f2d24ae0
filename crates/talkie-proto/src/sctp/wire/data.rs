//! DATA (RFC 9260 §3.3.1; the I bit: RFC 7053).

use super::{Chunk, u16_at, u32_at};
use crate::sctp::serial::Tsn;

/// Bytes before the payload, the chunk's header included.
pub const OVERHEAD: usize = 16;

/// Flag: the last fragment of a message.
pub const END: u8 = 1;
/// Flag: the first fragment of a message.
pub const BEGINNING: u8 = 2;
/// Flag: delivered as soon as complete.
pub const UNORDERED: u8 = 4;
/// Flag: to be acknowledged at once.
pub const IMMEDIATE: u8 = 8;

/// A fragment of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Its flags.
    pub flags: u8,
    /// Its number.
    pub tsn: Tsn,
    /// The stream.
    pub stream: u16,
    /// The message's number in the stream; means nothing if it is unordered.
    pub ssn: u16,
    /// What the application calls the payload.
    pub ppid: u32,
    /// At least one byte.
    pub payload: &'a [u8],
}

impl<'a> Data<'a> {
    /// Reads the chunk's value. One without payload is none (RFC 9260 §6.2).
    #[must_use]
    pub fn parse(chunk: &Chunk<'a>) -> Option<Self> {
        Some(Self {
            flags: chunk.flags,
            tsn: Tsn(u32_at(chunk.value, 0)?),
            stream: u16_at(chunk.value, 4)?,
            ssn: u16_at(chunk.value, 6)?,
            ppid: u32_at(chunk.value, 8)?,
            payload: chunk.value.get(12..).filter(|payload| !payload.is_empty())?,
        })
    }

    /// Appends the chunk's value.
    pub fn write(&self, buf: &mut Vec<u8>) {
        let mut head = [0; OVERHEAD - 4];
        head[..4].copy_from_slice(&self.tsn.0.to_be_bytes());
        head[4..6].copy_from_slice(&self.stream.to_be_bytes());
        head[6..8].copy_from_slice(&self.ssn.to_be_bytes());
        head[8..].copy_from_slice(&self.ppid.to_be_bytes());
        buf.extend_from_slice(&head);
        buf.extend_from_slice(self.payload);
    }
}
