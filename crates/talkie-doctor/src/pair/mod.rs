//! Two machines try it: do they reach each other directly, and if not, why not?
//!
//! One side opens a room on a `talkie serve` under a fresh [`Code`] and waits, the other enters with
//! the code. Both look at their own network ([`examine()`](crate::examine())) meanwhile, tell each other what they found
//! and where they may be reached, connect by ICE with the server's relay as the way out, and tell each other
//! what came of it. From both reports and the attempt
//! [`judge`] says what it means.
//!
//! The server is not trusted with any of it: room and key follow from the code, which it never gets,
//! and what the two say is sealed (docs/signaling.md, "Sealed payloads"). So its certificate is
//! looked at and reported, and not insisted on.

mod attempt;
#[cfg(test)]
mod attempt_tests;
mod error;
mod meeting;
mod talk;
mod tried;
mod verdict;
mod watch;

use std::time::Duration;

use serde::Serialize;
use talkie_signaling::pair::Rendezvous;
use talkie_signaling::{Fingerprint, ServerUrl};

use self::meeting::Meeting;
use crate::Stop;

pub use error::PairError;
pub use talk::Side;
pub use talkie_signaling::pair::{Code, MeetError, ParseCodeError};
pub use tried::{CandidateType, Failure, Found, Tried};
pub use verdict::{Outcome, Verdict, judge};

/// What to try.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where both meet.
    pub server: ServerUrl,
    /// How long to wait for the other side.
    pub patience: Duration,
}

/// Which of both this side is.
#[derive(Clone, Debug)]
pub enum Role {
    /// The first, who makes the code.
    First,
    /// The second, who was told it.
    Second(Code),
}

/// What happens, for those who watch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Happening {
    /// There is a session with the server. If nobody vouches for its certificate, this is it.
    Connected(Option<Fingerprint>),
    /// The other side can come.
    Waiting {
        /// What it has to type.
        code: Code,
        /// The server as the other side reaches it, if that is another address.
        server: ServerUrl,
    },
    /// The other side is here.
    Met {
        /// Its version of the program.
        version: String,
    },
    /// This side has looked at its network.
    Examined(Box<Side>),
    /// This side finds out where it may be reached, on a relay as well.
    Gathering,
    /// It has told the other side, and waits for the same.
    Ready,
    /// The other side has.
    Heard(Box<Side>),
    /// Both try.
    Trying,
    /// There is a path.
    Found(Found),
}

/// All that came of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pairing {
    /// The version of this JSON.
    pub schema: u32,
    /// What it means.
    pub verdict: Verdict,
    /// What this side saw.
    pub tried: Tried,
    /// What the other side saw; `None` if it went before it could say.
    pub theirs_tried: Option<Tried>,
    /// This side's network.
    pub ours: Side,
    /// The other side's.
    pub theirs: Side,
}

/// The version of [`Pairing`]'s JSON.
const SCHEMA: u32 = 1;

/// Tries a connection with the other side. `tell` hears what happens meanwhile.
///
/// # Errors
/// If it could not be tried, or not to the end.
pub async fn pair(
    config: &Config,
    role: Role,
    stop: &Stop,
    tell: impl Fn(Happening) + Sync,
) -> Result<Pairing, PairError> {
    let place = tokio::select! {
        place = Rendezvous::at(&config.server) => place?,
        () = stop.wait() => return Err(PairError::Stopped),
    };
    tell(Happening::Connected(place.unvouched()));
    let mut meeting = Meeting::new(place, &config.server);
    let outcome = tokio::select! {
        outcome = meeting.hold(role, config.patience, &tell) => outcome,
        () = stop.wait() => Err(PairError::Stopped),
    };
    meeting.end().await;
    outcome
}
