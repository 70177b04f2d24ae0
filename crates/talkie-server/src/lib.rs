//! The server behind `talkie serve`: signaling, relay and web app in one process.

pub mod relay;
pub mod signaling;
