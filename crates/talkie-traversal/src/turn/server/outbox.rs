//! Datagrams that wait to be sent: one buffer for their bytes and a queue of their lengths, so that
//! a server in its stride allocates nothing.

use std::collections::VecDeque;

use talkie_sansio::{Path, Transmit};

/// How many bytes already sent are kept before the rest is moved to the front.
const KEPT: usize = 1 << 16;

pub(super) struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
    queue: VecDeque<(Path, usize)>,
    max_datagrams: usize,
    max_bytes: usize,
}

impl Outbox {
    pub(super) fn new(max_datagrams: usize, max_bytes: usize) -> Self {
        let (bytes, queue) = (Vec::new(), VecDeque::new());
        Self { bytes, sent: 0, queue, max_datagrams, max_bytes }
    }

    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= self.max_datagrams || self.bytes.len() - self.sent >= self.max_bytes
    }

    /// Queues what `write` appends to the buffer. Whoever queues on behalf of the network asks
    /// [`is_full`](Self::is_full) first.
    pub(super) fn push(&mut self, path: Path, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.queue.push_back((path, self.bytes.len() - start));
    }

    pub(super) fn pop(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, len) = self.queue.pop_front()?;
        buf.extend_from_slice(&self.bytes[self.sent..self.sent + len]);
        self.sent += len;
        // A driver that never takes everything must not make the buffer grow. No more bytes are
        // moved than were sent.
        if self.queue.is_empty() || (self.sent >= KEPT && 2 * self.sent >= self.bytes.len()) {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        Some(Transmit { path, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use talkie_sansio::Transport;

    #[test]
    fn a_queue_that_is_never_empty_does_not_grow() {
        let address = "192.0.2.1:1".parse().unwrap();
        let path = Path { transport: Transport::Udp, local: address, remote: address };
        let mut outbox = Outbox::new(8, 1 << 20);
        let mut buf = Vec::new();
        outbox.push(path, |bytes| bytes.extend_from_slice(&0_u32.to_be_bytes()));
        for round in 1..200_000_u32 {
            outbox.push(path, |bytes| bytes.extend_from_slice(&round.to_be_bytes()));
            buf.clear();
            assert_eq!(outbox.pop(&mut buf).unwrap().len, 4);
            assert_eq!(buf, (round - 1).to_be_bytes());
            assert!(!outbox.is_full());
        }
        assert!(outbox.bytes.len() <= 2 * KEPT);
    }
}
