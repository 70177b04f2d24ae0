//! What a SACK tells the sender.

use std::time::{Duration, Instant};

use super::Sender;
use super::books::Snapshot;
use super::flight::Settled;
use crate::sctp::congestion::{Acked, Lost};
use crate::sctp::serial::Tsn;
use crate::sctp::wire::Sack;

/// How often a peer may take back what it has acknowledged. Each time costs a walk through everything in
/// flight; who does so more often is believed its cumulative acknowledgments only.
const RENEGINGS: u32 = 8;

/// A SACK that acknowledges what was never sent (RFC 9260 §6.2.1): the peer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NeverSent;

impl Sender {
    /// Takes a SACK. One that is older than the last is passed over (RFC 9260 §6.2.1 D i).
    pub(crate) fn handle_sack(&mut self, now: Instant, sack: &Sack<'_>) -> Result<(), NeverSent> {
        let before = self.flight.first();
        let cumulative = sack.cumulative.widen(before);
        let next = self.flight.next_tsn();
        if cumulative >= next {
            return Err(NeverSent);
        }
        if cumulative + 1 < before {
            return Ok(());
        }
        let mut blocks: Vec<(u64, u64)> = Vec::new();
        for (first, last) in sack.gaps() {
            let (first, last) = (cumulative + u64::from(first), cumulative + u64::from(last));
            if last >= next {
                return Err(NeverSent);
            }
            // Ranges ascend; what does not is taken for nothing.
            if self.believes_blocks() && blocks.last().is_none_or(|block| block.1 < first) {
                blocks.push((first, last));
            }
        }
        let mut settled = self.flight.settle(cumulative, &blocks, &mut self.books);
        if self.flight.take_back_reneged(&blocks, &mut self.books) {
            self.renegings = self.renegings.saturating_add(1);
        }
        let was_closed = self.is_closed();
        self.peer_window = sack.window.into();
        if sack.duplicates().next().is_some() {
            self.recovery.handle_duplicates(self.flight.next_packet());
        }
        let mut progress = settled.bytes > 0 || cumulative >= before;
        // What was given up and comes late behind a hole moves nothing, and is the only measure there is.
        progress |= self.judge_timeout(now, &mut settled, progress, cumulative);
        if progress {
            self.handle_progress(now, &settled);
        }
        if let Some(sample) = self.forward_round_trip(now, cumulative) {
            self.round_trip.handle_sample(sample);
        }
        // With a closed window the peer answers probes and takes nothing: it is alive all the same (RFC 9260
        // §6.1 A).
        if progress || self.is_closed() {
            self.errors = 0;
        }
        // What was refused while the window was closed has room now.
        if was_closed && !self.is_closed() && self.is_probing() {
            self.lose_newest();
        }
        self.detect_losses(now);
        self.judge_tail(now, sack, settled.newest.map(|newest| newest.packet));
        self.rearm(now, progress);
        self.advance_forward(now);
        Ok(())
    }

    /// Whether the peer is believed more than its cumulative TSN. If not, nothing tells when what lies behind a
    /// hole has come: it seems to come when that is filled, and would make each timeout look like one for nothing.
    pub(super) fn believes_blocks(&self) -> bool {
        self.renegings < RENEGINGS
    }

    /// The path has marked the packet of a chunk. Told again and again, it counts once.
    pub(crate) fn handle_mark(&mut self, now: Instant, tsn: Tsn) {
        let tsn = tsn.widen(self.flight.first());
        if tsn <= self.marked || tsn >= self.flight.next_tsn() {
            return;
        }
        self.marked = tsn;
        let sent_at = self.flight.sent_at(tsn).unwrap_or(now);
        self.controller.on_ecn(now, sent_at);
    }

    fn handle_progress(&mut self, now: Instant, settled: &Settled) {
        if settled.found > 0 && self.recovery.handle_found(settled.found) {
            self.controller.on_spurious_loss(now);
        }
        let Some(newest) = settled.newest else { return };
        if newest.snapshot.sent_at < self.since {
            return;
        }
        self.long.handle_acked(newest.snapshot.bytes);
        let rtt = now.saturating_duration_since(newest.snapshot.sent_at);
        // RFC 9260 §6.3.1 C5 (Karn): what was sent twice measures nothing.
        let rtt = (!newest.retransmission).then_some(rtt);
        if let Some(rtt) = rtt {
            self.round_trip.handle_sample(rtt);
        }
        let least = self.round_trip.least();
        self.recovery.handle_acked(now, &newest, settled.oldest, least);
        let min_rtt = least.unwrap_or(Duration::ZERO);
        let rate = self.books.sample(now, &newest.snapshot, min_rtt);
        let acked = Acked {
            bytes: settled.bytes,
            prior_in_flight: self.books.in_flight + settled.bytes,
            in_flight: self.books.in_flight,
            newest_sent: newest.snapshot.sent_at,
            rtt,
            smoothed_rtt: self.round_trip.smoothed().unwrap_or(min_rtt),
            min_rtt,
            delivered: self.books.delivered,
            lost: self.books.lost,
            rate,
            window_limited: self.window_limited,
        };
        self.controller.on_acked(now, &acked);
    }

    pub(super) fn detect_losses(&mut self, now: Instant) {
        let least = self.round_trip.least().unwrap_or(Duration::ZERO);
        let smoothed = self.round_trip.smoothed().unwrap_or(least);
        while let Some(number) = self.recovery.next_lost(now, &mut self.flight, least, smoothed) {
            let Some(snapshot) = self.flight.packet(number).map(|packet| packet.snapshot) else {
                break;
            };
            let bytes = self.flight.lose(number, &mut self.books);
            self.books.lost += bytes;
            if snapshot.sent_at < self.since {
                continue;
            }
            self.long.handle_lost(snapshot.bytes, snapshot.sent_at, self.round_trip.timeout());
            self.recovery.handle_lost(self.flight.next_packet());
            self.tell_lost(now, bytes, &snapshot);
            // What the probe has repaired was lost together with this.
            self.tail = None;
        }
        if !self.flight.has_lost() && self.flight.is_empty() {
            self.recovery.handle_recovered();
        }
    }

    /// The controller hears of a packet that is in the books as lost.
    pub(super) fn tell_lost(&mut self, now: Instant, bytes: u64, snapshot: &Snapshot) {
        let lost = Lost {
            bytes,
            sent_at: snapshot.sent_at,
            in_flight: self.books.in_flight,
            in_flight_at_send: snapshot.in_flight,
            delivered_at_send: snapshot.delivered,
            lost_at_send: snapshot.lost,
            lost: self.books.lost,
            app_limited: snapshot.app_limited,
        };
        self.controller.on_lost(now, &lost);
    }

    /// RFC 9260 §6.3.2 R2, R3: the timers run while something is outstanding, anew with progress.
    fn rearm(&mut self, now: Instant, progress: bool) {
        if self.flight.is_empty() {
            self.retransmit_at = None;
            self.probe_at = None;
            self.probed = false;
        } else if progress {
            self.probed = false;
            self.retransmit_at = Some(now + self.round_trip.timeout());
            self.probe_at = self.probe_time(now);
        }
    }
}
