//! Explicit congestion notification (RFC 4960 Appendix A; RFC 9260 has only reserved its numbers), where
//! whoever carries the packets tells of marks.
//!
//! DTLS hides the IP header, so that a mark comes beside a packet ([`Association::handle_marked`]). The
//! sender of a marked packet is told with each SACK until it says that it has heard; its controller is told
//! once for each of them.

use std::time::Instant;

use talkie_sansio::Datagram;

use super::Association;
use crate::sctp::serial::Tsn;
use crate::sctp::wire::{kind, packet};

impl Association {
    /// As [`handle_datagram()`](talkie_sansio::Machine::handle_datagram), of one that the path has marked
    /// (congestion experienced).
    pub fn handle_marked(&mut self, now: Instant, datagram: Datagram<'_>) {
        self.now = now;
        self.marked = self.is_ecn();
        self.handle_packet(now, datagram.payload);
        self.marked = false;
    }

    /// Whether what leaves may be marked by the path: both sides know what to do then.
    #[must_use]
    pub fn is_ecn(&self) -> bool {
        self.config.ecn && self.link.as_ref().is_some_and(|link| link.peer.capabilities.ecn)
    }

    /// Data has come in a marked packet.
    pub(super) fn note_mark(&mut self, tsn: Tsn) {
        if !self.marked {
            return;
        }
        if let Some(link) = &mut self.link {
            // The lowest of the packet, until the peer has heard.
            link.echo.get_or_insert(tsn);
        }
    }

    /// The peer has received marked packets.
    pub(super) fn handle_ecne(&mut self, now: Instant, value: &[u8]) {
        let ecn = self.is_ecn();
        let Some((link, tsn)) = self.link.as_mut().filter(|_| ecn).zip(value.first_chunk()) else {
            self.counters.unexpected += 1;
            return;
        };
        let tsn = Tsn(u32::from_be_bytes(*tsn));
        link.sender.handle_mark(now, tsn);
        let mut chunk = Vec::new();
        packet::write_chunk(&mut chunk, kind::CWR, 0, |buf| {
            buf.extend_from_slice(&tsn.0.to_be_bytes());
        });
        self.control(chunk);
    }

    /// The peer has heard of a mark.
    pub(super) fn handle_cwr(&mut self, value: &[u8]) {
        let Some((link, tsn)) = self.link.as_mut().zip(value.first_chunk()) else { return };
        let tsn = Tsn(u32::from_be_bytes(*tsn));
        let near = link.receiver.cumulative();
        link.echo.take_if(|echo| echo.widen(near) <= tsn.widen(near));
    }
}
