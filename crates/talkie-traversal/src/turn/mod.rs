//! TURN: Traversal Using Relays around NAT (RFC 8656).

pub mod channel_data;
pub mod client;
pub mod server;
