//! The frames: what a client's may hold, what the server's look like. A payload is kept as the text
//! it came in, so that it is neither understood nor changed.

mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;

pub(super) use incoming::{Incoming, Join, Malformed, Request, Resume};
pub(super) use outgoing::Outgoing;

/// The version of the protocol.
pub(super) const VERSION: u64 = 1;
