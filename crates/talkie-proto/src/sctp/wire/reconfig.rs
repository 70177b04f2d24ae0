//! The parameters of RE-CONFIG (RFC 6525 §4).

use super::parameter::{self, Parameter};
use super::{u16_at, u32_at};

const OUTGOING_RESET: u16 = 13;
const INCOMING_RESET: u16 = 14;
const TSN_RESET: u16 = 15;
const RESPONSE: u16 = 16;
const ADD_OUTGOING: u16 = 17;
const ADD_INCOMING: u16 = 18;

/// What has come of a request (RFC 6525 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to do.
    Nothing,
    /// Done.
    Performed,
    /// Not allowed.
    Denied,
    /// A stream that does not exist.
    WrongStream,
    /// Another request is being worked on.
    InProgress,
    /// A sequence number out of order.
    BadSequence,
    /// To be asked again.
    Later,
}

impl Outcome {
    fn parse(code: u32) -> Option<Self> {
        Some(match code {
            0 => Self::Nothing,
            1 => Self::Performed,
            2 => Self::Denied,
            3 => Self::WrongStream,
            4 => Self::InProgress,
            5 => Self::BadSequence,
            6 => Self::Later,
            _ => return None,
        })
    }

    fn code(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Performed => 1,
            Self::Denied => 2,
            Self::WrongStream => 3,
            Self::InProgress => 4,
            Self::BadSequence => 5,
            Self::Later => 6,
        }
    }
}

/// A request or response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconfig<'a> {
    /// The sender resets streams it sends on (§4.1).
    OutgoingReset {
        /// Names the request.
        request: u32,
        /// The request of the other side that this answers.
        response: u32,
        /// The sender's last TSN before the reset.
        last_tsn: u32,
        /// The streams; none for all.
        streams: Streams<'a>,
    },
    /// The sender asks for the reset of streams it receives on (§4.2).
    IncomingReset {
        /// Names the request.
        request: u32,
        /// The streams; none for all.
        streams: Streams<'a>,
    },
    /// Both sides begin anew with their numbers (§4.3).
    TsnReset {
        /// Names the request.
        request: u32,
    },
    /// What has come of a request (§4.4).
    Response {
        /// The request.
        request: u32,
        /// The outcome; `None` for codes that aren't known.
        outcome: Option<Outcome>,
    },
    /// More streams from the sender (§4.5), or to it (§4.6).
    AddStreams {
        /// Names the request.
        request: u32,
        /// How many.
        count: u16,
        /// Whether the sender of this shall send on them.
        outgoing: bool,
    },
}

/// Stream numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams<'a>(&'a [u8]);

impl<'a> Streams<'a> {
    /// From the bytes of numbers in network order.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether there is none, which means all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() < 2
    }

    /// The numbers.
    pub fn iter(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.0.as_chunks::<2>().0.iter().map(|bytes| u16::from_be_bytes(*bytes))
    }
}

impl<'a> Reconfig<'a> {
    /// Reads one parameter.
    #[must_use]
    pub fn parse(parameter: &Parameter<'a>) -> Option<Self> {
        let value = parameter.value;
        let request = u32_at(value, 0)?;
        Some(match parameter.kind {
            OUTGOING_RESET => Self::OutgoingReset {
                request,
                response: u32_at(value, 4)?,
                last_tsn: u32_at(value, 8)?,
                streams: Streams(&value[12..]),
            },
            INCOMING_RESET => Self::IncomingReset { request, streams: Streams(&value[4..]) },
            TSN_RESET => Self::TsnReset { request },
            RESPONSE => Self::Response { request, outcome: Outcome::parse(u32_at(value, 4)?) },
            ADD_OUTGOING | ADD_INCOMING => Self::AddStreams {
                request,
                count: u16_at(value, 4)?,
                outgoing: parameter.kind == ADD_OUTGOING,
            },
            _ => return None,
        })
    }

    /// Appends the parameter.
    pub fn write(&self, buf: &mut Vec<u8>) {
        let mut value = Vec::with_capacity(16);
        let mut number = |number: u32| value.extend_from_slice(&number.to_be_bytes());
        let kind = match *self {
            Self::OutgoingReset { request, response, last_tsn, streams } => {
                number(request);
                number(response);
                number(last_tsn);
                value.extend_from_slice(streams.0);
                OUTGOING_RESET
            }
            Self::IncomingReset { request, streams } => {
                number(request);
                value.extend_from_slice(streams.0);
                INCOMING_RESET
            }
            Self::TsnReset { request } => {
                number(request);
                TSN_RESET
            }
            Self::Response { request, outcome } => {
                number(request);
                number(outcome.map_or(0, Outcome::code));
                RESPONSE
            }
            Self::AddStreams { request, count, outgoing } => {
                number(request);
                number(u32::from(count) << 16);
                if outgoing { ADD_OUTGOING } else { ADD_INCOMING }
            }
        };
        parameter::write(buf, kind, &value);
    }
}
