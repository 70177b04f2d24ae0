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
//! - a `Join` is answered by exactly one `Joined` or `Refused`, unless a `Leave` overtook it; a
//!   `Knocking` may come before;
//! - a `Peek` is answered by exactly one `Peeked`;
//! - after `Joined` a peer hears of every peer that comes or goes and of every knock that begins or
//!   ends, in the room's order; of those that wait already it hears at once;
//! - signals between two peers arrive in order or are answered by `Undelivered`;
//! - events to peers that are gone are harmless: peer ids are never used again.

use std::time::Instant;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{AddressKey, Card, Check, Pass, PeerId, RoomName};

/// A peer as the others of its room see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// New for each join.
    pub id: PeerId,
    /// As it wants to be called; may be empty.
    pub name: Box<str>,
    /// For the others, unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
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

/// How somebody's knocking ended, for those inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KnockEnd {
    /// It was let in.
    Admitted,
    /// It was not, or there was no place left.
    Refused,
    /// It went away.
    Gone,
}

/// What somebody outside may know of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Glimpse {
    /// Whether there is a room, and whether it is opened by the same key.
    pub key: KeyFit,
    /// How many are in it; only for who has the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<usize>,
    /// Whether one has to knock; only for who has the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
}

/// How a check compares with a room's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyFit {
    /// There is no such room.
    New,
    /// They are the same.
    Match,
    /// They are not.
    Mismatch,
}

/// Somebody's wish to enter a room.
#[derive(Debug)]
pub struct Wish {
    /// The room.
    pub room: RoomName,
    /// Who comes.
    pub peer: Peer,
    /// Whom the room counts for if this makes it.
    pub owner: AddressKey,
    /// Whether this may make the room.
    pub may_create: bool,
    /// The room's, if this makes it; otherwise it must agree with that.
    pub check: Option<Check>,
    /// The room's, if this makes it.
    pub fresh_pass: Pass,
    /// What may be the room's pass, as it was sent.
    pub pass: Option<Box<str>>,
}

/// What a local peer wants of its room.
#[derive(Debug)]
pub enum Command {
    /// Enter a room.
    Join(Wish),
    /// Look at a room from outside.
    Peek {
        /// Whom to answer; used for nothing else.
        asker: PeerId,
        /// The room.
        room: RoomName,
        /// The asker's check.
        check: Option<Check>,
    },
    /// Lock the room, or unlock it for all who wait.
    Lock {
        /// Who does it.
        by: PeerId,
        /// Which of the two.
        locked: bool,
    },
    /// Let somebody in who knocks, or send them away.
    AnswerKnock {
        /// Who answers.
        by: PeerId,
        /// Whom.
        knocker: PeerId,
        /// Which of the two.
        admit: bool,
        /// Comes back in [`News::Undelivered`] or [`News::NoPlace`].
        about: u64,
    },
    /// Leave the room, or withdraw a knock.
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
    /// Its check is another.
    WrongKey,
    /// It is locked, and too many wait already.
    TooManyKnocks,
    /// Somebody inside said no.
    TurnedAway,
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
        /// Whether newcomers have to knock.
        locked: bool,
        /// What lets it in again, locked or not.
        pass: Pass,
    },
    /// The room is locked; somebody inside has to let it in.
    Knocking,
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
    /// Somebody wants to be let in.
    Knock(Peer),
    /// Somebody need not be let in any more.
    KnockEnded {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: KnockEnd,
    },
    /// The room was locked or unlocked.
    Locked {
        /// Which of the two.
        locked: bool,
        /// Who did it.
        by: PeerId,
    },
    /// The answer to a [`Command::Peek`].
    Peeked(Glimpse),
    /// Somebody sent something.
    Signal {
        /// Who.
        from: PeerId,
        /// What, untouched.
        payload: Box<RawValue>,
    },
    /// The addressee of an own [`Command::Signal`] is not in the room, or nobody of that id knocks.
    Undelivered {
        /// Its `about`.
        about: u64,
    },
    /// There is no place for whom an own [`Command::AnswerKnock`] would let in.
    NoPlace {
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
