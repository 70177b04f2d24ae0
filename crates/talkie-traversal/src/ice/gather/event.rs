//! What a gatherer tells, and what it makes of a datagram.

use std::net::SocketAddr;

use super::{LocalId, Problem};
use crate::ice::Candidate;
use crate::ice::predict::NoGuess;

/// What a gatherer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// We may be reached there.
    Candidate {
        /// What packets leave from: the candidate's base.
        id: LocalId,
        /// The base's address: a socket's, or a relayed one.
        base: SocketAddr,
        /// The candidate.
        candidate: Candidate,
    },
    /// One candidate is no more; its base stays.
    Withdrawn {
        /// Its base.
        id: LocalId,
        /// Its address.
        address: SocketAddr,
    },
    /// A stream with a peer has ended, or there will be none.
    Ended {
        /// Our side.
        id: LocalId,
        /// The peer.
        remote: SocketAddr,
    },
    /// All candidates of this base are no more.
    Gone(LocalId),
    /// Guesses were wanted of a socket, and there are none.
    Unguessed {
        /// The socket.
        base: SocketAddr,
        /// Why.
        why: NoGuess,
    },
    /// Something did not work; gathering goes on without it.
    Error(Problem),
    /// All candidates have been told.
    Complete,
}

/// What a datagram was.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'p> {
    /// A server's, and has been dealt with.
    Taken,
    /// Nobody's.
    Dropped,
    /// A peer's.
    From {
        /// The base that it came to.
        local: LocalId,
        /// The peer as the base sees it.
        remote: SocketAddr,
        /// What the peer sent.
        payload: &'p mut [u8],
    },
}
