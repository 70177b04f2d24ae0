//! A TURN client (RFC 8656): one allocation on one server over one path.
//!
//! [`Client`] asks for the allocation when it is made and says [`Event::Allocated`] when it has it;
//! it refreshes the allocation at half its lifetime, and each permission and channel every four
//! minutes. [`Client::permit()`] lets a peer's address through, [`Client::bind`] gives a peer a
//! channel, and [`Client::send`] takes the channel if there is one and a Send indication otherwise.
//! [`Event::Ended`] comes last, whatever the reason; after it the machine is inert.
//!
//! Requests go through [`transaction`](crate::stun::transaction), at most ten at once, the rest
//! wait in order. The server's challenges are answered with the [credential](LongTerm) and the
//! request made anew.

mod config;
mod failure;
mod peers;
mod requests;
mod responses;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use talkie_sansio::{Datagram, Genesis, Machine, Path, Transmit};

pub use config::{Config, Families};
pub use failure::{CommandError, End, Failure, SendError};

use self::peers::Peers;
use self::requests::{Purpose, Requests};
use super::channel_data::ChannelData;
use crate::demux::Protocol;
use crate::stun::attributes::{ChannelNumber, Data, Icmp, XorPeerAddress};
use crate::stun::credential::LongTerm;
use crate::stun::{Class, Message, Method, Rto, TransactionId, Writer};

/// What a client tells its application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The allocation is there.
    Allocated {
        /// The relayed address, in the family asked for.
        relayed: SocketAddr,
        /// The second relayed address, in IPv6, if both were asked for and given.
        relayed_v6: Option<SocketAddr>,
        /// Our own address as the server sees it.
        mapped: SocketAddr,
    },
    /// Packets to and from this address pass from now on.
    Permitted(IpAddr),
    /// They don't, or no longer.
    NotPermitted(IpAddr, Failure),
    /// Packets to and from this peer go through this channel from now on.
    Bound(SocketAddr, ChannelNumber),
    /// They don't, or no longer.
    NotBound(SocketAddr, Failure),
    /// A packet from a peer.
    Data {
        /// The peer.
        peer: SocketAddr,
        /// Its packet.
        payload: Vec<u8>,
    },
    /// The relay got an ICMP error for a packet to this peer.
    Undeliverable {
        /// The peer.
        peer: SocketAddr,
        /// The error.
        icmp: Icmp,
    },
    /// The allocation is gone or never came to be. Nothing follows.
    Ended(End),
}

/// What was dropped, for whom it may interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that were malformed, unexpected or not from the server.
    pub unexpected: u64,
    /// Packets from peers that nobody fetched in time.
    pub overrun: u64,
}

/// One allocation on one server.
#[derive(Debug)]
pub struct Client {
    path: Path,
    config: Config,
    rng: ChaCha20Rng,
    credential: Option<LongTerm>,
    rto: Rto,
    phase: Phase,
    requests: Requests,
    peers: Peers,
    outbox: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
    counters: Counters,
    last_sent: Instant,
    deadline: Option<Instant>,
}

/// How far the allocation is.
#[derive(Debug)]
enum Phase {
    Allocating,
    Allocated {
        /// When to refresh; `None` while a refresh is under way.
        refresh_at: Option<Instant>,
        /// How long after the last one that is.
        pause: Duration,
        /// How many in a row the server had an error at.
        errors: u8,
    },
    /// Nothing but the end of the last request is waited for.
    Closing(End),
    Ended,
}

impl Client {
    /// Starts an allocation over `path`; on a stream it has to be connected already.
    #[must_use]
    pub fn new(
        genesis: &Genesis,
        path: Path,
        credential: Option<LongTerm>,
        config: Config,
    ) -> Self {
        let mut client = Self {
            path,
            rng: ChaCha20Rng::from_seed(genesis.seed),
            credential,
            rto: Rto::new(config.transaction.rto),
            phase: Phase::Allocating,
            requests: Requests::default(),
            peers: Peers::default(),
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            last_sent: genesis.now,
            deadline: None,
            config,
        };
        client.begin(genesis.now, Purpose::Allocate, 0);
        client.schedule();
        client
    }

    /// Asks for a permission; it is kept until the end. Asked for before the allocation is there,
    /// it waits.
    ///
    /// # Errors
    /// If there are too many or the allocation has ended.
    pub fn permit(&mut self, now: Instant, peer: IpAddr) -> Result<(), CommandError> {
        self.permit_all(now, &[peer])
    }

    /// Asks for several permissions at once, in as few requests as can be (RFC 8656 §9).
    ///
    /// # Errors
    /// As [`permit()`](Self::permit); those before the one that was too many are asked for all the same.
    pub fn permit_all(&mut self, now: Instant, peers: &[IpAddr]) -> Result<(), CommandError> {
        self.open()?;
        let mut new = Vec::new();
        let mut result = Ok(());
        for peer in peers {
            match self.peers.permit(*peer, self.config.permissions) {
                Ok(true) => new.push(*peer),
                Ok(false) => {}
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        self.requests.enqueue_permits(&new);
        self.pump(now);
        self.schedule();
        result
    }

    /// Asks for a channel, which is also a permission; it is kept until the end. Asked for before
    /// the allocation is there, it waits.
    ///
    /// # Errors
    /// If there are too many or the allocation has ended.
    pub fn bind(&mut self, now: Instant, peer: SocketAddr) -> Result<(), CommandError> {
        self.open()?;
        if self.peers.bind(peer, self.config.channels)? {
            self.requests.enqueue(Purpose::Bind(peer));
            self.pump(now);
        }
        self.schedule();
        Ok(())
    }

    /// Lets a peer's permission and channels lapse: they are not renewed any more, and others have their
    /// room. [`permit()`](Self::permit) and [`bind()`](Self::bind) ask for them again.
    pub fn forget(&mut self, peer: IpAddr) {
        self.peers.forget(peer);
        self.schedule();
    }

    /// Sends a packet to a peer.
    ///
    /// # Errors
    /// If it cannot go now or never.
    pub fn send(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        payload: &[u8],
    ) -> Result<(), SendError> {
        if !matches!(self.phase, Phase::Allocated { .. }) {
            return Err(SendError::NotAllocated);
        }
        if self.outbox.len() >= self.config.queue {
            return Err(SendError::Full);
        }
        if payload.len() > MAX_PAYLOAD {
            return Err(SendError::TooLong);
        }
        let mut out = Vec::new();
        if let Some(channel) = self.peers.channel_of(now, peer) {
            out.reserve_exact(payload.len() + 8);
            let padded = self.path.transport.is_reliable();
            ChannelData { channel, data: payload }.write(&mut out, padded);
        } else if self.peers.is_permitted(now, peer.ip()) {
            out.reserve_exact(payload.len() + 56);
            let id = self.transaction_id();
            Writer::new(&mut out, Class::Indication, Method::SEND, id)
                .attribute(&XorPeerAddress(peer))
                .attribute(&Data(payload));
        } else {
            return Err(SendError::NotPermitted);
        }
        self.outbox.push_back(out);
        self.last_sent = now;
        self.schedule();
        Ok(())
    }

    /// Takes a datagram as [`handle_datagram`](Machine::handle_datagram) does, but tells of a peer's
    /// packet in place: who sent it, and which of the bytes it is.
    pub fn receive(
        &mut self,
        now: Instant,
        path: Path,
        bytes: &[u8],
    ) -> Option<(SocketAddr, Range<usize>)> {
        let from_server = (path.transport, path.remote) == (self.path.transport, self.path.remote);
        if !from_server || matches!(self.phase, Phase::Ended) {
            self.counters.unexpected += 1;
            return None;
        }
        let found = match Protocol::of(bytes) {
            Some(Protocol::ChannelData) => self.unwrap_channel_data(now, bytes),
            Some(Protocol::Stun) => match Message::parse(bytes) {
                Ok(message) => self.handle_message(now, &message),
                Err(_) => self.unexpected(),
            },
            _ => self.unexpected(),
        };
        self.schedule();
        let (peer, payload) = found?;
        let start = payload.as_ptr().addr() - bytes.as_ptr().addr();
        Some((peer, start..start + payload.len()))
    }

    /// Refreshes the allocation now, where there is reason to doubt that the server still knows it;
    /// [`Event::Ended`] follows if it does not.
    pub fn verify(&mut self, now: Instant) {
        if let Phase::Allocated { refresh_at, .. } = &mut self.phase
            && refresh_at.is_some()
        {
            *refresh_at = Some(now);
            self.refresh(now);
            self.schedule();
        }
    }

    /// Gives the allocation back; [`Event::Ended`] follows.
    pub fn close(&mut self, now: Instant) {
        match self.phase {
            // What the server may be about to give has to be given back.
            Phase::Allocating => self.phase = Phase::Closing(End::Closed),
            Phase::Allocated { .. } => self.release(now, End::Closed),
            Phase::Closing(_) | Phase::Ended => {}
        }
        self.schedule();
    }

    /// What was dropped so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn open(&self) -> Result<(), CommandError> {
        match self.phase {
            Phase::Allocating | Phase::Allocated { .. } => Ok(()),
            Phase::Closing(_) | Phase::Ended => Err(CommandError::Ended),
        }
    }

    fn transaction_id(&mut self) -> TransactionId {
        use rand_core::Rng as _;
        let mut id = [0; 12];
        self.rng.fill_bytes(&mut id);
        TransactionId(id)
    }

    /// A message: its data, if it brings a peer's.
    fn handle_message<'a>(
        &mut self,
        now: Instant,
        message: &Message<'a>,
    ) -> Option<(SocketAddr, &'a [u8])> {
        if message.check_fingerprint() == Some(false) {
            return self.unexpected();
        }
        if message.class().is_response() {
            self.handle_response(now, message);
            return None;
        }
        if (message.class(), message.method()) == (Class::Indication, Method::DATA) {
            return self.unwrap_data_indication(now, message);
        }
        self.unexpected()
    }

    /// RFC 8656 §11.4, §11.6.
    fn unwrap_data_indication<'a>(
        &mut self,
        now: Instant,
        message: &Message<'a>,
    ) -> Option<(SocketAddr, &'a [u8])> {
        const KNOWN: &[crate::stun::AttributeType] = crate::stun::AttributeType::KNOWN;
        let peer = message.get::<XorPeerAddress>().ok().flatten().map(|peer| peer.0);
        let Some(peer) = peer.filter(|peer| self.peers.is_permitted(now, peer.ip())) else {
            return self.unexpected();
        };
        let data = message.get::<Data<'_>>().ok().flatten();
        let icmp = message.get::<Icmp>().ok().flatten();
        match (data, icmp) {
            _ if message.unknown_required(KNOWN).next().is_some() => self.unexpected(),
            (_, Some(icmp)) => {
                self.deliver(Event::Undeliverable { peer, icmp });
                None
            }
            (Some(data), None) => Some((peer, data.0)),
            (None, None) => self.unexpected(),
        }
    }

    /// RFC 8656 §12.6: on a channel not bound it is dropped.
    fn unwrap_channel_data<'a>(
        &mut self,
        now: Instant,
        bytes: &'a [u8],
    ) -> Option<(SocketAddr, &'a [u8])> {
        let message = ChannelData::parse(bytes).ok();
        let found = message
            .and_then(|message| Some((self.peers.peer_of(now, message.channel)?, message.data)));
        found.or_else(|| self.unexpected())
    }

    /// Counts what was dropped.
    fn unexpected<T>(&mut self) -> Option<T> {
        self.counters.unexpected += 1;
        None
    }

    /// Queues an event that the network causes at will.
    fn deliver(&mut self, event: Event) {
        if self.events.len() < self.config.queue {
            self.events.push_back(event);
        } else {
            self.counters.overrun += 1;
        }
    }

    /// RFC 8656 §3.1 leaves it to the client to keep the NATs on the way open.
    fn keep_alive(&mut self, now: Instant) {
        let due = self.keepalive_at().is_some_and(|at| at <= now);
        if due && self.outbox.is_empty() {
            let id = self.transaction_id();
            let mut out = Vec::new();
            Writer::new(&mut out, Class::Indication, Method::BINDING, id);
            self.outbox.push_back(out);
        }
        if due {
            self.last_sent = now;
        }
    }

    fn keepalive_at(&self) -> Option<Instant> {
        let allocated = matches!(self.phase, Phase::Allocated { .. });
        let wanted = allocated && !self.path.transport.is_reliable();
        wanted.then_some(self.last_sent + self.config.keepalive?.max(MIN_KEEPALIVE))
    }

    /// Settles when to be woken next.
    fn schedule(&mut self) {
        let refresh_at = match self.phase {
            Phase::Allocated { refresh_at, .. } => refresh_at,
            Phase::Allocating | Phase::Closing(_) => None,
            Phase::Ended => {
                self.deadline = None;
                return;
            }
        };
        self.deadline = [
            self.requests.next_timeout(),
            refresh_at,
            self.peers.next_refresh(),
            self.keepalive_at(),
        ]
        .into_iter()
        .flatten()
        .min();
    }
}

/// What fits into a Send indication in one UDP datagram: 65,507 bytes less the header of 20, an IPv6
/// peer's 24 and the attribute's 4, rounded down to its padding.
const MAX_PAYLOAD: usize = 65_456;

/// The shortest silence before a keepalive, whatever the configuration: no busy loop.
const MIN_KEEPALIVE: Duration = Duration::from_secs(1);

impl Machine for Client {
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        if let Some((peer, range)) = self.receive(now, datagram.path, datagram.payload) {
            let payload = datagram.payload[range].to_vec();
            self.deliver(Event::Data { peer, payload });
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.time_out_requests(now);
        self.refresh(now);
        self.keep_alive(now);
        self.schedule();
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(transmit) = self.requests.poll_transmit(buf) {
            return Some(transmit);
        }
        let out = self.outbox.pop_front()?;
        buf.extend_from_slice(&out);
        Some(Transmit { path: self.path, len: out.len() })
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }
}

const _: fn() = || {
    fn assert_send<T: Send>() {}
    assert_send::<Client>();
};
