//! The common header and its checksum (RFC 9260 §3.1, §6.8; RFC 9653).

use super::chunk::Chunks;
use super::{padded, u16_at, u32_at};

/// The common header's length.
pub const HEADER: usize = 12;

/// The common header, without the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The sender's port.
    pub source: u16,
    /// The receiver's port.
    pub destination: u16,
    /// What the receiver demanded as proof that the sender has heard it.
    pub tag: u32,
}

/// What a received checksum is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// The CRC32c of the packet.
    Right,
    /// Zero, and the CRC32c would have been another. Acceptable only as negotiated.
    Zero,
    /// Neither.
    Wrong,
}

/// A received packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The header.
    pub header: Header,
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a packet's header; `None` if it is too short for one.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() < HEADER {
            return None;
        }
        let header = Header {
            source: u16_at(bytes, 0)?,
            destination: u16_at(bytes, 2)?,
            tag: u32_at(bytes, 4)?,
        };
        Some(Self { header, bytes })
    }

    /// Holds the checksum against the bytes. A zero is not looked into further if `zero_will_do`.
    #[must_use]
    pub fn checksum(&self, zero_will_do: bool) -> Checksum {
        let carried = &self.bytes[8..HEADER];
        let zero = carried == [0; 4];
        if zero && zero_will_do {
            return Checksum::Zero;
        }
        let computed = crc32c(self.bytes).to_le_bytes();
        match (carried == computed, zero) {
            (true, _) => Checksum::Right,
            (false, true) => Checksum::Zero,
            (false, false) => Checksum::Wrong,
        }
    }

    /// Its chunks.
    #[must_use]
    pub fn chunks(&self) -> Chunks<'a> {
        Chunks::new(&self.bytes[HEADER..])
    }
}

/// The checksum of a packet, as if the field were zero.
fn crc32c(packet: &[u8]) -> u32 {
    let head = ::crc32c::crc32c(&packet[..8]);
    let head = ::crc32c::crc32c_append(head, &[0; 4]);
    ::crc32c::crc32c_append(head, &packet[HEADER..])
}

/// Appends one packet to a buffer.
#[derive(Debug)]
pub struct Writer<'b> {
    buf: &'b mut Vec<u8>,
    start: usize,
}

impl<'b> Writer<'b> {
    /// Begins a packet.
    pub fn new(buf: &'b mut Vec<u8>, header: Header) -> Self {
        let start = buf.len();
        buf.extend_from_slice(&header.source.to_be_bytes());
        buf.extend_from_slice(&header.destination.to_be_bytes());
        buf.extend_from_slice(&header.tag.to_be_bytes());
        buf.extend_from_slice(&[0; 4]);
        Self { buf, start }
    }

    /// The packet's length so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buf.len() - self.start
    }

    /// Whether it has no chunk yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == HEADER
    }

    /// Appends a chunk whose value `write` appends.
    pub fn chunk(&mut self, kind: u8, flags: u8, write: impl FnOnce(&mut Vec<u8>)) {
        write_chunk(self.buf, kind, flags, write);
    }

    /// Appends a chunk that is complete, with its padding.
    pub fn append(&mut self, chunk: &[u8]) {
        self.buf.extend_from_slice(chunk);
    }

    /// Ends the packet and tells its length. Without `checksum` the field stays zero.
    pub fn finish(self, checksum: bool) -> usize {
        let packet = &mut self.buf[self.start..];
        if checksum {
            let crc = crc32c(packet).to_le_bytes();
            packet[8..HEADER].copy_from_slice(&crc);
        }
        packet.len()
    }
}

/// Appends a chunk, or anything else with two bytes, a length and padding.
pub fn write_chunk(buf: &mut Vec<u8>, kind: u8, flags: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let start = buf.len();
    buf.extend_from_slice(&[kind, flags, 0, 0]);
    write(buf);
    let length = buf.len() - start;
    let field = u16::try_from(length).expect("a chunk is never longer than a packet");
    buf[start + 2..start + 4].copy_from_slice(&field.to_be_bytes());
    buf.resize(start + padded(length), 0);
}
