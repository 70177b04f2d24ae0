//! SCTP packets and chunks on the wire (RFC 9260 §3): borrowed when read, appended when written.
//!
//! Reading allocates nothing and never fails as a whole: [`Packet::parse`] tells what cannot be a packet,
//! [`Chunks`] ends at the first chunk whose length is wrong, and each chunk's own `parse` says whether its
//! value makes sense. A module per chunk and per group of parameters.

pub mod chunk;
pub mod data;
pub mod error;
pub mod forward;
pub mod heartbeat;
pub mod i_data;
pub mod init;
pub mod packet;
pub mod parameter;
pub mod reconfig;
pub mod sack;

pub use chunk::{Chunk, Chunks, kind};
pub use data::Data;
pub use i_data::IData;
pub use init::{BadInit, Init};
pub use packet::{Checksum, Header, Packet, Writer};
pub use parameter::{Parameter, Parameters};
pub use sack::Sack;

/// A big-endian number at `at`, if it is there.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A big-endian number at `at`, if it is there.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// How many bytes a chunk or parameter of that length takes with its padding.
#[must_use]
pub const fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}
