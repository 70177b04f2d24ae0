//! Streams without a channel, and their resets.
//!
//! A peer may close what has never been a channel here: a negotiated one that our application has not opened,
//! or one that was refused. It waits until our side of the stream is reset too, so that it is (RFC 8831 §6.7).
//! But some peers answer an answer. Were each answered again, that would never end, and would close channels
//! that have come to use the stream since; so a stream that has just been seen to is left alone.

use std::time::Instant;

use super::DataChannels;

/// A stream whose channel is no more, or never was one here.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Resets of our side that have not been answered.
    pub(super) pending: u32,
    /// Our side has been reset to refuse what the peer wanted; its own is to follow.
    refused: bool,
    /// When both sides were seen to.
    since: Option<Instant>,
}

impl Rest {
    /// What is left of a channel, with resets of ours that have not been answered.
    pub(super) fn new(now: Instant, pending: u32) -> Self {
        Self { pending, refused: false, since: Some(now) }
    }
}

impl DataChannels {
    /// The peer has reset its side of a stream on which there is no channel.
    pub(super) fn handle_stray_reset(&mut self, stream: u16) {
        // What was kept was for the channel that ends.
        self.counters.stray += self.early.forget(stream);
        let (now, lull) = (self.now, self.association.timeout());
        let rest = self.resting.entry(stream).or_default();
        let answers = !std::mem::take(&mut rest.refused)
            && rest.pending == 0
            && rest.since.is_none_or(|since| since + lull <= now);
        if answers && !self.spoiled.contains(&stream) {
            self.reset_rest(stream);
        }
        self.resting.entry(stream).or_default().since = Some(now);
    }

    /// RFC 8832 §6: by closing it. The peer's side follows, and is asked to where we have none.
    pub(super) fn refuse(&mut self, stream: u16) {
        if self.reset_rest(stream) {
            self.resting.entry(stream).or_default().refused = true;
        } else {
            let _ = self.association.request_reset(self.now, &[stream]);
        }
    }

    /// Resets our side of a stream without a channel; false if that cannot be.
    fn reset_rest(&mut self, stream: u16) -> bool {
        // One that is still to be asked for stands for both.
        let waiting = self.association.will_reset(stream);
        if self.association.reset_streams(self.now, &[stream]).is_err() {
            return false;
        }
        self.resting.entry(stream).or_default().pending += u32::from(!waiting);
        true
    }

    /// Our side of a stream without a channel has been reset, or the peer does not want to.
    pub(super) fn handle_rest_done(&mut self, stream: u16) {
        if let Some(rest) = self.resting.get_mut(&stream) {
            rest.pending = rest.pending.saturating_sub(1);
        }
    }

    /// Whether the peer is still to close what was refused.
    pub(super) fn is_refused(&self, stream: u16) -> bool {
        self.resting.get(&stream).is_some_and(|rest| rest.refused)
    }

    /// The peer uses the stream, though there is no channel: its end is to be answered.
    pub(super) fn note_use(&mut self, stream: u16) {
        if let Some(rest) = self.resting.get_mut(&stream) {
            rest.since = None;
        }
    }
}
