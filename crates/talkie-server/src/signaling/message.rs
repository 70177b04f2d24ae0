//! The frames: what a client's may hold, what the server's look like.
//!
//! A payload is kept as the text it came in, so that it is neither understood nor changed. A frame
//! is read in two steps, first the fields that every message may have, then those of its type:
//! so a message that makes no sense still uses up its sequence number, and the answer can name it.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Code, IceServer, Invitation, LeaveReason, Peer, PeerId, SignalingConfig, names};

/// The version of the protocol.
pub(super) const VERSION: u64 = 1;

/// Characters of an error's explanation.
const MAX_WORDS: usize = 200;

/// A client's frame.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) seq: Option<u64>,
    pub(super) ack: Option<u64>,
    pub(super) request: Result<Request, Malformed>,
}

#[derive(Debug)]
pub(super) enum Request {
    Hello { version: u64, resume: Option<Resume> },
    Join { room: String, name: String },
    Signal { to: String, payload: Box<RawValue> },
    Leave,
    Bye,
    Ping,
    Ack,
}

impl Request {
    /// Whether it carries a sequence number.
    pub(super) fn is_reliable(&self) -> bool {
        matches!(self, Self::Join { .. } | Self::Signal { .. } | Self::Leave | Self::Bye)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Resume {
    pub(super) session: String,
    pub(super) token: String,
    pub(super) ack: u64,
}

/// What is wrong with a frame, in words for a developer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) Cow<'static, str>);

/// Every field of every message, the type's own ones unread.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    seq: Option<u64>,
    ack: Option<u64>,
    #[serde(borrow, default, deserialize_with = "present")]
    version: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    resume: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    room: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    name: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    to: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    payload: Option<&'a RawValue>,
}

/// `null` is a value like any other; only a missing field is `None`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Incoming {
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        // Serde would also take an array for a struct.
        if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            return Err(Malformed("a message is a JSON object".into()));
        }
        let fields: Fields<'_> =
            serde_json::from_str(text).map_err(|error| Malformed(words(&error).into()))?;
        if fields.seq == Some(0) {
            return Err(Malformed("seq starts at 1".into()));
        }
        Ok(Self { seq: fields.seq, ack: fields.ack, request: fields.request() })
    }
}

impl Fields<'_> {
    fn request(&self) -> Result<Request, Malformed> {
        let request = match &*self.kind {
            "hello" => self.hello()?,
            "join" => Request::Join {
                room: field("room", self.room)?,
                name: match self.name {
                    Some(name) => field::<Option<_>>("name", Some(name))?.unwrap_or_default(),
                    None => String::new(),
                },
            },
            "signal" => Request::Signal {
                to: field("to", self.to)?,
                payload: self.payload.ok_or_else(|| missing("payload"))?.to_owned(),
            },
            "leave" => Request::Leave,
            "bye" => Request::Bye,
            "ping" => Request::Ping,
            "ack" if self.ack.is_none() => return Err(missing("ack")),
            "ack" => Request::Ack,
            _ => return Err(Malformed("unknown type".into())),
        };
        if request.is_reliable() && self.seq.is_none() {
            return Err(missing("seq"));
        }
        Ok(request)
    }

    fn hello(&self) -> Result<Request, Malformed> {
        let version = field("version", self.version)?;
        let resume = match self.resume {
            // Another version may mean something else by it.
            Some(resume) if version == VERSION => field("resume", Some(resume))?,
            _ => None,
        };
        Ok(Request::Hello { version, resume })
    }
}

fn missing(name: &'static str) -> Malformed {
    Malformed(format!("{name} is missing").into())
}

fn field<'a, T: Deserialize<'a>>(
    name: &'static str,
    value: Option<&'a RawValue>,
) -> Result<T, Malformed> {
    let value = value.ok_or_else(|| missing(name))?;
    serde_json::from_str(value.get())
        .map_err(|error| Malformed(format!("{name}: {}", words(&error)).into()))
}

/// What serde says, without the whole of the value that it says it about.
fn words(error: &serde_json::Error) -> String {
    error.to_string().chars().take(MAX_WORDS).collect()
}

/// A server's message.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(super) enum Outgoing<'a> {
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
        #[serde(flatten)]
        invitation: &'a Invitation,
    },
    Joined {
        room: &'a str,
        #[serde(rename = "self")]
        own: PeerId,
        peers: &'a [Peer],
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
    pub(super) fn error(code: Code, message: &'a str, about: Option<u64>, fatal: bool) -> Self {
        Self::Error { code: code.as_str(), message, about, fatal }
    }

    /// The frame, with a sequence number if the message is to be acknowledged.
    pub(super) fn encode(&self, seq: Option<u64>) -> Bytes {
        let mut frame = serde_json::to_vec(self).expect("no map with other keys than strings");
        if let Some(seq) = seq {
            // Each message has a type, so there is a field before this one.
            frame.pop();
            frame.extend_from_slice(format!(",\"seq\":{seq}}}").as_bytes());
        }
        frame.into()
    }
}

/// What a client may rely on.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Limits {
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

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
