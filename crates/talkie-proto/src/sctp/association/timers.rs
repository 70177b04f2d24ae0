//! Timers of the association as a whole: handshake and shutdown (T1, T2, T5), heartbeats, giving up.

use std::time::{Duration, Instant};

use rand_core::Rng as _;

use super::{Association, End, State};
use crate::sctp::send::RoundTrip;
use crate::sctp::wire::packet::HEADER;
use crate::sctp::wire::{error, heartbeat::Info, kind, packet};

/// Asks whether a silent peer is there (RFC 9260 §8.3).
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    /// When the next goes out, or the one under way has failed.
    at: Option<Instant>,
    /// The one under way, and when it left.
    pending: Option<(u32, Instant)>,
    failures: u32,
}

impl Association {
    /// A packet of the peer has come.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heartbeat.failures = 0;
        // RFC 9260 §9.2: whoever sends anything is there.
        if self.state == State::ShutdownSent {
            self.repeats = 0;
        }
        if self.heartbeat.pending.is_none() {
            self.heartbeat.at = now.checked_add(self.heartbeat_interval());
        }
    }

    /// RFC 9260 §8.3: half a timeout to one and a half are added, so that many associations do not beat as one.
    fn heartbeat_interval(&self) -> Duration {
        self.config.heartbeat.saturating_add(self.timeout() * self.spread / 1000)
    }

    /// The retransmission timeout.
    pub(crate) fn timeout(&self) -> Duration {
        self.link
            .as_ref()
            .map_or_else(|| self.round_trip.timeout(), |link| link.sender.round_trip.timeout())
    }

    pub(super) fn round_trip_mut(&mut self) -> &mut RoundTrip {
        self.link.as_mut().map_or(&mut self.round_trip, |link| &mut link.sender.round_trip)
    }

    pub(super) fn next_wake(&self) -> Option<Instant> {
        let link = self.link.as_ref().filter(|_| self.state != State::Ended);
        let beats = self.beats();
        let probes = self.path_size.deadline(self.timeout()).filter(|_| beats);
        let beat = self.heartbeat.at.filter(|_| beats);
        let own = [self.repeat_at, self.guard_at, beat, self.reconfig.at, probes];
        let halves = link.map_or([None; 2], |link| {
            let sends = !matches!(self.state, State::CookieWait | State::CookieEchoed);
            let sender = link.sender.next_wake(self.now, &self.outbox).filter(|_| sends);
            [sender, link.receiver.acknowledge.deadline()]
        });
        own.into_iter().chain(halves).flatten().min()
    }

    fn beats(&self) -> bool {
        matches!(self.state, State::Established | State::ShutdownPending | State::ShutdownReceived)
    }

    pub(super) fn handle_timers(&mut self, now: Instant) {
        if self.guard_at.is_some_and(|at| at <= now) {
            self.abort_with(error::USER_ABORT, &[], End::Aborted);
        }
        if self.repeat_at.is_some_and(|at| at <= now) {
            self.repeat(now);
        }
        let sends = !matches!(self.state, State::CookieWait | State::CookieEchoed);
        if let Some(link) = self.link.as_mut().filter(|_| self.state != State::Ended) {
            link.receiver.acknowledge.handle_timeout(now);
            if sends {
                link.sender.handle_timeout(now, &self.outbox);
            }
        }
        if self.beats() && self.heartbeat.at.is_some_and(|at| at <= now) {
            self.beat(now);
        }
        if self.beats() {
            self.path_size.handle_timeout(now, self.timeout());
        }
        self.check_black_hole(now);
        if self.reconfig.at.is_some_and(|at| at <= now) {
            self.repeat_request(now);
        }
        let errors = self.link.as_ref().map_or(0, |link| link.sender.errors);
        // RFC 9260 §8.1: what goes unanswered in a row, of whatever kind.
        if self.beats() && errors + self.heartbeat.failures > self.config.retransmissions {
            self.end(End::Unreachable);
        }
    }

    /// T1 and T2: the chunk that has not been answered, once more.
    fn repeat(&mut self, now: Instant) {
        self.repeats += 1;
        let most = match self.state {
            State::CookieWait | State::CookieEchoed => self.config.handshake_retransmissions,
            _ => self.config.retransmissions,
        };
        if self.repeats > most {
            self.end(End::Unreachable);
            return;
        }
        self.asked_at = None;
        match self.state {
            State::CookieWait => self.send_init(),
            State::CookieEchoed => self.send_cookie(),
            State::ShutdownSent => self.send_shutdown(),
            State::ShutdownAckSent => self.send_shutdown_ack(),
            _ => {
                self.repeat_at = None;
                return;
            }
        }
        let wait = match self.state {
            // RFC 9260 §6.3.3 E2: it stays doubled until something has been measured, for data as well.
            State::CookieWait | State::CookieEchoed => {
                self.round_trip_mut().back_off();
                self.timeout()
            }
            _ => (self.timeout() * (1 << self.repeats.min(10))).min(self.config.timeout_most),
        };
        self.repeat_at = Some(now + wait);
    }

    fn beat(&mut self, now: Instant) {
        if self.heartbeat.pending.take().is_some() {
            self.heartbeat.failures += 1;
        }
        let nonce = self.rng.next_u32();
        let mut chunk = Vec::new();
        packet::write_chunk(&mut chunk, kind::HEARTBEAT, 0, |buf| {
            Info { nonce, packet: 0 }.write(buf);
        });
        self.control(chunk);
        self.heartbeat.pending = Some((nonce, now));
        let wait = self.timeout() * (1 << self.heartbeat.failures.min(10));
        self.heartbeat.at = Some(now + wait.min(self.config.timeout_most));
    }

    /// What has been repeated along the path before, is again along the new one as if for the first time.
    pub(super) fn hasten(&mut self, now: Instant) {
        let soon = now + self.timeout();
        (self.repeats, self.heartbeat.failures) = (0, 0);
        self.repeat_at = self.repeat_at.map(|at| at.min(soon));
        self.hasten_request(soon);
        if self.heartbeat.pending.is_some() {
            self.heartbeat.at = self.heartbeat.at.map(|at| at.min(soon));
        }
    }

    /// RFC 8899 §4.3: long packets are lost and short ones are not, or nothing gets through at all.
    pub(super) fn check_black_hole(&mut self, now: Instant) {
        let Some(link) = &mut self.link else { return };
        if self.path_size.size() > self.config.packet && link.sender.is_black_hole() {
            self.path_size.handle_black_hole(now);
            self.follow_path_size();
        }
    }

    /// The sender learns how long packets may be.
    pub(super) fn follow_path_size(&mut self) {
        let Some(link) = &mut self.link else { return };
        link.sender.set_packet(self.path_size.size() - HEADER, self.config.packet - HEADER);
    }

    pub(super) fn handle_heartbeat_ack(&mut self, now: Instant, info: Info) {
        if self.path_size.handle_ack(now, info.nonce) {
            self.follow_path_size();
            return;
        }
        let Some((_, at)) = self.heartbeat.pending.take_if(|(nonce, _)| *nonce == info.nonce)
        else {
            self.counters.unexpected += 1;
            return;
        };
        self.heartbeat.at = now.checked_add(self.heartbeat_interval());
        if let Some(link) = &mut self.link {
            link.sender.round_trip.handle_sample(now.saturating_duration_since(at));
            link.sender.errors = 0;
        }
    }
}
