//! Fragments, of which only the first has ports.
//!
//! What became of the first one is kept for a while and done to the others. Those that come earlier
//! wait for it, in bounded memory (RFC 4787 §11, REQ-14). Nothing is put together: each fragment goes on
//! by itself, and the first one's checksum, which covers all, is changed by difference.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::config::{Config, Outcome, Reason, Side};
use crate::packet::{End, Fragment, Packet, protocol};

/// What all fragments of a packet have in common (RFC 791 §3.2, RFC 8200 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Whole {
    from: Side,
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
    protocol: u8,
}

impl Whole {
    pub(super) fn of(from: Side, packet: &Packet<&mut [u8]>, fragment: Fragment) -> Self {
        Self {
            from,
            source: packet.source(),
            destination: packet.destination(),
            identification: fragment.identification,
            protocol: if packet.is_ipv4() { packet.protocol() } else { 0 },
        }
    }
}

/// What is known of a packet in fragments.
#[derive(Debug)]
enum State {
    /// The first fragment has not come yet.
    Waiting(Vec<Vec<u8>>),
    /// It has, and this is what is done to it.
    Known(Translation),
    /// It was dropped.
    Refused,
}

#[derive(Clone, Copy, Debug)]
struct Translation {
    source: IpAddr,
    destination: IpAddr,
    identification: Option<u32>,
    to: Side,
}

#[derive(Debug)]
pub(super) struct Fragments {
    states: FxHashMap<Whole, State>,
    /// In the order of time, since all are kept equally long.
    deadlines: VecDeque<(Instant, Whole)>,
    timeout: Duration,
    most_states: usize,
    most_held_bytes: usize,
    held_bytes: usize,
    next_identification: u16,
    ready: VecDeque<(Side, Vec<u8>)>,
}

/// As many as the longest packet has on links with the least MTU that is met, and some for those that
/// come twice.
const MOST_OF_ONE: usize = 128;

/// The most that wait to be polled.
const MOST_READY: usize = 4 * MOST_OF_ONE;

impl Fragments {
    pub(super) fn new(config: &Config, seed: [u8; 32]) -> Self {
        Self {
            states: FxHashMap::default(),
            deadlines: VecDeque::new(),
            timeout: config.fragment_timeout,
            most_states: config.most_fragmented.max(1),
            most_held_bytes: config.most_held_bytes,
            held_bytes: 0,
            next_identification: u16::from_be_bytes([seed[0], seed[1]]),
            ready: VecDeque::new(),
        }
    }

    /// The first fragment, after it was translated.
    pub(super) fn handle_first(
        &mut self,
        now: Instant,
        whole: Whole,
        original: [IpAddr; 2],
        translated: Result<Side, Reason>,
        mut packet: Packet<&mut [u8]>,
    ) -> Outcome {
        let known = translated.map(|to| Translation {
            source: packet.source(),
            destination: packet.destination(),
            identification: self.identification(&packet, whole, original),
            to,
        });
        let state = known.map_or(State::Refused, State::Known);
        let held = match self.states.get_mut(&whole) {
            Some(known) => std::mem::replace(known, state),
            None => {
                self.insert(now, whole, state);
                State::Refused
            }
        };
        if let State::Waiting(held) = held {
            self.held_bytes -= held.iter().map(Vec::len).sum::<usize>();
            if let Ok(translation) = known {
                for mut bytes in held {
                    let Ok(mut packet) = Packet::parse(bytes.as_mut_slice()) else { continue };
                    if translation.apply(&mut packet) && self.ready.len() < MOST_READY {
                        self.ready.push_back((translation.to, bytes));
                    }
                }
            }
        }
        match known {
            Ok(translation) => match translation.apply(&mut packet) {
                true => Outcome::Forwarded(translation.to),
                false => Outcome::Dropped(Reason::Expired),
            },
            Err(reason) => Outcome::Dropped(reason),
        }
    }

    /// A fragment behind the first.
    pub(super) fn handle_later(
        &mut self,
        now: Instant,
        whole: Whole,
        fragment: Fragment,
        mut packet: Packet<&mut [u8]>,
    ) -> Outcome {
        // RFC 1858 §4.2: it would write over the flags that were looked at.
        if fragment.offset < 16 && packet.protocol() == protocol::TCP {
            return Outcome::Dropped(Reason::Malformed);
        }
        let length = packet.bytes().len();
        let fits = self.held_bytes + length <= self.most_held_bytes;
        match self.states.get_mut(&whole) {
            Some(State::Known(translation)) => match translation.apply(&mut packet) {
                true => Outcome::Forwarded(translation.to),
                false => Outcome::Dropped(Reason::Expired),
            },
            Some(State::Refused) => Outcome::Dropped(Reason::Fragment),
            _ if !fits => Outcome::Dropped(Reason::Fragment),
            Some(State::Waiting(held)) if held.len() >= MOST_OF_ONE => {
                Outcome::Dropped(Reason::Fragment)
            }
            Some(State::Waiting(held)) => {
                held.push(packet.bytes().to_vec());
                self.held_bytes += length;
                Outcome::Held
            }
            None => {
                self.held_bytes += length;
                self.insert(now, whole, State::Waiting(vec![packet.bytes().to_vec()]));
                Outcome::Held
            }
        }
    }

    pub(super) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Side> {
        let (side, bytes) = self.ready.pop_front()?;
        *buf = bytes;
        Some(side)
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        let waiting = self.states.values().map(|state| match state {
            State::Waiting(held) => held.iter().map(Vec::len).sum(),
            State::Known(_) | State::Refused => 0,
        });
        assert_eq!(self.held_bytes, waiting.sum::<usize>());
        self.held_bytes
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.front().map(|(at, _)| *at)
    }

    pub(super) fn expire(&mut self, now: Instant) {
        while self.deadlines.front().is_some_and(|(at, _)| *at <= now) {
            self.forget_oldest();
        }
    }

    fn insert(&mut self, now: Instant, whole: Whole, state: State) {
        if self.states.len() >= self.most_states {
            self.forget_oldest();
        }
        self.states.insert(whole, state);
        self.deadlines.push_back((now + self.timeout, whole));
    }

    fn forget_oldest(&mut self) {
        let Some((_, whole)) = self.deadlines.pop_front() else { return };
        if let Some(State::Waiting(held)) = self.states.remove(&whole) {
            self.held_bytes -= held.iter().map(Vec::len).sum::<usize>();
        }
    }

    /// Hosts that share an address may not share identifications: what is put together out of two
    /// packets is neither (RFC 6864 §5.3.1).
    fn identification(
        &mut self,
        packet: &Packet<&mut [u8]>,
        whole: Whole,
        original: [IpAddr; 2],
    ) -> Option<u32> {
        if !packet.is_ipv4() || packet.source() == original[0] {
            return None;
        }
        if let Some(State::Known(known)) = self.states.get(&whole) {
            return known.identification;
        }
        self.next_identification = self.next_identification.wrapping_add(1);
        Some(self.next_identification.into())
    }
}

impl Translation {
    /// Does to a fragment what was done to the first one, and takes a hop; whether it may go on.
    fn apply(&self, packet: &mut Packet<&mut [u8]>) -> bool {
        packet.set_address(End::Source, self.source);
        packet.set_address(End::Destination, self.destination);
        if let Some(identification) = self.identification {
            packet.set_identification(identification);
        }
        packet.take_hop()
    }
}
