//! Puts packets together: answers to strangers alone, then control chunks, a SACK and data in one.

use rand_core::Rng as _;

use super::{Association, State};
use crate::sctp::receive::Acknowledge;
use crate::sctp::wire::packet::HEADER;
use crate::sctp::wire::{Header, Writer, heartbeat, kind, sack};

impl Association {
    /// Appends the next packet and tells its length.
    pub(super) fn write_packet(&mut self, buf: &mut Vec<u8>) -> Option<usize> {
        let (source, destination) = (self.config.port, self.config.peer_port);
        if let Some(answer) = self.answers.pop_front() {
            let header = Header { source, destination, tag: answer.tag };
            let mut packet = Writer::new(buf, header);
            packet.append(&answer.chunk);
            // Whoever it is for may not have agreed to do without (RFC 9653 §5.2).
            return Some(packet.finish(true));
        }
        if self.outbox.has_drained() {
            self.advance_streams(self.now);
        }
        if self.path_size.is_waiting() && self.state == State::Established {
            return self.write_probe(buf);
        }
        let most = self.path_size.size();
        let link = self.link.as_mut().filter(|_| self.state != State::Ended)?;
        let start = buf.len();
        let header = Header { source, destination, tag: link.peer.tag };
        let mut packet = Writer::new(buf, header);
        let mut begins = false;
        while let Some(chunk) = self.controls.front() {
            if packet.len() + chunk.len() > most && !packet.is_empty() {
                break;
            }
            begins |= chunk[0] == kind::COOKIE_ECHO;
            packet.append(chunk);
            self.controls.pop_front();
        }
        let echoed = self.state == State::CookieEchoed;
        let data = match self.state {
            // RFC 9260 §5.1 C: data only behind the cookie, until it is known to have arrived.
            State::CookieEchoed => begins,
            State::Established | State::ShutdownPending | State::ShutdownReceived => true,
            _ => false,
        };
        if data {
            link.sender.give_up_due(self.now, &mut self.outbox);
        }
        let acknowledges = match link.receiver.acknowledge {
            Acknowledge::First | Acknowledge::Nothing => false,
            Acknowledge::Now => true,
            // RFC 9260 §6.1: with data it goes for next to nothing.
            Acknowledge::By(_) => data && link.sender.is_ready(self.now, &self.outbox),
        };
        let room = most.saturating_sub(packet.len());
        if acknowledges && !echoed && room > sack::OVERHEAD + 32 * 4 {
            // Before the SACK, which may acknowledge the packet that it is about.
            if let Some(tsn) = link.echo {
                packet.chunk(kind::ECNE, 0, |buf| buf.extend_from_slice(&tsn.0.to_be_bytes()));
            }
            let room = most.saturating_sub(packet.len());
            packet.chunk(kind::SACK, 0, |buf| link.receiver.write_sack(buf, room));
        }
        if data {
            let room = most.saturating_sub(packet.len() + 8);
            if link.sender.has_forward() && link.sender.forward_size() <= room {
                let forward =
                    if link.interleaved { kind::I_FORWARD_TSN } else { kind::FORWARD_TSN };
                packet.chunk(forward, 0, |buf| link.sender.write_forward(buf));
            }
            link.sender.fill(self.now, &mut self.outbox, &mut packet, most);
        }
        if packet.len() == HEADER {
            buf.truncate(start);
            // What a shutdown has waited for may just have been given up before it ever left.
            let before = self.state;
            self.advance_shutdown(self.now);
            return if self.state == before { None } else { self.write_packet(buf) };
        }
        // RFC 9653 §5.2: with COOKIE ECHO there is always a checksum.
        Some(packet.finish(begins || !link.zero_checksum))
    }

    /// A HEARTBEAT as long as packets might be (RFC 8899 §6.2.1.2).
    fn write_probe(&mut self, buf: &mut Vec<u8>) -> Option<usize> {
        let link = self.link.as_ref()?;
        let nonce = self.rng.next_u32();
        let size = self.path_size.take_probe(self.now, nonce)?;
        let (source, destination) = (self.config.port, self.config.peer_port);
        let header = Header { source, destination, tag: link.peer.tag };
        let mut packet = Writer::new(buf, header);
        let info = heartbeat::Info { nonce, packet: u32::try_from(size).unwrap_or(u32::MAX) };
        packet.chunk(kind::HEARTBEAT, 0, |buf| info.write(buf));
        let rest = size.saturating_sub(packet.len() + 4);
        packet.chunk(kind::PAD, 0, |buf| buf.resize(buf.len() + rest, 0));
        Some(packet.finish(!link.zero_checksum))
    }
}
