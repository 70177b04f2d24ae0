use std::time::Duration;

use crate::stun::transaction;

/// What a client asks for and how much it holds.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which relayed addresses to ask for.
    pub families: Families,
    /// How long the allocation shall live without a refresh; `None` leaves it to the server, which
    /// gives ten minutes by default (RFC 8656 §3.2).
    pub lifetime: Option<Duration>,
    /// When to renew permissions and channels. A permission lives five minutes (RFC 8656 §9), so
    /// four leave a transaction's 39.5 s for it.
    pub peer_refresh: Duration,
    /// How long to be silent on UDP before a keepalive; `None` for never. RFC 4787 REQ-5 asks NATs
    /// for two minutes and many give 30 s; 25 s stay below that.
    pub keepalive: Option<Duration>,
    /// The most permissions.
    pub permissions: usize,
    /// The most channels, at most 4,096.
    pub channels: usize,
    /// The most packets waiting to be sent, and the most waiting to be fetched. 256 packets of
    /// 1,200 bytes are 300 kB, or 25 ms at 100 Mbit/s.
    pub queue: usize,
    /// The timers of requests.
    pub transaction: transaction::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            families: Families::Ipv4,
            lifetime: None,
            peer_refresh: Duration::from_secs(240),
            keepalive: Some(Duration::from_secs(25)),
            permissions: 128,
            channels: 128,
            queue: 256,
            transaction: transaction::Config::default(),
        }
    }
}

/// Which relayed addresses a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// One, IPv4.
    Ipv4,
    /// One, IPv6 (RFC 8656 §7.1: REQUESTED-ADDRESS-FAMILY).
    Ipv6,
    /// Both, if the server has them (RFC 8656 §7.1: ADDITIONAL-ADDRESS-FAMILY).
    Both,
}
