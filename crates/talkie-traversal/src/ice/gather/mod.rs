//! Where this side may be reached: one socket on each address of each interface.
//!
//! The gatherer owns what its candidates stand on and hides how a packet travels: the agent names a base
//! by its [`LocalId`] and sends to, and hears from, addresses as the other side has them.

#![allow(clippy::needless_pass_by_ref_mut, reason = "with servers there is more to do")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use talkie_sansio::{Answer, Genesis, Interface, Path, Transmit, Transport, Want, WantId};

use super::candidate::{Candidate, CandidateType, Protocol};

/// Names what a candidate stands on: a socket, a TCP base, an allocation. Never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalId(u32);

/// What the gatherer tells the agent.
#[derive(Debug)]
pub enum Event {
    /// A candidate. A reflexive one carries its base's id.
    Candidate {
        /// The base.
        id: LocalId,
        /// The address of the base: where packets leave (a socket's, a relayed one).
        base: SocketAddr,
        /// The candidate.
        candidate: Candidate,
    },
    /// The base is not there any more, nor are its candidates.
    Gone(LocalId),
    /// A server that gave none.
    Error(Problem),
    /// There will be no more until the interfaces change.
    Complete,
}

/// What has become of a datagram.
#[derive(Debug)]
pub enum Received<'a> {
    /// The gatherer's own.
    Taken,
    /// Nobody's.
    Dropped,
    /// The other side's, perhaps.
    From {
        /// The base that it came to.
        local: LocalId,
        /// The peer as the base sees it.
        remote: SocketAddr,
        /// What the peer sent.
        payload: &'a mut [u8],
    },
}

/// What did not work while gathering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The server, as it was configured; none if it is this host's own.
    pub url: Option<String>,
    /// Our address that the server was asked from, if it was a single one.
    pub address: Option<SocketAddr>,
    /// The server's STUN error code.
    pub code: u16,
    /// What it means.
    pub text: String,
}

/// Why a packet is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Too many packets wait.
    #[error("too many packets wait")]
    Full,
    /// There is no such base, or it is there no longer.
    #[error("there is nothing to send from")]
    NoBase,
}

/// What is gathered, and from whom.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Which candidates may be told.
    pub policy: Policy,
}

/// Which candidates may be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// All.
    #[default]
    All,
    /// Relayed ones only.
    Relay,
}

const MOST_QUEUED: usize = 256;
const MOST_SOCKETS: usize = 32;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Gatherer {
    policy: Policy,
    fragment: Option<String>,
    sockets: Vec<Socket>,
    next: u32,
    wants: VecDeque<Want>,
    events: VecDeque<Event>,
    outbox: VecDeque<(Path, Vec<u8>)>,
    is_complete: bool,
}

#[derive(Debug)]
struct Socket {
    id: LocalId,
    interface: Interface,
    local: Option<SocketAddr>,
}

impl Gatherer {
    pub(crate) fn new(_genesis: &Genesis, config: Config) -> Self {
        Self {
            policy: config.policy,
            fragment: None,
            sockets: Vec::new(),
            next: 0,
            wants: VecDeque::new(),
            events: VecDeque::new(),
            outbox: VecDeque::new(),
            is_complete: false,
        }
    }

    pub(crate) fn handle_interfaces(&mut self, _now: Instant, interfaces: &[Interface]) {
        let gone = |socket: &mut Socket| !interfaces.contains(&socket.interface);
        for socket in self.sockets.extract_if(.., gone) {
            self.wants.push_back(Want::Close { id: WantId(u64::from(socket.id.0)) });
            self.events.push_back(Event::Gone(socket.id));
        }
        for interface in interfaces {
            let is_known = self.sockets.iter().any(|socket| socket.interface == *interface);
            if is_known || interface.address.is_loopback() || self.sockets.len() >= MOST_SOCKETS {
                continue;
            }
            let id = LocalId(self.next);
            self.next += 1;
            let ports = 0..=0;
            let want = Want::Bind { id: WantId(u64::from(id.0)), local: interface.address, ports };
            self.wants.push_back(want);
            self.sockets.push(Socket { id, interface: interface.clone(), local: None });
            self.is_complete = false;
        }
        self.complete();
    }

    pub(crate) fn gather(&mut self, _now: Instant, fragment: &str) {
        self.fragment = Some(fragment.to_owned());
        self.is_complete = false;
        for index in 0..self.sockets.len() {
            self.tell(index);
        }
        self.complete();
    }

    pub(crate) fn handle_answer(&mut self, _now: Instant, answer: Answer) {
        match answer {
            Answer::Bound { id, local } => {
                let at = self.sockets.iter().position(|socket| u64::from(socket.id.0) == id.0);
                if let Some(index) = at {
                    self.sockets[index].local = Some(local);
                    self.tell(index);
                }
            }
            Answer::Failed { id, .. } => {
                let gone = |socket: &mut Socket| u64::from(socket.id.0) == id.0;
                for socket in self.sockets.extract_if(.., gone) {
                    if socket.local.is_some() {
                        self.events.push_back(Event::Gone(socket.id));
                    }
                }
            }
            _ => {}
        }
        self.complete();
    }

    fn tell(&mut self, index: usize) {
        let socket = &self.sockets[index];
        let (Some(fragment), Some(base)) = (&self.fragment, socket.local) else { return };
        if self.policy == Policy::Relay {
            return;
        }
        let preference = 65_535 - u32::try_from(index).unwrap_or(0);
        let priority = (126 << 24) + (preference << 8) + 255;
        let foundation = (index + 1).to_string();
        let mut candidate =
            Candidate::new(CandidateType::Host, Protocol::Udp, base, priority, foundation);
        candidate.username_fragment = Some(fragment.clone());
        self.events.push_back(Event::Candidate { id: socket.id, base, candidate });
    }

    fn complete(&mut self) {
        let is_open = self.sockets.iter().all(|socket| socket.local.is_some());
        if is_open && !self.is_complete && self.fragment.is_some() && !self.sockets.is_empty() {
            self.is_complete = true;
            self.events.push_back(Event::Complete);
        }
    }

    /// Takes a datagram and says whose it is.
    pub(crate) fn receive<'a>(
        &mut self,
        _now: Instant,
        path: Path,
        payload: &'a mut [u8],
    ) -> Received<'a> {
        let here = |socket: &&Socket| socket.local == Some(path.local);
        match self.sockets.iter().find(here) {
            Some(socket) if path.transport == Transport::Udp => {
                Received::From { local: socket.id, remote: path.remote, payload }
            }
            _ => Received::Dropped,
        }
    }

    pub(crate) fn send(
        &mut self,
        _now: Instant,
        local: LocalId,
        remote: SocketAddr,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let socket = self.sockets.iter().find(|socket| socket.id == local);
        let local = socket.and_then(|socket| socket.local).ok_or(SendError::NoBase)?;
        if self.outbox.len() >= MOST_QUEUED {
            return Err(SendError::Full);
        }
        let path = Path { transport: Transport::Udp, local, remote };
        self.outbox.push_back((path, payload.to_vec()));
        Ok(())
    }

    /// Says that this is the way of much to come, so that it is made cheap.
    pub(crate) fn bind(&mut self, _now: Instant, _local: LocalId, _remote: SocketAddr) {}

    /// Gives back what was asked for.
    pub(crate) fn close(&mut self, _now: Instant) {
        self.wants.clear();
        self.outbox.clear();
        for socket in self.sockets.drain(..) {
            self.wants.push_back(Want::Close { id: WantId(u64::from(socket.id.0)) });
        }
    }

    pub(crate) fn poll_want(&mut self) -> Option<Want> {
        self.wants.pop_front()
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (path, payload) = self.outbox.pop_front()?;
        buf.extend_from_slice(&payload);
        Some(Transmit { path, len: payload.len() })
    }

    pub(crate) fn handle_timeout(&mut self, _now: Instant) {}

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
