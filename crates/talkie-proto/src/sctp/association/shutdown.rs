//! The end: in order (RFC 9260 §9.2) or at once (§9.1).

use std::time::Instant;

use super::refuse::abort;
use super::{Association, End, State};
use crate::sctp::serial::Tsn;
use crate::sctp::wire::{Sack, error, kind, packet};

impl Association {
    /// Ends in order: what is queued is delivered first. Nothing more can be sent.
    pub fn shutdown(&mut self, now: Instant) {
        self.now = now;
        self.unwanted = true;
        match self.state {
            State::Closed => self.end(End::Shutdown),
            State::CookieWait | State::CookieEchoed => self.abort(now),
            State::Established => {
                self.state = State::ShutdownPending;
                self.advance_shutdown(now);
            }
            _ => {}
        }
    }

    /// Ends at once: what is under way is lost.
    pub fn abort(&mut self, now: Instant) {
        self.now = now;
        match self.state {
            State::Closed | State::CookieWait => self.end(End::Aborted),
            _ => self.abort_with(error::USER_ABORT, &[], End::Aborted),
        }
    }

    /// Tells the peer that it is over, and why.
    pub(super) fn abort_with(&mut self, cause: u16, information: &[u8], end: End) {
        if self.state == State::Ended {
            return;
        }
        if let Some(link) = &self.link {
            let tag = link.peer.tag;
            self.answer(tag, abort(cause, information));
        }
        self.end(end);
    }

    /// Goes on with the shutdown once everything is acknowledged.
    pub(super) fn advance_shutdown(&mut self, now: Instant) {
        let settled = !self.outbox.has_pieces()
            && self.link.as_ref().is_some_and(|link| link.sender.is_settled());
        if !settled {
            return;
        }
        if self.reconfig.is_busy() {
            // A peer may put off resets for ever.
            if self.state == State::ShutdownPending {
                self.guard_end(now);
            }
            return;
        }
        match self.state {
            State::ShutdownPending => {
                self.state = State::ShutdownSent;
                self.guard_end(now);
                self.send_shutdown();
            }
            State::ShutdownReceived => {
                self.state = State::ShutdownAckSent;
                self.send_shutdown_ack();
            }
            _ => return,
        }
        self.repeats = 0;
        self.repeat_at = Some(now + self.timeout());
    }

    /// RFC 9260 §9.2, T5. A peer that begins anew meanwhile wins no time.
    fn guard_end(&mut self, now: Instant) {
        self.guard_at = self.guard_at.or_else(|| now.checked_add(self.config.shutdown_most));
    }

    pub(super) fn send_shutdown(&mut self) {
        let Some(link) = &self.link else { return };
        let cumulative = Tsn::of(link.receiver.cumulative());
        let mut chunk = Vec::new();
        packet::write_chunk(&mut chunk, kind::SHUTDOWN, 0, |buf| {
            buf.extend_from_slice(&cumulative.0.to_be_bytes());
        });
        self.control(chunk);
    }

    pub(super) fn send_shutdown_ack(&mut self) {
        let mut chunk = Vec::new();
        packet::write_chunk(&mut chunk, kind::SHUTDOWN_ACK, 0, |_| {});
        self.control(chunk);
    }

    pub(super) fn handle_shutdown(&mut self, now: Instant, value: &[u8]) {
        let Some(cumulative) = value.first_chunk() else {
            self.counters.unexpected += 1;
            return;
        };
        match self.state {
            State::Established | State::ShutdownPending | State::ShutdownReceived => {
                self.state = State::ShutdownReceived;
                // It asks for no more.
                self.cancel_resets();
                // It acknowledges cumulatively; what it leaves open a SACK has told before.
                let cumulative = Tsn(u32::from_be_bytes(*cumulative));
                self.handle_cumulative(now, cumulative);
                self.advance_shutdown(now);
            }
            // Both at once.
            State::ShutdownSent => {
                self.state = State::ShutdownAckSent;
                self.repeats = 0;
                self.repeat_at = Some(now + self.timeout());
                self.send_shutdown_ack();
            }
            State::ShutdownAckSent => self.send_shutdown_ack(),
            _ => self.counters.unexpected += 1,
        }
    }

    /// RFC 9260 §9.2: the other side's cumulative acknowledgment, without its window changing.
    pub(super) fn handle_cumulative(&mut self, now: Instant, cumulative: Tsn) {
        let Some(link) = &mut self.link else { return };
        let sack = Sack::cumulative(cumulative, link.sender.peer_window());
        if link.sender.handle_sack(now, &sack).is_err() {
            // Pion and its descendants name a TSN of their own in SHUTDOWN. They want an end in order.
            self.counters.unexpected += 1;
        }
    }

    pub(super) fn handle_shutdown_ack(&mut self) {
        if !matches!(self.state, State::ShutdownSent | State::ShutdownAckSent) {
            self.counters.unexpected += 1;
            return;
        }
        let tag = self.link.as_ref().map_or(0, |link| link.peer.tag);
        self.answer(tag, shutdown_complete(0));
        self.end(End::Shutdown);
    }

    pub(super) fn handle_shutdown_complete(&mut self) {
        if self.state == State::ShutdownAckSent {
            self.end(End::Shutdown);
        } else {
            self.counters.unexpected += 1;
        }
    }
}

/// The last chunk; with flag 1 the packet carries the tag of whoever is answered.
pub(super) fn shutdown_complete(flags: u8) -> Vec<u8> {
    let mut chunk = Vec::new();
    packet::write_chunk(&mut chunk, kind::SHUTDOWN_COMPLETE, flags, |_| {});
    chunk
}
