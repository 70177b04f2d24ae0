//! What an agent tells its application.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::candidate::Candidate;
use super::gather::Problem;
use super::predict::NoGuess;

/// What an agent tells its application.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A candidate of this side, for the other side.
    Candidate(Candidate),
    /// A server that did not give a candidate, and why (`icecandidateerror`). The agent goes on with what it
    /// has.
    CandidateError(Problem),
    /// The next ports of a NAT were to be [guessed](super::gather::Config::predict), and there is no guess for
    /// this socket: for a person who wants to know why.
    Unguessed {
        /// The socket.
        base: SocketAddr,
        /// Why.
        why: NoGuess,
    },
    /// A name in a candidate of the other side that has no address, and why.
    Unresolved {
        /// The name.
        name: String,
        /// Why.
        why: String,
    },
    /// How far the gathering is.
    GatheringState(GatheringState),
    /// How far the connection is.
    ConnectionState(ConnectionState),
    /// The pair that data takes from now on.
    Selected(Box<Pair>),
    /// A datagram of the other side.
    Data(Vec<u8>),
    /// Something that happened to a pair, for a person who wants to know why.
    Story(Story),
}

/// `RTCIceGatheringState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GatheringState {
    /// Not begun.
    #[default]
    New,
    /// Candidates may come.
    Gathering,
    /// There will be no more, until the network changes.
    Complete,
}

/// `RTCIceTransportState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// Nothing to check yet.
    #[default]
    New,
    /// The other side is known, and no pair works yet.
    Checking,
    /// A pair works.
    Connected,
    /// The pair is agreed on, and neither side looks for another.
    Completed,
    /// The pair has stopped to answer; it may come back, or another may be found.
    Disconnected,
    /// No pair works and none will, until a restart.
    Failed,
    /// It is over.
    Closed,
}

impl GatheringState {
    /// The W3C's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gathering => "gathering",
            Self::Complete => "complete",
        }
    }
}

impl ConnectionState {
    /// The W3C's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Checking => "checking",
            Self::Connected => "connected",
            Self::Completed => "completed",
            Self::Disconnected => "disconnected",
            Self::Failed => "failed",
            Self::Closed => "closed",
        }
    }
}

/// Two candidates that packets travel between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Names it in stories and statistics.
    pub id: PairId,
    /// Ours, as the other side sees us.
    pub local: Candidate,
    /// Where our packets leave: a socket's address, or one on a relay.
    pub base: SocketAddr,
    /// Theirs.
    pub remote: Candidate,
    /// Their address, as we send to it.
    pub remote_address: SocketAddr,
    /// Whether both sides have agreed on it. Before that it is the best that works so far.
    pub is_nominated: bool,
    /// The last round trip.
    pub round_trip: Option<Duration>,
}

impl Pair {
    /// Whether no relay is on the way, as far as this side can know.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        use super::candidate::CandidateType::Relayed;
        // What is on a relay may be seen under another address than the relay gave.
        self.local.relay_protocol.is_none() && self.remote.kind != Relayed
    }
}

/// Names a pair within its agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairId(pub u32);

impl fmt::Display for PairId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pair {}", self.0)
    }
}

/// Something that happened to a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The pair.
    pub pair: PairId,
    /// Where our packets leave.
    pub base: SocketAddr,
    /// Their address.
    pub remote: SocketAddr,
    /// What happened.
    pub chapter: Chapter,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} → {}) {}", self.pair, self.base, self.remote, self.chapter)
    }
}

/// What can happen to a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chapter {
    /// It is waiting for its turn.
    Waiting,
    /// It waits until one that looks alike has worked (RFC 8445 §6.1.2.6).
    Frozen,
    /// A check was sent, the so-manieth.
    Sent(u32),
    /// A check of theirs came.
    Heard,
    /// They answered ours: it works.
    Answered {
        /// After so long, if it was sent once.
        round_trip: Option<Duration>,
        /// How they see us.
        mapped: SocketAddr,
    },
    /// They answered with an error.
    Refused(u16),
    /// We have told them to use it.
    Nominating,
    /// They have told us to use it, or agreed.
    Nominated,
    /// Data takes it.
    Selected,
    /// Checks go unanswered for now.
    Silent,
    /// It will not be used.
    Failed(PairFailure),
    /// It is not needed: another is better or the same.
    Removed,
}

impl fmt::Display for Chapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waits for its turn"),
            Self::Frozen => f.write_str("waits for one that looks alike"),
            Self::Sent(count) => write!(f, "was sent check {count}"),
            Self::Heard => f.write_str("brought a check of theirs"),
            Self::Answered { round_trip: Some(span), mapped } => {
                write!(f, "answered after {} ms and sees us as {mapped}", span.as_millis())
            }
            Self::Answered { round_trip: None, mapped } => {
                write!(f, "answered and sees us as {mapped}")
            }
            Self::Refused(code) => write!(f, "answered with error {code}"),
            Self::Nominating => f.write_str("is proposed"),
            Self::Nominated => f.write_str("is agreed on"),
            Self::Selected => f.write_str("carries data from now on"),
            Self::Silent => f.write_str("has stopped to answer"),
            Self::Failed(why) => write!(f, "failed: {why}"),
            Self::Removed => f.write_str("is not needed"),
        }
    }
}

/// Why a pair will not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairFailure {
    /// No check was answered.
    #[error("no answer")]
    TimedOut,
    /// The other side answered with this error.
    #[error("the other side refused with error {0}")]
    Refused(u16),
    /// The answer came from another address than the check went to (RFC 8445 §7.2.5.2.1).
    #[error("the answer came another way")]
    Asymmetric,
    /// It worked, and the other side has not answered since, for as long as consent lasts.
    #[error("the other side's consent has expired")]
    ConsentExpired,
    /// The TCP connection could not be opened, or has ended.
    #[error("there is no connection")]
    Disconnected,
    /// Our socket or relay is gone.
    #[error("our address is gone")]
    AddressGone,
    /// Our relay lets nothing through to their address (RFC 8656 §10.2).
    #[error("the relay forbids it")]
    Forbidden,
    /// It could not be sent.
    #[error("nothing can be sent there")]
    Unsendable,
}
