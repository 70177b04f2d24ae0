//! SCTP (RFC 9260) as WebRTC uses it: one association, one path, over DTLS (RFC 8261).
//!
//! [`Association`] is the machine. What it sends and receives are the payloads of DTLS records; it knows
//! no address. `association` holds the handshake, the end and the dispatch, `send` and `receive` the
//! two halves of an established association, [`wire`] the format, and [`congestion`] decides how fast to
//! send. WebRTC's channels are [`datachannel`](crate::datachannel); this is what they are made of:
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use talkie_proto::sctp::{Association, Config, Reliability, SendOptions};
//! use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};
//!
//! let now = Instant::now();
//! let path = Path {
//!     transport: Transport::Udp,
//!     local: "192.0.2.1:7000".parse()?,
//!     remote: "192.0.2.2:7000".parse()?,
//! };
//! let [mut alice, mut bob] = [1, 2].map(|seed| {
//!     // In earnest the seed is secret and comes from the system.
//!     let genesis = Genesis { now, unix: Duration::ZERO, seed: [seed; 32] };
//!     Association::new(&genesis, path, Config::default())
//! });
//! alice.connect(now)?;
//! let (stream, ppid) = (3, 53);
//! let lifetime = Reliability::Lifetime(Duration::from_millis(500));
//! let options = SendOptions { unordered: true, reliability: lifetime };
//! alice.send(now, stream, ppid, "soon or never".into(), options)?;
//!
//! // In earnest: DTLS and a socket each, and `handle_timeout()` when `poll_timeout()` says so.
//! let mut packet = Vec::new();
//! let message = loop {
//!     for (from, to) in [(0, 1), (1, 0)] {
//!         let mut ends = [&mut alice, &mut bob];
//!         while ends[from].poll_transmit(&mut packet).is_some() {
//!             ends[to].handle_datagram(now, Datagram { path, payload: &mut packet });
//!             packet.clear();
//!         }
//!     }
//!     if let Some(message) = bob.take_message() {
//!         break message;
//!     }
//! };
//! assert_eq!((message.stream, message.ppid, &message.payload[..]), (3, 53, &b"soon or never"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
