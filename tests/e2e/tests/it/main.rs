//! The program over real sockets, on loopback.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod channels;
mod coturn;
mod discovery;
#[cfg(target_os = "linux")]
mod ice;
#[cfg(target_os = "linux")]
mod lab;
mod lifecycle;
#[cfg(target_os = "linux")]
mod portmap;
mod room;
