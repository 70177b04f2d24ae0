//! ChannelData, the relay's four-byte envelope (RFC 8656 §12.4), and the framing of a TCP or TLS
//! stream that carries it along with STUN messages.

use crate::stun::attributes::ChannelNumber;

/// The bytes in front of the payload.
pub const HEADER_LENGTH: usize = 4;

/// Why bytes are no ChannelData message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelDataError {
    /// Fewer bytes than a header.
    #[error("shorter than a ChannelData header")]
    TooShort,
    /// The number is none of a channel (RFC 8656 §12: to be discarded).
    #[error("not a channel number")]
    BadChannel,
    /// The length field says more than is there, or more than padding is left over.
    #[error("the length field does not fit the datagram")]
    BadLength,
}

/// A ChannelData message in a borrowed buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelData<'a> {
    /// The channel.
    pub channel: ChannelNumber,
    /// The payload, which may be empty.
    pub data: &'a [u8],
}

impl<'a> ChannelData<'a> {
    /// Takes a whole datagram, or one message of a stream, with or without padding (RFC 8656 §12.5).
    ///
    /// # Errors
    /// If it is not well-formed; such bytes are to be dropped.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ChannelDataError> {
        let Some(([a, b, c, d], body)) = bytes.split_first_chunk() else {
            return Err(ChannelDataError::TooShort);
        };
        let channel =
            ChannelNumber::new(u16::from_be_bytes([*a, *b])).ok_or(ChannelDataError::BadChannel)?;
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let data = body.get(..length).ok_or(ChannelDataError::BadLength)?;
        if body.len() > length.next_multiple_of(4) {
            return Err(ChannelDataError::BadLength);
        }
        Ok(Self { channel, data })
    }

    /// Appends the message, padded to four bytes if it goes over a stream (RFC 8656 §12.5). Returns
    /// its length; 0, and nothing is appended, if the payload exceeds the 65,535 bytes of the length
    /// field.
    pub fn write(&self, out: &mut Vec<u8>, padded: bool) -> usize {
        let Some(header) = header(self.channel, self.data.len()) else {
            return 0;
        };
        let start = out.len();
        out.extend_from_slice(&header);
        out.extend_from_slice(self.data);
        if padded {
            out.resize(start + HEADER_LENGTH + self.data.len().next_multiple_of(4), 0);
        }
        out.len() - start
    }
}

/// The header of a message whose payload has `length` bytes; `None` if that is too many.
#[must_use]
pub fn header(channel: ChannelNumber, length: usize) -> Option<[u8; HEADER_LENGTH]> {
    let [a, b] = channel.number().to_be_bytes();
    let [c, d] = u16::try_from(length).ok()?.to_be_bytes();
    Some([a, b, c, d])
}

/// Cutting a stream into messages (RFC 8656 §3.1, §12.5; RFC 8489 §6.2.2).
pub mod stream {
    use super::HEADER_LENGTH;
    use crate::stun::{self, MAGIC_COOKIE};

    /// The longest frame: what a buffer in front of [`frame_length`] needs to hold.
    pub const MAX_FRAME: usize = stun::HEADER_LENGTH + u16::MAX as usize;

    /// What stands in the stream is no message, and where the next begins cannot be told: the
    /// connection is to be closed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    #[error("neither STUN nor ChannelData in the stream")]
    pub struct BadFrame;

    /// How many bytes the first message of `stream` takes, padding included, which may be more than
    /// are there yet; `None` if too few are there to tell.
    ///
    /// # Errors
    /// As soon as the bytes cannot start a message.
    pub fn frame_length(stream: &[u8]) -> Result<Option<usize>, BadFrame> {
        let Some(first) = stream.first() else {
            return Ok(None);
        };
        // RFC 7983's ranges: 0 to 3 STUN, 64 to 79 a channel.
        let is_stun = match first {
            0..=3 => true,
            64..=79 => false,
            _ => return Err(BadFrame),
        };
        let Some(([_, _, high, low], rest)) = stream.split_first_chunk() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if !is_stun {
            return Ok(Some(HEADER_LENGTH + length.next_multiple_of(4)));
        }
        let cookie = MAGIC_COOKIE.to_be_bytes();
        let present = rest.len().min(cookie.len());
        if !length.is_multiple_of(4) || rest[..present] != cookie[..present] {
            return Err(BadFrame);
        }
        Ok(Some(stun::HEADER_LENGTH + length))
    }
}
