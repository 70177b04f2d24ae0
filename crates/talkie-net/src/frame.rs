//! Datagrams on a stream. The stream's protocol says where one ends; a [`Framer`] tells.

use std::io;

pub use talkie_sansio::{BadFrame, Framer};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::udp::HEADROOM;

/// The longest frame: 20 + 65,535 bytes is the most a 16-bit length can say, rounded up.
pub(crate) const LARGEST_FRAME: usize = 66_048;
/// The least and most that one read asks for: an idle stream keeps little memory, a busy one reads
/// much at once.
const SMALLEST_READ: usize = 2 << 10;
const LARGEST_READ: usize = 32 << 10;

/// Why reading frames ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the peer closed the stream")]
    Closed,
    #[error(transparent)]
    BadFrame(#[from] BadFrame),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whole frames one after the other, with [`HEADROOM`] free bytes before the first.
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    next: usize,
    framer: Framer,
}

impl Chunk {
    /// The next frame, as the buffer and where it starts and ends.
    pub(crate) fn next_frame(&mut self) -> Option<(&mut [u8], usize, usize)> {
        let start = self.next;
        let length = (self.framer)(&self.bytes[start..]).ok()??;
        self.next = start + length;
        (self.next <= self.bytes.len()).then_some((&mut self.bytes, start, start + length))
    }
}

/// Cuts a stream into frames. Holds at most one frame and one read's worth.
pub(crate) struct FrameReader {
    framer: Framer,
    /// [`HEADROOM`] free bytes, then what has not been handed out.
    buffer: Vec<u8>,
    read: usize,
}

impl FrameReader {
    pub(crate) fn new(framer: Framer) -> Self {
        Self { framer, buffer: vec![0; HEADROOM], read: SMALLEST_READ }
    }

    /// Waits for at least one whole frame and returns all that are there. Cancel safe.
    pub(crate) async fn next<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
    ) -> Result<Chunk, ReadError> {
        loop {
            if let Some(chunk) = self.take()? {
                return Ok(chunk);
            }
            self.buffer.reserve(self.read);
            let mut limited = stream.take(self.read as u64);
            let count = limited.read_buf(&mut self.buffer).await?;
            if count == 0 {
                return Err(ReadError::Closed);
            }
            self.read = match count {
                full if full == self.read => (self.read * 2).min(LARGEST_READ),
                little if little < self.read / 4 => (self.read / 2).max(SMALLEST_READ),
                _ => self.read,
            };
        }
    }

    /// Takes the whole frames off the buffer's front.
    fn take(&mut self) -> Result<Option<Chunk>, BadFrame> {
        let mut end = HEADROOM;
        let mut outcome = Ok(());
        while end < self.buffer.len() {
            match (self.framer)(&self.buffer[end..]) {
                Ok(Some(length)) if length == 0 || length > LARGEST_FRAME => {
                    outcome = Err(BadFrame);
                    break;
                }
                Ok(Some(length)) if length <= self.buffer.len() - end => end += length,
                Ok(_) => break,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        if end == HEADROOM {
            return outcome.map(|()| None);
        }
        // Frames before a bad one still count; the bad one is met again at the next call.
        let mut rest = Vec::with_capacity(HEADROOM + self.buffer.len() - end);
        rest.resize(HEADROOM, 0);
        rest.extend_from_slice(&self.buffer[end..]);
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        bytes.truncate(end);
        Ok(Some(Chunk { bytes, next: HEADROOM, framer: self.framer }))
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
