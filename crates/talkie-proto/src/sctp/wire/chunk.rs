//! What all chunks have in common (RFC 9260 §3.2).

use super::{padded, u16_at};

/// Chunk types.
pub mod kind {
    /// Payload (RFC 9260 §3.3.1).
    pub const DATA: u8 = 0;
    /// Begins an association.
    pub const INIT: u8 = 1;
    /// Answers it.
    pub const INIT_ACK: u8 = 2;
    /// What has been received.
    pub const SACK: u8 = 3;
    /// Is the path alive?
    pub const HEARTBEAT: u8 = 4;
    /// It is.
    pub const HEARTBEAT_ACK: u8 = 5;
    /// The end, at once.
    pub const ABORT: u8 = 6;
    /// Nothing more will be sent.
    pub const SHUTDOWN: u8 = 7;
    /// Nor from the other side.
    pub const SHUTDOWN_ACK: u8 = 8;
    /// Something is wrong.
    pub const ERROR: u8 = 9;
    /// The cookie comes back.
    pub const COOKIE_ECHO: u8 = 10;
    /// And was good.
    pub const COOKIE_ACK: u8 = 11;
    /// The path marked a packet.
    pub const ECNE: u8 = 12;
    /// The window has been reduced.
    pub const CWR: u8 = 13;
    /// The end, in order.
    pub const SHUTDOWN_COMPLETE: u8 = 14;
    /// Payload that may be interleaved (RFC 8260 §2.1).
    pub const I_DATA: u8 = 64;
    /// Changes of streams (RFC 6525 §3.1).
    pub const RE_CONFIG: u8 = 130;
    /// Nothing (RFC 4820 §3).
    pub const PAD: u8 = 132;
    /// What will not come any more (RFC 3758 §3.2).
    pub const FORWARD_TSN: u8 = 192;
    /// The same for I-DATA (RFC 8260 §2.3.1).
    pub const I_FORWARD_TSN: u8 = 194;
}

/// One chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its value, without padding.
    pub value: &'a [u8],
    /// The whole of it, header and all, without padding.
    pub whole: &'a [u8],
}

/// The chunks of a packet, up to the first whose length is wrong.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// Reads from chunks one after another.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether the last chunk read was followed by something that is none.
    #[must_use]
    pub fn is_garbage_left(&self) -> bool {
        !self.rest.is_empty()
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let length = usize::from(u16_at(self.rest, 2)?);
        // RFC 9260 §3.2: the length counts the header, so that less than 4 is none.
        if length < 4 {
            return None;
        }
        let whole = self.rest.get(..length)?;
        // The padding of the last chunk may be missing: nothing depends on it.
        self.rest = self.rest.get(padded(length)..).unwrap_or_default();
        Some(Chunk { kind: whole[0], flags: whole[1], value: &whole[4..], whole })
    }
}
