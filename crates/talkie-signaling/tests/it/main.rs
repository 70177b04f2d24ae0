//! The client over sockets: against the real server, and against one that means it ill.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod hosts;
mod meeting;
mod pair;
mod resume;
mod sealed;
