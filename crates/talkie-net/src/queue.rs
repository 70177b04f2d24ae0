//! Bytes on their way to a stream whose reader may be slow: bounded, and full means dropped.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Capacity above this is given back once the queue is empty.
const KEPT: usize = 16 << 10;

/// How urgent a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// May be lost, as any datagram.
    Data,
    /// A protocol answer: may use the last quarter of the queue, which data may not.
    Control,
}

#[derive(Debug)]
pub(crate) struct OutQueue {
    state: Mutex<State>,
    changed: Notify,
    bound: usize,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// What the writer has taken and not yet written.
    in_flight: usize,
    closed: bool,
}

impl OutQueue {
    pub(crate) fn new(bound: usize) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), bound }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock in an inconsistent state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a whole frame; false if there is no room or the queue is closed.
    #[must_use]
    pub(crate) fn push(&self, class: Class, frame: &[u8]) -> bool {
        let mut state = self.lock();
        let bound = match class {
            Class::Data => self.bound - self.bound / 4,
            Class::Control => self.bound,
        };
        if state.closed || state.bytes.len() + state.in_flight + frame.len() > bound {
            return false;
        }
        let was_empty = state.bytes.is_empty();
        state.bytes.extend_from_slice(frame);
        drop(state);
        if was_empty {
            self.changed.notify_one();
        }
        true
    }

    /// No more frames; what is queued still goes out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits for bytes and swaps them into `taken`, whose old content counts as written. False
    /// once the queue is closed and empty.
    pub(crate) async fn take(&self, taken: &mut Vec<u8>) -> bool {
        taken.clear();
        loop {
            {
                let mut state = self.lock();
                state.in_flight = 0;
                if !state.bytes.is_empty() {
                    std::mem::swap(&mut state.bytes, taken);
                    state.in_flight = taken.len();
                    return true;
                }
                if taken.capacity() > KEPT {
                    *taken = Vec::new();
                }
                if state.bytes.capacity() > KEPT {
                    state.bytes = Vec::new();
                }
                if state.closed {
                    return false;
                }
            }
            self.changed.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_drops_data_first_and_answers_last() {
        let queue = OutQueue::new(100);
        assert!(queue.push(Class::Data, &[1; 75]));
        assert!(!queue.push(Class::Data, &[1; 1]));
        assert!(queue.push(Class::Control, &[2; 25]));
        assert!(!queue.push(Class::Control, &[2; 1]));
        let mut taken = Vec::new();
        assert!(queue.take(&mut taken).await);
        assert_eq!(taken.len(), 100);
        assert!(!queue.push(Class::Control, &[2; 1]), "what is being written still counts");
        queue.close();
        assert!(!queue.take(&mut taken).await);
        assert!(!queue.push(Class::Control, &[2; 1]), "closed");
    }
}
