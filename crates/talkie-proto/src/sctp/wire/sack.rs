//! SACK (RFC 9260 §3.3.4).

use super::{Chunk, u16_at, u32_at};
use crate::sctp::serial::Tsn;

/// Bytes of a SACK without blocks and duplicates, the chunk's header included.
pub const OVERHEAD: usize = 16;

/// What has been received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sack<'a> {
    /// All up to this have been received.
    pub cumulative: Tsn,
    /// How many bytes there is room for.
    pub window: u32,
    gaps: &'a [u8],
    duplicates: &'a [u8],
}

impl<'a> Sack<'a> {
    /// Reads the chunk's value.
    #[must_use]
    pub fn parse(chunk: &Chunk<'a>) -> Option<Self> {
        let value = chunk.value;
        let gaps = usize::from(u16_at(value, 8)?) * 4;
        let duplicates = usize::from(u16_at(value, 10)?) * 4;
        Some(Self {
            cumulative: Tsn(u32_at(value, 0)?),
            window: u32_at(value, 4)?,
            gaps: value.get(12..12 + gaps)?,
            duplicates: value.get(12 + gaps..12 + gaps + duplicates)?,
        })
    }

    /// One that tells of no gaps.
    #[must_use]
    pub fn cumulative(cumulative: Tsn, window: u32) -> Self {
        Self { cumulative, window, gaps: &[], duplicates: &[] }
    }

    /// What else has been received, as first and last offsets from `cumulative`. Blocks that end before
    /// they begin are passed over, and those that begin where the cumulative TSN would have gone on.
    pub fn gaps(&self) -> impl Iterator<Item = (u16, u16)> + use<'a> {
        let blocks = self.gaps.as_chunks::<4>().0.iter();
        blocks
            .map(|&[a, b, c, d]| (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
            .filter(|(first, last)| (2..=*last).contains(first))
    }

    /// What was received more than once since the last SACK.
    pub fn duplicates(&self) -> impl Iterator<Item = Tsn> + use<'a> {
        self.duplicates.as_chunks::<4>().0.iter().map(|bytes| Tsn(u32::from_be_bytes(*bytes)))
    }

    /// Appends the value of a chunk.
    pub fn write(
        buf: &mut Vec<u8>,
        cumulative: Tsn,
        window: u32,
        gaps: &[(u16, u16)],
        duplicates: &[Tsn],
    ) {
        let count = |count: usize| u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes();
        buf.extend_from_slice(&cumulative.0.to_be_bytes());
        buf.extend_from_slice(&window.to_be_bytes());
        buf.extend_from_slice(&count(gaps.len()));
        buf.extend_from_slice(&count(duplicates.len()));
        for (first, last) in gaps {
            buf.extend_from_slice(&first.to_be_bytes());
            buf.extend_from_slice(&last.to_be_bytes());
        }
        for tsn in duplicates {
            buf.extend_from_slice(&tsn.0.to_be_bytes());
        }
    }
}
