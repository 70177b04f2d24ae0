//! What has been sent and is not settled: chunks by their TSN, and the packets they left in, in order.
//!
//! Both are rings indexed by a number that only grows, so that an acknowledgment costs what it newly
//! acknowledges, however much is in flight. The chunks of a packet are a list through the chunk ring, in
//! ascending order; a packet knows the first that is still there. Ranges that have been acknowledged
//! beyond the cumulative TSN are kept, so that a SACK that tells them again costs nothing per TSN.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use self::kept::Kept;
use super::books::{Books, Snapshot};
use crate::sctp::wire::data::{BEGINNING, END};

mod kept;
#[cfg(test)]
mod tests;

/// What has become of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    InFlight,
    /// Taken for lost, and to be sent again.
    Lost,
    /// Acknowledged, though not cumulatively.
    Acked,
    /// Never sent again; the peer is or will be told so.
    Abandoned,
}

/// A DATA or I-DATA chunk that has been sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) payload: Bytes,
    pub(crate) until: Option<Instant>,
    pub(super) packet: u64,
    /// The chunk after it in its packet, as distance of TSNs; 0 for none.
    next: u32,
    /// The same for the chunks of its message: the one before and the one after.
    before: u32,
    after: u32,
    pub(crate) number: u32,
    pub(crate) fsn: u32,
    pub(crate) ppid: u32,
    pub(crate) size: u32,
    pub(crate) stream: u16,
    pub(crate) sends: u16,
    pub(crate) most_sends: u16,
    pub(crate) flags: u8,
    pub(crate) state: State,
}

/// A packet that has left.
#[derive(Debug)]
pub(crate) struct Packet {
    /// The first of its chunks that is still in the ring.
    first: u64,
    last: u64,
    /// Bytes of its chunks that are in flight.
    pub(crate) in_flight: u32,
    pub(crate) retransmission: bool,
    pub(crate) snapshot: Snapshot,
}

/// The newest packet of which an acknowledgment told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newest {
    pub(crate) packet: u64,
    pub(crate) snapshot: Snapshot,
    pub(crate) retransmission: bool,
}

/// What one SACK has settled.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) bytes: u64,
    pub(crate) newest: Option<Newest>,
    /// Chunks acknowledged that had been taken for lost and not been sent again.
    pub(crate) found: u32,
    /// The newest packet of which it told that a timeout had taken for lost, and of which nothing had been sent
    /// again.
    pub(crate) original: Option<Newest>,
    /// The oldest packet of which it told, if that had not been sent again.
    pub(crate) oldest: Option<u64>,
    /// The last TSN of which it told that had been given up, and its packet.
    pub(crate) given_up: Option<(u64, u64)>,
}

#[derive(Debug)]
pub(crate) struct Flight {
    chunks: VecDeque<Sent>,
    /// The TSN of the first chunk.
    base: u64,
    packets: VecDeque<Packet>,
    /// The number of the first packet.
    packet_base: u64,
    /// First and last of what has been acknowledged beyond the cumulative TSN; no two ranges touch.
    acked: VecDeque<(u64, u64)>,
    /// TSNs to be sent again.
    lost: VecDeque<u64>,
    /// The last TSN of messages that have not left to their end, by stream.
    begun: FxHashMap<u16, u64>,
    /// All TSNs before this one have been given up.
    advanced: u64,
    /// How many chunks are lost; others may still stand in the queue.
    waiting: usize,
    /// Bytes of payload that the peer may have to hold.
    outstanding: u64,
    kept: Option<Kept>,
}

impl Flight {
    pub(crate) fn new(first: u64) -> Self {
        Self {
            chunks: VecDeque::new(),
            base: first,
            packets: VecDeque::new(),
            packet_base: 0,
            acked: VecDeque::new(),
            lost: VecDeque::new(),
            begun: FxHashMap::default(),
            advanced: first,
            waiting: 0,
            outstanding: 0,
            kept: None,
        }
    }

    /// The TSN that the next new chunk gets.
    pub(crate) fn next_tsn(&self) -> u64 {
        self.base + self.chunks.len() as u64
    }

    pub(crate) fn next_packet(&self) -> u64 {
        self.packet_base + self.packets.len() as u64
    }

    /// The first TSN that has not been acknowledged cumulatively.
    pub(crate) fn first(&self) -> u64 {
        self.base
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Bytes of payload that have not been acknowledged.
    pub(crate) fn outstanding(&self) -> u64 {
        self.outstanding
    }

    pub(crate) fn chunk(&self, tsn: u64) -> Option<&Sent> {
        self.chunks.get(usize::try_from(tsn.checked_sub(self.base)?).ok()?)
    }

    fn chunk_mut(&mut self, tsn: u64) -> Option<&mut Sent> {
        self.chunks.get_mut(usize::try_from(tsn.checked_sub(self.base)?).ok()?)
    }

    pub(crate) fn packet(&self, number: u64) -> Option<&Packet> {
        self.packets.get(usize::try_from(number.checked_sub(self.packet_base)?).ok()?)
    }

    fn packet_mut(&mut self, number: u64) -> Option<&mut Packet> {
        self.packets.get_mut(usize::try_from(number.checked_sub(self.packet_base)?).ok()?)
    }

    /// When a chunk left last, if it has not been acknowledged cumulatively.
    pub(crate) fn sent_at(&self, tsn: u64) -> Option<Instant> {
        Some(self.packet(self.chunk(tsn)?.packet)?.snapshot.sent_at)
    }

    /// The oldest packet with something in flight.
    pub(crate) fn oldest_packet(&mut self) -> Option<u64> {
        if let Some(kept) = self.kept {
            return self.oldest_behind(kept);
        }
        while self.packets.front().is_some_and(|packet| packet.in_flight == 0) {
            self.packets.pop_front();
            self.packet_base += 1;
        }
        (!self.packets.is_empty()).then_some(self.packet_base)
    }

    /// Begins a packet; chunks are added by [`add`](Self::add).
    pub(crate) fn begin_packet(&mut self, snapshot: Snapshot) {
        self.packets.push_back(Packet {
            first: u64::MAX,
            last: 0,
            in_flight: 0,
            retransmission: false,
            snapshot,
        });
    }

    /// The packet that has begun is complete.
    pub(crate) fn end_packet(&mut self, now: Instant, books: &mut Books) -> Snapshot {
        let packet = self.packets.back_mut().expect("a packet has begun");
        packet.snapshot = books.snapshot(now, packet.in_flight.into());
        packet.snapshot
    }

    /// Takes back a packet to which nothing was added.
    pub(crate) fn cancel_packet(&mut self) {
        self.packets.pop_back();
    }

    /// A new chunk leaves in the packet that has begun.
    pub(crate) fn add_new(&mut self, chunk: Sent) {
        let tsn = self.next_tsn();
        self.outstanding += chunk.payload.len() as u64;
        self.push(chunk);
        self.add(tsn);
    }

    fn push(&mut self, mut chunk: Sent) {
        const WHOLE: u8 = BEGINNING | END;
        let tsn = self.next_tsn();
        if chunk.flags & WHOLE != WHOLE {
            let before = self.begun.remove(&chunk.stream).filter(|_| chunk.flags & BEGINNING == 0);
            if let Some(before) = before
                && let Ok(distance) = u32::try_from(tsn - before)
                && let Some(previous) = self.chunk_mut(before)
            {
                (previous.after, chunk.before) = (distance, distance);
            }
            if chunk.flags & END == 0 {
                self.begun.insert(chunk.stream, tsn);
            }
        }
        self.chunks.push_back(chunk);
    }

    /// The first chunk of a message that is still there.
    pub(crate) fn first_of_message(&self, mut tsn: u64) -> u64 {
        let before = |tsn: u64| self.chunk(tsn).map_or(0, |chunk| u64::from(chunk.before));
        while before(tsn) > 0 && tsn - before(tsn) >= self.base {
            tsn -= before(tsn);
        }
        tsn
    }

    /// The chunk of the same message that comes after another.
    pub(crate) fn next_of_message(&self, tsn: u64) -> Option<u64> {
        let after = self.chunk(tsn)?.after;
        (after > 0).then_some(tsn + u64::from(after))
    }

    /// The TSN before which all have been given up. It goes on only, as what is given up stays so.
    pub(crate) fn advanced(&mut self) -> u64 {
        self.advanced = self.advanced.max(self.base);
        while self.chunk(self.advanced).is_some_and(|chunk| chunk.state == State::Abandoned) {
            self.advanced += 1;
        }
        self.advanced
    }

    /// A TSN that no packet ever carries, given up from the beginning.
    pub(crate) fn add_abandoned(&mut self, stream: u16, flags: u8, number: u32) {
        self.push(Sent {
            payload: Bytes::new(),
            until: None,
            packet: u64::MAX,
            next: 0,
            before: 0,
            after: 0,
            number,
            fsn: 0,
            ppid: 0,
            size: 0,
            stream,
            sends: 0,
            most_sends: 0,
            flags,
            state: State::Abandoned,
        });
    }

    /// A chunk leaves in the packet that has begun.
    pub(crate) fn add(&mut self, tsn: u64) {
        let number = self.next_packet() - 1;
        let Some(chunk) = self.chunk_mut(tsn) else { return };
        let was_lost = chunk.state == State::Lost;
        chunk.packet = number;
        chunk.next = 0;
        chunk.state = State::InFlight;
        chunk.sends = chunk.sends.saturating_add(1);
        let (size, again) = (chunk.size, chunk.sends > 1);
        self.waiting -= usize::from(was_lost);
        let Some(packet) = self.packet_mut(number) else { return };
        packet.in_flight += size;
        packet.retransmission |= again;
        let before = packet.last;
        packet.last = tsn;
        if packet.first == u64::MAX {
            packet.first = tsn;
        } else if let Some(previous) = self.chunk_mut(before) {
            previous.next = u32::try_from(tsn - before).unwrap_or(0);
        }
    }

    /// The next chunk to be sent again that comes after `after`, if that is the very next in line: a
    /// packet's chunks are in ascending order.
    pub(crate) fn next_lost(&mut self, after: Option<u64>) -> Option<u64> {
        while let Some(&tsn) = self.lost.front() {
            if self.chunk(tsn).is_some_and(|chunk| chunk.state == State::Lost) {
                return (after.is_none_or(|after| after < tsn)).then_some(tsn);
            }
            self.lost.pop_front();
        }
        None
    }

    /// Whether something waits to be sent again.
    pub(crate) fn has_lost(&self) -> bool {
        self.waiting > 0
    }

    pub(crate) fn take_lost(&mut self) {
        self.lost.pop_front();
    }

    /// Settles what a SACK acknowledges: all up to `cumulative`, and `blocks`, in ascending order.
    pub(crate) fn settle(
        &mut self,
        cumulative: u64,
        blocks: &[(u64, u64)],
        books: &mut Books,
    ) -> Settled {
        let mut settled = Settled::default();
        while self.base <= cumulative && !self.chunks.is_empty() {
            self.settle_one(self.base, books, &mut settled);
            self.pop_chunk();
        }
        let mut acked = std::mem::take(&mut self.acked);
        while acked.pop_front_if(|range| range.1 <= cumulative).is_some() {}
        let mut at = 0;
        for &(first, last) in blocks {
            // Most tell the same as before, one after another.
            if acked.get(at).is_some_and(|range| range.1 + 1 < first) {
                at += 1;
            }
            if acked.get(at).is_some_and(|range| range.1 + 1 < first) {
                at = acked.partition_point(|range| range.1 + 1 < first);
            }
            if acked.get(at).is_some_and(|range| range.0 <= first && last <= range.1) {
                continue;
            }
            let (mut tsn, mut end, mut union) = (first, at, (first, last));
            while let Some(&range) = acked.get(end).filter(|range| range.0 <= last + 1) {
                (tsn..range.0).for_each(|tsn| self.settle_one(tsn, books, &mut settled));
                tsn = tsn.max(range.1 + 1);
                union = (union.0.min(range.0), union.1.max(range.1));
                end += 1;
            }
            (tsn..=last).for_each(|tsn| self.settle_one(tsn, books, &mut settled));
            if end == at {
                acked.insert(at, union);
            } else {
                acked[at] = union;
                acked.drain(at + 1..end);
            }
        }
        self.acked = acked;
        settled
    }

    /// One TSN is acknowledged.
    fn settle_one(&mut self, tsn: u64, books: &mut Books, settled: &mut Settled) {
        let Some(chunk) = self.chunk_mut(tsn) else { return };
        let (state, number, size) = (chunk.state, chunk.packet, chunk.size);
        if state == State::Abandoned && chunk.sends > 0 {
            settled.given_up = settled.given_up.max(Some((tsn, number)));
        }
        if matches!(state, State::Acked | State::Abandoned) {
            return;
        }
        chunk.state = State::Acked;
        let payload = chunk.payload.len() as u64;
        self.outstanding -= payload;
        settled.bytes += u64::from(size);
        books.handle_delivered(u64::from(size), state == State::InFlight);
        if state == State::Lost {
            self.waiting -= 1;
            settled.found += u32::from(!self.find(number, settled));
            return;
        }
        let Some(packet) = self.packet_mut(number) else { return };
        packet.in_flight -= size;
        let newest = Newest {
            packet: number,
            snapshot: packet.snapshot,
            retransmission: packet.retransmission,
        };
        if !packet.retransmission {
            settled.oldest = Some(settled.oldest.map_or(number, |oldest| oldest.min(number)));
        }
        if settled.newest.is_none_or(|newest| newest.packet < number) {
            settled.newest = Some(newest);
        }
    }

    fn pop_chunk(&mut self) {
        let Some(chunk) = self.chunks.pop_front() else { return };
        let tsn = self.base;
        self.base += 1;
        if let Some(packet) = self.packet_mut(chunk.packet)
            && packet.first == tsn
            && chunk.next != 0
        {
            packet.first = tsn + u64::from(chunk.next);
        }
    }

    /// A packet's chunks wait to be sent again. Tells its bytes, which are in flight no longer.
    pub(crate) fn lose(&mut self, number: u64, books: &mut Books) -> u64 {
        let Some(packet) = self.packet_mut(number) else { return 0 };
        let bytes = u64::from(std::mem::take(&mut packet.in_flight));
        let mut tsn = packet.first;
        while let Some(chunk) = self.chunk_mut(tsn) {
            let mine = chunk.packet == number;
            let next = chunk.next;
            if mine && chunk.state == State::InFlight {
                chunk.state = State::Lost;
                self.waiting += 1;
                self.lost.push_back(tsn);
            }
            if !mine || next == 0 {
                break;
            }
            tsn += u64::from(next);
        }
        books.handle_gone(bytes);
        bytes
    }

    /// The chunks of a packet that are in flight.
    pub(crate) fn tsns(&self, number: u64) -> Vec<u64> {
        let mut tsns = Vec::new();
        let mut next = self.packet(number).map(|packet| packet.first);
        while let Some(tsn) = next
            && let Some(chunk) = self.chunk(tsn).filter(|chunk| chunk.packet == number)
        {
            if chunk.state == State::InFlight {
                tsns.push(tsn);
            }
            next = (chunk.next != 0).then(|| tsn + u64::from(chunk.next));
        }
        tsns
    }

    /// Whether a TSN has been acknowledged.
    pub(crate) fn is_settled(&self, tsn: u64) -> bool {
        tsn < self.base || self.chunk(tsn).is_some_and(|chunk| chunk.state == State::Acked)
    }

    /// The newest packet with something in flight.
    pub(crate) fn newest_packet(&self) -> Option<u64> {
        let back = self.packets.iter().rposition(|packet| packet.in_flight > 0)?;
        Some(self.packet_base + back as u64)
    }

    /// What waits to be sent again does so in the order of TSNs, each of them once.
    pub(crate) fn sort_lost(&mut self) {
        let mut lost = Vec::from(std::mem::take(&mut self.lost));
        lost.sort_unstable();
        lost.dedup();
        self.lost = lost.into();
    }

    /// A chunk is given up.
    pub(crate) fn abandon(&mut self, tsn: u64, books: &mut Books) {
        let Some(chunk) = self.chunk_mut(tsn) else { return };
        let (state, number, size) = (chunk.state, chunk.packet, chunk.size);
        if matches!(state, State::Acked | State::Abandoned) {
            return;
        }
        chunk.state = State::Abandoned;
        let payload = std::mem::take(&mut chunk.payload).len() as u64;
        self.outstanding -= payload;
        self.waiting -= usize::from(state == State::Lost);
        if state == State::InFlight {
            books.handle_gone(u64::from(size));
            if let Some(packet) = self.packet_mut(number) {
                packet.in_flight -= size;
            }
        }
    }

    /// What the peer told as received and does not have after all, is lost (RFC 9260 §6.2.1 D iii). It
    /// shows where the first chunk counts as received and the cumulative TSN does not. Tells whether it has
    /// come to that.
    pub(crate) fn take_back_reneged(&mut self, blocks: &[(u64, u64)], books: &mut Books) -> bool {
        if self.chunks.front().is_none_or(|chunk| chunk.state != State::Acked) {
            return false;
        }
        let mut told = blocks.iter().peekable();
        for (first, last) in std::mem::take(&mut self.acked) {
            for tsn in first.max(self.base)..=last {
                while told.next_if(|block| block.1 < tsn).is_some() {}
                if told.peek().is_none_or(|block| tsn < block.0) {
                    self.take_back(tsn, books);
                }
            }
        }
        self.acked.extend(blocks);
        self.sort_lost();
        true
    }

    fn take_back(&mut self, tsn: u64, books: &mut Books) {
        let Some(chunk) = self.chunk(tsn).filter(|chunk| chunk.state == State::Acked) else {
            return;
        };
        let (number, payload) = (chunk.packet, chunk.payload.len() as u64);
        // Once it leaves in another packet, the list of this one is torn: the others go again as well.
        if self.packet(number).is_some_and(|packet| packet.in_flight > 0) {
            self.lose(number, books);
        }
        if let Some(chunk) = self.chunk_mut(tsn) {
            chunk.state = State::Lost;
        }
        self.outstanding += payload;
        self.waiting += 1;
        self.lost.push_back(tsn);
    }
}

impl Sent {
    /// From what the outbox gave, for a chunk of `size` bytes.
    pub(crate) fn new(piece: super::outbox::Piece, size: u32) -> Self {
        Self {
            payload: piece.payload,
            until: piece.until,
            packet: 0,
            next: 0,
            before: 0,
            after: 0,
            number: piece.number,
            fsn: piece.fsn,
            ppid: piece.ppid,
            size,
            stream: piece.stream,
            sends: 0,
            most_sends: piece.most_sends,
            flags: piece.flags,
            state: State::InFlight,
        }
    }
}
