//! What a session has sent and its client has not yet acknowledged. A ring of finished frames: a
//! cursor divides it into those that the present socket has been given and those that wait. A
//! resume moves the cursor back; an acknowledgement frees from the front. It is bounded in frames
//! and bytes, and it is the only queue between a room and a socket.

use std::collections::VecDeque;

use bytes::Bytes;

/// An idle ring keeps room for this many frames, no more.
const IDLE_CAPACITY: usize = 4;

#[derive(Debug)]
pub(super) struct Outbox {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// The sequence number of the first frame.
    first: u64,
    /// How many frames the present socket has been given.
    given: usize,
    max_frames: usize,
    max_bytes: usize,
}

/// The client is too far behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow;

/// An acknowledgement of what was never sent, or a resume from what is no longer kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfRange;

impl Outbox {
    pub(super) fn new(max_frames: usize, max_bytes: usize) -> Self {
        Self { frames: VecDeque::new(), bytes: 0, first: 1, given: 0, max_frames, max_bytes }
    }

    /// The sequence number that the next frame must carry.
    pub(super) fn next_seq(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    /// Adds the frame that carries [`next_seq`](Self::next_seq).
    pub(super) fn push(&mut self, frame: Bytes) -> Result<(), Overflow> {
        if self.frames.len() >= self.max_frames || self.bytes + frame.len() > self.max_bytes {
            return Err(Overflow);
        }
        self.bytes += frame.len();
        self.frames.push_back(frame);
        Ok(())
    }

    /// The next frame for the present socket.
    pub(super) fn give(&mut self) -> Option<Bytes> {
        let frame = self.frames.get(self.given)?.clone();
        self.given += 1;
        Some(frame)
    }

    /// Forgets all that it keeps, as if it had been acknowledged.
    pub(super) fn clear(&mut self) {
        let latest = self.next_seq() - 1;
        // In range by its making.
        let _ = self.handle_ack(latest);
    }

    /// The bytes that it keeps.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frees what the client has received. An older acknowledgement than the last is no news.
    pub(super) fn handle_ack(&mut self, ack: u64) -> Result<(), OutOfRange> {
        if ack >= self.next_seq() {
            return Err(OutOfRange);
        }
        while self.first <= ack {
            let frame = self.frames.pop_front().expect("first <= ack < next_seq");
            self.bytes -= frame.len();
            self.first += 1;
            self.given = self.given.saturating_sub(1);
        }
        if self.frames.is_empty() {
            self.frames.shrink_to(IDLE_CAPACITY);
        }
        Ok(())
    }

    /// A new socket takes over: everything after `ack` is sent again, all up to there is freed.
    pub(super) fn rewind(&mut self, ack: u64) -> Result<(), OutOfRange> {
        // What was acknowledged before is gone: the client cannot go back behind it.
        if ack.saturating_add(1) < self.first {
            return Err(OutOfRange);
        }
        self.handle_ack(ack)?;
        self.given = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(n: u8) -> Bytes {
        Bytes::from(vec![n; 10])
    }

    #[test]
    fn a_rewind_gives_again_what_was_not_acknowledged() {
        let mut outbox = Outbox::new(8, 1_000);
        for n in 1..=4 {
            assert_eq!(outbox.next_seq(), u64::from(n));
            outbox.push(frame(n)).unwrap();
        }
        for n in 1..=3 {
            assert_eq!(outbox.give(), Some(frame(n)));
        }
        outbox.handle_ack(1).unwrap();
        assert_eq!(outbox.give(), Some(frame(4)));
        assert_eq!(outbox.give(), None);
        outbox.rewind(2).unwrap();
        assert_eq!(outbox.give(), Some(frame(3)));
        assert_eq!(outbox.rewind(1), Err(OutOfRange), "2 was acknowledged and is gone");
        assert_eq!(outbox.rewind(5), Err(OutOfRange), "5 was never sent");
        assert_eq!(outbox.handle_ack(u64::MAX), Err(OutOfRange));
    }

    #[test]
    fn both_bounds_hold() {
        let mut outbox = Outbox::new(2, 1_000);
        outbox.push(frame(1)).unwrap();
        outbox.push(frame(2)).unwrap();
        assert_eq!(outbox.push(frame(3)), Err(Overflow));
        outbox.handle_ack(1).unwrap();
        outbox.push(frame(3)).unwrap();

        let mut outbox = Outbox::new(100, 25);
        outbox.push(frame(1)).unwrap();
        outbox.push(frame(2)).unwrap();
        assert_eq!(outbox.push(frame(3)), Err(Overflow));
        outbox.handle_ack(2).unwrap();
        outbox.push(frame(3)).unwrap();
        assert_eq!(outbox.next_seq(), 4);
    }
}
