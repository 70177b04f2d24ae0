//! What waits to be sent: a queue of messages per stream, and which stream is next.
//!
//! Streams share by weight: each has a clock that runs on by the bytes it sends, slower the heavier it is,
//! and the one whose clock is furthest behind is next (weighted fair queueing, RFC 8260 §3.6). A stream
//! that begins anew starts at the clock of the one served last, so that idleness earns nothing. Without
//! interleaving a message that has begun is finished first (RFC 9260 §6.9).
//!
//! With interleaving many messages may have begun, and the peer holds what has come of each. If they filled
//! its window, none could be finished and nothing would ever move again. So all that have begun but the
//! longest take half the largest window it has told of at most. What would be more waits aside for its turn;
//! small messages never do.
//!
//! A stream that is to be reset is held (RFC 6525 §5.1.2 A1): what belongs before the reset still leaves,
//! what is queued later waits until the peer has answered.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::turns::Turns;
use crate::sctp::wire::data::{BEGINNING, END, UNORDERED};
use crate::sctp::wire::{data, i_data};
use crate::sctp::{Reliability, SendOptions};

/// Clocks run in bytes, times this, over the weight.
const SCALE: u64 = 1 << 16;

/// The weight of streams that have been given none (RFC 8831 §6.4: normal).
const WEIGHT: u16 = 256;

/// Messages that begin however many others have: most fit into one chunk.
const SMALL: usize = 1024;

/// Streams that get their turn again when a message that had begun is done with.
const RECALLED: usize = 4;

/// A fragment is not made smaller than this only to fill up a packet.
const SMALLEST: usize = 256;

/// What a message that waits is reckoned to cost beside its bytes: its place in a queue that has room for
/// half as many more, and what an allocator takes for the shortest of payloads.
const MESSAGE: usize = 160;

/// A queue that has become empty keeps room for this many messages at most.
const ROOM_KEPT: usize = 64;

/// A message, or what is left of it.
#[derive(Debug)]
struct Pending {
    payload: Bytes,
    /// Its bytes when it was queued.
    length: usize,
    ppid: u32,
    unordered: bool,
    until: Option<Instant>,
    most_sends: u16,
    number: u32,
    fsn: u32,
    begun: bool,
}

#[derive(Debug, Default)]
struct Outbound {
    queue: VecDeque<Pending>,
    buffered: usize,
    weight: u16,
    clock: u64,
    next_ordered: u32,
    next_unordered: u32,
    /// While it is held for a reset: how many of its messages still leave.
    held: Option<usize>,
    /// It is among those that have less waiting.
    shrunk: bool,
}

/// A piece of a message as it goes into a chunk.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) stream: u16,
    pub(crate) flags: u8,
    pub(crate) number: u32,
    pub(crate) fsn: u32,
    pub(crate) ppid: u32,
    pub(crate) payload: Bytes,
    pub(crate) until: Option<Instant>,
    pub(crate) most_sends: u16,
}

/// Everything that waits.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    streams: FxHashMap<u16, Outbound>,
    /// Streams with something to send, by their clocks.
    turns: Turns,
    /// With interleaving, messages that have begun and take more than a chunk: length and stream.
    begun: BTreeSet<(usize, u16)>,
    begun_bytes: usize,
    /// Streams whose next message must not begin yet, by their clocks.
    aside: BTreeSet<(u64, u16)>,
    /// The largest window that the peer has told of.
    pub(crate) window: u64,
    /// The stream whose message has begun, without interleaving.
    current: Option<u16>,
    clock: u64,
    buffered: usize,
    messages: usize,
    pub(crate) interleaved: bool,
    /// Streams that are held and have nothing more to send before their reset; not yet told.
    drained: Vec<u16>,
    /// Streams that have less waiting than when they were last asked for, if somebody asks.
    shrunk: Vec<u16>,
    watched: bool,
    /// All streams are held, those too that nothing has been sent on yet.
    all_held: bool,
}

impl Outbox {
    /// Bytes that wait in all streams.
    pub(crate) fn buffered(&self) -> usize {
        self.buffered
    }

    /// What they take beside their bytes, in all streams, and another message with them.
    pub(crate) fn cost_with_another(&self) -> usize {
        (self.messages + 1) * MESSAGE
    }

    /// Bytes that wait in one stream.
    pub(crate) fn buffered_in(&self, stream: u16) -> usize {
        self.streams.get(&stream).map_or(0, |outbound| outbound.buffered)
    }

    /// An empty one, for another association of those who use this.
    pub(crate) fn renewed(&self) -> Self {
        Self { watched: self.watched, ..Self::default() }
    }

    /// From now on it is told which streams have come to have less waiting.
    pub(crate) fn watch(&mut self) {
        self.watched = true;
    }

    /// Those streams, each once.
    pub(crate) fn take_shrunk(&mut self) -> Vec<u16> {
        let shrunk = std::mem::take(&mut self.shrunk);
        for stream in &shrunk {
            if let Some(outbound) = self.streams.get_mut(stream) {
                outbound.shrunk = false;
            }
        }
        shrunk
    }

    /// A stream has so much less waiting.
    fn shrink(&mut self, stream: u16, bytes: usize) {
        let Some(outbound) = self.streams.get_mut(&stream) else { return };
        outbound.buffered -= bytes;
        self.buffered -= bytes;
        if self.watched && !outbound.shrunk {
            outbound.shrunk = true;
            self.shrunk.push(stream);
        }
    }

    pub(crate) fn has_pieces(&self) -> bool {
        self.current.is_some() || !self.turns.is_empty() || !self.aside.is_empty()
    }

    pub(crate) fn set_weight(&mut self, stream: u16, weight: u16) {
        let outbound = self.outbound(stream);
        outbound.weight = weight.max(1);
        // What is as if it had never been needs no entry.
        if weight == WEIGHT
            && outbound.held.is_none()
            && outbound.queue.is_empty()
            && (outbound.next_ordered, outbound.next_unordered) == (0, 0)
        {
            self.streams.remove(&stream);
        }
    }

    fn outbound(&mut self, stream: u16) -> &mut Outbound {
        let held = self.all_held.then_some(0);
        self.streams.entry(stream).or_insert_with(|| Outbound {
            weight: WEIGHT,
            held,
            ..Outbound::default()
        })
    }

    pub(crate) fn push(
        &mut self,
        now: Instant,
        stream: u16,
        ppid: u32,
        payload: Bytes,
        options: SendOptions,
    ) {
        let (until, most_sends) = match options.reliability {
            Reliability::Reliable => (None, u16::MAX),
            Reliability::Lifetime(span) => (now.checked_add(span), u16::MAX),
            Reliability::Retransmits(times) => (None, times.saturating_add(1)),
        };
        let clock = self.clock;
        self.buffered += payload.len();
        self.messages += 1;
        let outbound = self.outbound(stream);
        outbound.buffered += payload.len();
        outbound.queue.push_back(Pending {
            length: payload.len(),
            payload,
            ppid,
            unordered: options.unordered,
            until,
            most_sends,
            number: 0,
            fsn: 0,
            begun: false,
        });
        if outbound.queue.len() == 1 && outbound.held.is_none() {
            outbound.clock = outbound.clock.max(clock);
            let turn = (outbound.clock, stream);
            self.turns.insert(turn);
        }
    }

    /// The next piece for a chunk of at most `room` bytes, header included. `fresh` if the packet is
    /// empty, so that there will be no more room in another.
    pub(crate) fn take(&mut self, now: Instant, room: usize, fresh: bool) -> Option<Piece> {
        let overhead = if self.interleaved { i_data::OVERHEAD } else { data::OVERHEAD };
        let room = room.checked_sub(overhead).filter(|room| *room > 0)? & !3;
        let stream = self.next_stream(now, room)?;
        let outbound = self.streams.get_mut(&stream)?;
        let pending = outbound.queue.front_mut()?;
        if pending.payload.len() > room && room < SMALLEST && !fresh {
            return None;
        }
        let mut flags = if pending.unordered { UNORDERED } else { 0 };
        if !pending.begun {
            flags |= BEGINNING;
            pending.begun = true;
            if self.interleaved
                && pending.length > room
                && self.begun.insert((pending.length, stream))
            {
                self.begun_bytes += pending.length;
            }
            // RFC 8260 §2.1: unordered messages have MIDs of their own; with DATA they have no number.
            pending.number = match (pending.unordered, self.interleaved) {
                (true, true) => counted(&mut outbound.next_unordered),
                (true, false) => 0,
                (false, _) => counted(&mut outbound.next_ordered),
            };
        }
        let payload = pending.payload.split_to(room.min(pending.payload.len()));
        if pending.payload.is_empty() {
            flags |= END;
        }
        let piece = Piece {
            stream,
            flags,
            number: pending.number,
            fsn: pending.fsn,
            ppid: pending.ppid,
            payload,
            until: pending.until,
            most_sends: pending.most_sends,
        };
        pending.fsn = pending.fsn.wrapping_add(1);
        self.turn(stream, piece.payload.len(), flags & END != 0);
        Some(piece)
    }

    /// Whose turn it is; sets aside those that must not begin.
    fn next_stream(&mut self, now: Instant, room: usize) -> Option<u16> {
        loop {
            self.drop_expired(now);
            if self.current.is_some() {
                return self.current;
            }
            let Some((clock, stream)) = self.turns.first() else {
                // What was recalled may have been too late to be sent.
                if self.recall() {
                    continue;
                }
                return None;
            };
            let pending = self.streams.get(&stream)?.queue.front()?;
            if !self.interleaved || pending.begun || pending.length <= room.max(SMALL) {
                return Some(stream);
            }
            let longest = self.begun.last().map_or(0, |(length, _)| *length).max(pending.length);
            let others = self.begun_bytes + pending.length - longest;
            if others as u64 <= self.window / 2 {
                return Some(stream);
            }
            self.turns.remove((clock, stream));
            self.aside.insert((clock, stream));
        }
    }

    /// A message that had begun is done with: the next may have its place.
    fn end_begun(&mut self, length: usize, stream: u16) {
        if !self.begun.remove(&(length, stream)) {
            return;
        }
        self.begun_bytes -= length;
        for _ in 0..RECALLED {
            self.recall();
        }
    }

    /// Gives the stream aside whose clock is furthest behind its turn again; false if there is none.
    fn recall(&mut self) -> bool {
        let Some(turn) = self.aside.pop_first() else { return false };
        self.turns.insert(turn);
        true
    }

    /// Moves the stream's clock on after a piece.
    fn turn(&mut self, stream: u16, sent: usize, ended: bool) {
        self.shrink(stream, sent);
        let Some(outbound) = self.streams.get_mut(&stream) else { return };
        self.turns.remove((outbound.clock, stream));
        self.clock = self.clock.max(outbound.clock);
        outbound.clock += sent as u64 * SCALE / u64::from(outbound.weight);
        let done = if ended { outbound.pop() } else { None };
        self.messages -= usize::from(done.is_some());
        if done.is_some() && outbound.count_down() {
            self.drained.push(stream);
        }
        self.current = (!ended && !self.interleaved).then_some(stream);
        if outbound.has_turn() {
            let turn = (outbound.clock, stream);
            self.turns.insert(turn);
        }
        if let Some(done) = done {
            self.end_begun(done.length, stream);
        }
    }

    /// RFC 3758 §3.5 A1: what has not been sent in time, and has not begun, is never sent.
    fn drop_expired(&mut self, now: Instant) {
        while self.current.is_none()
            && let Some((clock, stream)) = self.turns.first()
            && let Some(outbound) = self.streams.get_mut(&stream)
            && let Some(pending) = outbound.queue.front()
            && !pending.begun
            && pending.until.is_some_and(|until| until < now)
        {
            let late = pending.payload.len();
            outbound.pop();
            self.messages -= 1;
            self.shrink(stream, late);
            let Some(outbound) = self.streams.get_mut(&stream) else { break };
            if outbound.count_down() {
                self.drained.push(stream);
            }
            if !outbound.has_turn() {
                self.turns.remove((clock, stream));
            }
        }
    }

    /// Gives up what is left of the message that the stream has begun; false if nothing was.
    pub(crate) fn abandon(&mut self, stream: u16, unordered: bool, number: u32) -> bool {
        let Some(outbound) = self.streams.get_mut(&stream) else { return false };
        let Some(pending) = outbound.queue.front() else { return false };
        let same = pending.unordered == unordered && pending.number == number;
        if !pending.begun || !same {
            return false;
        }
        let left = pending.payload.len();
        self.shrink(stream, left);
        // What never leaves takes nothing from the stream's share.
        self.turn(stream, 0, true);
        true
    }

    /// Holds a stream for its reset. Of what waits, everything still leaves, or only the message that has
    /// begun; what is queued from now on waits for [`release()`](Self::release).
    pub(crate) fn hold(&mut self, stream: u16, everything: bool) {
        let outbound = self.outbound(stream);
        if outbound.held.is_some() && !outbound.is_idle() {
            return;
        }
        let begun = outbound.queue.front().is_some_and(|pending| pending.begun);
        let before = if everything { outbound.queue.len() } else { usize::from(begun) };
        outbound.held = Some(before);
        if before == 0 {
            let turn = (outbound.clock, stream);
            self.turns.remove(turn);
            self.aside.remove(&turn);
            self.drained.push(stream);
        }
    }

    /// Holds all streams, with nothing to leave but the messages that have begun.
    pub(crate) fn hold_all(&mut self) -> Vec<u16> {
        let streams = self.known();
        for stream in &streams {
            self.hold(*stream, false);
        }
        self.all_held = true;
        streams
    }

    /// Lets a held stream go on; with numbers from the beginning if it has been reset (RFC 6525 §5.2.2 E3).
    pub(crate) fn release(&mut self, stream: u16, anew: bool) {
        let Some(outbound) = self.streams.get_mut(&stream) else { return };
        outbound.held = None;
        if anew {
            (outbound.next_ordered, outbound.next_unordered) = (0, 0);
        }
        if !outbound.queue.is_empty() {
            self.turns.remove((outbound.clock, stream));
            self.aside.remove(&(outbound.clock, stream));
            outbound.clock = outbound.clock.max(self.clock);
            self.turns.insert((outbound.clock, stream));
        } else if anew && outbound.weight == WEIGHT {
            self.streams.remove(&stream);
        }
    }

    /// The same for all.
    pub(crate) fn release_all(&mut self, anew: bool) {
        self.all_held = false;
        for stream in self.known() {
            self.release(stream, anew);
        }
    }

    pub(crate) fn has_drained(&self) -> bool {
        !self.drained.is_empty()
    }

    /// Streams that have come to have nothing more to send before their reset.
    pub(crate) fn take_drained(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.drained)
    }

    /// Drops what a stream has not begun to send.
    pub(crate) fn discard(&mut self, stream: u16) {
        let Some(outbound) = self.streams.get_mut(&stream) else { return };
        let keep = usize::from(outbound.queue.front().is_some_and(|pending| pending.begun));
        let messages = outbound.queue.len() - keep;
        let dropped: usize =
            outbound.queue.drain(keep..).map(|pending| pending.payload.len()).sum();
        outbound.trim();
        self.messages -= messages;
        self.shrink(stream, dropped);
        let Some(outbound) = self.streams.get_mut(&stream) else { return };
        if keep == 0 {
            self.turns.remove((outbound.clock, stream));
            self.aside.remove(&(outbound.clock, stream));
        }
        if let Some(before) = outbound.held.as_mut().filter(|before| **before > keep) {
            *before = keep;
            if keep == 0 {
                self.drained.push(stream);
            }
        }
    }

    /// Drops what waits for streams from `limit` on: the peer takes no more.
    pub(crate) fn discard_from(&mut self, limit: u16) {
        for stream in self.known().into_iter().filter(|stream| *stream >= limit) {
            self.discard(stream);
        }
    }

    /// The stream's next messages have this number.
    #[cfg(test)]
    pub(crate) fn begin_at(&mut self, stream: u16, number: u32) {
        let outbound = self.outbound(stream);
        (outbound.next_ordered, outbound.next_unordered) = (number, number);
    }

    /// Streams with an entry, in order.
    fn known(&self) -> Vec<u16> {
        let mut known: Vec<u16> = self.streams.keys().copied().collect();
        known.sort_unstable();
        known
    }
}

impl Outbound {
    /// Takes the first message away.
    fn pop(&mut self) -> Option<Pending> {
        let first = self.queue.pop_front();
        self.trim();
        first
    }

    /// Many streams that have had much to send, one after another, keep no room for it.
    fn trim(&mut self) {
        if self.queue.is_empty() && self.queue.capacity() > ROOM_KEPT {
            self.queue = VecDeque::new();
        }
    }

    /// A message is done with. True if it was the last before a reset.
    fn count_down(&mut self) -> bool {
        let Some(before) = &mut self.held else { return false };
        *before = before.saturating_sub(1);
        *before == 0
    }

    /// Whether it has something to send now.
    fn has_turn(&self) -> bool {
        !self.queue.is_empty() && self.held != Some(0)
    }

    /// Whether it is held without anything to leave.
    fn is_idle(&self) -> bool {
        self.held == Some(0)
    }
}

/// Gives a number and moves on.
fn counted(next: &mut u32) -> u32 {
    let number = *next;
    *next = next.wrapping_add(1);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_reckoned_with_what_it_takes() {
        // Queues double: half full they take twice what is in them.
        let (place, allocation) = (size_of::<Pending>() * 3 / 2, 32);
        assert!(place + allocation <= MESSAGE, "{}", place + allocation);
    }

    #[test]
    fn what_has_left_or_was_dropped_costs_nothing_any_more() {
        let now = talkie_sansio::conformance::genesis().now;
        let mut outbox = Outbox::default();
        let empty = outbox.cost_with_another();
        let span = std::time::Duration::from_millis(1);
        let late = SendOptions { reliability: Reliability::Lifetime(span), unordered: false };
        for stream in 0..3 {
            for _ in 0..1000 {
                let payload = Bytes::from_static(b"x");
                let options = if stream == 2 { late } else { SendOptions::default() };
                outbox.push(now, stream, 51, payload, options);
            }
        }
        assert_eq!(outbox.cost_with_another() - empty, 3000 * MESSAGE);
        outbox.discard(1);
        assert_eq!(outbox.cost_with_another() - empty, 2000 * MESSAGE);
        while outbox.take(now + 2 * span, 1000, true).is_some() {}
        assert_eq!((outbox.cost_with_another(), outbox.buffered()), (empty, 0));
        assert!(outbox.streams.values().all(|outbound| outbound.queue.capacity() <= ROOM_KEPT));
    }
}
