//! One association, from its handshake to its end.
//!
//! [`Association`] dispatches and keeps the state of RFC 9260 §4; [`handshake`] and [`shutdown`] are its
//! beginning and end, [`input`] takes packets apart, [`output`] puts them together, [`cookie`] and
//! [`peer`] are what is exchanged at the beginning; [`streams`] and [`reconfig`] reset and add streams,
//! [`path_size`] finds out how long packets may be, and [`refuse`] tells peers what was wrong. Until the
//! handshake is over there is neither sender nor receiver; messages may be queued all the same.

mod cookie;
mod ecn;
mod handshake;
mod input;
mod output;
mod path_size;
mod peer;
mod reconfig;
mod refuse;
mod shutdown;
mod streams;
mod timers;
#[cfg(test)]
mod wrap_tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::{Datagram, Genesis, Machine, Path, Transmit};

use self::cookie::Jar;
use self::path_size::PathSize;
use self::peer::Peer;
pub use self::streams::ReconfigError;
use self::streams::Streams;
use super::receive::Receiver;
use super::send::{Bounds, Outbox, RoundTrip, Sender};
use super::serial::Tsn;
use super::{Config, Message, SendOptions};

/// Packets that answer strangers' chunks and wait to leave.
const ANSWERS: usize = 16;

/// Control chunks that wait to leave.
const CONTROLS: usize = 32;

/// What an association tells its application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is over.
    Connected,
    /// The peer has begun anew: all that was under way is lost.
    Restarted,
    /// There are messages to be fetched with [`Association::take_message`], where there were none.
    Readable,
    /// The peer's messages on these streams begin anew, or on all if none is named. All messages from before
    /// have been fetched; those from after it can be once this event has been.
    StreamsReset(Vec<u16>),
    /// What has come of [`Association::reset_streams`] and of the peer's own wish for a reset: our messages on
    /// these streams (all if none is named) begin anew, or the peer has refused.
    ResetDone {
        /// The streams.
        streams: Vec<u16>,
        /// Whether they have been reset.
        done: bool,
    },
    /// The peer has refused [`Association::request_reset`].
    ResetRefused(Vec<u16>),
    /// There are more streams.
    StreamsAdded {
        /// How many.
        count: u16,
        /// Whether they are ours to send on.
        outgoing: bool,
    },
    /// The peer has refused [`Association::add_streams`].
    StreamsRefused {
        /// How many.
        count: u16,
        /// Whether they would have been ours to send on.
        outgoing: bool,
    },
    /// It is over; nothing follows.
    Ended(End),
}

/// How an association ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// In order: both sides have received everything.
    Shutdown,
    /// By our [`Association::abort`], or because an end in order took longer than
    /// [`Config::shutdown_most`].
    Aborted,
    /// By the peer, which may have given a cause (RFC 9260 §3.3.10).
    AbortedByPeer(Option<u16>),
    /// The peer has done what no peer may do.
    Violation,
    /// The peer does not answer.
    Unreachable,
}

/// Why a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// So much waits already that it would exceed [`Config::send_buffer`].
    #[error("too much waits to be sent already")]
    Full,
    /// SCTP has no empty messages.
    #[error("a message has at least one byte")]
    Empty,
    /// The peer takes fewer streams.
    #[error("there is no such stream")]
    NoSuchStream,
    /// The association is over or is being shut down.
    #[error("the association is over or about to be")]
    Ended,
}

/// Why an association cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// It has begun already.
    #[error("the association has begun already")]
    Begun,
    /// What the peer is said to have sent is no INIT chunk.
    #[error("not an INIT chunk")]
    BadInit,
}

/// What was dropped, for whom it may interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that are none, with a wrong checksum, or for other ports.
    pub malformed: u64,
    /// Packets with another verification tag than ours.
    pub wrong_tag: u64,
    /// Cookies that we have not made, or that are too old.
    pub bad_cookies: u64,
    /// Chunks that were not expected or make no sense.
    pub unexpected: u64,
    /// Answers for which there was no room.
    pub overrun: u64,
}

/// How the sender stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Bytes that may be in flight.
    pub window: u64,
    /// Bytes that are.
    pub in_flight: u64,
    /// The round trip, smoothed.
    pub round_trip: Option<Duration>,
    /// Bytes per second that leave at most; none as long as there is no round trip to tell from.
    pub rate: Option<u64>,
    /// Bytes taken for lost so far, chunk headers among them.
    pub lost: u64,
}

/// RFC 9260 §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    CookieWait,
    CookieEchoed,
    Established,
    ShutdownPending,
    ShutdownSent,
    ShutdownReceived,
    ShutdownAckSent,
    Ended,
}

/// The two halves of an association that has been agreed upon.
#[derive(Debug)]
struct Link {
    sender: Sender,
    receiver: Receiver,
    peer: Peer,
    /// Streams that we may send on, and that the peer may.
    outbound: u16,
    inbound: u16,
    interleaved: bool,
    /// The TSN of a marked packet that the peer has not heard of.
    echo: Option<Tsn>,
    /// Whether packets leave without a checksum (RFC 9653).
    zero_checksum: bool,
}

/// A packet that does not belong to the association.
#[derive(Debug)]
struct Answer {
    tag: u32,
    chunk: Vec<u8>,
}

/// An SCTP association over DTLS.
#[derive(Debug)]
pub struct Association {
    path: Path,
    config: Config,
    rng: ChaCha20Rng,
    jar: Jar,
    born: Instant,
    /// The time of the last input: what leaves, leaves then.
    now: Instant,
    state: State,
    tag: u32,
    tsn: Tsn,
    outbox: Outbox,
    link: Option<Box<Link>>,
    round_trip: RoundTrip,
    /// COOKIE ECHO's value, while it is repeated.
    cookie: Vec<u8>,
    answers: VecDeque<Answer>,
    controls: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
    readable: bool,
    /// The application has been told of the reset that stands before the next message.
    reset_told: bool,
    reconfig: Streams,
    /// T1 or T2, and how often it has fired.
    repeat_at: Option<Instant>,
    repeats: u32,
    /// The application wants it to end in order.
    unwanted: bool,
    /// T5: when an end in order has taken too long.
    guard_at: Option<Instant>,
    /// When the INIT left, if only once.
    asked_at: Option<Instant>,
    heartbeat: timers::Heartbeat,
    /// What this one adds to the time between heartbeats, in thousandths of a timeout.
    spread: u32,
    path_size: PathSize,
    /// The path has marked the packet that is being taken.
    marked: bool,
    counters: Counters,
}

impl Association {
    /// An association that waits for the peer to begin, or for [`connect()`](Self::connect). `path` is what
    /// its datagrams are marked with.
    #[must_use]
    pub fn new(genesis: &Genesis, path: Path, config: Config) -> Self {
        let config = config.bounded();
        let mut rng = ChaCha20Rng::from_seed(genesis.seed);
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        let (tag, tsn) = (rng.next_u32().max(1), Tsn(rng.next_u32()));
        let spread = 500 + rng.next_u32() % 1000;
        let bounds = Bounds {
            initial: config.timeout_initial,
            least: config.timeout_least,
            most: config.timeout_most,
        };
        Self {
            path,
            rng,
            jar: Jar::new(key),
            born: genesis.now,
            now: genesis.now,
            state: State::Closed,
            tag,
            tsn,
            outbox: Outbox::default(),
            link: None,
            round_trip: RoundTrip::new(bounds),
            cookie: Vec::new(),
            answers: VecDeque::new(),
            controls: VecDeque::new(),
            events: VecDeque::new(),
            readable: false,
            reset_told: false,
            reconfig: Streams::default(),
            repeat_at: None,
            repeats: 0,
            unwanted: false,
            guard_at: None,
            asked_at: None,
            heartbeat: timers::Heartbeat::default(),
            spread,
            path_size: PathSize::of(&config),
            marked: false,
            counters: Counters::default(),
            config,
        }
    }

    /// Queues a message. Before the handshake is over, it waits.
    ///
    /// # Errors
    /// If it cannot be sent now or ever.
    pub fn send(
        &mut self,
        now: Instant,
        stream: u16,
        ppid: u32,
        payload: Bytes,
        options: SendOptions,
    ) -> Result<(), SendError> {
        self.now = now;
        if !self.may_send() {
            return Err(SendError::Ended);
        }
        if payload.is_empty() {
            return Err(SendError::Empty);
        }
        if stream >= self.streams().0 {
            return Err(SendError::NoSuchStream);
        }
        let buffered = self.outbox.buffered();
        // One message may always wait, however long.
        let needed = (buffered + payload.len()).max(self.outbox.cost_with_another());
        if buffered > 0 && needed > self.config.send_buffer {
            return Err(SendError::Full);
        }
        self.outbox.push(now, stream, ppid, payload, options);
        Ok(())
    }

    /// The same for what must not be refused for lack of room, and is bounded otherwise.
    pub(crate) fn send_beyond(
        &mut self,
        now: Instant,
        stream: u16,
        ppid: u32,
        payload: Bytes,
        options: SendOptions,
    ) {
        self.now = now;
        if self.may_send() && stream < self.streams().0 {
            self.outbox.push(now, stream, ppid, payload, options);
        }
    }

    /// Whether messages may be queued: until it is over or about to be.
    pub(crate) fn may_send(&self) -> bool {
        matches!(
            self.state,
            State::Closed | State::CookieWait | State::CookieEchoed | State::Established
        )
    }

    /// Bytes of messages that wait to be sent for the first time, in all streams.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.outbox.buffered()
    }

    /// The same in one stream.
    #[must_use]
    pub fn buffered_in(&self, stream: u16) -> usize {
        self.outbox.buffered_in(stream)
    }

    /// From now on [`take_shrunk()`](Self::take_shrunk) has something to tell.
    pub(crate) fn watch_buffered(&mut self) {
        self.outbox.watch();
    }

    /// Streams that have come to have less waiting, each once.
    pub(crate) fn take_shrunk(&mut self) -> Vec<u16> {
        self.outbox.take_shrunk()
    }

    /// A stream's share of what can be sent, in proportion to others' (RFC 8831 §6.4 has 128 to 1024; 256 if
    /// nothing is said).
    pub fn set_weight(&mut self, stream: u16, weight: u16) {
        self.outbox.set_weight(stream, weight);
    }

    /// Drops what a stream has not begun to send.
    pub fn discard(&mut self, stream: u16) {
        self.outbox.discard(stream);
        self.advance_streams(self.now);
    }

    /// The next received message. What is not fetched counts against the peer's window. None too where the
    /// peer has reset streams: first the event that tells of it is to be fetched.
    pub fn take_message(&mut self) -> Option<Message> {
        let receiver = &mut self.link.as_mut()?.receiver;
        let message = receiver.take_message();
        self.readable = receiver.peek_message().is_some();
        if !self.readable {
            self.tell_reset();
        }
        message
    }

    /// What [`take_message()`](Self::take_message) would give.
    #[must_use]
    pub fn peek_message(&self) -> Option<&Message> {
        self.link.as_ref()?.receiver.peek_message()
    }

    /// Tells the application if there is something to be fetched where there was nothing.
    fn tell_readable(&mut self) {
        if self.peek_message().is_some() && !self.readable {
            self.readable = true;
            self.events.push_back(Event::Readable);
        }
        self.tell_reset();
    }

    /// How the sender stands; `None` before the handshake.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        let sender = &self.link.as_ref()?.sender;
        let (window, in_flight) = sender.window();
        let round_trip = sender.round_trip.smoothed();
        Some(Window { window, in_flight, round_trip, rate: sender.rate(), lost: sender.lost() })
    }

    /// Bytes of a packet at most, as far as the path is known.
    #[must_use]
    pub fn packet_size(&self) -> usize {
        self.path_size.size()
    }

    /// Whether messages can be exchanged.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.state == State::Established
    }

    /// Whether messages are interleaved, as agreed.
    #[must_use]
    pub fn is_interleaved(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.interleaved)
    }

    /// What has been dropped.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// A chunk that goes with the next packet.
    fn control(&mut self, chunk: Vec<u8>) {
        if self.controls.len() >= CONTROLS {
            self.counters.overrun += 1;
            return;
        }
        self.controls.push_back(chunk);
    }

    /// A packet of its own, outside of the association.
    fn answer(&mut self, tag: u32, chunk: Vec<u8>) {
        if self.answers.len() >= ANSWERS {
            self.counters.overrun += 1;
            return;
        }
        self.answers.push_back(Answer { tag, chunk });
    }

    /// Nothing happens after this.
    fn end(&mut self, end: End) {
        if self.state == State::Ended {
            return;
        }
        self.state = State::Ended;
        (self.repeat_at, self.guard_at) = (None, None);
        self.outbox = self.outbox.renewed();
        // Messages that have come can still be fetched; what was under way is let go.
        if let Some(link) = &mut self.link {
            link.sender.forget(self.now);
        }
        self.controls.clear();
        self.reconfig = Streams::default();
        self.cookie = Vec::new();
        self.events.push_back(Event::Ended(end));
    }
}

impl Machine for Association {
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        self.now = now;
        self.handle_packet(now, datagram.payload);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.handle_timers(now);
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let len = self.write_packet(buf)?;
        Some(Transmit { path: self.path, len })
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if matches!(event, Event::StreamsReset(_)) {
            self.pass_reset();
        }
        Some(event)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next_wake()
    }
}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Association>();
};
