//! Why two do not meet, or not any more.

use std::time::Duration;

use crate::error::{ConnectError, Refusal, RequestError};
use crate::sealed::NoRandomness;
use crate::url::ServerUrl;

/// Why two do not meet, or not any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeetError {
    /// The server can't be reached.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// The server refuses.
    #[error("the server refuses: {0}")]
    Refused(Refusal),
    /// The server does not answer a request.
    #[error("{0}")]
    Request(RequestError),
    /// There is no room for the code.
    #[error("nobody is there with this code on {0}")]
    Nobody(ServerUrl),
    /// There is one, and it was opened with another key.
    #[error("the code does not match that of the other side")]
    Mismatch,
    /// There are two already.
    #[error("two are at it with this code already")]
    Busy,
    /// Nobody came.
    #[error("nobody came within {}; the code is not valid any more", minutes(*.0))]
    NobodyCame(Duration),
    /// The other side went.
    #[error("{}", gone_words(*.lost))]
    Gone {
        /// Whether its connection broke.
        lost: bool,
    },
    /// Somebody on the way changed messages.
    #[error(
        "what the other side said was changed on the way: the server, or somebody before it, interferes"
    )]
    Tampered,
    /// The other side says what makes no sense.
    #[error(
        "the other side says what this version does not understand ({0}); use the same version on both"
    )]
    Incomprehensible(String),
    /// The other side says nothing.
    #[error("the other side has said nothing for {} s", .0.as_secs())]
    Silent(Duration),
    /// The other side's version can't be talked to.
    #[error(
        "the other side has talkie {theirs}, which this one ({ours}) does not understand; use the same version on both"
    )]
    Version {
        /// This program's.
        ours: String,
        /// The other's.
        theirs: String,
    },
    /// The session with the server is gone.
    #[error("the connection to the server is lost: {0}")]
    Lost(String),
    /// No code can be made up.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

fn minutes(time: Duration) -> String {
    match time.as_secs().div_ceil(60) {
        1 => "a minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

fn gone_words(lost: bool) -> &'static str {
    if lost {
        "the other side's connection to the server broke off"
    } else {
        "the other side has left before it was done"
    }
}

impl MeetError {
    pub(super) fn lost(why: &dyn std::fmt::Display) -> Self {
        Self::Lost(why.to_string())
    }
}

impl From<RequestError> for MeetError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Refused(refusal) if refusal.code == "wrong-key" => Self::Mismatch,
            RequestError::Refused(refusal) if refusal.code == "room-full" => Self::Busy,
            RequestError::Refused(refusal) => Self::Refused(refusal),
            error => Self::Request(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_minute_is_no_plural() {
        let words = |seconds| MeetError::NobodyCame(Duration::from_secs(seconds)).to_string();
        assert!(words(60).starts_with("nobody came within a minute;"), "{}", words(60));
        assert!(words(600).starts_with("nobody came within 10 minutes;"), "{}", words(600));
    }
}
