//! The server's side of the protocol, without I/O.
//!
//! Sockets come and go ([`Hub::handle_connect`], [`Hub::handle_disconnect`]) and carry frames
//! ([`Hub::handle_frame`]); after any call the driver takes the [`Event`]s, and for each socket
//! that is woken what it should write ([`Hub::poll_transmit`]). Every queue is bounded: a session's
//! by its outbox, a socket's by what is said to it outside of a session (a welcome, one error), and
//! the events by one of a kind for each socket and session.

mod admit;
mod door;
mod end;
mod news;
mod request;
#[cfg(test)]
mod tests;
mod timeout;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::Genesis;

use super::backlog::{Backlog, Keeper};
use super::ids::{SessionId, SocketId};
use super::limits::Accounts;
use super::message::{Incoming, Malformed};
use super::session::{Place, Session};
use super::{AddressKey, Backend, Client, Code, PeerId, SignalingConfig, Stats};
use crate::timers::Timers;
use crate::token_bucket::Rate;

/// What the driver has to do.
#[derive(Debug)]
pub(super) enum Event {
    /// Write what [`Hub::poll_transmit`] has for this socket.
    Wake(SocketId),
    /// Issue ICE servers and hand them to [`Hub::handle_grant`].
    Grant { session: SessionId, client: Client },
}

/// What to write to a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// A text frame.
    Frame(Bytes),
    /// A close frame; nothing follows.
    Close { status: u16, reason: &'static str },
}

#[derive(Debug)]
enum Phase {
    /// Nothing heard yet.
    Hello,
    Open(SessionId),
    /// Only writes what is left and closes.
    Closing,
}

#[derive(Debug)]
struct Socket {
    client: Client,
    phase: Phase,
    last_heard: Instant,
    /// Goes out before anything of the session.
    urgent: VecDeque<Bytes>,
    pong: bool,
    /// Something was written since the driver last found nothing to write.
    wrote: bool,
    woken: bool,
    close: Option<(u16, &'static str)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Socket(SocketId),
    Session(SessionId),
    Backend,
}

pub(super) struct Hub {
    config: SignalingConfig,
    rate: Rate,
    random: ChaCha20Rng,
    backend: Box<dyn Backend>,
    sockets: BTreeMap<SocketId, Socket>,
    next_socket: u64,
    sessions: BTreeMap<SessionId, Session>,
    /// Whose session each local peer is: those in a room, those on their way in, and the one-time
    /// ids of those who peek.
    members: BTreeMap<PeerId, SessionId>,
    accounts: Accounts,
    backlog: Backlog,
    timers: Timers<Timer>,
    woken: VecDeque<SocketId>,
    grants: BTreeSet<SessionId>,
    /// Until when a draining server goes on.
    draining_until: Option<Instant>,
    stopped: bool,
    stats: Stats,
}

impl Hub {
    pub(super) fn new(
        config: SignalingConfig,
        genesis: &Genesis,
        backend: Box<dyn Backend>,
    ) -> Self {
        Self {
            rate: Rate::new(config.messages_per_second, config.burst),
            config,
            random: ChaCha20Rng::from_seed(genesis.seed),
            backend,
            sockets: BTreeMap::new(),
            next_socket: 0,
            sessions: BTreeMap::new(),
            members: BTreeMap::new(),
            accounts: Accounts::default(),
            backlog: Backlog::default(),
            timers: Timers::new(),
            woken: VecDeque::new(),
            grants: BTreeSet::new(),
            draining_until: None,
            stopped: false,
            stats: Stats::default(),
        }
    }

    /// A socket was opened. It may be told at once that there is no place for it.
    pub(super) fn handle_connect(&mut self, now: Instant, client: Client) -> SocketId {
        let id = SocketId(self.next_socket);
        self.next_socket += 1;
        let account = AddressKey::from(client.address);
        self.accounts.change(account, |holding| holding.sockets += 1);
        self.sockets.insert(
            id,
            Socket {
                client,
                phase: Phase::Hello,
                last_heard: now,
                urgent: VecDeque::new(),
                pong: false,
                wrote: false,
                woken: false,
                close: None,
            },
        );
        self.timers.set(Timer::Socket(id), Some(now + self.config.hello_within));
        if self.accounts.of(account).sockets > self.config.sockets_per_address() {
            self.refuse(id, Code::TooManySessions, "too many connections from this address");
        } else if self.sockets.len() > self.config.sockets() {
            self.refuse(id, Code::ServerFull, "the server is full");
        } else if self.stopped {
            self.goes_away(id);
        }
        id
    }

    /// A socket brought a text frame; what is not even a message comes as `Err`.
    pub(super) fn handle_frame(
        &mut self,
        now: Instant,
        id: SocketId,
        frame: Result<Incoming, Malformed>,
    ) {
        self.stats.messages_in += 1;
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        socket.last_heard = now;
        match socket.phase {
            Phase::Closing => return,
            Phase::Hello => self.first_frame(now, id, frame),
            Phase::Open(session) => self.session_frame(now, session, frame),
        }
        self.deliver(now);
    }

    /// A frame above the limit began to arrive; nothing more can be read from the socket.
    pub(super) fn handle_oversize(&mut self, now: Instant, id: SocketId) {
        const WORDS: &str = "the message is larger than limits.messageBytes";
        match self.sockets.get(&id).map(|socket| &socket.phase) {
            Some(&Phase::Open(session)) => self.fail(now, session, Code::MessageTooBig, WORDS),
            Some(Phase::Hello) => self.refuse(id, Code::MessageTooBig, WORDS),
            Some(Phase::Closing) | None => {}
        }
        self.deliver(now);
    }

    /// A WebSocket ping or pong: the other side is there. It counts as a message.
    pub(super) fn handle_alive(&mut self, now: Instant, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        socket.last_heard = now;
        if let Phase::Open(session) = socket.phase
            && !self.charge(now, session)
        {
            self.too_fast(now, session, None);
            self.deliver(now);
        }
    }

    /// A socket does not take what it is sent. Its session waits for another.
    pub(super) fn handle_stall(&mut self, now: Instant, id: SocketId) {
        self.release(now, id);
        self.refuse(id, Code::SlowReader, "the connection does not take what it is sent");
    }

    /// A socket is closed.
    pub(super) fn handle_disconnect(&mut self, now: Instant, id: SocketId) {
        self.release(now, id);
        self.timers.set(Timer::Socket(id), None);
        if let Some(socket) = self.sockets.remove(&id) {
            let account = AddressKey::from(socket.client.address);
            self.accounts.change(account, |holding| holding.sockets -= 1);
            self.backlog.remove(Keeper::Socket(id));
        }
    }

    /// The server will stop: no new rooms, and everybody is told.
    pub(super) fn handle_drain(&mut self, now: Instant, within: Duration) {
        self.draining_until = Some(now + within);
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in sessions {
            self.tell_draining(now, id, within);
        }
        self.deliver(now);
    }

    /// The server stops now: each socket is closed once it has been told what waits for it.
    pub(super) fn handle_stop(&mut self) {
        self.stopped = true;
        let sockets: Vec<SocketId> = self.sockets.keys().copied().collect();
        for id in sockets {
            self.goes_away(id);
        }
    }

    /// RFC 6455 §7.4.1: 1001 is for a server that goes down. A socket that is about to be closed for
    /// another reason keeps that.
    fn goes_away(&mut self, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.close.get_or_insert((1001, "going-away"));
        }
        self.wake(id);
    }

    /// The backend has news.
    pub(super) fn handle_backend(&mut self, now: Instant) {
        self.deliver(now);
    }

    /// A page of a foreign origin was refused.
    pub(super) fn handle_foreign_origin(&mut self) {
        self.stats.foreign_origins += 1;
    }

    /// What to write next to a socket; `None` until it is woken again.
    pub(super) fn poll_transmit(&mut self, id: SocketId) -> Option<Output> {
        let socket = self.sockets.get_mut(&id)?;
        if let Some(frame) = socket.urgent.pop_front() {
            return Some(self.write(id, frame));
        }
        if let Phase::Open(session) = socket.phase
            && let Some(frame) = self.next_frame(id, session)
        {
            return Some(self.write(id, frame));
        }
        let socket = self.sockets.get_mut(&id).expect("looked up above");
        socket.wrote = false;
        socket.woken = false;
        socket.close.take().map(|(status, reason)| Output::Close { status, reason })
    }

    fn write(&mut self, id: SocketId, frame: Bytes) -> Output {
        self.stats.messages_out += 1;
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.wrote = true;
        }
        Output::Frame(frame)
    }

    pub(super) fn poll_event(&mut self) -> Option<Event> {
        while let Some(id) = self.grants.pop_first() {
            if let Some(session) = self.sessions.get(&id) {
                return Some(Event::Grant { session: id, client: session.client.clone() });
            }
        }
        self.woken.pop_front().map(Event::Wake)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.earliest()
    }

    /// Whether nobody is in a room.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            sockets: self.sockets.len(),
            sessions: self.sessions.len(),
            rooms: self.backend.rooms(),
            waiting_bytes: self.backlog.total(),
            peers: self
                .sessions
                .values()
                .filter(|session| matches!(session.place, Place::In { .. }))
                .count(),
            ..self.stats
        }
    }

    fn wake(&mut self, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(&id)
            && !socket.woken
        {
            socket.woken = true;
            self.woken.push_back(id);
        }
    }

    fn wake_session(&mut self, id: SessionId) {
        if let Some(socket) = self.sessions.get(&id).and_then(Session::socket) {
            self.wake(socket);
        }
    }

    /// Follows what a session keeps.
    fn weigh(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get(&id) {
            self.backlog.set(Keeper::Session(id), session.account(), session.outbox.bytes());
        }
    }

    fn arm(&mut self, id: SessionId) {
        let deadline = self.sessions.get(&id).and_then(Session::deadline);
        self.timers.set(Timer::Session(id), deadline);
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill_bytes(&mut bytes);
        bytes
    }
}
