//! How long packets may be (RFC 8899, DPLPMTUD): a search from a length that every path takes to the most
//! that is configured.
//!
//! A probe is a HEARTBEAT that a PAD chunk makes as long as the packet in question (RFC 8899 §6.2.1.2);
//! its acknowledgment proves that this length gets through. Nothing depends on a probe, so that its loss
//! costs nothing and says nothing of congestion. The most comes first, as it is the likeliest to be the
//! answer; then the rest is halved until less than [`GRAIN`] is open. When long packets stop getting
//! through (a black hole, §4.3), the length falls back to the first at once, and the search begins anew a
//! little later.
//!
//! No chunk is ever longer than the shortest packet takes: longer packets carry several. A chunk cannot be
//! cut again once it has its TSN, and so it would be stuck where the path has become narrower.

use std::time::{Duration, Instant};

use super::{Association, State};
use crate::sctp::Config;

/// RFC 8899 §5.1.2: MAX_PROBES.
const TRIES: u32 = 3;

/// What a search does not tell apart.
const GRAIN: usize = 32;

/// RFC 8899 §5.1.1: PMTU_RAISE_TIMER, when a longer one is looked for again.
const RAISE: Duration = Duration::from_secs(600);

/// How long after a black hole the search begins anew.
const RECOVER: Duration = Duration::from_secs(5);

/// RFC 8899 §5.1.1: PROBE_TIMER is not to be shorter. It should be 15 s, for paths that nothing is known of.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Probe {
    size: usize,
    tries: u32,
    /// Set once it has left.
    sent: Option<(u32, Instant)>,
}

#[derive(Debug)]
pub(super) struct PathSize {
    base: usize,
    most: usize,
    size: usize,
    /// The shortest that did not get through, or more than the most.
    fails: usize,
    probe: Option<Probe>,
    /// When the next search begins.
    next: Option<Instant>,
}

impl PathSize {
    pub(super) fn of(config: &Config) -> Self {
        let most = if config.unfragmented { config.packet_most } else { config.packet };
        Self::new(config.packet, most)
    }

    fn new(base: usize, most: usize) -> Self {
        Self { base, most, size: base, fails: most + 4, probe: None, next: None }
    }

    /// How long packets may be.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The association is there, or it is time for another search.
    pub(super) fn search(&mut self) {
        self.next = None;
        self.fails = self.most + 4;
        self.probe = (self.most > self.size).then(|| Probe::new(self.most));
    }

    /// The probe that is to leave now.
    pub(super) fn is_waiting(&self) -> bool {
        self.probe.as_ref().is_some_and(|probe| probe.sent.is_none())
    }

    /// The probe leaves, named by `nonce`; tells how long it is.
    pub(super) fn take_probe(&mut self, now: Instant, nonce: u32) -> Option<usize> {
        let probe = self.probe.as_mut().filter(|probe| probe.sent.is_none())?;
        probe.sent = Some((nonce, now));
        Some(probe.size)
    }

    /// An acknowledgment of a HEARTBEAT. True if that was the probe.
    pub(super) fn handle_ack(&mut self, now: Instant, nonce: u32) -> bool {
        let named = |probe: &mut Probe| probe.sent.is_some_and(|(sent, _)| sent == nonce);
        let Some(probe) = self.probe.take_if(named) else { return false };
        self.size = self.size.max(probe.size);
        self.go_on(now);
        true
    }

    pub(super) fn deadline(&self, timeout: Duration) -> Option<Instant> {
        let due = self.probe.as_ref().and_then(|probe| probe.sent);
        due.map(|(_, at)| at + timeout.max(PATIENCE)).or(self.next)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, timeout: Duration) {
        if self.deadline(timeout).is_none_or(|at| at > now) {
            return;
        }
        let Some(probe) = &mut self.probe else {
            self.search();
            return;
        };
        probe.sent = None;
        probe.tries += 1;
        if probe.tries >= TRIES {
            self.fails = probe.size;
            self.probe = None;
            self.go_on(now);
        }
    }

    /// Long packets do not get through any more.
    pub(super) fn handle_black_hole(&mut self, now: Instant) {
        self.size = self.base;
        self.probe = None;
        self.next = Some(now + RECOVER);
    }

    /// RFC 8899 §4.6.2: longer packets than this are known not to get through. True if so are those of now.
    fn handle_too_long(&mut self, now: Instant, limit: usize) -> bool {
        let limit = limit.max(self.base) & !3;
        if limit >= self.fails.min(self.most) {
            return false;
        }
        self.fails = limit + 4;
        let is_shorter = limit < self.size;
        if is_shorter {
            self.size = self.base;
        }
        if is_shorter || self.probe.as_ref().is_some_and(|probe| probe.size > limit) {
            self.probe = (limit > self.size).then(|| Probe::new(limit));
        }
        if self.probe.is_none() {
            self.go_on(now);
        }
        is_shorter
    }

    /// Looks at what is still open between what gets through and what does not.
    fn go_on(&mut self, now: Instant) {
        if self.fails <= self.size + GRAIN || self.size == self.most {
            self.next = (self.size < self.most).then(|| now + RAISE);
            return;
        }
        self.probe = Some(Probe::new(usize::midpoint(self.size, self.fails) & !3));
    }
}

impl Association {
    /// Packets take another path from now on, or the first one has been chosen. Tells of it whether datagrams
    /// are [`unfragmented`](Config::unfragmented), and with how many bytes of a packet they still leave the
    /// host. Congestion control and the search begin anew, and whatever had to wait for a timeout of the path
    /// before does not.
    pub fn handle_path_change(&mut self, now: Instant, unfragmented: bool, packet_most: usize) {
        self.now = now;
        self.config.unfragmented = unfragmented;
        self.config.packet_most = packet_most;
        self.config = self.config.clone().bounded();
        self.path_size = PathSize::of(&self.config);
        if self.state == State::Established {
            self.path_size.search();
        }
        self.round_trip.handle_path_change();
        let start = self.congestion_start(now);
        if let Some(link) = self.link.as_mut().filter(|_| self.state != State::Ended) {
            link.sender.handle_path_change(&start, self.config.congestion, &self.outbox);
        }
        self.follow_path_size();
        self.hasten(now);
    }

    /// The network has said that packets of more than `limit` bytes do not get through (RFC 8899 §4.6): an
    /// ICMP message that quotes a datagram of ours, or the system that refuses to send one. Never believed
    /// of less than [`Config::packet`].
    pub fn handle_too_long(&mut self, now: Instant, limit: usize) {
        self.now = now;
        if self.path_size.handle_too_long(now, limit) {
            self.follow_path_size();
        }
    }
}

impl Probe {
    fn new(size: usize) -> Self {
        Self { size, tries: 0, sent: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_what_the_path_takes() {
        let now = talkie_sansio::conformance::genesis().now;
        for takes in [1188, 1200, 1408, 1452, 4000, 8904, 9000] {
            let mut path = PathSize::new(1188, 9000);
            path.search();
            let (mut now, mut probes) = (now, 0);
            while let Some(size) = path.take_probe(now, probes) {
                assert!(size > path.size() && size <= 9000);
                if size <= takes {
                    assert!(path.handle_ack(now, probes));
                } else {
                    now += Duration::from_secs(1);
                    path.handle_timeout(now, Duration::from_secs(1));
                }
                probes += 1;
            }
            assert!(path.size() <= takes && takes < path.size() + GRAIN + 4, "{takes}");
            assert!(probes < 40, "{probes} probes for {takes}");
        }
    }
}
