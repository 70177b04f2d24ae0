//! What can go wrong, one type for each operation.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::tls::{Fingerprint, TrustError};

/// An error that the server answered with: see the table in docs/signaling.md.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
#[non_exhaustive]
pub struct Refusal {
    /// As it stands in the table.
    pub code: String,
    /// The server's explanation, in one line without control characters.
    pub message: String,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No certificate can be verified.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The host's name has no address.
    #[error("cannot find an address for {host}: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// None of the addresses takes a connection.
    #[error("cannot connect to {address}: {source}")]
    Tcp {
        /// The last one tried.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// It took too long.
    #[error("{host} did not answer within {} s", .after.as_secs_f32())]
    Timeout {
        /// Who.
        host: String,
        /// How long that was.
        after: Duration,
    },
    /// The server's certificate is not trusted.
    #[error("the server's certificate is not trusted ({source}); its fingerprint is {met}")]
    Untrusted {
        /// What it showed: to be compared with what `talkie serve` prints.
        met: Fingerprint,
        /// Why not.
        source: io::Error,
    },
    /// TLS failed otherwise.
    #[error("TLS failed: {0}; is this an https port?")]
    Tls(io::Error),
    /// The server speaks HTTP and has no signaling there.
    #[error(
        "the server answered with HTTP status {status}: no talkie server, or one that does not serve this host name"
    )]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// It is no WebSocket, or ended early.
    #[error("the connection failed: {0}")]
    Socket(String),
    /// The server refused the session.
    #[error("the server refuses: {0}")]
    Refused(Refusal),
    /// The server breaks the protocol.
    #[error("the server does not keep to the protocol: {0}")]
    Protocol(String),
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum End {
    /// This side said goodbye.
    #[error("the session was closed")]
    Closed,
    /// The server ended it.
    #[error("the server ended the session: {0}")]
    Refused(Refusal),
    /// The server broke the protocol.
    #[error("the server does not keep to the protocol: {0}")]
    Protocol(String),
    /// The server could not be reached again in time.
    #[error("the server could not be reached again: {0}")]
    Lost(String),
}

/// Why a request has no answer, or not the one hoped for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The server says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It does not answer.
    #[error("the server did not answer in time")]
    Timeout,
    /// The session restarted or ended before.
    #[error("the session ended before the answer came")]
    Lost,
}

/// Why something could not be said to a peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// Longer than the server takes.
    #[error("{bytes} bytes are more than the {limit} that the server takes")]
    TooBig {
        /// What it would have been.
        bytes: usize,
        /// What the server takes.
        limit: usize,
    },
    /// It is no JSON.
    #[error("the payload can't be written as JSON: {0}")]
    Json(String),
    /// The session has ended.
    #[error("the session has ended")]
    Ended,
}
