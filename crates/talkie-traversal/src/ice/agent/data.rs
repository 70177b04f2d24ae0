//! Data: sent along the selected pair while there is consent, taken from whoever has shown that it is there.
//!
//! A packet of data changes nothing else, but where it raises a doubt about the selected pair: so what it costs does not
//! depend on the number of pairs.

use std::net::SocketAddr;
use std::time::Instant;

use talkie_sansio::{Datagram, Machine, WantId};

use super::Agent;
use super::names::LOCAL_NAMES_PORT;
use crate::ice::gather::{self, LocalId, Received};

/// Why data is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No pair works, so the other side has not agreed to receive anything.
    #[error("there is no connection")]
    NotConnected,
    /// It does not fit into a datagram.
    #[error("the packet is too long")]
    TooLong,
    /// Too much waits to be sent.
    #[error("too many packets wait to be sent")]
    Full,
}

/// Data so far, over all pairs that there ever were.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    pub(super) packets_sent: u64,
    pub(super) packets_received: u64,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
}

/// What fits into a UDP datagram over IPv4.
const LONGEST_PAYLOAD: usize = 65_507;

impl Agent {
    /// Sends a datagram to the other side.
    ///
    /// # Errors
    /// If there is no way to send it now.
    pub fn send(&mut self, now: Instant, payload: &[u8]) -> Result<(), SendError> {
        let is_current = self.current.selected.is_some();
        let generation = match self.previous.as_deref_mut() {
            Some(previous) if !is_current => &mut previous.generation,
            _ => &mut self.current,
        };
        let selected = generation.selected.ok_or(SendError::NotConnected)?;
        let pair = generation.pairs.iter_mut().find(|pair| pair.id == selected);
        let pair = pair.ok_or(SendError::NotConnected)?;
        // RFC 7675 §5.1: never a packet without consent, even if nobody has let the time out yet.
        let expiry = self.config.timers.consent_expiry;
        let consents = pair.life.is_some_and(|life| now < life.proven_at + expiry);
        if !consents {
            return Err(SendError::NotConnected);
        }
        let result = match payload.len() {
            0..=LONGEST_PAYLOAD => self.gatherer.send(now, pair.base, pair.address, payload),
            _ => Err(gather::SendError::TooLong),
        };
        match result {
            Ok(()) => {
                pair.counts.packets_sent += 1;
                pair.counts.bytes_sent += payload.len() as u64;
                pair.counts.last_sent = Some(now);
                self.traffic.packets_sent += 1;
                self.traffic.bytes_sent += payload.len() as u64;
                Ok(())
            }
            Err(error) => {
                pair.counts.packets_discarded += 1;
                pair.counts.bytes_discarded += payload.len() as u64;
                Err(match error {
                    gather::SendError::Full => SendError::Full,
                    gather::SendError::TooLong => SendError::TooLong,
                    _ => SendError::NotConnected,
                })
            }
        }
    }

    /// Takes a datagram from the network and returns the other side's data in it, in place. What
    /// [`Machine::handle_datagram`] does as well, with an event.
    pub fn receive<'a>(&mut self, now: Instant, datagram: Datagram<'a>) -> Option<&'a mut [u8]> {
        if datagram.path.local.port() == LOCAL_NAMES_PORT {
            if let Some(mdns) = &mut self.mdns {
                mdns.handle_datagram(now, datagram);
            }
            self.handle_local_names(now);
            self.advance(now);
            return None;
        }
        let received = self.gatherer.receive(now, datagram.path, datagram.payload);
        let Received::From { local, remote, payload } = received else {
            if matches!(received, Received::Dropped) {
                self.counters.foreign += 1;
            }
            self.advance(now);
            return None;
        };
        if is_stun(payload) {
            self.handle_stun(now, local, remote, payload);
            self.advance(now);
            return None;
        }
        let was_deserted = self.current.is_deserted;
        // Its checks are answered before signaling has brought its credentials (RFC 8445 §7.3), and with an
        // answer it may begin to send (§12.1): data can be here before there is any pair.
        let is_theirs = self.take_along_pair(now, local, remote, payload.len())
            || self.was_heard_early(remote, Some(local));
        if !is_theirs {
            self.counters.foreign += 1;
            return None;
        }
        self.traffic.packets_received += 1;
        self.traffic.bytes_received += payload.len() as u64;
        if self.current.is_deserted && !was_deserted {
            self.advance(now);
        }
        Some(payload)
    }

    /// Whether data is the other side's by the pair that it comes along: it has shown by a check or an answer that
    /// it is there.
    fn take_along_pair(
        &mut self,
        now: Instant,
        local: LocalId,
        remote: SocketAddr,
        length: usize,
    ) -> bool {
        let previous = self.previous.iter_mut().flat_map(|previous| previous.generations_mut());
        for generation in std::iter::once(&mut self.current).chain(previous) {
            let Some(index) = generation.find(local, remote) else { continue };
            let pair = &mut generation.pairs[index];
            if pair.was_heard || pair.is_valid() {
                pair.counts.packets_received += 1;
                pair.counts.bytes_received += length as u64;
                pair.counts.last_received = Some(now);
                let id = pair.id;
                generation.doubt(now, id);
                return true;
            }
        }
        false
    }

    /// Whether the other side has shown, by a check or an answer with the right password, that it is at
    /// this address.
    pub(in crate::ice) fn is_proven(&self, remote: SocketAddr) -> bool {
        let pairs = self.generations().flat_map(|generation| &generation.pairs);
        let mut there = pairs.filter(|pair| pair.address == remote);
        there.any(|pair| pair.was_heard || pair.is_valid()) || self.was_heard_early(remote, None)
    }

    fn was_heard_early(&self, remote: SocketAddr, base: Option<LocalId>) -> bool {
        self.generations().any(|generation| generation.was_heard_early(remote, base))
    }

    /// Whether what is sent to this address has reached somebody who answered, not long ago.
    pub(in crate::ice) fn is_answered_from(&self, remote: SocketAddr) -> bool {
        let mut pairs = self.generations().flat_map(|generation| &generation.pairs);
        pairs.any(|pair| pair.address == remote && pair.is_valid())
    }

    /// Whether this want is for a stream to the other side, and not to a relay.
    pub(in crate::ice) fn opens_to_peer(&self, id: WantId) -> bool {
        self.gatherer.opens_to_peer(id)
    }

    /// Whether data came another way than the one selected, and it is asked whether that is still there.
    pub(in crate::ice) fn is_in_doubt(&self) -> bool {
        self.current.is_deserted
    }
}

/// RFC 7983 §7, with the cookie: DTLS and RTP begin otherwise, and whatever else an application sends has
/// no cookie there.
fn is_stun(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| *first < 4)
        && payload.get(4..8) == Some(&crate::stun::MAGIC_COOKIE.to_be_bytes())
}
