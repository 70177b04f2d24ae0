use std::net::SocketAddr;
use std::time::Duration;

use talkie_sansio::Path;

use crate::stun::credential::LongTerm;

/// The setup of a [`Punch`](super::Punch).
#[derive(Clone, Debug)]
pub struct Config {
    /// The addresses of UDP sockets that the driver has opened.
    pub local: Vec<SocketAddr>,
    /// STUN servers; each socket asks the first of its family.
    pub stun: Vec<SocketAddr>,
    /// Relays.
    pub relays: Vec<Relay>,
    /// How far the servers are, as far as that is known beforehand. Where it is far, or turns out to
    /// be, all of the times below are longer than they say. Default: nothing is known.
    pub round_trip: Duration,
    /// How long to gather candidates, and as long again for what a server may still say that has been
    /// heard. Default 2 s: three requests by RFC 8489's timers, and a fourth.
    pub gather: Duration,
    /// Between two checks. Default 20 ms; RFC 8445 §14.2 has 50 ms where there is other traffic, of
    /// which there is none yet.
    pub pace: Duration,
    /// Between the first and second check of a pair; it doubles up to 500 ms. Default 100 ms: the
    /// first check often only opens the way for the other side's.
    pub interval: Duration,
    /// How long only a direct path will do, once the other side is heard. Default 1.5 s: six checks of
    /// each pair.
    pub relay_after: Duration,
    /// How long to try at all. Default 10 s.
    pub give_up: Duration,
    /// How long to measure round trips once there is a path. Default 1 s.
    pub measure: Duration,
    /// How often to ask whether the path still works. Default 5 s, RFC 7675 §5.1's interval; after
    /// six of them without an answer it is lost.
    pub keepalive: Duration,
}

/// A TURN server, the way to it, and what makes us its client.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Over UDP from one of the sockets, or over a stream that is connected.
    pub path: Path,
    /// Name and password.
    pub credential: LongTerm,
}

impl Config {
    /// The most sockets.
    pub(super) const MOST_LOCAL: usize = 8;
    /// The most relays.
    pub(super) const MOST_RELAYS: usize = 4;

    /// The defaults with these sockets.
    #[must_use]
    pub fn new(local: Vec<SocketAddr>) -> Self {
        Self {
            local,
            stun: Vec::new(),
            relays: Vec::new(),
            round_trip: Duration::ZERO,
            gather: Duration::from_secs(2),
            pace: Duration::from_millis(20),
            interval: Duration::from_millis(100),
            relay_after: Duration::from_millis(1500),
            give_up: Duration::from_secs(10),
            measure: Duration::from_secs(1),
            keepalive: Duration::from_secs(5),
        }
    }
}
