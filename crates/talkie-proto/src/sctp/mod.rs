//! SCTP (RFC 9260) as WebRTC uses it: one association, one path, over DTLS (RFC 8261).
//!
//! [`Association`] is the machine. What it sends and receives are the payloads of DTLS records; it knows
//! no address. `association` holds the handshake, the end and the dispatch, `send` and `receive` the
//! two halves of an established association, [`wire`] the format, and [`congestion`] decides how fast to
//! send.

mod association;
mod config;
pub mod congestion;
mod receive;
mod send;
pub mod serial;
pub mod wire;

pub use association::{
    Association, ConnectError, Counters, End, Event, ReconfigError, SendError, Window,
};
pub use config::{Config, Message, Reliability, SendOptions};
