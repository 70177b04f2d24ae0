//! Losses that a probe has repaired (RFC 8985 §7.4).
//!
//! A probe that sends the last packet again mends its loss before anybody has noticed it, and the path would
//! never hear of it. What the peer says tells which it was: it counts the probe as a duplicate, or it does
//! not, until something that left later has been acknowledged.

use std::time::Instant;

use super::Sender;
use super::books::Snapshot;
use crate::sctp::wire::Sack;

/// A last packet that has been sent again to find out what has become of it.
#[derive(Debug)]
pub(super) struct Tail {
    /// Its chunks.
    tsns: Vec<u64>,
    /// When it left first.
    snapshot: Snapshot,
    /// The packet in which it left again, once it has.
    probe: Option<u64>,
}

impl Sender {
    /// The last packet is sent again next.
    pub(super) fn probe_tail(&mut self) {
        let Some(newest) = self.flight.newest_packet() else { return };
        let snapshot = self.flight.packet(newest).map(|packet| packet.snapshot);
        // What is refused for lack of room is not lost (RFC 9260 §6.1 A).
        let snapshot = snapshot.filter(|_| !self.is_closed());
        let tsns = self.flight.tsns(newest);
        self.tail = snapshot.map(|snapshot| Tail { tsns, snapshot, probe: None });
        self.flight.lose(newest, &mut self.books);
    }

    /// A packet has left whatever the windows say: the probe, unless there was nothing more to send again.
    pub(super) fn note_probe(&mut self, number: u64) {
        let Some(tail) = self.tail.as_mut().filter(|tail| tail.probe.is_none()) else { return };
        let first = tail.tsns.first().and_then(|tsn| self.flight.chunk(*tsn));
        if first.is_some_and(|chunk| chunk.packet == number) {
            tail.probe = Some(number);
        } else {
            self.tail = None;
        }
    }

    /// RFC 8985 §7.4.2. `newest` is the newest packet that the acknowledgment has told of.
    pub(super) fn judge_tail(&mut self, now: Instant, sack: &Sack<'_>, newest: Option<u64>) {
        let Some(tail) = &self.tail else { return };
        let near = self.flight.first();
        let came_twice = |tsn: u64| tail.tsns.contains(&tsn);
        if sack.duplicates().any(|tsn| came_twice(tsn.widen(near))) {
            // Both have arrived.
            self.tail = None;
            return;
        }
        let later = newest.zip(tail.probe).is_some_and(|(newest, probe)| probe < newest);
        if !later || !tail.tsns.iter().all(|tsn| self.flight.is_settled(*tsn)) {
            return;
        }
        let snapshot = tail.snapshot;
        self.tail = None;
        if snapshot.sent_at < self.since {
            return;
        }
        self.books.lost += snapshot.bytes;
        self.tell_lost(now, snapshot.bytes, &snapshot);
    }
}
