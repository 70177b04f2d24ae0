//! Which packets are lost: RACK (RFC 8985) with packets in place of segments.
//!
//! A packet is lost when one that left later has been acknowledged, and the time in which it should have
//! been overtaken by reordering is over: a quarter of the shortest round trip, more if the peer told of
//! duplicates. While no reordering has been seen at all, three later packets are proof enough. Packets are
//! looked at in the order in which they left, so that the first that is not lost ends the search.

use std::time::{Duration, Instant};

use super::flight::{Flight, Newest};

/// RFC 8985 §6.2: DupThresh.
const OVERTAKEN: u64 = 3;

/// How far the reordering window may be stretched.
const MOST_STRETCH: u32 = 16;

/// RFC 8985 §6.2 step 4: times of losses without a duplicate after which it is no longer stretched.
const PERSISTENCE: u32 = 16;

#[derive(Debug, Default)]
pub(crate) struct Recovery {
    /// The newest packet that has been acknowledged, and how long that took.
    newest: Option<(u64, Instant, Duration)>,
    reordering: bool,
    stretch: u32,
    /// The stretch grows once in a round trip: with the first packet from this on.
    stretched: u64,
    /// How many times of losses the stretch still lasts.
    persists: u32,
    /// A time of losses is over when a packet from this on has been acknowledged.
    until: Option<u64>,
    /// When the oldest packet will be lost.
    pub(crate) deadline: Option<Instant>,
    /// Packets lost, and chunks of those found again, since nothing was missing.
    lost: u32,
    found: u32,
}

impl Recovery {
    /// An acknowledgment has told of packets.
    pub(crate) fn handle_acked(
        &mut self,
        now: Instant,
        newest: &Newest,
        oldest: Option<u64>,
        least: Option<Duration>,
    ) {
        let elapsed = now.saturating_duration_since(newest.snapshot.sent_at);
        // RFC 8985 §6.2 step 2: too soon to be the retransmission's own acknowledgment.
        if newest.retransmission && least.is_some_and(|least| elapsed < least) {
            return;
        }
        if let (Some(oldest), Some((known, ..))) = (oldest, self.newest)
            && oldest < known
        {
            self.reordering = true;
        }
        if self.until.is_some_and(|until| until <= newest.packet) {
            self.until = None;
            self.persists = self.persists.saturating_sub(1);
            if self.persists == 0 {
                self.stretch = 0;
            }
        }
        if self.newest.is_none_or(|(known, ..)| known < newest.packet) {
            self.newest = Some((newest.packet, newest.snapshot.sent_at, elapsed));
        }
    }

    /// The peer told of duplicates: something was sent again needlessly (RFC 8985 §6.2 step 4).
    pub(crate) fn handle_duplicates(&mut self, next_packet: u64) {
        let Some((newest, ..)) = self.newest else { return };
        self.reordering = true;
        self.persists = PERSISTENCE;
        if newest >= self.stretched {
            self.stretch = (self.stretch + 1).min(MOST_STRETCH);
            self.stretched = next_packet;
        }
    }

    fn window(&self, least: Duration, smoothed: Duration) -> Duration {
        (least / 4 * (self.stretch + 1)).min(smoothed)
    }

    /// The oldest packet, if it is lost by now. Otherwise sets the deadline.
    pub(crate) fn next_lost(
        &mut self,
        now: Instant,
        flight: &mut Flight,
        least: Duration,
        smoothed: Duration,
    ) -> Option<u64> {
        self.deadline = None;
        let (newest, _, round_trip) = self.newest?;
        let oldest = flight.oldest_packet().filter(|oldest| *oldest < newest)?;
        let sent_at = flight.packet(oldest)?.snapshot.sent_at;
        if !self.reordering && newest - oldest >= OVERTAKEN {
            return Some(oldest);
        }
        let due = sent_at + round_trip + self.window(least, smoothed);
        if due <= now {
            return Some(oldest);
        }
        self.deadline = Some(due);
        None
    }

    /// A packet is lost; `next` will be the next to leave.
    pub(crate) fn handle_lost(&mut self, next: u64) {
        self.lost += 1;
        self.until.get_or_insert(next);
    }

    /// Everything is lost. What is known of reordering stays.
    pub(crate) fn handle_timeout(&mut self) {
        let Self { reordering, stretch, stretched, persists, .. } = *self;
        *self = Self { reordering, stretch, stretched, persists, ..Self::default() };
    }

    /// Chunks that were taken for lost have been acknowledged before they were sent again. True once all
    /// the losses of this time were none.
    pub(crate) fn handle_found(&mut self, found: u32) -> bool {
        self.found += found;
        self.reordering |= found > 0;
        let all = found > 0 && self.found >= self.lost && self.lost > 0;
        if all {
            (self.lost, self.found) = (0, 0);
        }
        all
    }

    /// Nothing is missing any more.
    pub(crate) fn handle_recovered(&mut self) {
        (self.lost, self.found) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::books::Books;
    use super::*;

    const LEAST: Duration = Duration::from_millis(40);

    fn acked(recovery: &mut Recovery, now: Instant, packet: u64) {
        let snapshot = Books::new(now).snapshot(now, 1000);
        recovery.handle_acked(now, &Newest { packet, snapshot, retransmission: false }, None, None);
    }

    /// RFC 8985 §6.2 step 4.
    #[test]
    fn the_window_is_stretched_by_duplicates_and_shrinks_after_sixteen_times_of_losses() {
        let now = talkie_sansio::conformance::genesis().now;
        let mut recovery = Recovery::default();
        let window = |recovery: &Recovery| recovery.window(LEAST, Duration::from_secs(1));
        acked(&mut recovery, now, 1);
        for packet in 2..5 {
            recovery.handle_duplicates(packet);
            // The same round trip.
            recovery.handle_duplicates(packet);
            acked(&mut recovery, now, packet);
        }
        assert_eq!(window(&recovery), LEAST);
        for time in 1..=PERSISTENCE {
            assert_eq!(window(&recovery), LEAST, "{time}");
            let next = u64::from(time) * 10;
            recovery.handle_lost(next);
            recovery.handle_lost(next + 5);
            acked(&mut recovery, now, next - 1);
            assert_eq!(window(&recovery), LEAST, "these losses are not over");
            acked(&mut recovery, now, next);
        }
        assert_eq!(window(&recovery), LEAST / 4);
    }

    #[test]
    fn what_is_known_of_reordering_outlives_a_timeout() {
        let now = talkie_sansio::conformance::genesis().now;
        let mut recovery = Recovery::default();
        acked(&mut recovery, now, 1);
        recovery.handle_duplicates(2);
        recovery.handle_timeout();
        assert!(recovery.reordering && recovery.newest.is_none());
        assert_eq!(recovery.window(LEAST, Duration::from_secs(1)), LEAST / 2);
    }
}
