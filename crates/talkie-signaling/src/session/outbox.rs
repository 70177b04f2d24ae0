//! What was said and may have to be said again: everything that the server has not acknowledged.

use std::collections::VecDeque;
use std::time::Instant;

use super::pace::{Pace, Turn};
use crate::message::{Request, frame};

/// Messages that wait, sent or not; the server keeps as many for its side.
const MAX_MESSAGES: usize = 256;
/// Bytes of them.
const MAX_BYTES: usize = 1024 * 1024;

/// The sequence of what this side says.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Of the last message that was given a number.
    last: u64,
    /// How many of those that wait were sent over the present socket.
    sent: usize,
    pace: Pace,
}

#[derive(Debug)]
struct Waiting {
    seq: u64,
    /// Without acknowledgement, which is added when it is sent.
    text: String,
}

impl Outbox {
    pub(super) fn new(pace: Pace) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, last: 0, sent: 0, pace }
    }

    /// Whether another message may be put in.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MAX_MESSAGES && self.bytes < MAX_BYTES
    }

    /// Puts a message at the end and tells its number.
    pub(super) fn push(&mut self, request: &Request) -> u64 {
        self.last += 1;
        let text = frame(request, Some(self.last), None);
        self.bytes += text.len();
        self.waiting.push_back(Waiting { seq: self.last, text });
        self.last
    }

    /// The next message that may go out now, with `ack` on it.
    pub(super) fn next(&mut self, now: Instant, ack: u64) -> Option<String> {
        if self.turn(now)? != Turn::Now {
            return None;
        }
        let mut text = self.waiting[self.sent].text.clone();
        self.sent += 1;
        text.pop();
        text.push_str(&format!(",\"ack\":{ack}}}"));
        Some(text)
    }

    /// When the next message may go out; nothing if none waits.
    pub(super) fn turn(&self, now: Instant) -> Option<Turn> {
        (self.sent < self.waiting.len()).then(|| self.pace.next(now, self.sent as u64))
    }

    /// The server has all up to `ack`. False if it can't have.
    pub(super) fn acknowledged(&mut self, now: Instant, ack: u64) -> bool {
        if ack >= self.next_unsent() {
            return false;
        }
        let mut count = 0;
        while self.waiting.front().is_some_and(|waiting| waiting.seq <= ack) {
            let gone = self.waiting.pop_front();
            self.bytes -= gone.map_or(0, |gone| gone.text.len());
            count += 1;
        }
        self.sent -= count;
        self.pace.arrived(now, count as u64);
        true
    }

    /// Another socket: the server has all up to `ack`, and the rest is to be sent again. False if
    /// that is impossible.
    pub(super) fn resume(&mut self, now: Instant, ack: u64) -> bool {
        let acknowledged = self.waiting.front().map_or(self.last, |first| first.seq - 1);
        let possible = ack >= acknowledged && self.acknowledged(now, ack);
        self.sent = 0;
        possible
    }

    /// The number of the first message that was not yet sent over any socket that is known to live.
    fn next_unsent(&self) -> u64 {
        self.waiting.get(self.sent).map_or(self.last + 1, |waiting| waiting.seq)
    }
}
