//! How much all agents together send to one host that has never answered.
//!
//! A server's peers say where they are, and the server's checks go there. A thousand of them that name one
//! victim would have a thousand agents send to it, each at its own pace and none too fast (RFC 8445 §14.2,
//! §19.5.1). So checks to addresses from which the agent has had no answer share a token bucket for each host:
//! one packet each 5 ms, the pace that §14.2 grants all agents of a host together, after a burst. What finds no
//! token is lost, as any packet may be, and is repeated as STUN has it. A TCP candidate that is connected to takes
//! the tokens of all packets that the kernel may send for it, and fails if there are none: it costs a victim more than
//! a packet, and is one way among others.
//!
//! Whoever checks us with a right password gets a token of his own: many clients behind one NAT are answered
//! with a check each, however many they are; and who writes a victim's address on his checks makes us send it
//! no more packets than twice what he sends himself.
//!
//! There is no table to fill: a host's bucket is found by a hash in an array of fixed size. Hosts that meet in
//! one bucket share it. That happens by chance only, since the hash (multiply and shift) has a secret factor. A
//! bucket is one number, the time at which it will be full again (the "virtual scheduling" of ATM's GCRA).

use std::net::IpAddr;
use std::time::{Duration, Instant};

/// RFC 8445 §14.2: never less than 5 ms between two, over all agents.
const APART: u64 = Duration::from_millis(5).as_nanos() as u64;
/// How many may go at once: a dozen peers behind one address, with the few pairs that each of them has.
const BURST: u64 = 64;
/// 64 KiB. Two hosts of a hundred that are unproven at a time meet with one chance in two; what they share is
/// enough for both.
const BUCKETS: usize = 1 << BITS;
const BITS: u32 = 13;

/// A stream that is opened to nobody sends its first packet so often, at 0, 1, 3, 7, 15 and 31 s, until it is given
/// up after the 39.5 s of a transaction.
pub(super) const STREAM: u64 = 6;

/// The buckets.
#[derive(Debug)]
pub(super) struct Restraint {
    born: Instant,
    factor: u64,
    /// For each, the nanoseconds from birth until it is full.
    full_at: Box<[u64]>,
}

impl Restraint {
    pub(super) fn new(now: Instant, secret: u64) -> Self {
        Self { born: now, factor: secret | 1, full_at: vec![0; BUCKETS].into() }
    }

    /// Whether so many more packets may go to this host; takes their tokens if so.
    pub(super) fn admits(&mut self, now: Instant, ip: IpAddr, packets: u64) -> bool {
        let now = self.nanos(now);
        let full_at = self.bucket(ip);
        let next = (*full_at).max(now) + APART * packets;
        let is_admitted = next <= now + APART * BURST;
        if is_admitted {
            *full_at = next;
        }
        is_admitted
    }

    /// A check with a right password has come from this host: one packet more may go there.
    pub(super) fn credit(&mut self, ip: IpAddr) {
        let full_at = self.bucket(ip);
        *full_at = full_at.saturating_sub(APART);
    }

    fn nanos(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.born).as_nanos();
        // Five centuries after birth nobody counts.
        u64::try_from(since).unwrap_or(u64::MAX / 2).min(u64::MAX / 2)
    }

    fn bucket(&mut self, ip: IpAddr) -> &mut u64 {
        let host = match ip {
            IpAddr::V4(ip) => u64::from(ip.to_bits()),
            // One network: whoever names a victim can name each of its addresses.
            IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64,
        };
        let at = host.wrapping_mul(self.factor) >> (u64::BITS - BITS);
        &mut self.full_at[at as usize]
    }
}
