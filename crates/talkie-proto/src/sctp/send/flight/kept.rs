//! What a timeout took for lost, kept until it is known whether it was: an acknowledgment of what has not been
//! sent again since proves that it was not, and the rest is under way then.

use super::{Books, Flight, Newest, Settled, State};

#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    /// Packets from this on left after the timeout.
    until: u64,
    /// So many of the first packets have nothing in flight.
    idle: usize,
    /// What was taken for lost by the first timeout and what waited then, and what later ones took for lost again.
    bytes: u64,
}

impl Flight {
    /// A timeout: everything is lost. Tells its bytes. What there was before the first of several in a row is
    /// kept.
    pub(crate) fn lose_all(&mut self, books: &mut Books) -> u64 {
        let until = self.next_packet();
        let is_first = self.kept.is_none();
        self.kept.get_or_insert(Kept { until, idle: 0, bytes: 0 });
        let mut bytes = 0;
        while let Some(packet) = self.oldest_packet() {
            bytes += self.lose(packet, books);
        }
        self.sort_lost();
        let waiting = self.lost.iter().filter_map(|tsn| self.chunk(*tsn));
        let waiting = waiting.filter(|chunk| chunk.state == State::Lost);
        let all: u64 = waiting.map(|chunk| u64::from(chunk.size)).sum();
        if let Some(kept) = &mut self.kept {
            kept.bytes += if is_first { all } else { bytes };
        }
        bytes
    }

    /// It was lost, or it does not matter any more.
    pub(crate) fn release(&mut self) {
        self.kept = None;
    }

    /// It was not: what has not been sent again is in flight. Tells what had been taken for lost in all, what was
    /// sent again and taken for lost again among it.
    pub(crate) fn revive(&mut self, books: &mut Books) -> u64 {
        let Some(kept) = self.kept.take() else { return 0 };
        let mut bytes = 0;
        for tsn in self.base..self.next_tsn() {
            let Some(chunk) = self.chunk(tsn).filter(|chunk| chunk.state == State::Lost) else {
                continue;
            };
            let (number, size) = (chunk.packet, chunk.size);
            let packet = self.packet_mut(number).filter(|_| number < kept.until);
            let Some(packet) = packet else { continue };
            // Of the packet's list only what is in flight is left: another part may have left in another.
            let before = (packet.in_flight > 0).then_some(packet.last);
            packet.first = if before.is_none() { tsn } else { packet.first };
            packet.last = tsn;
            packet.in_flight += size;
            if let Some((before, chunk)) =
                before.and_then(|before| Some((before, self.chunk_mut(before)?)))
            {
                chunk.next = u32::try_from(tsn - before).unwrap_or(0);
            }
            if let Some(chunk) = self.chunk_mut(tsn) {
                (chunk.state, chunk.next) = (State::InFlight, 0);
            }
            self.waiting -= 1;
            bytes += u64::from(size);
        }
        let mut lost = std::mem::take(&mut self.lost);
        lost.retain(|tsn| self.chunk(*tsn).is_some_and(|chunk| chunk.state == State::Lost));
        self.lost = lost;
        books.handle_revived(bytes);
        kept.bytes
    }

    /// The oldest packet with something in flight, behind those that are kept.
    pub(super) fn oldest_behind(&mut self, mut kept: Kept) -> Option<u64> {
        while self.packets.get(kept.idle).is_some_and(|packet| packet.in_flight == 0) {
            kept.idle += 1;
        }
        self.kept = Some(kept);
        (kept.idle < self.packets.len()).then(|| self.packet_base + kept.idle as u64)
    }

    /// A chunk that was lost is acknowledged. True if it was lost by a timeout that is still to be judged.
    pub(crate) fn find(&self, number: u64, settled: &mut Settled) -> bool {
        let kept = self.kept.filter(|kept| number < kept.until);
        let Some(packet) = kept.and_then(|_| self.packet(number)) else { return false };
        if settled.original.is_none_or(|newest| newest.packet < number) {
            let (snapshot, retransmission) = (packet.snapshot, packet.retransmission);
            settled.original = Some(Newest { packet: number, snapshot, retransmission });
        }
        true
    }
}
