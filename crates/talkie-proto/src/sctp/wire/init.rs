//! INIT and INIT ACK (RFC 9260 §3.3.2, §3.3.3).

use super::{Chunk, Parameters, u16_at, u32_at};
use crate::sctp::serial::Tsn;

/// The smallest window to begin with (RFC 9260 §3.3.2).
pub const WINDOW_LEAST: u32 = 1500;

/// Why a chunk is no INIT or INIT ACK (RFC 9260 §3.3.2, §3.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadInit {
    /// It is too short.
    #[error("it is too short")]
    Short,
    /// Its tag is 0.
    #[error("its tag is 0")]
    NoTag,
    /// The window is under [`WINDOW_LEAST`].
    #[error("its window is too small")]
    TinyWindow {
        /// Its tag.
        tag: u32,
    },
    /// There are no streams in one of the directions.
    #[error("it has no streams")]
    NoStreams {
        /// Its tag.
        tag: u32,
    },
}

/// Begins an association, or answers that.
#[derive(Clone, Debug)]
pub struct Init<'a> {
    /// What packets to its sender have to carry: never 0.
    pub tag: u32,
    /// How many bytes there is room for: never less than 1500.
    pub window: u32,
    /// Streams its sender would like to send on: at least one.
    pub outbound: u16,
    /// Streams its sender can receive on: at least one.
    pub inbound: u16,
    /// The first TSN that its sender will use.
    pub tsn: Tsn,
    /// Everything optional.
    pub parameters: Parameters<'a>,
}

impl<'a> Init<'a> {
    /// Reads the chunk's value.
    ///
    /// # Errors
    /// If it is too short, or a field says what it must not (RFC 9260 §3.3.2).
    pub fn parse(chunk: &Chunk<'a>) -> Result<Self, BadInit> {
        let init = Self::read(chunk.value).ok_or(BadInit::Short)?;
        let tag = init.tag;
        if tag == 0 {
            return Err(BadInit::NoTag);
        }
        if init.window < WINDOW_LEAST {
            return Err(BadInit::TinyWindow { tag });
        }
        if init.outbound == 0 || init.inbound == 0 {
            return Err(BadInit::NoStreams { tag });
        }
        Ok(init)
    }

    fn read(value: &'a [u8]) -> Option<Self> {
        Some(Self {
            tag: u32_at(value, 0)?,
            window: u32_at(value, 4)?,
            outbound: u16_at(value, 8)?,
            inbound: u16_at(value, 10)?,
            tsn: Tsn(u32_at(value, 12)?),
            parameters: Parameters::new(&value[16..]),
        })
    }

    /// Appends the chunk's value, without parameters.
    pub fn write(&self, buf: &mut Vec<u8>) {
        buf.extend_from_slice(&self.tag.to_be_bytes());
        buf.extend_from_slice(&self.window.to_be_bytes());
        buf.extend_from_slice(&self.outbound.to_be_bytes());
        buf.extend_from_slice(&self.inbound.to_be_bytes());
        buf.extend_from_slice(&self.tsn.0.to_be_bytes());
    }
}
