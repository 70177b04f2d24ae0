//! The server from outside, over sockets on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod http;
mod http2;
mod http_limits;
mod proxies;
mod relay;
mod serve;
mod serve_admin;
mod serve_turn;
mod signaling;
mod signaling_errors;
mod signaling_host;
mod signaling_hostile;
mod signaling_keys;
mod signaling_knocks;
mod signaling_resume;
mod tls;
