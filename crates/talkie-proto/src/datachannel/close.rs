//! Channels are closed (RFC 8831 §6.7): each side resets the stream it sends on, and follows the other.

use std::time::Instant;

use super::channel::{ChannelId, Priority, State};
use super::strays::Rest;
use super::{DataChannels, Event};
use crate::sctp::ReconfigError;

impl DataChannels {
    /// Closes a channel: what is queued is still sent, what comes is dropped. [`Event::Closed`] tells when it
    /// is over. Closing twice is harmless.
    pub fn close(&mut self, now: Instant, channel: ChannelId) {
        self.now = now;
        let Some(known) = self.channels.get_mut(&channel) else { return };
        self.partial -= known.stop_hearing();
        if known.state == State::Closing {
            return;
        }
        known.state = State::Closing;
        match known.stream {
            Some(stream) => self.reset(channel, stream),
            None => self.finish(channel),
        }
    }

    /// Resets our side of the stream.
    fn reset(&mut self, id: ChannelId, stream: u16) {
        // One from before the channel that is still to be asked for stands for both.
        let waiting = self.association.will_reset(stream);
        let asked = self.association.reset_streams(self.now, &[stream]);
        if let Some(channel) = self.channels.get_mut(&id).filter(|_| asked.is_ok()) {
            channel.resetting = true;
            channel.stale = channel.stale.saturating_sub(waiting.into());
        }
        match asked {
            // What is queued still leaves before the association's end, which is the channel's too.
            Ok(()) | Err(ReconfigError::Ended) => {}
            // The peer cannot: the stream is never used again.
            Err(_) => {
                self.spoiled.insert(stream);
                self.finish(id);
            }
        }
    }

    /// The peer has reset its side of streams, or of all.
    pub(super) fn handle_reset(&mut self, streams: &[u16]) {
        for stream in self.named(streams) {
            let Some(&id) = self.streams.get(&stream) else {
                self.handle_stray_reset(stream);
                continue;
            };
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            channel.in_done = true;
            self.partial -= channel.stop_hearing();
            if channel.state != State::Closing {
                self.handle_wish(id, stream);
            } else if channel.out_done {
                self.finish(id);
            }
        }
    }

    /// The peer does not want the channel, or has misused it.
    pub(super) fn handle_wish(&mut self, id: ChannelId, stream: u16) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        self.partial -= channel.stop_hearing();
        if channel.state == State::Closing {
            return;
        }
        channel.state = State::Closing;
        self.events.push_back(Event::Closing(id));
        // Nobody is there to take what has not begun to leave.
        self.association.discard(stream);
        self.reset(id, stream);
    }

    /// Our side of streams has been reset, or the peer does not want to.
    pub(super) fn handle_reset_done(&mut self, streams: &[u16], done: bool) {
        for stream in self.named(streams) {
            let Some(&id) = self.streams.get(&stream) else {
                self.handle_rest_done(stream);
                continue;
            };
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            if channel.stale > 0 {
                channel.stale -= 1;
                continue;
            }
            channel.resetting = false;
            if !done && channel.state == State::Closing {
                self.spoiled.insert(stream);
                self.finish(id);
                continue;
            }
            if !done {
                continue;
            }
            channel.out_done = true;
            if channel.state != State::Closing {
                // The peer has asked for it: that is a wish to close. What it sent before may still be under
                // way; it ends with the reset of its own side.
                channel.state = State::Closing;
                self.events.push_back(Event::Closing(id));
            }
            if channel.in_done {
                self.finish(id);
            }
        }
    }

    /// The streams, or all that have a channel.
    fn named(&self, streams: &[u16]) -> Vec<u16> {
        if streams.is_empty() {
            return self.channels.values().filter_map(|channel| channel.stream).collect();
        }
        streams.to_vec()
    }

    /// The channel is no more.
    pub(super) fn finish(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.remove(&id) else { return };
        if let Some(stream) = channel.stream {
            self.streams.remove(&stream);
            let pending = channel.stale + u32::from(channel.resetting);
            self.resting.insert(stream, Rest::new(self.now, pending));
            let Priority(weight) = Priority::NORMAL;
            self.association.set_weight(stream, weight);
        }
        if channel.incoming {
            self.incoming -= 1;
            self.labels -= channel.options.label.len() + channel.options.protocol.len();
        }
        self.partial -= channel.partial.len();
        self.above.remove(&id);
        self.events.push_back(Event::Closed(id));
    }

    /// The association is over or begins anew.
    pub(super) fn close_all(&mut self) {
        self.spoiled.clear();
        let all: Vec<ChannelId> = self.channels.keys().copied().collect();
        for id in all {
            self.finish(id);
        }
        self.resting.clear();
        self.counters.stray += self.early.forget_all();
    }
}
