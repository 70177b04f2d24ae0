use std::net::SocketAddr;

use crate::stun::credential::ChallengeError;

/// How an allocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was given back.
    Closed,
    /// It was not given or not renewed.
    Failed(Failure),
}

/// Why the server did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It did not answer.
    #[error("the server does not answer")]
    TimedOut,
    /// What answered could not prove to be the server.
    #[error("the answers are not authentic")]
    IntegrityViolated,
    /// Its answer lacks something or has too much.
    #[error("the server's answer cannot be understood")]
    Incomprehensible,
    /// It wants credentials and there are none (401).
    #[error("the server wants a username and a password")]
    CredentialNeeded,
    /// Its challenge cannot be answered (401, 438).
    #[error(transparent)]
    Challenge(ChallengeError),
    /// It challenges again and again (438).
    #[error("the server takes no nonce")]
    NonceLoop,
    /// It points to another server (300). The address is there only if the response proved to be
    /// the server's (RFC 8489 §14.8).
    #[error("the server sends its clients to another")]
    TryAlternate(Option<SocketAddr>),
    /// 400.
    #[error("the server calls the request malformed")]
    BadRequest,
    /// 403.
    #[error("the server forbids it")]
    Forbidden,
    /// 420.
    #[error("the server does not know an attribute of the request")]
    UnknownAttribute,
    /// 437.
    #[error("there is an allocation already, or none")]
    AllocationMismatch,
    /// 440.
    #[error("the server has no address of this family")]
    AddressFamilyNotSupported,
    /// 441.
    #[error("the allocation belongs to another user")]
    WrongCredentials,
    /// 442.
    #[error("the server does not relay this transport")]
    UnsupportedTransport,
    /// 443.
    #[error("the peer's address is of another family than the relayed one")]
    PeerAddressFamilyMismatch,
    /// 486.
    #[error("the user has too many allocations")]
    AllocationQuotaReached,
    /// 500.
    #[error("the server has an error of its own")]
    ServerError,
    /// 508.
    #[error("the server has no capacity left")]
    InsufficientCapacity,
    /// Any other code.
    #[error("the server refuses with code {0}")]
    Other(u16),
}

impl Failure {
    /// The server's error code, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        Some(match self {
            Self::TimedOut | Self::IntegrityViolated | Self::Incomprehensible => return None,
            Self::TryAlternate(_) => 300,
            Self::BadRequest => 400,
            Self::CredentialNeeded | Self::Challenge(_) => 401,
            Self::Forbidden => 403,
            Self::UnknownAttribute => 420,
            Self::AllocationMismatch => 437,
            Self::NonceLoop => 438,
            Self::AddressFamilyNotSupported => 440,
            Self::WrongCredentials => 441,
            Self::UnsupportedTransport => 442,
            Self::PeerAddressFamilyMismatch => 443,
            Self::AllocationQuotaReached => 486,
            Self::ServerError => 500,
            Self::InsufficientCapacity => 508,
            Self::Other(code) => *code,
        })
    }

    /// The failure of a code that no other rule handles.
    pub(super) fn of_code(code: u16) -> Self {
        match code {
            400 => Self::BadRequest,
            403 => Self::Forbidden,
            420 => Self::UnknownAttribute,
            437 => Self::AllocationMismatch,
            440 => Self::AddressFamilyNotSupported,
            441 => Self::WrongCredentials,
            442 => Self::UnsupportedTransport,
            443 => Self::PeerAddressFamilyMismatch,
            486 => Self::AllocationQuotaReached,
            500 => Self::ServerError,
            508 => Self::InsufficientCapacity,
            other => Self::Other(other),
        }
    }
}

/// Why a peer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// As many as the configuration allows are there.
    #[error("too many peers")]
    Full,
    /// The allocation has ended or is ending.
    #[error("the allocation has ended")]
    Ended,
}

/// Why a packet is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no allocation yet or any more.
    #[error("there is no allocation")]
    NotAllocated,
    /// The peer has neither permission nor channel.
    #[error("the peer has no permission")]
    NotPermitted,
    /// Too many packets wait to be sent.
    #[error("too many packets wait to be sent")]
    Full,
    /// It does not fit into a datagram.
    #[error("the packet is too long")]
    TooLong,
}
