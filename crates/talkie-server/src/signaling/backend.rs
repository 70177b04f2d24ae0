//! Where rooms live. The hub keeps the sessions of its own sockets; which peers share a room, and
//! how to reach one that is connected to another process, is the backend's business.
//!
//! The contract is asynchronous, because a room may be a network away: commands go in and return
//! nothing; answers and news come out as [`RoomEvent`]s, each addressed to one local peer, now or
//! later. In this process [`Rooms`](super::Rooms) answers at once. A backend over a message bus
//! publishes commands on the room's subject, feeds what it hears to its own copy of the room and
//! has its driver call [`Signaling::deliver`](super::Signaling::deliver) when there is news.
//!
//! What the hub relies on:
//! - a `Join` is answered by exactly one `Joined` or `Refused`, unless a `Leave` overtook it;
//! - after `Joined` a peer hears of every peer that comes or goes, in the room's order;
//! - signals between two peers arrive in order or are answered by `Undelivered`;
//! - events to peers that are gone are harmless: peer ids are never used again.

use std::time::Instant;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{AddressKey, PeerId, RoomName};

/// A peer as the others of its room see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// New for each join.
    pub id: PeerId,
    /// As it wants to be called; may be empty.
    pub name: Box<str>,
}

/// How a peer went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LeaveReason {
    /// It left the room.
    Left,
    /// Its socket dropped and did not come back in time.
    Lost,
    /// Its session ended: it said `bye`, or broke the protocol.
    Ended,
}

/// What a local peer wants of its room.
#[derive(Debug)]
pub enum Command {
    /// Enter a room.
    Join {
        /// The room.
        room: RoomName,
        /// Who comes.
        peer: Peer,
        /// Whom the room counts for if this makes it.
        owner: AddressKey,
        /// Whether this may make the room.
        may_create: bool,
    },
    /// Leave the room.
    Leave {
        /// Who goes.
        peer: PeerId,
        /// How.
        reason: LeaveReason,
    },
    /// Hand a payload to another peer of the same room.
    Signal {
        /// Who sends.
        from: PeerId,
        /// To whom.
        to: PeerId,
        /// What, untouched.
        payload: Box<RawValue>,
        /// Comes back in [`News::Undelivered`].
        about: u64,
    },
}

/// Why a room is not entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No place left in it.
    RoomFull,
    /// Its maker has made too many.
    TooManyRooms,
    /// There are too many rooms.
    ServerFull,
    /// It does not exist and may not be made.
    NoSuchRoom,
}

/// News for one local peer.
#[derive(Debug)]
pub struct RoomEvent {
    /// Whom it is for.
    pub to: PeerId,
    /// What happened.
    pub news: News,
}

/// What a peer hears from its room.
#[derive(Debug)]
#[non_exhaustive]
pub enum News {
    /// It is in; `peers` were there before it.
    Joined {
        /// The others.
        peers: Vec<Peer>,
    },
    /// It is not let in.
    Refused(Refusal),
    /// Somebody came.
    PeerJoined(Peer),
    /// Somebody went.
    PeerLeft {
        /// Who.
        peer: PeerId,
        /// How.
        reason: LeaveReason,
    },
    /// Somebody sent something.
    Signal {
        /// Who.
        from: PeerId,
        /// What, untouched.
        payload: Box<RawValue>,
    },
    /// The addressee of an own [`Command::Signal`] is not in the room.
    Undelivered {
        /// Its `about`.
        about: u64,
    },
}

/// Carries rooms, in this process or across many. A machine without I/O.
pub trait Backend: Send {
    /// Takes a local peer's wish.
    fn handle_command(&mut self, now: Instant, command: Command);

    /// Tells that the time asked for in [`poll_timeout`](Self::poll_timeout) has come.
    fn handle_timeout(&mut self, now: Instant);

    /// The next piece of news for a local peer.
    fn poll_event(&mut self) -> Option<RoomEvent>;

    /// When it wants to be woken; `None` if only input can wake it.
    fn poll_timeout(&self) -> Option<Instant>;

    /// How many rooms it knows here.
    fn rooms(&self) -> usize;
}
