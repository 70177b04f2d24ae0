//! INIT and INIT ACK (RFC 9260 §3.3.2, §3.3.3).

use super::{Chunk, Parameters, u16_at, u32_at};
use crate::sctp::serial::Tsn;

/// The smallest window to begin with (RFC 9260 §3.3.2).
pub const WINDOW_LEAST: u32 = 1500;

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
    /// Reads the chunk's value. A tag of 0, no streams or a tiny window make it none (RFC 9260 §3.3.2).
    #[must_use]
    pub fn parse(chunk: &Chunk<'a>) -> Option<Self> {
        let value = chunk.value;
        Some(Self {
            tag: u32_at(value, 0).filter(|tag| *tag != 0)?,
            window: u32_at(value, 4).filter(|window| *window >= WINDOW_LEAST)?,
            outbound: u16_at(value, 8).filter(|streams| *streams != 0)?,
            inbound: u16_at(value, 10).filter(|streams| *streams != 0)?,
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
