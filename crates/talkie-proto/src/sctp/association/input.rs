//! Takes packets apart: whose they are (RFC 9260 §8.5), and which handler each chunk goes to.

use std::time::{Duration, Instant};

use super::{Association, End, State, shutdown};
use crate::sctp::receive::{Fragment, Violation};
use crate::sctp::wire::data::IMMEDIATE;
use crate::sctp::wire::forward::Forward;
use crate::sctp::wire::{
    Checksum, Chunk, Data, IData, Packet, Parameters, Sack, error, heartbeat, kind, packet,
};

/// Flag of ABORT and SHUTDOWN COMPLETE: the tag is the receiver's own reflected (RFC 9260 §8.5.1).
pub(super) const REFLECTED: u8 = 1;

/// The round trip, for the receiver's window, of a peer to whom nothing has been sent: longer than any, as a
/// window that grows too early is only a promise, and one that does not grow holds the peer back for good.
const UNKNOWN_ROUND: Duration = Duration::from_secs(1);

/// What the packet's data asks of the receiver.
#[derive(Clone, Copy, Default)]
struct Seen {
    data: bool,
    at_once: bool,
}

impl Association {
    pub(super) fn handle_packet(&mut self, now: Instant, bytes: &[u8]) {
        let Some(packet) = Packet::parse(bytes) else {
            self.counters.malformed += 1;
            return;
        };
        let header = packet.header;
        if header.source != self.config.peer_port
            || header.destination != self.config.port
            || !self.checksum_will_do(&packet)
        {
            self.counters.malformed += 1;
            return;
        }
        let mut chunks = packet.chunks().peekable();
        let Some(first) = chunks.peek().copied() else {
            self.counters.malformed += 1;
            return;
        };
        match first.kind {
            // RFC 9260 §8.5.1 A, §3: alone in its packet, with no tag.
            kind::INIT => {
                chunks.next();
                if header.tag == 0 && chunks.next().is_none() {
                    self.handle_init(now, &first);
                } else {
                    self.counters.unexpected += 1;
                }
                return;
            }
            kind::COOKIE_ECHO => {
                chunks.next();
                if !self.handle_cookie_echo(now, header.tag, first.value) {
                    return;
                }
            }
            _ if !self.is_ours(&packet, &first) => return,
            _ => {}
        }
        self.heard(now);
        let mut seen = Seen::default();
        // RFC 9260 §8.5.1: with a tag that is not our own, only the chunk that it is allowed for.
        let most = if reflects(&first) { 1 } else { usize::MAX };
        for chunk in chunks.take(most) {
            // The tag is ours, and this one would have to come with the peer's.
            if reflects(&chunk) && !reflects(&first) {
                self.counters.wrong_tag += 1;
                break;
            }
            if self.state == State::Ended || !self.handle_chunk(now, &chunk, &mut seen) {
                break;
            }
        }
        self.finish(now, seen);
    }

    /// RFC 9653 §5.3: a zero is as good as a checksum if we have said so, but for the chunks that begin.
    fn checksum_will_do(&self, packet: &Packet<'_>) -> bool {
        let begins =
            || packet.chunks().any(|chunk| matches!(chunk.kind, kind::INIT | kind::COOKIE_ECHO));
        match packet.checksum(self.config.zero_checksum) {
            Checksum::Right => true,
            Checksum::Zero => self.config.zero_checksum && !begins(),
            Checksum::Wrong => false,
        }
    }

    /// RFC 9260 §8.5: whether the tag is the one we asked for, or may be another.
    fn is_ours(&mut self, packet: &Packet<'_>, first: &Chunk<'_>) -> bool {
        let tag = packet.header.tag;
        let peer = self.link.as_ref().map(|link| link.peer.tag);
        let ours = if reflects(first) { peer == Some(tag) } else { tag == self.tag };
        match self.state {
            // RFC 9260 §8.4 5, §8.5.1 E: the peer still waits for the end of this association, or of the
            // one before it.
            State::Ended | State::CookieWait | State::CookieEchoed
                if first.kind == kind::SHUTDOWN_ACK =>
            {
                self.answer(tag, shutdown::shutdown_complete(REFLECTED));
                return false;
            }
            // RFC 9260 §8.4 8: the peer has not heard of the end. Before the beginning nobody is told that
            // there is nothing: with INITs from signaling the peer may have begun already.
            State::Ended if ours && packet.chunks().all(|chunk| expects_us(chunk.kind)) => {
                let mut chunk = Vec::new();
                packet::write_chunk(&mut chunk, kind::ABORT, REFLECTED, |_| {});
                self.answer(tag, chunk);
                return false;
            }
            State::Closed | State::Ended => {}
            _ if ours => return true,
            _ => {}
        }
        self.counters.wrong_tag += 1;
        false
    }

    /// Tells whether to go on with the packet.
    fn handle_chunk(&mut self, now: Instant, chunk: &Chunk<'_>, seen: &mut Seen) -> bool {
        match chunk.kind {
            kind::DATA | kind::I_DATA => return self.handle_data(now, chunk, seen),
            kind::SACK => self.handle_sack(now, chunk),
            kind::FORWARD_TSN => self.handle_forward(chunk, false, seen),
            kind::I_FORWARD_TSN => self.handle_forward(chunk, true, seen),
            kind::HEARTBEAT => self.handle_heartbeat(chunk.value),
            kind::HEARTBEAT_ACK => {
                if let Some(info) = heartbeat::Info::parse(chunk.value) {
                    self.handle_heartbeat_ack(now, info);
                }
            }
            kind::RE_CONFIG => self.handle_reconfig(now, chunk.value),
            kind::INIT_ACK => self.handle_init_ack(now, chunk),
            kind::COOKIE_ACK => self.handle_cookie_ack(now),
            // RFC 9260 §3.3.7: with a format error it is none.
            kind::ABORT if !Parameters::new(chunk.value).are_whole() => {
                self.counters.unexpected += 1;
                return false;
            }
            // RFC 9260 §8.4 8, §9.2: a peer that no longer knows of us has had our SHUTDOWN ACK, and its SHUTDOWN
            // COMPLETE was overtaken or lost.
            kind::ABORT if chunk.flags & REFLECTED != 0 && self.state == State::ShutdownAckSent => {
                self.handle_shutdown_complete();
            }
            kind::ABORT => self.end(End::AbortedByPeer(error::first(chunk.value))),
            kind::ERROR => self.handle_error(now, chunk.value),
            kind::SHUTDOWN => self.handle_shutdown(now, chunk.value),
            kind::SHUTDOWN_ACK => self.handle_shutdown_ack(),
            kind::SHUTDOWN_COMPLETE => self.handle_shutdown_complete(),
            // INIT and COOKIE ECHO are first or nothing.
            kind::INIT | kind::COOKIE_ECHO => self.counters.unexpected += 1,
            kind::ECNE => self.handle_ecne(now, chunk.value),
            kind::CWR => self.handle_cwr(chunk.value),
            kind::PAD => {}
            _ => return self.handle_unknown(chunk),
        }
        true
    }

    /// RFC 9260 §3.2: the two top bits of the type say what to do.
    fn handle_unknown(&mut self, chunk: &Chunk<'_>) -> bool {
        if chunk.kind & 0x40 != 0 {
            self.report_chunk(chunk);
        }
        chunk.kind & 0x80 != 0
    }

    fn handle_data(&mut self, now: Instant, chunk: &Chunk<'_>, seen: &mut Seen) -> bool {
        let receives =
            matches!(self.state, State::Established | State::ShutdownPending | State::ShutdownSent);
        let inbound = self.streams().1;
        let Some(link) = self.link.as_mut().filter(|_| receives) else {
            self.counters.unexpected += 1;
            return true;
        };
        let interleaved = chunk.kind == kind::I_DATA;
        let fragment = if interleaved {
            IData::parse(chunk).map(Fragment::from)
        } else {
            Data::parse(chunk).map(Fragment::from)
        };
        // RFC 8260 §2.2.1: the other kind is not to be used. RFC 9260 §6.2: nor are empty ones.
        let Some(fragment) = fragment.filter(|_| interleaved == link.interleaved) else {
            match chunk.value.first_chunk::<4>().filter(|_| interleaved == link.interleaved) {
                Some(tsn) if chunk.value.len() >= 12 => {
                    self.abort_with(error::NO_USER_DATA, tsn, End::Violation);
                }
                _ => self.abort_with(error::PROTOCOL_VIOLATION, &[], End::Violation),
            }
            return false;
        };
        seen.data = true;
        let tsn = fragment.tsn;
        if fragment.stream >= inbound {
            // RFC 9260 §6.5: acknowledged, reported and dropped.
            link.receiver.discard(fragment.tsn);
            self.report_stream(fragment.stream);
            return true;
        }
        let round_trip = link.sender.round_trip.smoothed().unwrap_or(UNKNOWN_ROUND);
        let taken = link.receiver.handle_fragment(now, fragment, round_trip);
        seen.at_once |= chunk.flags & IMMEDIATE != 0;
        match taken {
            Ok(at_once) => seen.at_once |= at_once,
            Err(Violation::TooLong | Violation::Overlap | Violation::Fragmentation) => {
                self.abort_with(error::PROTOCOL_VIOLATION, &[], End::Violation);
                return false;
            }
        }
        self.note_mark(tsn);
        true
    }

    fn handle_sack(&mut self, now: Instant, chunk: &Chunk<'_>) {
        let Some(link) = &mut self.link else { return };
        let Some(sack) = Sack::parse(chunk) else {
            self.counters.unexpected += 1;
            return;
        };
        if link.sender.handle_sack(now, &sack).is_err() {
            self.abort_with(error::PROTOCOL_VIOLATION, &[], End::Violation);
        }
    }

    fn handle_forward(&mut self, chunk: &Chunk<'_>, interleaved: bool, seen: &mut Seen) {
        let forward = Forward::parse(chunk, interleaved);
        let link = self.link.as_mut().filter(|link| link.interleaved == interleaved);
        let (Some(forward), Some(link)) = (forward, link) else {
            self.counters.unexpected += 1;
            return;
        };
        link.receiver.handle_forward(&forward, interleaved);
        *seen = Seen { data: true, at_once: true };
    }

    /// RFC 9260 §8.3: what it carries goes back as it came.
    fn handle_heartbeat(&mut self, value: &[u8]) {
        if !self.fits(value) || self.state == State::CookieWait {
            self.counters.unexpected += 1;
            return;
        }
        let mut chunk = Vec::new();
        packet::write_chunk(&mut chunk, kind::HEARTBEAT_ACK, 0, |buf| buf.extend_from_slice(value));
        self.control(chunk);
    }

    /// What is done once for all chunks of a packet.
    fn finish(&mut self, now: Instant, seen: Seen) {
        if self.state == State::Ended {
            return;
        }
        if let Some(link) = self.link.as_mut().filter(|_| seen.data) {
            // RFC 9260 §9.2: in SHUTDOWN-SENT every packet with data is answered at once.
            let at_once = seen.at_once || self.state == State::ShutdownSent;
            link.receiver.acknowledge.handle_packet(now, at_once);
        }
        self.check_black_hole(now);
        self.advance_deferred();
        self.tell_readable();
        self.advance_streams(now);
        if seen.data && self.state == State::ShutdownSent {
            self.send_shutdown();
            // RFC 9260 §9.2: T2 begins anew; whoever still delivers what it had queued is there.
            self.repeats = 0;
            self.repeat_at = Some(now + self.timeout());
        }
        self.advance_shutdown(now);
    }
}

/// Whether the packet that a chunk begins may carry its sender's tag instead of the receiver's.
fn reflects(first: &Chunk<'_>) -> bool {
    matches!(first.kind, kind::ABORT | kind::SHUTDOWN_COMPLETE) && first.flags & REFLECTED != 0
}

/// Whether a packet with such a chunk may be answered where there is no association (RFC 9260 §8.4 2, 6, 7).
fn expects_us(kind: u8) -> bool {
    !matches!(kind, kind::ABORT | kind::SHUTDOWN_COMPLETE | kind::COOKIE_ACK | kind::ERROR)
}
