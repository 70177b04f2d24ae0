//! What happens to a client without its asking.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::error::{End, Refusal};
use crate::message::{IceGrant, Joined, KnockEnd, LeaveReason, Peer, PeerId, Welcome};

/// What the server, the others of the room, or the network did.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// After knocking: somebody let this client in.
    Joined(Joined),
    /// Somebody came.
    PeerJoined(Peer),
    /// Somebody went.
    PeerLeft {
        /// Who.
        peer: PeerId,
        /// How.
        reason: LeaveReason,
    },
    /// A peer of the room says something.
    Signal {
        /// Who, as far as the server is to be believed.
        from: PeerId,
        /// What, as it was written. See [`sealed`](crate::sealed).
        payload: Box<RawValue>,
    },
    /// Somebody knocks at the locked room.
    Knock(Peer),
    /// Somebody knocks no more.
    KnockEnded {
        /// Who.
        id: PeerId,
        /// Why.
        reason: KnockEnd,
    },
    /// The room was locked or unlocked.
    RoomLocked {
        /// Which of both.
        locked: bool,
        /// By whom.
        by: PeerId,
    },
    /// Fresh credentials.
    IceServers(IceGrant),
    /// The server is about to stop.
    Draining {
        /// When.
        within: Duration,
    },
    /// The server refused something whose sender did not wait for the answer.
    Refused(Refusal),
    /// The socket is gone; a new one is being opened. What is said meanwhile is kept.
    Disconnected,
    /// The session goes on over a new socket. Nothing was lost.
    Resumed,
    /// The server does not have the session any more and opened another: join again. What was not
    /// yet delivered is lost.
    Restarted(Box<Welcome>),
    /// Nothing more will come.
    Ended(End),
}
