//! I-DATA (RFC 8260 §2.1): fragments of several messages may alternate.

use super::data::BEGINNING;
use super::{Chunk, u16_at, u32_at};
use crate::sctp::serial::Tsn;

/// Bytes before the payload, the chunk's header included.
pub const OVERHEAD: usize = 20;

/// A fragment of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IData<'a> {
    /// Its flags, as those of DATA.
    pub flags: u8,
    /// Its number.
    pub tsn: Tsn,
    /// The stream.
    pub stream: u16,
    /// The message's number among the ordered or the unordered ones of the stream.
    pub mid: u32,
    /// The fragment's number in the message. The first is 0, and has `ppid` in its place.
    pub fsn: u32,
    /// What the application calls the payload; 0 in all but the first fragment.
    pub ppid: u32,
    /// At least one byte.
    pub payload: &'a [u8],
}

impl<'a> IData<'a> {
    /// Reads the chunk's value.
    #[must_use]
    pub fn parse(chunk: &Chunk<'a>) -> Option<Self> {
        let last = u32_at(chunk.value, 12)?;
        let first = chunk.flags & BEGINNING != 0;
        Some(Self {
            flags: chunk.flags,
            tsn: Tsn(u32_at(chunk.value, 0)?),
            stream: u16_at(chunk.value, 4)?,
            mid: u32_at(chunk.value, 8)?,
            fsn: if first { 0 } else { last },
            ppid: if first { last } else { 0 },
            payload: chunk.value.get(16..).filter(|payload| !payload.is_empty())?,
        })
    }

    /// Appends the chunk's value.
    pub fn write(&self, buf: &mut Vec<u8>) {
        let last = if self.flags & BEGINNING != 0 { self.ppid } else { self.fsn };
        let mut head = [0; OVERHEAD - 4];
        head[..4].copy_from_slice(&self.tsn.0.to_be_bytes());
        head[4..6].copy_from_slice(&self.stream.to_be_bytes());
        head[8..12].copy_from_slice(&self.mid.to_be_bytes());
        head[12..].copy_from_slice(&last.to_be_bytes());
        buf.extend_from_slice(&head);
        buf.extend_from_slice(self.payload);
    }
}
