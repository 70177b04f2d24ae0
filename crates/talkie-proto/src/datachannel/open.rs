//! Channels are opened, by us and by the peer (RFC 8832 §6).

use std::time::Instant;

use super::channel::{Channel, ChannelId, Options, Priority, Role, State};
use super::dcep::Dcep;
use super::receive::ppid;
use super::{DataChannels, Event};
use crate::sctp::SendOptions;

/// Why a channel cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Its label or protocol has more than 65,535 bytes.
    #[error("label and protocol have 65,535 bytes at most")]
    TooLong,
    /// The stream that was agreed on has a channel.
    #[error("the stream has a channel already")]
    Taken,
    /// There is no such stream, or none is left.
    #[error("there is no stream for it")]
    NoStream,
    /// The association is over or about to be.
    #[error("the association is over or about to be")]
    Ended,
}

impl DataChannels {
    /// Opens a channel. Messages may be queued at once if its stream is known, that is, if it is negotiated
    /// or the role is known; [`Event::Open`] tells when the peer can be reached.
    ///
    /// # Errors
    /// If there can be no such channel.
    pub fn open(&mut self, now: Instant, options: Options) -> Result<ChannelId, OpenError> {
        self.now = now;
        if self.ended || !self.association.may_send() {
            return Err(OpenError::Ended);
        }
        let longest = usize::from(u16::MAX);
        if options.label.len() > longest || options.protocol.len() > longest {
            return Err(OpenError::TooLong);
        }
        let stream = match (options.negotiated, self.config.role) {
            (Some(stream), _) if self.streams.contains_key(&stream) => {
                return Err(OpenError::Taken);
            }
            (Some(stream), _) if stream >= self.limit() => {
                return Err(OpenError::NoStream);
            }
            (Some(stream), _) => Some(stream),
            (None, Some(role)) => Some(self.free_stream(role).ok_or(OpenError::NoStream)?),
            (None, None) => None,
        };
        let id = self.add(Channel::new(options, stream, false));
        if stream.is_some() {
            self.begin(id);
        }
        Ok(id)
    }

    /// Tells which side of DTLS we are, which decides on the streams of channels that are not negotiated.
    /// Only the first time counts.
    pub fn set_role(&mut self, now: Instant, role: Role) {
        self.now = now;
        if self.config.role.is_some() {
            return;
        }
        self.config.role = Some(role);
        let waiting: Vec<ChannelId> = self
            .channels
            .iter()
            .filter(|(_, channel)| channel.stream.is_none())
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            let stream = self.free_stream(role);
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.stream = stream;
            }
            if let Some(stream) = stream {
                self.occupy(id, stream);
                self.begin(id);
            } else {
                self.finish(id);
            }
        }
    }

    /// The next stream of ours that has no channel. One that has been closed has its turn last: some peers
    /// reset streams once too often, which would close the next channel.
    fn free_stream(&mut self, role: Role) -> Option<u16> {
        let limit = self.limit();
        let free = |stream: &u16| {
            !self.streams.contains_key(stream)
                && !self.spoiled.contains(stream)
                && !self.is_refused(*stream)
        };
        let from = self.cursor.max(role.first());
        let later = (from..limit).step_by(2).find(free);
        let stream = later.or_else(|| (role.first()..from.min(limit)).step_by(2).find(free))?;
        self.cursor = stream.saturating_add(2);
        Some(stream)
    }

    /// Channels have a stream in each direction.
    pub(super) fn limit(&self) -> u16 {
        let (outbound, inbound) = self.association.streams();
        outbound.min(inbound)
    }

    fn add(&mut self, channel: Channel) -> ChannelId {
        let id = ChannelId(self.next);
        self.next += 1;
        let stream = channel.stream;
        self.channels.insert(id, channel);
        if let Some(stream) = stream {
            self.occupy(id, stream);
        }
        id
    }

    /// The stream is the channel's, from now on.
    fn occupy(&mut self, id: ChannelId, stream: u16) {
        self.streams.insert(stream, id);
        let rest = self.resting.remove(&stream);
        if let (Some(channel), Some(rest)) = (self.channels.get_mut(&id), rest) {
            channel.stale = rest.pending;
        }
        let ours = self
            .channels
            .get(&id)
            .is_some_and(|channel| !channel.incoming && channel.options.negotiated.is_none());
        if ours {
            // Nobody can have meant it.
            self.counters.stray += self.early.forget(stream);
        } else {
            self.early.claim(stream, id);
        }
    }

    /// The channel has its stream: the peer is told, unless it knows.
    fn begin(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let Some(stream) = channel.stream else { return };
        self.association.set_weight(stream, channel.options.priority.0);
        if channel.options.negotiated.is_none() {
            let open = Dcep::Open(channel.options.clone());
            self.send_control(id, &open);
        }
        if self.connected {
            self.become_open(id);
        }
    }

    fn become_open(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        if channel.state == State::Connecting {
            channel.state = State::Open;
            self.events.push_back(Event::Open(id));
        }
    }

    /// RFC 8832 §6: in order and reliably. However much waits: it is short, and there is one of it.
    fn send_control(&mut self, id: ChannelId, message: &Dcep) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let Some(stream) = channel.stream else { return };
        let bytes = message.to_bytes();
        let length = bytes.len() as u64;
        let (now, options) = (self.now, SendOptions::default());
        self.association.send_beyond(now, stream, ppid::DCEP, bytes.into(), options);
        channel.note_queued(length, false, self.association.buffered_in(stream) as u64);
    }

    /// The association is there.
    pub(super) fn handle_connected(&mut self) {
        self.connected = true;
        let limit = self.limit();
        let all: Vec<(ChannelId, Option<u16>)> =
            self.channels.iter().map(|(id, channel)| (*id, channel.stream)).collect();
        for (id, stream) in all {
            match stream {
                // The peer has fewer streams than were thought.
                Some(stream) if stream >= limit => self.finish(id),
                Some(_) => self.become_open(id),
                None => {}
            }
        }
    }

    /// The peer opens a channel; with `None` it has tried to.
    pub(super) fn handle_open(&mut self, stream: u16, options: Option<Options>) {
        if let Some(&id) = self.streams.get(&stream) {
            // It uses a stream again whose reset we have not heard the answer of, though it has answered.
            let over = self.channels.get(&id).is_some_and(|channel| {
                channel.state == State::Closing && channel.in_done && !channel.out_done
            });
            if !over {
                // RFC 8832 §6: that closes the channel which is there.
                self.counters.unexpected += 1;
                self.handle_wish(id, stream);
                return;
            }
            self.finish(id);
        }
        let Some(options) = options else {
            self.counters.unexpected += 1;
            self.refuse(stream);
            return;
        };
        // RFC 8832 §6: the peer's streams are the others.
        let ours = self.config.role.is_some_and(|role| stream % 2 == role.first());
        let length = options.label.len() + options.protocol.len();
        if ours
            || stream >= self.limit()
            || self.incoming >= self.config.channels_most
            || self.labels + length > self.config.labels_most
        {
            self.counters.refused += 1;
            self.refuse(stream);
            return;
        }
        self.labels += length;
        self.incoming += 1;
        let Priority(weight) = options.priority;
        let mut channel = Channel::new(options, Some(stream), true);
        channel.state = State::Open;
        let id = self.add(channel);
        self.association.set_weight(stream, weight);
        self.send_control(id, &Dcep::Ack);
        self.events.push_back(Event::Incoming(id));
    }

    /// The peer has heard of our channel.
    pub(super) fn handle_ack(&mut self, stream: u16) {
        let id = self.streams.get(&stream);
        match id.and_then(|id| self.channels.get_mut(id)).filter(|channel| !channel.acknowledged) {
            Some(channel) => channel.acknowledged = true,
            None => self.counters.unexpected += 1,
        }
    }
}
