//! Streams of the peer's that begin anew (RFC 6525 §5.2.2).
//!
//! A reset is done once everything that was sent before it has come. Until then it is deferred. Done, it
//! stands between the messages that the application has not fetched, so that nobody mistakes old ones for
//! new.

use super::tracker::Seen;
use super::{EARLY, MESSAGE, Message, Ready, Receiver};
use crate::sctp::serial::Tsn;

/// A reset that waits for what was sent before it.
#[derive(Debug)]
pub(super) struct Deferred {
    last: u64,
    streams: Vec<u16>,
    interleaved: bool,
}

impl Deferred {
    /// Whether a fragment comes after the reset.
    pub(super) fn covers(&self, stream: u16, tsn: u64) -> bool {
        tsn > self.last && (self.streams.is_empty() || self.streams.contains(&stream))
    }
}

impl Receiver {
    /// The streams, or all if none is named, begin anew after `last`. Tells whether they have.
    pub(crate) fn reset(&mut self, last: Tsn, streams: Vec<u16>, interleaved: bool) -> bool {
        let last = last.widen(self.tracker.cumulative());
        self.deferred = Some(Deferred { last, streams, interleaved });
        self.advance_reset()
    }

    /// Whether a reset is deferred.
    pub(crate) fn is_reset_deferred(&self) -> bool {
        self.deferred.is_some()
    }

    /// Does the reset that is deferred, if it is time. An application that leaves everything lying has it
    /// wait.
    pub(crate) fn advance_reset(&mut self) -> bool {
        let (cumulative, crowded) = (self.tracker.cumulative(), self.held() > self.window.limit());
        let due = |deferred: &mut Deferred| deferred.last <= cumulative && !crowded;
        let Some(Deferred { streams, interleaved, .. }) = self.deferred.take_if(due) else {
            return false;
        };
        // With DATA everything before the reset has come or has been given up.
        if interleaved && streams.is_empty() {
            self.assembly.forget_streams(0..=u16::MAX);
        }
        if streams.is_empty() {
            self.next.clear();
            self.next_unordered.clear();
            let waiting = std::mem::take(&mut self.waiting);
            let cost = |message: &Message| message.payload.len() + MESSAGE + EARLY;
            self.queued -= waiting.values().map(cost).sum::<usize>();
        }
        for &stream in &streams {
            self.next.remove(&stream);
            self.next_unordered.remove(&stream);
            // What still waits for an earlier message waits in vain.
            while let Some(key) =
                self.waiting.range((stream, 0)..=(stream, u64::MAX)).next().map(|(key, _)| *key)
            {
                let Some(message) = self.waiting.remove(&key) else { break };
                self.queued -= message.payload.len() + MESSAGE + EARLY;
            }
            if interleaved {
                self.assembly.forget_streams(stream..=stream);
            }
        }
        self.queued += MESSAGE + 2 * streams.len();
        self.ready.push_back(Ready::Reset(streams));
        true
    }

    /// The reset that the application has to hear of before it fetches anything more.
    pub(crate) fn peek_reset(&self) -> Option<&[u16]> {
        match self.ready.front()? {
            Ready::Reset(streams) => Some(streams),
            Ready::Message(_) => None,
        }
    }

    /// The application has heard of it.
    pub(crate) fn pass_reset(&mut self) {
        if let Some(Ready::Reset(streams)) =
            self.ready.pop_front_if(|next| matches!(next, Ready::Reset(_)))
        {
            self.queued -= MESSAGE + 2 * streams.len();
        }
    }

    /// Data of a stream that does not exist counts as received, and is dropped (RFC 9260 §6.5).
    pub(crate) fn discard(&mut self, tsn: Tsn) {
        let tsn = tsn.widen(self.tracker.cumulative());
        if self.tracker.classify(tsn) == Seen::New {
            self.tracker.insert(tsn);
        }
    }
}
