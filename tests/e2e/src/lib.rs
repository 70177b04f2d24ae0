//! End-to-end tests of the talkie program: here over real sockets on loopback, in `browser/` with
//! real browsers.
//!
//! This library starts the program as a user would and watches what it prints.

mod ports;
mod program;

pub use ports::Ports;
pub use program::{Program, Signal, binary};
