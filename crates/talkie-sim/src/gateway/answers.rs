//! What a gateway says itself, no more than so many times in a second: ICMP errors, and what a host
//! answers that is sent something at an address of its own.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::config::Side;
use crate::nat::Flags;
use crate::packet::build::{self, Echo, Problem, Segment};
use crate::packet::{Packet, Transport};

#[derive(Debug)]
pub(super) struct Answers {
    per_second: u32,
    /// Since when none has been sent, if they had been sent one by one at the limit: a bucket of
    /// tokens that holds a second's worth.
    since: Instant,
    queue: VecDeque<(Side, Vec<u8>)>,
    /// Buffers that have been sent.
    spare: Vec<Vec<u8>>,
}

/// The most that wait to be polled, so that a driver that forgets to do so loses answers and no memory.
const MOST_QUEUED: usize = 64;

impl Answers {
    pub(super) fn new(now: Instant, per_second: u32) -> Self {
        let since = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
        Self { per_second, since, queue: VecDeque::new(), spare: Vec::new() }
    }

    /// An ICMP error.
    pub(super) fn say(
        &mut self,
        now: Instant,
        to: Side,
        from: IpAddr,
        problem: Problem,
        about: &Packet<&mut [u8]>,
    ) {
        self.queue(now, to, |bytes| build::error(bytes, from, problem, about));
    }

    /// What a host says that does not want a packet which was sent to it.
    pub(super) fn refuse(&mut self, now: Instant, to: Side, packet: &Packet<&mut [u8]>) {
        match packet.transport() {
            Transport::Udp { .. } => {
                // RFC 1122 §4.1.3.1.
                self.say(now, to, packet.destination(), Problem::PortUnreachable, packet);
            }
            Transport::Tcp { .. } => self.queue(now, to, |bytes| reset(bytes, packet)),
            Transport::Query { is_request: true, .. } => self.echo(now, to, packet),
            Transport::Query { .. } | Transport::Error { .. } | Transport::Other => {}
        }
    }

    /// The answer to an echo request (RFC 1122 §3.2.2.6, RFC 4443 §4.2).
    pub(super) fn echo(&mut self, now: Instant, to: Side, packet: &Packet<&mut [u8]>) {
        let (own, other) = (packet.destination(), packet.source());
        let Transport::Query { identifier, .. } = packet.transport() else { return };
        let Some((head, payload)) = packet.payload().split_first_chunk::<8>() else { return };
        let is_whole = packet.fragment().is_none();
        // RFC 792, RFC 4443 §4.1: other queries have other types.
        if is_whole && head[0] == if packet.is_ipv4() { 8 } else { 128 } {
            let sequence = u16::from_be_bytes([head[6], head[7]]);
            let echo = Echo { is_request: false, identifier, sequence };
            self.queue(now, to, |bytes| {
                build::echo(bytes, own, other, echo, payload);
                true
            });
        }
    }

    fn queue(&mut self, now: Instant, to: Side, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        if self.per_second == 0 || self.queue.len() >= MOST_QUEUED {
            return;
        }
        let since = match now.checked_sub(Duration::from_secs(1)) {
            Some(earliest) => self.since.max(earliest),
            None => self.since,
        };
        let next = since + Duration::from_secs(1) / self.per_second;
        if next > now {
            return;
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        if write(&mut bytes) {
            self.since = next;
            self.queue.push_back((to, bytes));
        } else {
            self.spare.push(bytes);
        }
    }

    pub(super) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Side> {
        let (side, bytes) = self.queue.pop_front()?;
        buf.clear();
        buf.extend_from_slice(&bytes);
        self.spare.push(bytes);
        Some(side)
    }
}

/// RFC 9293 §3.10.7.1: what belongs to no connection is answered by a reset, a reset by nothing.
fn reset(bytes: &mut Vec<u8>, packet: &Packet<&mut [u8]>) -> bool {
    let Transport::Tcp { source, destination, flags } = packet.transport() else { return false };
    let Some(head) = packet.payload().first_chunk::<20>() else { return false };
    if flags.contains(Flags::RST) || packet.fragment().is_some() {
        return false;
    }
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (sequence, acknowledgement) = (word(4), word(8));
    let segment = if flags.contains(Flags::ACK) {
        Segment { flags: Flags::RST, sequence: acknowledgement, ..Segment::default() }
    } else {
        let header = usize::from(head[12] >> 4) * 4;
        let marks = [Flags::SYN, Flags::FIN].iter().filter(|flag| flags.contains(**flag));
        let length = packet.payload().len().saturating_sub(header) + marks.count();
        let acknowledgement = sequence.wrapping_add(length as u32);
        Segment { flags: Flags::RST | Flags::ACK, acknowledgement, ..Segment::default() }
    };
    let own = SocketAddr::new(packet.destination(), destination);
    build::tcp(bytes, own, SocketAddr::new(packet.source(), source), segment, &[]);
    true
}
