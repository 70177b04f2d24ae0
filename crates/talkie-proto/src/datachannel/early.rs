//! Messages that come before their channel: the peer has opened a negotiated one, and sends, while our
//! application has not got round to it; or they have overtaken what opens the channel, as they may with
//! peers that send unordered messages before they have an answer (RFC 8832 §6 forbids it).
//!
//! Whatever is kept no longer counts against the peer's window, so it is bounded, in bytes and in streams;
//! what is beyond that is dropped and counted. Once there is the channel, they are due: before everything
//! that came later.

use std::collections::{BTreeMap, VecDeque};

use super::ChannelId;
use crate::sctp::Message;

/// Streams whose messages are kept at most.
const STREAMS: usize = 256;

/// What a message is reckoned to cost beside its bytes.
const MESSAGE: usize = 96;

#[derive(Debug, Default)]
pub(super) struct Early {
    kept: BTreeMap<u16, Vec<Message>>,
    /// What may be fetched, with the channel that it is for.
    due: VecDeque<(ChannelId, Message)>,
    /// What all of them take.
    held: usize,
}

impl Early {
    /// Keeps a message, if all of them take no more than `most` then; tells whether it does.
    pub(super) fn keep(&mut self, message: &Message, most: usize) -> bool {
        let cost = cost(message);
        let known = self.kept.contains_key(&message.stream);
        if self.held.saturating_add(cost) > most || !known && self.kept.len() >= STREAMS {
            return false;
        }
        self.held += cost;
        self.kept.entry(message.stream).or_default().push(message.clone());
        true
    }

    /// The stream has its channel.
    pub(super) fn claim(&mut self, stream: u16, channel: ChannelId) {
        let messages = self.kept.remove(&stream).unwrap_or_default();
        self.due.extend(messages.into_iter().map(|message| (channel, message)));
    }

    /// Forgets a stream's messages; tells how many there were.
    pub(super) fn forget(&mut self, stream: u16) -> u64 {
        let messages = self.kept.remove(&stream).unwrap_or_default();
        self.held -= messages.iter().map(cost).sum::<usize>();
        messages.len() as u64
    }

    /// Forgets all for which there is no channel; tells how many there were.
    pub(super) fn forget_all(&mut self) -> u64 {
        let streams: Vec<u16> = self.kept.keys().copied().collect();
        streams.into_iter().map(|stream| self.forget(stream)).sum()
    }

    /// What is due next.
    pub(super) fn first(&self) -> Option<&(ChannelId, Message)> {
        self.due.front()
    }

    pub(super) fn take_first(&mut self) -> Option<Message> {
        let (_, message) = self.due.pop_front()?;
        self.held -= cost(&message);
        Some(message)
    }
}

fn cost(message: &Message) -> usize {
    message.payload.len() + MESSAGE
}
