//! The error codes of the protocol: one table for their spelling and for the WebSocket close code
//! that follows a fatal one.

use std::fmt;

/// Why a request failed or a session ended; see the table in `docs/signaling.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// Not JSON, not an object, a field missing or of the wrong type, or an unknown type.
    BadMessage,
    /// `hello.version` is not one that the server speaks.
    BadVersion,
    /// A gap in the client's sequence numbers.
    BadSequence,
    /// A frame before `hello`, or no `hello` in time.
    HelloFirst,
    /// A frame above the size limit.
    MessageTooBig,
    /// More messages than the rate allows.
    TooFast,
    /// The name cannot name a room.
    BadRoomName,
    /// The name cannot name a peer.
    BadName,
    /// No place left in the room.
    RoomFull,
    /// The room was opened with another key.
    WrongKey,
    /// Too many wait before the locked room.
    TooManyKnocks,
    /// Somebody in the locked room said no.
    Refused,
    /// The address has made too many rooms that are still open.
    TooManyRooms,
    /// The address has too many sessions.
    TooManySessions,
    /// The server has no place for another session or room.
    ServerFull,
    /// The request needs a room.
    NotInRoom,
    /// The session is in a room already.
    AlreadyInRoom,
    /// The addressed peer is not in the room.
    NoSuchPeer,
    /// The client has not acknowledged for too long.
    ReplayOverflow,
    /// Another socket has taken the session over.
    Replaced,
    /// The server is about to stop and opens no room.
    Draining,
    /// The socket does not take what it is sent.
    SlowReader,
}

impl Code {
    /// Every code, in the order of the document's table.
    pub const ALL: [Self; 22] = [
        Self::BadMessage,
        Self::BadVersion,
        Self::BadSequence,
        Self::HelloFirst,
        Self::MessageTooBig,
        Self::TooFast,
        Self::BadRoomName,
        Self::BadName,
        Self::RoomFull,
        Self::WrongKey,
        Self::TooManyKnocks,
        Self::Refused,
        Self::TooManyRooms,
        Self::TooManySessions,
        Self::ServerFull,
        Self::NotInRoom,
        Self::AlreadyInRoom,
        Self::NoSuchPeer,
        Self::ReplayOverflow,
        Self::Replaced,
        Self::Draining,
        Self::SlowReader,
    ];

    /// As it stands in a message.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadMessage => "bad-message",
            Self::BadVersion => "bad-version",
            Self::BadSequence => "bad-sequence",
            Self::HelloFirst => "hello-first",
            Self::MessageTooBig => "message-too-big",
            Self::TooFast => "too-fast",
            Self::BadRoomName => "bad-room-name",
            Self::BadName => "bad-name",
            Self::RoomFull => "room-full",
            Self::WrongKey => "wrong-key",
            Self::TooManyKnocks => "too-many-knocks",
            Self::Refused => "refused",
            Self::TooManyRooms => "too-many-rooms",
            Self::TooManySessions => "too-many-sessions",
            Self::ServerFull => "server-full",
            Self::NotInRoom => "not-in-room",
            Self::AlreadyInRoom => "already-in-room",
            Self::NoSuchPeer => "no-such-peer",
            Self::ReplayOverflow => "replay-overflow",
            Self::Replaced => "replaced",
            Self::Draining => "draining",
            Self::SlowReader => "slow-reader",
        }
    }

    /// The status of the close frame after a fatal error (RFC 6455 §7.4.1).
    pub(super) fn close_status(self) -> u16 {
        match self {
            Self::BadMessage | Self::BadVersion | Self::BadSequence | Self::HelloFirst => 1002,
            Self::MessageTooBig => 1009,
            // Registered after the RFC: "try again later".
            Self::TooManySessions | Self::ServerFull => 1013,
            _ => 1008,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
