//! The frames of docs/signaling.md: what this side says, and what it takes from the server.
//!
//! The server is not trusted. What it sends is bounded in length before it gets here, is parsed into
//! types that hold only what they may, and text that may end on somebody's terminal loses its control
//! characters. A payload stays the text it came as.

mod incoming;
mod outgoing;
mod values;

pub(crate) use incoming::{Error, Incoming, Message};
pub use outgoing::Join;
pub(crate) use outgoing::{Hello, Request, Resume, Unsequenced, frame};
pub(crate) use values::plain;
pub use values::{
    Glimpse, IceGrant, IceServer, Joined, KeyFit, KnockEnd, LeaveReason, Limits, Peer, PeerId,
    Welcome,
};

/// The version of the protocol that this speaks.
pub(crate) const VERSION: u64 = 1;
