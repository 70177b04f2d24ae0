//! What the server's frames look like.

use std::time::Duration;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::super::backend::{Glimpse, KnockEnd, LeaveReason, Peer};
use super::super::ids::Pass;
use super::super::{Code, IceServer, Invitation, PeerId, SignalingConfig, names};

/// A server's message.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(in super::super) enum Outgoing<'a> {
    Welcome {
        version: u64,
        session: String,
        token: String,
        resumed: bool,
        ack: u64,
        #[serde(serialize_with = "seconds")]
        heartbeat: Duration,
        #[serde(serialize_with = "seconds")]
        resume_within: Duration,
        limits: Limits,
        ice_servers: &'a [IceServer],
        #[serde(serialize_with = "seconds")]
        ice_ttl: Duration,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        discovery: &'a [String],
        #[serde(flatten)]
        invitation: &'a Invitation,
    },
    Joined {
        room: &'a str,
        #[serde(rename = "self")]
        own: PeerId,
        peers: &'a [Peer],
        locked: bool,
        pass: &'a Pass,
    },
    Peeked {
        room: &'a str,
        #[serde(flatten)]
        glimpse: Glimpse,
    },
    Knocking {
        room: &'a str,
    },
    Knock {
        peer: &'a Peer,
    },
    KnockEnded {
        id: PeerId,
        reason: KnockEnd,
    },
    RoomLocked {
        locked: bool,
        by: PeerId,
    },
    PeerJoined {
        peer: &'a Peer,
    },
    PeerLeft {
        peer: PeerId,
        reason: LeaveReason,
    },
    Signal {
        from: PeerId,
        payload: &'a RawValue,
    },
    Left {
        room: &'a str,
    },
    IceServers {
        ice_servers: &'a [IceServer],
        #[serde(serialize_with = "seconds")]
        ice_ttl: Duration,
    },
    Draining {
        #[serde(serialize_with = "seconds")]
        within: Duration,
    },
    Error {
        code: &'static str,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        about: Option<u64>,
        fatal: bool,
    },
    Pong,
    Ack {
        ack: u64,
    },
}

impl<'a> Outgoing<'a> {
    pub(in super::super) fn error(
        code: Code,
        message: &'a str,
        about: Option<u64>,
        fatal: bool,
    ) -> Self {
        Self::Error { code: code.as_str(), message, about, fatal }
    }

    /// The frame, with a sequence number if the message is to be acknowledged.
    pub(in super::super) fn encode(&self, seq: Option<u64>) -> Bytes {
        let mut frame = serde_json::to_vec(self).expect("no map with other keys than strings");
        if let Some(seq) = seq {
            // Each message has a type, so there is a field before this one.
            frame.pop();
            frame.extend_from_slice(format!(",\"seq\":{seq}}}").as_bytes());
        }
        // It may wait for long, and its spare room is not counted.
        frame.shrink_to_fit();
        frame.into()
    }
}

/// What a client may rely on.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Limits {
    message_bytes: usize,
    messages_per_second: u32,
    burst: u32,
    room_peers: usize,
    room_name: usize,
    peer_name: usize,
}

impl From<&SignalingConfig> for Limits {
    fn from(config: &SignalingConfig) -> Self {
        Self {
            message_bytes: config.message_bytes,
            messages_per_second: config.messages_per_second,
            burst: config.burst,
            room_peers: config.room_peers,
            room_name: names::MAX_CHARACTERS,
            peer_name: names::MAX_CHARACTERS,
        }
    }
}

/// Whole seconds as an integer, which every JSON reader takes for one.
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if duration.subsec_nanos() == 0 {
        serializer.serialize_u64(duration.as_secs())
    } else {
        serializer.serialize_f64(duration.as_secs_f64())
    }
}
