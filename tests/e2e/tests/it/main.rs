//! The program over real sockets, on loopback.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod coturn;
mod lifecycle;
mod room;
