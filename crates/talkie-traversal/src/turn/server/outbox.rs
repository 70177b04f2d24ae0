//! Datagrams that wait to be sent: one buffer for their bytes and a queue of their lengths, so that
//! a server in its stride allocates nothing.

use std::collections::VecDeque;

use talkie_sansio::{Path, Transmit};

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
        self.queue.len() >= self.max_datagrams || self.bytes.len() >= self.max_bytes
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
        if self.queue.is_empty() {
            self.bytes.clear();
            self.sent = 0;
        }
        Some(Transmit { path, len })
    }
}
