//! `/compare/socket`: two WebSockets that name the same pair, and whatever binary frames one sends the
//! other gets. It is the WebSocket's side of the page that compares WebSockets through this server
//! with a data channel between the same two browsers.
//!
//! A pair is bounded in time and bytes, an address in pairs, and the server in all of them, so that
//! nobody gets a tunnel out of it. While one end does not take a frame, the other is not read.

mod pair;
mod seats;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::WebSocketUpgrade;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use tokio::sync::watch;

use crate::address_key::AddressKey;
use crate::server::{Phase, stopped};

use seats::{End, Seats};

/// What a frame may hold: as much as the page sends over the data channel at a time.
const FRAME_BYTES: usize = 64 * 1024;

/// How much a pair may have.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Until the second end is there.
    wait: Duration,
    /// From then on.
    life: Duration,
    /// Both directions together: twice the page's largest measurement.
    bytes: usize,
    /// A frame that the other end has not taken by then ends the pair.
    write: Duration,
    /// Ends of one address: two pairs with both ends in one house.
    per_address: usize,
    /// Ends in all.
    total: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wait: Duration::from_mins(10),
            life: Duration::from_mins(3),
            bytes: 128 << 20,
            write: Duration::from_secs(10),
            per_address: 4,
            total: 64,
        }
    }
}

/// The pairs of this server.
#[derive(Debug)]
pub(crate) struct Compare {
    limits: Limits,
    seats: Arc<Seats>,
    phase: watch::Receiver<Phase>,
}

impl Compare {
    pub(crate) fn new(phase: watch::Receiver<Phase>) -> Self {
        Self { limits: Limits::default(), seats: Arc::default(), phase }
    }

    /// Answers a request for one end of `pair`.
    pub(crate) fn upgrade(
        &self,
        upgrade: WebSocketUpgrade,
        address: AddressKey,
        pair: &str,
    ) -> Response {
        let Some(pair) = PairId::parse(pair) else {
            return (StatusCode::BAD_REQUEST, "a pair has 22 to 64 letters, digits, - or _\n")
                .into_response();
        };
        let Some(seat) = Seats::take(&self.seats, address, &self.limits) else {
            return (StatusCode::TOO_MANY_REQUESTS, "too many comparisons at the moment\n")
                .into_response();
        };
        let (limits, seats) = (self.limits, Arc::clone(&self.seats));
        let mut phase = self.phase.clone();
        upgrade
            .read_buffer_size(FRAME_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(2 * FRAME_BYTES)
            .max_frame_size(FRAME_BYTES)
            .max_message_size(FRAME_BYTES)
            .on_upgrade(async move |socket| {
                let end = End { socket, _seat: seat };
                pair::attend(&seats, end, &pair, limits, stopped(&mut phase)).await;
            })
    }
}

/// What both ends know and nobody else can guess.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PairId(Box<str>);

impl PairId {
    fn parse(text: &str) -> Option<Self> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        // 22 characters of base64url are 128 bits.
        ((22..=64).contains(&text.len()) && text.bytes().all(is_name)).then(|| Self(text.into()))
    }
}
