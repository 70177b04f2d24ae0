//! The server from outside, over sockets on loopback.

mod client;
mod http;
mod http_limits;
mod tls;
