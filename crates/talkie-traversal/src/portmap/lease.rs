//! A mapping's life: when it is renewed, and when it is over. And the patience with which is asked.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

/// The longest that a gateway is believed.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The shortest: a gateway that gives nothing is not asked all the time.
const SHORTEST: Duration = Duration::from_secs(8);
/// RFC 6887 §11.2.1: the least time between two attempts to renew.
const APART: Duration = Duration::from_secs(4);

/// A mapping that a gateway gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) external: SocketAddrV4,
    pub(super) lifetime: Duration,
    /// When it is to be asked for again.
    pub(super) renew_at: Option<Instant>,
    pub(super) expires_at: Instant,
}

/// Whether an address that a gateway names may be somebody's, in whatever network. What it names becomes a
/// candidate, which others send to.
pub(super) fn is_host(ip: Ipv4Addr) -> bool {
    let is_nowhere = ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast();
    !is_nowhere && !ip.is_loopback() && !ip.is_link_local()
}

impl Lease {
    /// One that was given for `lifetime`, or `None` if that is no time.
    pub(super) fn new(now: Instant, external: SocketAddrV4, lifetime: Duration) -> Option<Self> {
        // What it has no time or place for is no mapping.
        if lifetime.is_zero() || external.port() == 0 || !is_host(*external.ip()) {
            return None;
        }
        let lifetime = lifetime.clamp(SHORTEST, LONGEST);
        // RFC 6886 §3.3, RFC 6887 §11.2.1: at half of its life, then at half of what is left.
        let renew_at = Some(now + lifetime / 2);
        Some(Self { external, lifetime, renew_at, expires_at: now + lifetime })
    }

    /// An attempt to renew it has failed: the next one, if there is time for it.
    pub(super) fn postpone(&mut self, now: Instant) {
        let left = self.expires_at.saturating_duration_since(now) / 2;
        self.renew_at = (left >= APART).then(|| now + left);
    }

    /// Asks again earlier.
    pub(super) fn hurry(&mut self, at: Instant) {
        self.renew_at = Some(self.renew_at.map_or(at, |due| due.min(at)));
    }

    /// When something is to be done about it.
    pub(super) fn due(&self) -> Instant {
        self.renew_at.map_or(self.expires_at, |at| at.min(self.expires_at))
    }
}

/// A question that is sent until it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tries {
    /// After how long the question is sent again, each time; after the last one it is given up.
    pauses: &'static [Duration],
    sent: usize,
    due: Option<Instant>,
}

/// What a question wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    /// It is to be sent.
    Send,
    /// Nobody answers.
    GiveUp,
}

impl Tries {
    /// Begins at once.
    pub(super) fn begin(now: Instant, pauses: &'static [Duration]) -> Self {
        Self { pauses, sent: 0, due: Some(now) }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Nothing more is to be sent.
    pub(super) fn stop(&mut self) {
        self.due = None;
    }

    /// What is to be done now.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Try> {
        self.due.filter(|due| *due <= now)?;
        let Some(pause) = self.pauses.get(self.sent) else {
            self.due = None;
            return Some(Try::GiveUp);
        };
        self.sent += 1;
        self.due = Some(now + *pause);
        Some(Try::Send)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTERNAL: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 7), 1);

    #[test]
    fn a_mapping_is_renewed_at_half_of_its_life_and_then_at_half_of_what_is_left() {
        let now = talkie_sansio::conformance::genesis().now;
        let mut lease = Lease::new(now, EXTERNAL, Duration::from_secs(64)).unwrap();
        let mut renewals = Vec::new();
        while let Some(at) = lease.renew_at {
            renewals.push((at - now).as_secs());
            lease.postpone(at);
        }
        assert_eq!(renewals, [32, 48, 56, 60]);
        assert_eq!(lease.due(), lease.expires_at);
    }

    #[test]
    fn what_a_gateway_gives_is_bounded() {
        let now = talkie_sansio::conformance::genesis().now;
        let lifetime = |given| Lease::new(now, EXTERNAL, given).map(|lease| lease.lifetime);
        assert_eq!(lifetime(Duration::ZERO), None);
        assert_eq!(lifetime(Duration::from_secs(1)), Some(SHORTEST));
        assert_eq!(lifetime(Duration::from_secs(u32::MAX.into())), Some(LONGEST));
    }

    #[test]
    fn what_names_nobody_is_no_mapping() {
        let now = talkie_sansio::conformance::genesis().now;
        let given = |ip: &str, port| {
            let external = SocketAddrV4::new(ip.parse().unwrap(), port);
            Lease::new(now, external, Duration::from_secs(60)).is_some()
        };
        assert!(given("203.0.113.7", 1));
        assert!(given("192.168.1.7", 1), "behind another NAT");
        assert!(!given("203.0.113.7", 0));
        for nobody in ["0.0.0.0", "127.0.0.1", "224.0.0.251", "255.255.255.255", "169.254.1.1"] {
            assert!(!given(nobody, 1), "{nobody}");
        }
    }
}
