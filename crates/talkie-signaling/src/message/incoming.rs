//! What the server says.
//!
//! A frame is read in two steps, first the fields that every message may have, then those of its
//! type: a message of a type that this version does not know still has its place in the sequence.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::values::{
    Glimpse, IceGrant, Joined, KnockEnd, LeaveReason, Peer, PeerId, Welcome, plain, seconds, words,
};

/// Characters of serde's explanations.
const MAX_WORDS: usize = 200;

/// What is wrong with a frame, in words for a developer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) String);

/// A server's frame.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) seq: Option<u64>,
    pub(crate) ack: Option<u64>,
    pub(crate) message: Message,
}

#[derive(Debug)]
pub(crate) enum Message {
    Welcome(Box<Welcome>),
    Joined(Joined),
    Peeked(Glimpse),
    Knocking,
    Knock(Peer),
    KnockEnded(KnockEnded),
    RoomLocked(RoomLocked),
    PeerJoined(Peer),
    PeerLeft(PeerLeft),
    Signal(Signal),
    Left,
    IceServers(IceGrant),
    Draining(Draining),
    Error(Error),
    Pong,
    Ack,
    /// Of a later version; its place in the sequence is all that matters.
    Unknown,
}

#[derive(Debug, Deserialize)]
pub(crate) struct KnockEnded {
    pub(crate) id: PeerId,
    pub(crate) reason: KnockEnd,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RoomLocked {
    pub(crate) locked: bool,
    pub(crate) by: PeerId,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PeerLeft {
    pub(crate) peer: PeerId,
    pub(crate) reason: LeaveReason,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Signal {
    pub(crate) from: PeerId,
    pub(crate) payload: Box<RawValue>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Draining {
    #[serde(deserialize_with = "seconds")]
    pub(crate) within: Duration,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Error {
    #[serde(deserialize_with = "words")]
    pub(crate) code: String,
    #[serde(deserialize_with = "words")]
    pub(crate) message: String,
    pub(crate) about: Option<u64>,
    #[serde(default)]
    pub(crate) fatal: bool,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    seq: Option<u64>,
    ack: Option<u64>,
}

#[derive(Deserialize)]
struct OnePeer {
    peer: Peer,
}

impl Message {
    /// Whether it belongs into the sequence.
    pub(crate) fn is_reliable(&self) -> bool {
        match self {
            Self::Welcome(_) | Self::Pong | Self::Ack | Self::Unknown => false,
            Self::Error(error) => !error.fatal,
            _ => true,
        }
    }
}

impl Incoming {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        // Serde would also take an array for a struct.
        if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            return Err(Fault("a message is not a JSON object".to_owned()));
        }
        let Envelope { kind, seq, ack } = read(text, "message")?;
        let message = match &*kind {
            "welcome" => Message::Welcome(Box::new(read::<Welcome>(text, "welcome")?)),
            "joined" => Message::Joined(read(text, "joined")?),
            "peeked" => Message::Peeked(read(text, "peeked")?),
            "knocking" => Message::Knocking,
            "knock" => Message::Knock(read::<OnePeer>(text, "knock")?.peer),
            "knock-ended" => Message::KnockEnded(read(text, "knock-ended")?),
            "room-locked" => Message::RoomLocked(read(text, "room-locked")?),
            "peer-joined" => Message::PeerJoined(read::<OnePeer>(text, "peer-joined")?.peer),
            "peer-left" => Message::PeerLeft(read(text, "peer-left")?),
            "signal" => Message::Signal(read(text, "signal")?),
            "left" => Message::Left,
            "ice-servers" => Message::IceServers(read(text, "ice-servers")?),
            "draining" => Message::Draining(read(text, "draining")?),
            "error" => Message::Error(read(text, "error")?),
            "pong" => Message::Pong,
            "ack" => Message::Ack,
            _ => Message::Unknown,
        };
        Ok(Self { seq, ack, message })
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str, kind: &str) -> Result<T, Fault> {
    serde_json::from_str(text)
        .map_err(|error| Fault(format!("{kind}: {}", plain(&error.to_string(), MAX_WORDS))))
}
