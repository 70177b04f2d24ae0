//! When to send a SACK (RFC 9260 §6.2): for every second packet with data, or after a short while; at once
//! if something is missing, came twice, or the sender asks for it.

use std::time::{Duration, Instant};

/// RFC 9260 §6.2 allows 500 ms and wants 200. A sender that probes for lost tails is served by less.
const DELAY: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Acknowledge {
    /// No data has come yet; the first is acknowledged at once (RFC 9260 §5.1).
    #[default]
    First,
    /// Everything has been acknowledged.
    Nothing,
    /// One packet has not.
    By(Instant),
    Now,
}

impl Acknowledge {
    /// A packet with data has come.
    pub(crate) fn handle_packet(&mut self, now: Instant, at_once: bool) {
        *self = match *self {
            Self::Nothing if !at_once => Self::By(now + DELAY),
            _ => Self::Now,
        };
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if matches!(self, Self::By(at) if *at <= now) {
            *self = Self::Now;
        }
    }

    pub(crate) fn deadline(self) -> Option<Instant> {
        match self {
            Self::By(at) => Some(at),
            Self::First | Self::Nothing | Self::Now => None,
        }
    }
}
