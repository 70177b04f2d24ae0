//! The client's side of talkie's signaling: how a native peer finds the others of a room and hands
//! them what they need to connect. `docs/signaling.md` is the protocol.
//!
//! [`Client::connect`] opens a session on a `talkie serve`; a task then keeps it alive: heartbeats,
//! acknowledgements, a new socket when one is lost. The session itself is a machine without I/O
//! (`session`), so that every order of frames and losses can be tested without a network.
//!
//! The server is a meeting point and not a party. Everything that it says is bounded and checked,
//! and [`sealed`] keeps what peers say to each other from its eyes and hands. [`pair`] is the shortest way
//! for two who share a code.
//!
//! ```no_run
//! use talkie_signaling::{Client, Event, Join, Options};
//!
//! # async fn meet() -> Result<(), Box<dyn std::error::Error>> {
//! let (mut client, welcome) = Client::connect(&"https://talk.example".parse()?, Options::default()).await?;
//! println!("{} ICE servers", welcome.ice.ice_servers.len());
//! client.join(Join { room: "calm-otter-bridge".to_owned(), ..Join::default() }).await?;
//! while let Some(event) = client.event().await {
//!     if let Event::PeerJoined(peer) = event {
//!         client.signal(&peer.id, &"hello").await?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod client;
mod error;
mod event;
mod message;
pub mod pair;
pub mod sealed;
mod session;
mod socket;
mod task;
mod tls;
mod url;

pub use client::{Client, Entry, Options};
pub use error::{ConnectError, End, Refusal, RequestError, SignalError};
pub use event::Event;
pub use message::{
    Glimpse, IceGrant, IceServer, Join, Joined, KeyFit, KnockEnd, LeaveReason, Limits, Peer,
    PeerId, Welcome,
};
pub use tls::{Fingerprint, ParseFingerprintError, Tls, Trust, TrustError};
pub use url::{ParseUrlError, ServerUrl};
