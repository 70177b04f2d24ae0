//! Messages that go out, and how much of them waits.

use std::time::Instant;

use bytes::Bytes;

use super::channel::{ChannelId, Kind, State};
use super::receive::ppid;
use super::{DataChannels, Event};
use crate::sctp::{self, SendOptions};

/// Why a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The channel is closed or about to be, or there was none.
    #[error("the channel is closed or about to be")]
    Closed,
    /// The channel has no stream before the DTLS role is known.
    #[error("the channel is not ready yet")]
    NotReady,
    /// The peer takes no message as long as this.
    #[error("the message is longer than the peer takes")]
    TooLong,
    /// So much waits already that it would exceed `Config::sctp.send_buffer`.
    #[error("too much waits to be sent already")]
    Full,
}

impl DataChannels {
    /// Queues a message.
    ///
    /// # Errors
    /// If it cannot be sent now or ever.
    pub fn send(
        &mut self,
        now: Instant,
        channel: ChannelId,
        kind: Kind,
        payload: Bytes,
    ) -> Result<(), SendError> {
        self.now = now;
        let known = self.channels.get_mut(&channel).ok_or(SendError::Closed)?;
        if known.state == State::Closing {
            return Err(SendError::Closed);
        }
        let stream = known.stream.ok_or(SendError::NotReady)?;
        if payload.len() > self.config.peer_message_most {
            return Err(SendError::TooLong);
        }
        let is_empty = payload.is_empty();
        // RFC 8831 §6.6: SCTP has no empty messages.
        let (kind, payload) = match (kind, is_empty) {
            (Kind::Text, false) => (ppid::TEXT, payload),
            (Kind::Binary, false) => (ppid::BINARY, payload),
            (Kind::Text, true) => (ppid::TEXT_EMPTY, Bytes::from_static(&[0])),
            (Kind::Binary, true) => (ppid::BINARY_EMPTY, Bytes::from_static(&[0])),
        };
        // RFC 8832 §6: nothing overtakes what opens the channel.
        let unordered = !known.options.ordered && known.acknowledged;
        let options = SendOptions { unordered, reliability: known.options.reliability };
        let length = payload.len() as u64;
        self.association.send(now, stream, kind, payload, options).map_err(
            |error| match error {
                sctp::SendError::Full => SendError::Full,
                _ => SendError::Closed,
            },
        )?;
        let waiting = self.association.buffered_in(stream);
        known.note_queued(length, !is_empty, waiting as u64);
        if known.buffered(waiting) > known.low {
            self.above.insert(channel);
        }
        Ok(())
    }

    /// Bytes of messages that wait to be sent for the first time on a channel.
    #[must_use]
    pub fn buffered_amount(&self, channel: ChannelId) -> usize {
        let channel = self.channels.get(&channel);
        channel.map_or(0, |channel| {
            let waiting = channel.stream.map_or(0, |stream| self.association.buffered_in(stream));
            channel.buffered(waiting)
        })
    }

    /// At how many bytes [`Event::BufferedAmountLow`] comes; `None` if the channel is closed.
    #[must_use]
    pub fn buffered_amount_low(&self, channel: ChannelId) -> Option<usize> {
        Some(self.channels.get(&channel)?.low)
    }

    /// At how many bytes [`Event::BufferedAmountLow`] comes; 0 if nothing is said.
    pub fn set_buffered_amount_low(&mut self, channel: ChannelId, bytes: usize) {
        let waiting = self.buffered_amount(channel);
        let Some(known) = self.channels.get_mut(&channel) else { return };
        known.low = bytes;
        if waiting > bytes {
            self.above.insert(channel);
        } else {
            self.above.remove(&channel);
        }
    }

    /// Tells of the channels on which no more waits than their thresholds say, where more did. Looks only at
    /// those that have come to have less waiting.
    pub(super) fn note_low(&mut self) {
        for stream in self.association.take_shrunk() {
            let Some(id) = self.streams.get(&stream).filter(|id| self.above.contains(id)) else {
                continue;
            };
            let (id, waiting) = (*id, self.association.buffered_in(stream));
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            #[cfg(test)]
            {
                self.looks += 1;
            }
            channel.forget_left(waiting as u64);
            if channel.buffered(waiting) <= channel.low {
                self.above.remove(&id);
                self.events.push_back(Event::BufferedAmountLow(id));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use talkie_sansio::{Path, Transport};

    use super::super::{Config, Options, Role};
    use super::*;
    use talkie_sansio::Machine as _;

    #[test]
    fn channels_of_which_nothing_leaves_are_not_looked_at() {
        let path = Path {
            transport: Transport::Udp,
            local: ([192, 0, 2, 1], 1).into(),
            remote: ([192, 0, 2, 2], 2).into(),
        };
        let config = Config { role: Some(Role::Client), ..Config::default() };
        let genesis = talkie_sansio::conformance::genesis();
        let mut channels = DataChannels::new(&genesis, path, config);
        let now = genesis.now;
        let all: Vec<ChannelId> =
            (0..1000).map(|_| channels.open(now, Options::default()).expect("it may")).collect();
        for channel in &all {
            channels.send(now, *channel, Kind::Text, "waits".into()).expect("it has room");
        }
        for _ in 0..100 {
            assert_eq!(channels.poll_transmit(&mut Vec::new()), None);
            assert_eq!(channels.poll_event(), None);
        }
        assert_eq!(channels.looks, 0);
        // What was queued can still come to be less.
        channels.association.discard(0);
        assert_eq!(channels.poll_event(), Some(Event::BufferedAmountLow(all[0])));
        assert_eq!((channels.looks, channels.poll_event()), (1, None));
    }
}
