//! Data channels (RFC 8831, RFC 8832) over an SCTP association.
//!
//! [`DataChannels`] is the machine. A channel is a stream in each direction with the same number. It is
//! opened by a message on it ([`dcep`]), after which messages may follow at once; or both applications have
//! agreed on it. It is closed by resetting the stream in both directions (RFC 8831 §6.7); then the number is
//! free again. `open` and `close` are these two, `receive` what comes in, `channel` what is known of one.
//!
//! Messages are fetched with [`DataChannels::take_message`]; what is not fetched holds the peer back. Events
//! and messages are in one order: as long as there are events, there are no messages, and neither the end of
//! a channel nor that of the association overtakes a message that the peer sent before it.
//!
//! Two ends whose packets take no time; where there are sockets, `examples/channels.rs` shows their loop:
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use talkie_proto::datachannel::{Config, DataChannels, Event, Kind, Options, Role};
//! use talkie_proto::sctp::Reliability;
//! use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};
//!
//! let now = Instant::now();
//! let path = Path {
//!     transport: Transport::Udp,
//!     local: "192.0.2.1:7000".parse()?,
//!     remote: "192.0.2.2:7000".parse()?,
//! };
//! let [mut alice, mut bob] = [Role::Client, Role::Server].map(|role| {
//!     // In earnest the seed is secret and comes from the system.
//!     let genesis = Genesis { now, unix: Duration::ZERO, seed: [role as u8; 32] };
//!     DataChannels::new(&genesis, path, Config { role: Some(role), ..Config::default() })
//! });
//! alice.connect(now)?;
//! // Positions in a game: the newest counts.
//! let options = Options {
//!     label: "positions".to_owned(),
//!     ordered: false,
//!     reliability: Reliability::Retransmits(0),
//!     ..Options::default()
//! };
//! let positions = alice.open(now, options)?;
//! alice.send(now, positions, Kind::Text, "x=1".into())?;
//!
//! // In earnest: DTLS and a socket each, and `handle_timeout()` when `poll_timeout()` says so.
//! let mut packet = Vec::new();
//! let message = loop {
//!     for (from, to) in [(0, 1), (1, 0)] {
//!         let mut ends = [&mut alice, &mut bob];
//!         while ends[from].poll_transmit(&mut packet).is_some() {
//!             ends[to].handle_datagram(now, Datagram { path, payload: &mut packet });
//!             packet.clear();
//!         }
//!     }
//!     while let Some(event) = bob.poll_event() {
//!         if let Event::Incoming(channel) = event {
//!             assert_eq!(bob.options(channel).unwrap().label, "positions");
//!         }
//!     }
//!     if let Some(message) = bob.take_message() {
//!         break message;
//!     }
//! };
//! assert_eq!(message.text().unwrap(), "x=1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod channel;
mod close;
pub mod dcep;
mod early;
mod open;
mod receive;
mod send;
mod strays;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use rustc_hash::{FxHashMap, FxHashSet};
use talkie_sansio::{Datagram, Genesis, Machine, Path, Transmit};

use self::channel::Channel;
pub use self::channel::{ChannelId, Kind, Message, Options, Priority, Role, State};
use self::early::Early;
pub use self::open::OpenError;
pub use self::send::SendError;
use self::strays::Rest;
use crate::sctp::{self, Association, ConnectError, End};

/// Events that wait for the application; then nothing more is taken from the association.
const EVENTS: usize = 1024;

/// How data channels behave.
#[derive(Clone, Debug)]
pub struct Config {
    /// The association. Its `message_most` is the longest message that we take, to be signaled to the peer
    /// (RFC 8841 §6: `max-message-size`): 256 KiB, up to 1 GiB, or `usize::MAX` for no bound (0 in SDP), also
    /// none on the memory that a peer can have us hold.
    pub sctp: sctp::Config,
    /// Which side of DTLS we are, as soon as that is known; see [`DataChannels::set_role`].
    pub role: Option<Role>,
    /// The longest message that the peer takes, until it is known better. 256 KiB is what today's browsers
    /// and libraries take at least.
    pub peer_message_most: usize,
    /// Channels that the peer may have opened at a time. Browsers have 1,024 at most.
    pub channels_most: usize,
    /// Bytes of labels and protocols of all channels that the peer has opened.
    pub labels_most: usize,
    /// Bytes of messages that are kept for channels which the peer has opened and we have not yet, as those
    /// that are negotiated. Four messages of the greatest length that browsers send without being told.
    pub early_most: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sctp: sctp::Config::default(),
            role: None,
            peer_message_most: 256 << 10,
            channels_most: 1024,
            labels_most: 1 << 20,
            early_most: 1 << 20,
        }
    }
}

/// What data channels tell their application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A channel of ours can be used.
    Open(ChannelId),
    /// The peer has opened a channel; it can be used.
    Incoming(ChannelId),
    /// There are messages to be fetched, where there were none.
    Readable,
    /// No more waits to be sent on the channel than its threshold says, where more did.
    BufferedAmountLow(ChannelId),
    /// The peer closes the channel.
    Closing(ChannelId),
    /// The channel is closed; its stream may be used again.
    Closed(ChannelId),
    /// The association is over, and with it all channels.
    Ended(End),
}

/// What was dropped, for whom it may interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages on streams without an open channel for which there was no room or that never got one, and
    /// those of unknown kinds.
    pub stray: u64,
    /// Messages of the establishment protocol that make no sense, or none there.
    pub unexpected: u64,
    /// Channels of the peer's that were refused.
    pub refused: u64,
}

/// The data channels of one association.
#[derive(Debug)]
pub struct DataChannels {
    association: Association,
    config: Config,
    /// The time of the last input.
    now: Instant,
    channels: BTreeMap<ChannelId, Channel>,
    streams: FxHashMap<u16, ChannelId>,
    /// Streams that could not be reset.
    spoiled: BTreeSet<u16>,
    /// Streams without a channel that had one, or that the peer has used.
    resting: FxHashMap<u16, Rest>,
    /// Where the search for a free stream goes on.
    cursor: u16,
    next: u64,
    connected: bool,
    ended: bool,
    /// The application wants it to end at once.
    aborted: bool,
    /// How it has ended, until what came before the end has been fetched.
    over: Option<End>,
    events: VecDeque<Event>,
    readable: bool,
    /// Channels with more waiting than their thresholds say.
    above: FxHashSet<ChannelId>,
    /// Bytes of labels and protocols, and channels, of the peer's.
    labels: usize,
    incoming: usize,
    /// Bytes of beginnings of messages.
    partial: usize,
    early: Early,
    /// How often the amount that waits on a channel has been looked at.
    #[cfg(test)]
    looks: u64,
    counters: Counters,
}

impl DataChannels {
    /// Data channels that wait for the peer's association, or for [`connect()`](Self::connect). `path` is
    /// what their datagrams are marked with.
    #[must_use]
    pub fn new(genesis: &Genesis, path: Path, config: Config) -> Self {
        // What opens a channel may be longer than what is said on it.
        let message_most = config.sctp.message_most.max(dcep::LONGEST);
        let sctp = sctp::Config { message_most, ..config.sctp.clone() };
        let mut association = Association::new(genesis, path, sctp);
        association.watch_buffered();
        Self {
            association,
            config,
            now: genesis.now,
            channels: BTreeMap::new(),
            streams: FxHashMap::default(),
            spoiled: BTreeSet::new(),
            resting: FxHashMap::default(),
            cursor: 0,
            next: 0,
            connected: false,
            ended: false,
            aborted: false,
            over: None,
            events: VecDeque::new(),
            readable: false,
            above: FxHashSet::default(),
            labels: 0,
            incoming: 0,
            partial: 0,
            early: Early::default(),
            #[cfg(test)]
            looks: 0,
            counters: Counters::default(),
        }
    }

    /// Begins the association. Both sides may.
    ///
    /// # Errors
    /// If it has begun already.
    pub fn connect(&mut self, now: Instant) -> Result<(), ConnectError> {
        self.now = now;
        self.association.connect(now)
    }

    /// Begins it without a handshake, with the peer's INIT chunk from signaling; it has
    /// [`init_chunk()`](Self::init_chunk).
    ///
    /// # Errors
    /// If it has begun already, or that is no INIT chunk.
    pub fn connect_with(&mut self, now: Instant, peer: &[u8]) -> Result<(), ConnectError> {
        self.now = now;
        self.association.connect_with(now, peer)
    }

    /// Our INIT chunk, for signaling.
    #[must_use]
    pub fn init_chunk(&self) -> Vec<u8> {
        self.association.init_chunk()
    }

    /// As [`handle_datagram()`](Machine::handle_datagram), of one that the path has marked; see
    /// [`Association::handle_marked`].
    pub fn handle_marked(&mut self, now: Instant, datagram: Datagram<'_>) {
        self.now = now;
        self.association.handle_marked(now, datagram);
        self.pump();
    }

    /// Packets take another path from now on (an ICE restart, another pair), or the first one has been chosen;
    /// see [`Association::handle_path_change`], also for what the arguments say.
    pub fn handle_path_change(&mut self, now: Instant, unfragmented: bool, packet_most: usize) {
        self.now = now;
        self.association.handle_path_change(now, unfragmented, packet_most);
    }

    /// Packets of more than `limit` bytes do not get through, says the network or the system; see
    /// [`Association::handle_too_long`].
    pub fn handle_too_long(&mut self, now: Instant, limit: usize) {
        self.now = now;
        self.association.handle_too_long(now, limit);
    }

    /// Ends the association in order: what is queued is delivered first.
    pub fn shutdown(&mut self, now: Instant) {
        self.now = now;
        self.association.shutdown(now);
    }

    /// Ends it at once. What has come and has not been fetched is lost too.
    pub fn abort(&mut self, now: Instant) {
        self.now = now;
        self.aborted = true;
        self.association.abort(now);
    }

    /// The longest message that the peer takes (RFC 8841 §6): 0 for no bound, `None` if it has not said,
    /// which means 64 KiB.
    pub fn set_peer_message_most(&mut self, most: Option<u64>) {
        self.config.peer_message_most = match most {
            Some(0) => usize::MAX,
            Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
            None => 64 << 10,
        };
    }

    /// What a channel is like; `None` if it is closed.
    #[must_use]
    pub fn options(&self, channel: ChannelId) -> Option<&Options> {
        Some(&self.channels.get(&channel)?.options)
    }

    /// How it stands; `None` if it is closed.
    #[must_use]
    pub fn state(&self, channel: ChannelId) -> Option<State> {
        Some(self.channels.get(&channel)?.state)
    }

    /// Its stream; `None` before the role is known.
    #[must_use]
    pub fn stream(&self, channel: ChannelId) -> Option<u16> {
        self.channels.get(&channel)?.stream
    }

    /// The channels that are not closed, the oldest first.
    pub fn channels(&self) -> impl Iterator<Item = ChannelId> + '_ {
        self.channels.keys().copied()
    }

    /// The association, to look at.
    #[must_use]
    pub fn association(&self) -> &Association {
        &self.association
    }

    /// What has been dropped.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Takes from the association what is not the application's.
    fn pump(&mut self) {
        while self.events.len() < EVENTS {
            self.drop_orphans();
            // Nothing that is told later overtakes what came before its channel was there.
            if self.early.first().is_none()
                && let Some(event) = self.association.poll_event()
            {
                self.handle_event(event);
                continue;
            }
            let Some(message) = self.peek() else {
                self.pass_end();
                break;
            };
            if self.is_for_application(message) {
                break;
            }
            let Some(message) = self.take_next() else { break };
            self.handle_message(&message);
        }
        self.note_low();
    }

    fn handle_event(&mut self, event: sctp::Event) {
        match event {
            sctp::Event::Connected => self.handle_connected(),
            sctp::Event::Restarted => self.close_all(),
            sctp::Event::StreamsReset(streams) => self.handle_reset(&streams),
            sctp::Event::ResetDone { streams, done } => self.handle_reset_done(&streams, done),
            sctp::Event::Ended(end) => {
                self.ended = true;
                self.over = Some(end);
                if self.aborted {
                    self.pass_end();
                }
            }
            sctp::Event::Readable
            | sctp::Event::ResetRefused(_)
            | sctp::Event::StreamsAdded { .. }
            | sctp::Event::StreamsRefused { .. } => {}
        }
    }

    /// The next message, the application's or not.
    fn peek(&self) -> Option<&sctp::Message> {
        let early = self.early.first().map(|(_, message)| message);
        early.or_else(|| self.association.peek_message())
    }

    fn take_next(&mut self) -> Option<sctp::Message> {
        self.early.take_first().or_else(|| self.association.take_message())
    }

    /// The association is over: that is told behind the messages that came before.
    fn pass_end(&mut self) {
        if let Some(end) = self.over.take() {
            self.close_all();
            self.events.push_back(Event::Ended(end));
        }
    }
}

impl Machine for DataChannels {
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        self.now = now;
        self.association.handle_datagram(now, datagram);
        self.pump();
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.association.handle_timeout(now);
        self.pump();
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        // What has come in may have to be answered.
        self.pump();
        self.association.poll_transmit(buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        if self.events.is_empty() {
            self.pump();
        }
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        if !self.readable && self.peek().is_some() {
            self.readable = true;
            return Some(Event::Readable);
        }
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.association.poll_timeout()
    }
}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<DataChannels>();
};
