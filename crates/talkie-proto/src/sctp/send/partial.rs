//! Partial reliability (RFC 3758): messages that are given up, and telling the peer.
//!
//! A message is given up when a chunk of it would have to be sent again and its lifetime is over, or the
//! chunk has been sent as often as it may. All its chunks go together, those not yet sent too. The peer is
//! told how far it need not wait (the advanced ack point) when that changes, and once in a round trip as
//! long as its SACKs fall short of it: each of many SACKs under way would else be answered, and the answer by
//! another SACK.

use std::time::{Duration, Instant};

use super::flight::{Flight, Sent};
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
        let (stream, flags, number) = (chunk.stream, chunk.flags, chunk.number);
        let mut ended = false;
        let mut next = Some(self.flight.first_of_message(tsn));
        while let Some(at) = next {
            ended = self.flight.chunk(at).is_some_and(|chunk| chunk.flags & END != 0);
            self.flight.abandon(at, &mut self.books);
            next = self.flight.next_of_message(at);
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
        let late = chunk.until.is_some_and(|until| until < now);
        // The most there is means as often as it takes.
        let often = chunk.most_sends != u16::MAX && chunk.sends >= chunk.most_sends;
        self.partial && (late || often)
    }

    /// RFC 3758 §3.5 C: there is something to tell.
    pub(super) fn advance_forward(&mut self, now: Instant) {
        let reached = self.flight.advanced() - 1;
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

    /// Bytes of the value of the FORWARD TSN or I-FORWARD-TSN that is to be sent.
    pub(crate) fn forward_size(&mut self) -> usize {
        let entry = if self.interleaved { 8 } else { 4 };
        // It fits into the shortest packet.
        let most = usize::try_from(self.reserve).unwrap_or(0).saturating_sub(16) / entry;
        self.skips.advance(&mut self.flight, self.interleaved, most);
        4 + self.skips.entries.len() * entry
    }

    /// The round trip of a FORWARD TSN, if the cumulative TSN answers one that was told once. Where all that is
    /// under way is given up there is no other measure, and nothing else would end the doubling of timeouts.
    pub(super) fn forward_round_trip(&mut self, now: Instant, cumulative: u64) -> Option<Duration> {
        let answers = cumulative >= self.forward_most;
        let at = self.forward_once.take_if(|at| answers && *at >= self.since)?;
        let elapsed = now.saturating_duration_since(at);
        // Sooner than any answer: what was given up has come after all.
        let least = self.round_trip.least().unwrap_or_default();
        (elapsed >= least).then_some(elapsed)
    }

    /// Appends that value.
    pub(crate) fn write_forward(&mut self, buf: &mut Vec<u8>) {
        self.forward_pending = false;
        let reached = self.skips.reached;
        // With what had no room, it is not all.
        self.forward_told = self.forward_told.map(|(_, at)| (reached, at));
        // RFC 9260 §6.3.1 C5: what is told again measures nothing.
        let news = reached > self.forward_most;
        self.forward_most = self.forward_most.max(reached);
        if self.trial.is_some() {
            self.told_first.get_or_insert(reached);
        }
        self.forward_once = self.forward_told.map(|(_, at)| at).filter(|_| news);
        let skipped: Vec<_> = self.skips.entries.iter().map(|(_, skipped)| *skipped).collect();
        Forward::write(buf, Tsn::of(reached), self.interleaved, &skipped);
    }
}

/// Streams on which the peer goes on, and where, as far as it has not said that it does. Kept from one FORWARD
/// TSN to the next, so that what has been given up is looked at once.
#[derive(Debug, Default)]
pub(super) struct Skips {
    /// With the TSN that the last number of each had.
    entries: Vec<(u64, Skipped)>,
    /// The last TSN that they tell of.
    reached: u64,
}

impl Skips {
    fn advance(&mut self, flight: &mut Flight, interleaved: bool, most: usize) {
        let (first, end) = (flight.first(), flight.advanced());
        self.entries.retain(|(tsn, _)| *tsn >= first);
        self.reached = self.reached.max(first - 1);
        for tsn in self.reached + 1..end {
            let Some(chunk) = flight.chunk(tsn) else { break };
            let unordered = chunk.flags & UNORDERED != 0;
            // RFC 3758 §3.5 C: unordered DATA is not listed; it has no number.
            if interleaved || !unordered {
                let same = |(_, known): &&mut (u64, Skipped)| {
                    known.stream == chunk.stream && known.unordered == unordered
                };
                let has_room = self.entries.len() < most;
                match self.entries.iter_mut().find(same) {
                    Some((at, known)) => (*at, known.last) = (tsn, chunk.number),
                    None if !has_room => break,
                    None => {
                        let (stream, last) = (chunk.stream, chunk.number);
                        self.entries.push((tsn, Skipped { stream, unordered, last }));
                    }
                }
            }
            self.reached = tsn;
        }
    }
}
