//! The doctor over real sockets: a real `talkie serve` in this process, and a gateway that speaks
//! the real protocols and remembers what it was asked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gateway;
mod host;
mod json;
mod pair;
mod servers;
mod strangers;
