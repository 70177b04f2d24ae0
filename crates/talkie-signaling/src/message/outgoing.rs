//! What this side says.

use serde::Serialize;
use serde_json::value::RawValue;

use super::VERSION;
use super::values::PeerId;

/// What somebody brings who wants to enter a room.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Join {
    /// 1–64 lower-case letters, digits and `-`.
    pub room: String,
    /// As this peer wants to be called, readable by the server; empty in a room with a key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// For the others of the room: see [`sealed`](crate::sealed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// What follows from the room's key: see [`sealed`](crate::sealed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// From an earlier [`Joined`](crate::Joined), so as not to knock again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<String>,
}

/// Messages that carry a sequence number.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Request {
    Join(Join),
    Peek {
        room: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        check: Option<String>,
    },
    Signal {
        to: PeerId,
        payload: Box<RawValue>,
    },
    Lock {
        locked: bool,
    },
    AnswerKnock {
        id: PeerId,
        admit: bool,
    },
    Leave,
    Bye,
}

/// Messages that carry none.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Unsequenced<'a> {
    Hello(Hello<'a>),
    Ping,
    Ack,
}

#[derive(Debug, Serialize)]
pub(crate) struct Hello<'a> {
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<Resume<'a>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Resume<'a> {
    pub(crate) session: &'a PeerId,
    pub(crate) token: &'a PeerId,
    pub(crate) ack: u64,
}

impl<'a> Hello<'a> {
    pub(crate) fn new(resume: Option<Resume<'a>>) -> Self {
        Self { version: VERSION, resume }
    }
}

/// The text of a frame. Sequence number and acknowledgement are written behind the message, since
/// the one is known only later and the other changes with each sending.
pub(crate) fn frame(message: &impl Serialize, seq: Option<u64>, ack: Option<u64>) -> String {
    let mut text = serde_json::to_string(message).expect("no map with other keys than strings");
    // Each message has a type, so there is a field before these.
    text.pop();
    for (name, value) in [("seq", seq), ("ack", ack)] {
        if let Some(value) = value {
            text.push_str(&format!(",\"{name}\":{value}"));
        }
    }
    text.push('}');
    text
}
