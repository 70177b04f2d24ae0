//! Messages that come in: the application's, those of the establishment protocol, and strays.

use bytes::Bytes;

use super::channel::{Kind, Message};
use super::dcep::Dcep;
use super::{ChannelId, DataChannels};
use crate::sctp;

/// What SCTP calls the payloads (RFC 8831 §8).
pub(super) mod ppid {
    pub(crate) const DCEP: u32 = 50;
    pub(crate) const TEXT: u32 = 51;
    /// All but the last fragment, as it was done before there was interleaving.
    pub(crate) const BINARY_PART: u32 = 52;
    pub(crate) const BINARY: u32 = 53;
    /// The same of text.
    pub(crate) const TEXT_PART: u32 = 54;
    pub(crate) const TEXT_EMPTY: u32 = 56;
    pub(crate) const BINARY_EMPTY: u32 = 57;
}

impl DataChannels {
    /// The next message. None too as long as there are events: what they tell comes before it. What is not
    /// fetched holds the peer back, on all channels.
    pub fn take_message(&mut self) -> Option<Message> {
        self.pump();
        if !self.events.is_empty() {
            self.readable = false;
            return None;
        }
        let message = self.take_next();
        self.readable = self.peek().is_some();
        let message = message?;
        let channel = *self.streams.get(&message.stream)?;
        self.note_answer(channel);
        let kind = match message.ppid {
            ppid::TEXT | ppid::TEXT_EMPTY => Kind::Text,
            _ => Kind::Binary,
        };
        // RFC 8831 §6.6: an empty message has a byte that means nothing.
        let empty = matches!(message.ppid, ppid::TEXT_EMPTY | ppid::BINARY_EMPTY);
        let payload = if empty { Bytes::new() } else { message.payload };
        Some(Message { channel, kind, payload: self.completed(channel, payload) })
    }

    /// The message with what came of it before.
    fn completed(&mut self, channel: ChannelId, last: Bytes) -> Bytes {
        let partial = self.channels.get_mut(&channel).map(|channel| &mut channel.partial);
        match partial.filter(|partial| !partial.is_empty()) {
            Some(partial) => {
                self.partial -= partial.len();
                let mut whole = std::mem::take(partial);
                whole.extend_from_slice(&last);
                whole.into()
            }
            None => last,
        }
    }

    /// RFC 8832 §6: whatever comes on a channel of ours tells that the peer has it.
    fn note_answer(&mut self, channel: ChannelId) {
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.acknowledged = true;
        }
    }

    /// Whether a message is one that the application fetches.
    pub(super) fn is_for_application(&self, message: &sctp::Message) -> bool {
        is_payload(message.ppid) && self.is_heard(message.stream) && !self.is_too_long(message)
    }

    /// Whether a message and what came of it before are longer together than a message may be.
    fn is_too_long(&self, message: &sctp::Message) -> bool {
        let id = self.streams.get(&message.stream);
        let before =
            id.and_then(|id| self.channels.get(id)).map_or(0, |channel| channel.partial.len());
        before.saturating_add(message.payload.len()) > self.config.sctp.message_most
    }

    fn is_heard(&self, stream: u16) -> bool {
        let channel = self.streams.get(&stream).and_then(|id| self.channels.get(id));
        channel.is_some_and(|channel| !channel.deaf)
    }

    /// A message that is not the application's.
    pub(super) fn handle_message(&mut self, message: &sctp::Message) {
        match message.ppid {
            ppid::DCEP => match Dcep::parse(&message.payload) {
                Some(Dcep::Open(options)) => self.handle_open(message.stream, Some(options)),
                Some(Dcep::Ack) => self.handle_ack(message.stream),
                None if Dcep::is_open(&message.payload) => self.handle_open(message.stream, None),
                None => self.counters.unexpected += 1,
            },
            // The end of what has become too long.
            kind if is_payload(kind) && self.is_heard(message.stream) => {
                self.give_up(message.stream)
            }
            kind if is_part(kind) && self.is_heard(message.stream) => {
                self.handle_part(message.stream, &message.payload);
            }
            kind if is_payload(kind) || is_part(kind) => self.handle_early(message),
            _ => self.counters.stray += 1,
        }
    }

    /// A message without a channel: it may come yet.
    fn handle_early(&mut self, message: &sctp::Message) {
        let stream = message.stream;
        let may_come = !self.streams.contains_key(&stream)
            && !self.spoiled.contains(&stream)
            && !self.is_refused(stream)
            && stream < self.limit();
        if !may_come || !self.early.keep(message, self.config.early_most) {
            self.counters.stray += 1;
            return;
        }
        self.note_use(stream);
    }

    /// Drops what was kept for channels that are no more.
    pub(super) fn drop_orphans(&mut self) {
        while let Some((channel, message)) = self.early.first()
            && self.streams.get(&message.stream) != Some(channel)
        {
            self.early.take_first();
            self.counters.stray += 1;
        }
    }

    /// RFC 8831 §6.6: nobody should send these any more; old peers do. All channels together hold no more
    /// than one message may have.
    fn handle_part(&mut self, stream: u16, part: &[u8]) {
        let Some(&id) = self.streams.get(&stream) else { return };
        self.note_answer(id);
        if self.partial.saturating_add(part.len()) > self.config.sctp.message_most {
            self.give_up(stream);
            return;
        }
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.partial.extend_from_slice(part);
            self.partial += part.len();
        }
    }

    /// Closes a channel on which more has come than a message may have.
    fn give_up(&mut self, stream: u16) {
        let Some(&id) = self.streams.get(&stream) else { return };
        self.counters.refused += 1;
        self.handle_wish(id, stream);
    }
}

/// Whether it is the whole of a message, or its end.
fn is_payload(kind: u32) -> bool {
    matches!(kind, ppid::TEXT | ppid::BINARY | ppid::TEXT_EMPTY | ppid::BINARY_EMPTY)
}

/// Whether it is a part of a message, and not its end.
fn is_part(kind: u32) -> bool {
    matches!(kind, ppid::TEXT_PART | ppid::BINARY_PART)
}
