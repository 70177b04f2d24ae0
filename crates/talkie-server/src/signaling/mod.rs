//! Signaling over WebSocket: how the peers of a room find each other and exchange offers, answers
//! and candidates. `docs/signaling.md` is the protocol; this module is the server's side of it.
//!
//! The logic is a machine without I/O, the hub: time, randomness and frames go in by `handle_*`
//! calls, frames and wishes come out by `poll_*` calls. It owns the sockets' and sessions' state;
//! rooms live in a [`Backend`], which in this process is a map ([`Rooms`]) and in a cluster may be
//! a message bus. [`Signaling`] runs the hub on axum's WebSockets: one task per socket, which is
//! its only writer and takes what it writes straight from the session's bounded outbox, so that
//! there is no second queue to bound.
//!
//! One mutex guards the hub. Frames are parsed before it is taken and credentials are made after
//! it is released; what is left under it is map look-ups and the copy of one payload, a few
//! microseconds, while a session may send 50 messages a second. It is never held across an await.

mod backend;
mod backlog;
mod code;
mod config;
mod hub;
mod ice;
mod ids;
mod limits;
mod message;
mod names;
mod opaque;
mod origin;
mod outbox;
mod rooms;
mod server;
mod session;
mod socket;
mod stats;

pub use crate::address_key::AddressKey;
pub use backend::{
    Backend, Command, Glimpse, KeyFit, KnockEnd, LeaveReason, News, Peer, Refusal, RoomEvent, Wish,
};
pub use code::Code;
pub use config::SignalingConfig;
pub use ice::{IceGrant, IceServer, IceServers};
pub use ids::{ParseIdError, Pass, PeerId};
pub use names::{RoomName, RoomNameError};
pub use opaque::{Card, Check, OpaqueError};
pub use rooms::Rooms;
pub use server::{Client, Invitation, Signaling};
pub use stats::Stats;
