//! What a client's frame may hold.
//!
//! It is read in two steps, first the fields that every message may have, then those of its type:
//! so a message that makes no sense still uses up its sequence number, and the answer can name it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::super::opaque::{Card, Check};
use super::VERSION;

/// Characters of an error's explanation.
const MAX_WORDS: usize = 200;

/// A client's frame.
#[derive(Debug)]
pub(in super::super) struct Incoming {
    pub(in super::super) seq: Option<u64>,
    pub(in super::super) ack: Option<u64>,
    pub(in super::super) request: Result<Request, Malformed>,
}

#[derive(Debug)]
pub(in super::super) enum Request {
    Hello { version: u64, resume: Option<Resume> },
    Join(Join),
    Peek { room: String, check: Option<Check> },
    Signal { to: String, payload: Box<RawValue> },
    Lock { locked: bool },
    AnswerKnock { id: String, admit: bool },
    Leave,
    Bye,
    Ping,
    Ack,
}

impl Request {
    /// Whether it carries a sequence number.
    pub(in super::super) fn is_reliable(&self) -> bool {
        !matches!(self, Self::Hello { .. } | Self::Ping | Self::Ack)
    }
}

/// What somebody brings who wants to enter a room.
#[derive(Debug)]
pub(in super::super) struct Join {
    pub(in super::super) room: String,
    pub(in super::super) name: String,
    pub(in super::super) card: Option<Card>,
    pub(in super::super) check: Option<Check>,
    /// Whatever it is: one that is not the room's counts as none.
    pub(in super::super) pass: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct Resume {
    pub(in super::super) session: String,
    pub(in super::super) token: String,
    pub(in super::super) ack: u64,
}

/// What is wrong with a frame, in words for a developer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Malformed(pub(in super::super) Cow<'static, str>);

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
    card: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    check: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pass: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    to: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    locked: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    admit: Option<&'a RawValue>,
}

/// `null` is a value like any other (a payload may be one); only a missing field is `None`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Incoming {
    pub(in super::super) fn parse(text: &str) -> Result<Self, Malformed> {
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
            "join" => Request::Join(Join {
                room: field("room", self.room)?,
                name: optional("name", self.name)?.unwrap_or_default(),
                card: optional("card", self.card)?,
                check: optional("check", self.check)?,
                pass: optional("pass", self.pass)?,
            }),
            "peek" => Request::Peek {
                room: field("room", self.room)?,
                check: optional("check", self.check)?,
            },
            "signal" => Request::Signal {
                to: field("to", self.to)?,
                payload: self.payload.ok_or_else(|| missing("payload"))?.to_owned(),
            },
            "lock" => Request::Lock { locked: field("locked", self.locked)? },
            "answer-knock" => Request::AnswerKnock {
                id: field("id", self.id)?,
                admit: field("admit", self.admit)?,
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

/// `null` is as good as a missing field.
fn optional<'a, T: Deserialize<'a>>(
    name: &'static str,
    value: Option<&'a RawValue>,
) -> Result<Option<T>, Malformed> {
    value.map_or(Ok(None), |value| field(name, Some(value)))
}

/// What serde says, without the whole of the value that it says it about.
fn words(error: &serde_json::Error) -> String {
    error.to_string().chars().take(MAX_WORDS).collect()
}
