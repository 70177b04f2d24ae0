//! How much the peer may send beyond what has been read.
//!
//! The window is what is left of a limit: bytes held for whatever reason count, so that it is honest. The
//! limit begins small and grows to eight times what has been received and read within about a round trip: a
//! peer that begins sends twice as much in the next one and four times as much in the one after, before it
//! has heard of more, and what waits for a packet that was lost takes as much room again. An application that
//! does not read gets no more than it has.

use std::time::{Duration, Instant};

/// Less room than a packet takes is told as none (RFC 9260 §6.2, silly windows).
const LEAST: usize = 1500;

/// How many times what is read in a round trip.
const AHEAD: usize = 8;

/// After so many round trips, and so long at least, the peer has heard that there is no room: what comes then only
/// asks for some.
const HEARD: u32 = 4;
const HEARD_LEAST: Duration = Duration::from_secs(1);

/// Two such spans on a local link are reckoned as one.
const SHORTEST_ROUND: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(crate) struct Window {
    limit: usize,
    most: usize,
    round: Instant,
    /// Bytes consumed since the round began.
    consumed: usize,
    /// What the peer was told last.
    advertised: usize,
    /// When data came first after the peer was told that there is no room.
    closed: Option<Instant>,
}

impl Window {
    pub(crate) fn new(now: Instant, initial: usize, most: usize) -> Self {
        let limit = initial.min(most);
        Self { limit, most, round: now, consumed: 0, advertised: limit, closed: None }
    }

    /// So much has come, with what messages take beside their bytes, while the application keeps up with reading,
    /// but for what is `unread`.
    pub(crate) fn handle_consumed(
        &mut self,
        now: Instant,
        bytes: usize,
        unread: usize,
        round_trip: Duration,
    ) {
        if now.saturating_duration_since(self.round) > round_trip.max(SHORTEST_ROUND) {
            self.round = now;
            self.consumed = 0;
        }
        self.consumed += bytes;
        let read = self.consumed.saturating_sub(unread);
        self.limit = self.limit.max(read.saturating_mul(AHEAD).min(self.most));
    }

    pub(crate) fn grow(&mut self) {
        self.limit = self.limit.saturating_mul(2).min(self.most);
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How far the limit may grow.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    pub(crate) fn room(&self, held: usize) -> usize {
        self.limit.saturating_sub(held)
    }

    /// Whether data that comes now was sent by a peer that knows of no room.
    pub(crate) fn has_long_been_closed(&mut self, now: Instant, round_trip: Duration) -> bool {
        if self.advertised > 0 {
            self.closed = None;
            return false;
        }
        let since = *self.closed.get_or_insert(now);
        let span = round_trip.saturating_mul(HEARD).max(HEARD_LEAST);
        now.saturating_duration_since(since) > span
    }

    /// What to tell the peer.
    pub(crate) fn advertise(&mut self, held: usize) -> u32 {
        let room = self.room(held);
        self.advertised = if room < LEAST.min(self.limit / 2) { 0 } else { room };
        u32::try_from(self.advertised).unwrap_or(u32::MAX)
    }

    /// Whether the peer should hear that there is more room again: it believes that there is next to
    /// none, and a good part has become free (RFC 9260 §6.2, silly windows).
    pub(crate) fn has_opened(&self, held: usize) -> bool {
        self.advertised < self.limit / 4 && self.room(held) >= self.limit / 2
    }
}
