//! FORWARD TSN (RFC 3758 §3.2) and I-FORWARD-TSN (RFC 8260 §2.3.1).

use super::{Chunk, u16_at, u32_at};
use crate::sctp::serial::Tsn;

/// What will not come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward<'a> {
    /// Nothing up to this.
    pub cumulative: Tsn,
    interleaved: bool,
    streams: &'a [u8],
}

/// Where a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The stream.
    pub stream: u16,
    /// Whether its unordered messages are meant (only with interleaving).
    pub unordered: bool,
    /// The last SSN or MID that was given up.
    pub last: u32,
}

impl<'a> Forward<'a> {
    /// Reads the chunk's value; `interleaved` for I-FORWARD-TSN.
    #[must_use]
    pub fn parse(chunk: &Chunk<'a>, interleaved: bool) -> Option<Self> {
        let cumulative = Tsn(u32_at(chunk.value, 0)?);
        Some(Self { cumulative, interleaved, streams: &chunk.value[4..] })
    }

    /// The streams that go on.
    pub fn skipped(&self) -> impl Iterator<Item = Skipped> + use<'a> {
        let (streams, interleaved) = (self.streams, self.interleaved);
        let size = if interleaved { 8 } else { 4 };
        streams.chunks_exact(size).filter_map(move |entry| {
            Some(Skipped {
                stream: u16_at(entry, 0)?,
                unordered: interleaved && entry[3] & 1 != 0,
                last: if interleaved { u32_at(entry, 4)? } else { u16_at(entry, 2)?.into() },
            })
        })
    }

    /// Appends the value of a chunk.
    pub fn write(buf: &mut Vec<u8>, cumulative: Tsn, interleaved: bool, skipped: &[Skipped]) {
        buf.extend_from_slice(&cumulative.0.to_be_bytes());
        for entry in skipped {
            buf.extend_from_slice(&entry.stream.to_be_bytes());
            if interleaved {
                buf.extend_from_slice(&[0, entry.unordered.into()]);
                buf.extend_from_slice(&entry.last.to_be_bytes());
            } else {
                buf.extend_from_slice(&entry.last.to_be_bytes()[2..]);
            }
        }
    }
}
