//! What a channel is told at its beginning, and what is known of one.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

use crate::sctp::Reliability;

/// Names a channel, by the machine's own counting; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub(super) u64);

/// Which side of DTLS we are: the client's channels have even streams, the server's odd ones (RFC 8832 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The DTLS client.
    Client,
    /// The DTLS server.
    Server,
}

impl Role {
    /// The first of its streams.
    pub(super) fn first(self) -> u16 {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

/// A channel's share of what can be sent, in proportion to others' (RFC 8831 §6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority(pub u16);

impl Priority {
    /// Half of normal.
    pub const BELOW_NORMAL: Self = Self(128);
    /// What channels have that are told nothing.
    pub const NORMAL: Self = Self(256);
    /// Twice that.
    pub const HIGH: Self = Self(512);
    /// Four times that.
    pub const EXTRA_HIGH: Self = Self(1024);
}

impl Default for Priority {
    fn default() -> Self {
        Self::NORMAL
    }
}

/// What a channel is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Its name, for people and programs; need not be unique. 65,535 bytes at most.
    pub label: String,
    /// What is spoken on it. 65,535 bytes at most.
    pub protocol: String,
    /// Whether messages arrive in the order in which they were sent.
    pub ordered: bool,
    /// When a message is given up.
    pub reliability: Reliability,
    /// Its share among the channels.
    pub priority: Priority,
    /// The stream, if both applications have agreed on the channel without us: the peer is told nothing.
    pub negotiated: Option<u16>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            label: String::new(),
            protocol: String::new(),
            ordered: true,
            reliability: Reliability::Reliable,
            priority: Priority::NORMAL,
            negotiated: None,
        }
    }
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text in UTF-8. Nobody has checked that.
    Text,
    /// Bytes.
    Binary,
}

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The channel.
    pub channel: ChannelId,
    /// What it is.
    pub kind: Kind,
    /// Its bytes; may be none.
    pub payload: Bytes,
}

impl Message {
    /// The text, if it is said to be one. What is no UTF-8 in it is replaced, as in browsers.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        (self.kind == Kind::Text).then(|| String::from_utf8_lossy(&self.payload))
    }
}

/// How a channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for the association.
    Connecting,
    /// Messages can be exchanged.
    Open,
    /// Either side has closed it.
    Closing,
}

/// A channel.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) options: Options,
    pub(super) stream: Option<u16>,
    pub(super) state: State,
    /// Whether the peer has opened it.
    pub(super) incoming: bool,
    /// Until the peer has acknowledged it, everything is sent in order (RFC 8832 §6).
    pub(super) acknowledged: bool,
    /// Nothing more of the peer's is handed out: it or we have closed the channel.
    pub(super) deaf: bool,
    /// Our messages have begun anew, and the peer's.
    pub(super) out_done: bool,
    pub(super) in_done: bool,
    /// A reset of our side has been asked for and not been answered.
    pub(super) resetting: bool,
    /// Answers that are still to come to resets from before the channel.
    pub(super) stale: u32,
    /// Bytes queued in all, and where among them those are that are not the application's: what opens the
    /// channel, and what stands for empty messages.
    queued: u64,
    foreign: VecDeque<Range<u64>>,
    foreign_bytes: u64,
    pub(super) low: usize,
    /// The beginning of a message in the old kind of fragments.
    pub(super) partial: Vec<u8>,
}

impl Channel {
    pub(super) fn new(options: Options, stream: Option<u16>, incoming: bool) -> Self {
        let acknowledged = incoming || options.negotiated.is_some();
        Self {
            options,
            stream,
            state: State::Connecting,
            incoming,
            acknowledged,
            deaf: false,
            out_done: false,
            in_done: false,
            resetting: false,
            stale: 0,
            queued: 0,
            foreign: VecDeque::new(),
            foreign_bytes: 0,
            low: 0,
            partial: Vec::new(),
        }
    }

    /// Nothing more is handed out; tells how many bytes of a beginning are forgotten with it.
    pub(super) fn stop_hearing(&mut self) -> usize {
        self.deaf = true;
        std::mem::take(&mut self.partial).len()
    }

    /// Bytes have been queued, the application's or not; `waiting` are there now.
    pub(super) fn note_queued(&mut self, length: u64, application: bool, waiting: u64) {
        let start = self.queued;
        self.queued += length;
        self.forget_left(waiting);
        if application {
            return;
        }
        self.foreign_bytes += length;
        match self.foreign.back_mut().filter(|range| range.end == start) {
            Some(range) => range.end = self.queued,
            None => self.foreign.push_back(start..self.queued),
        }
    }

    /// Only `waiting` bytes are still there.
    pub(super) fn forget_left(&mut self, waiting: u64) {
        let left = self.queued.saturating_sub(waiting);
        while let Some(range) = self.foreign.pop_front_if(|range| range.end <= left) {
            self.foreign_bytes -= range.end - range.start;
        }
    }

    /// The application's bytes among those that wait to be sent.
    pub(super) fn buffered(&self, waiting: usize) -> usize {
        let left = self.queued.saturating_sub(waiting as u64);
        let begun = self.foreign.iter().take_while(|range| range.start < left);
        let gone: u64 = begun.map(|range| range.end.min(left) - range.start).sum();
        let foreign = self.foreign_bytes - gone;
        waiting.saturating_sub(usize::try_from(foreign).unwrap_or(usize::MAX))
    }
}
