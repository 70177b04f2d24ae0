//! Partial reliability (RFC 3758): messages that are given up, and telling the peer.
//!
//! A message is given up when a chunk of it would have to be sent again and its lifetime is over, or the
//! chunk has been sent as often as it may. All its chunks go together, those not yet sent too. The peer is
//! told how far it need not wait (the advanced ack point) when that changes, and once in a round trip as
//! long as its SACKs fall short of it: each of many SACKs under way would else be answered, and the answer by
//! another SACK.

use std::time::Instant;

use super::flight::{Sent, State};
use super::{Outbox, Sender};
use crate::sctp::serial::Tsn;
use crate::sctp::wire::data::{END, UNORDERED};
use crate::sctp::wire::forward::{Forward, Skipped};

impl Sender {
    /// Gives up what would be sent again next, as long as it is time to.
    pub(crate) fn give_up_due(&mut self, now: Instant, outbox: &mut Outbox) {
        while let Some(tsn) = self.flight.next_lost(None) {
            if !self.give_up(now, tsn, outbox) {
                break;
            }
        }
    }

    /// Gives up the message of a lost chunk if it is time.
    fn give_up(&mut self, now: Instant, tsn: u64, outbox: &mut Outbox) -> bool {
        let Some(chunk) = self.flight.chunk(tsn) else { return false };
        if !self.is_over(now, chunk) {
            return false;
        }
        let (stream, flags, number, fsn) = (chunk.stream, chunk.flags, chunk.number, chunk.fsn);
        let same = |sender: &Self, at: u64, fsn: u32| {
            sender.flight.chunk(at).is_some_and(|chunk| {
                chunk.stream == stream
                    && (chunk.flags ^ flags) & UNORDERED == 0
                    && chunk.number == number
                    && chunk.fsn == fsn
            })
        };
        let mut first = tsn;
        let mut position = fsn;
        // With interleaving, chunks of others lie between.
        let mut at = tsn;
        while position > 0 && at > self.flight.first() {
            at -= 1;
            if same(self, at, position - 1) {
                position -= 1;
                first = at;
            }
        }
        let mut ended = false;
        position = self.flight.chunk(first).map_or(fsn, |chunk| chunk.fsn);
        for at in first..self.flight.next_tsn() {
            if same(self, at, position) {
                ended = self.flight.chunk(at).is_some_and(|chunk| chunk.flags & END != 0);
                self.flight.abandon(at, &mut self.books);
                position += 1;
                if ended {
                    break;
                }
            }
        }
        if !ended && outbox.abandon(stream, flags & UNORDERED != 0, number) {
            // The peer may have received all that was sent. Only a TSN beyond that makes it believe that
            // the rest will not come.
            self.flight.add_abandoned(stream, flags & UNORDERED | END, number);
        }
        self.advance_forward(now);
        true
    }

    /// Whether a lost chunk is not to be sent again.
    pub(super) fn is_over(&self, now: Instant, chunk: &Sent) -> bool {
        let late = chunk.until.is_some_and(|until| until <= now);
        // The most there is means as often as it takes.
        let often = chunk.most_sends != u16::MAX && chunk.sends >= chunk.most_sends;
        self.partial && (late || often)
    }

    /// The last TSN that the peer need not wait for.
    fn advanced(&self) -> u64 {
        let mut tsn = self.flight.first();
        while self.flight.chunk(tsn).is_some_and(|chunk| chunk.state == State::Abandoned) {
            tsn += 1;
        }
        tsn - 1
    }

    /// RFC 3758 §3.5 C: there is something to tell.
    pub(super) fn advance_forward(&mut self, now: Instant) {
        let reached = self.advanced();
        let wait = self.round_trip.smoothed().unwrap_or_default();
        let due = self.forward_told.is_none_or(|(told, at)| told < reached || now >= at + wait);
        let short = reached >= self.flight.first();
        if short && due && !self.forward_pending {
            self.forward_told = Some((reached, now));
        }
        self.forward_pending = short && (due || self.forward_pending);
    }

    pub(crate) fn has_forward(&self) -> bool {
        self.forward_pending
    }

    /// Appends the value of a FORWARD TSN or I-FORWARD-TSN.
    pub(crate) fn write_forward(&mut self, buf: &mut Vec<u8>, room: usize) {
        self.forward_pending = false;
        let entry = if self.interleaved { 8 } else { 4 };
        let most = room.saturating_sub(8) / entry;
        let mut skipped: Vec<Skipped> = Vec::new();
        let mut reached = self.flight.first() - 1;
        for tsn in self.flight.first()..=self.advanced() {
            let Some(chunk) = self.flight.chunk(tsn) else { break };
            let unordered = chunk.flags & UNORDERED != 0;
            // RFC 3758 §3.5 C: unordered DATA is not listed; it has no number.
            if self.interleaved || !unordered {
                let known = skipped
                    .iter()
                    .position(|known| known.stream == chunk.stream && known.unordered == unordered);
                match known {
                    Some(at) => skipped[at].last = chunk.number,
                    None if skipped.len() == most => break,
                    None => skipped.push(Skipped {
                        stream: chunk.stream,
                        unordered,
                        last: chunk.number,
                    }),
                }
            }
            reached = tsn;
        }
        // With what had no room, it is not all.
        self.forward_told = self.forward_told.map(|(_, at)| (reached, at));
        Forward::write(buf, Tsn::of(reached), self.interleaved, &skipped);
    }
}
