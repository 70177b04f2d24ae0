//! Parts of controllers by themselves; whole controllers are judged on paths, in `tests/congestion`.

mod curve;
mod hystart;
mod ledger;
mod path;
mod undo;

use std::time::{Duration, Instant};

use talkie_sansio::conformance::genesis;

use super::{Acked, Lost, RateSample, Start};

const PACKET: u64 = 1000;

fn birth() -> Instant {
    genesis().now
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn start(now: Instant) -> Start {
    Start { now, packet: PACKET, most: 1 << 30, seed: 1 }
}

/// An acknowledgment of `bytes`, the last of `delivered`, that left when `delivered_at_send` had been.
fn acked(
    sent_at: Instant,
    bytes: u64,
    delivered: u64,
    delivered_at_send: u64,
    rtt: Duration,
) -> Acked {
    Acked {
        bytes,
        prior_in_flight: delivered - delivered_at_send,
        in_flight: delivered - delivered_at_send - bytes,
        newest_sent: sent_at,
        rtt: Some(rtt),
        smoothed_rtt: rtt,
        min_rtt: rtt,
        delivered,
        lost: 0,
        rate: Some(RateSample {
            delivered: delivered - delivered_at_send,
            interval: rtt,
            delivered_at_send,
            in_flight_at_send: delivered - delivered_at_send,
            lost: 0,
            app_limited: false,
        }),
        window_limited: true,
    }
}

fn lost(sent_at: Instant) -> Lost {
    Lost {
        bytes: PACKET,
        sent_at,
        in_flight: 9 * PACKET,
        in_flight_at_send: 10 * PACKET,
        delivered_at_send: 0,
        lost_at_send: 0,
        lost: PACKET,
        app_limited: false,
    }
}
