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

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use rustc_hash::FxHashMap;

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
    turns: BTreeSet<(u64, u16)>,
    /// With interleaving, messages that have begun and take more than a chunk: length and stream.
    begun: BTreeSet<(usize, u16)>,
    begun_bytes: usize,
    /// Streams whose next message must not begin yet.
    aside: VecDeque<u16>,
    /// The largest window that the peer has told of.
    pub(crate) window: u64,
    /// The stream whose message has begun, without interleaving.
    current: Option<u16>,
    clock: u64,
    buffered: usize,
    pub(crate) interleaved: bool,
}

impl Outbox {
    /// Bytes that wait in all streams.
    pub(crate) fn buffered(&self) -> usize {
        self.buffered
    }

    /// Bytes that wait in one stream.
    pub(crate) fn buffered_in(&self, stream: u16) -> usize {
        self.streams.get(&stream).map_or(0, |outbound| outbound.buffered)
    }

    pub(crate) fn has_pieces(&self) -> bool {
        self.current.is_some() || !self.turns.is_empty() || !self.aside.is_empty()
    }

    pub(crate) fn set_weight(&mut self, stream: u16, weight: u16) {
        self.outbound(stream).weight = weight.max(1);
    }

    fn outbound(&mut self, stream: u16) -> &mut Outbound {
        self.streams
            .entry(stream)
            .or_insert_with(|| Outbound { weight: WEIGHT, ..Outbound::default() })
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
        if outbound.queue.len() == 1 {
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
            let Some(&(clock, stream)) = self.turns.first() else {
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
            self.turns.remove(&(clock, stream));
            self.aside.push_back(stream);
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

    /// Gives the stream that has been aside longest its turn again; false if there is none.
    fn recall(&mut self) -> bool {
        while let Some(stream) = self.aside.pop_front() {
            let Some(outbound) = self.streams.get(&stream) else { continue };
            if !outbound.queue.is_empty() {
                return self.turns.insert((outbound.clock, stream));
            }
        }
        false
    }

    /// Moves the stream's clock on after a piece.
    fn turn(&mut self, stream: u16, sent: usize, ended: bool) {
        let Some(outbound) = self.streams.get_mut(&stream) else { return };
        outbound.buffered -= sent;
        self.buffered -= sent;
        self.turns.remove(&(outbound.clock, stream));
        self.clock = self.clock.max(outbound.clock);
        outbound.clock += sent as u64 * SCALE / u64::from(outbound.weight);
        let done = if ended { outbound.queue.pop_front() } else { None };
        self.current = (!ended && !self.interleaved).then_some(stream);
        if !outbound.queue.is_empty() {
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
            && let Some(&(clock, stream)) = self.turns.first()
            && let Some(outbound) = self.streams.get_mut(&stream)
            && let Some(pending) = outbound.queue.front()
            && !pending.begun
            && pending.until.is_some_and(|until| until <= now)
        {
            outbound.buffered -= pending.payload.len();
            self.buffered -= pending.payload.len();
            outbound.queue.pop_front();
            if outbound.queue.is_empty() {
                self.turns.remove(&(clock, stream));
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
        outbound.buffered -= left;
        self.buffered -= left;
        // What never leaves takes nothing from the stream's share.
        self.turn(stream, 0, true);
        true
    }
}

/// Gives a number and moves on.
fn counted(next: &mut u32) -> u32 {
    let number = *next;
    *next = next.wrapping_add(1);
    number
}
