//! Packets over a relay: out by a channel or an indication once the peer is permitted, in as the peer's.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sansio::Path;

use super::{Leg, LegId, State};
use crate::ice::gather::{Gatherer, LocalId, Received, SendError};
use crate::turn::client::{self, CommandError, Failure};

/// How many packets wait for a permission.
const MOST_HELD: usize = 16;
/// How many permissions are asked for before anything is sent: the addresses of two peers with a dual stack,
/// their NATs and relays. Whoever lists more gets the others when their checks are due.
const MOST_EARLY: usize = 16;
/// The most addresses that are known to be refused.
const MOST_REFUSED: usize = 128;
/// How long nobody asks again for a permission that was not given for a reason that may pass.
const REFUSED: Duration = Duration::from_secs(5);
/// Whom nothing was sent to for so long is of no use: consent is asked for every 5 s, and spare pairs are
/// kept alive every 15 s (RFC 7675 §5.1, RFC 8445 §11).
const IDLE: Duration = Duration::from_secs(60);
/// How long we send without hearing anything until the server is asked whether it still knows the
/// allocation: one that was restarted drops what we send without a word. Consent checks (RFC 7675) are
/// answered every 5 s where all is well.
const DOUBT: Duration = Duration::from_secs(7);

impl Leg {
    /// The relay lets nothing through to this peer.
    pub(super) fn refuse(&mut self, now: Instant, ip: IpAddr, failure: &Failure) {
        self.held.retain(|(remote, _)| remote.ip() != ip);
        self.used.remove(&ip);
        let until = match failure {
            // RFC 8656 §10.2: the server's rules, and the address's family, stay as they are.
            Failure::Forbidden | Failure::PeerAddressFamilyMismatch => None,
            // Anything else may pass: an outage longer than a transaction, a server without room.
            _ => Some(now + REFUSED),
        };
        self.refused.retain(|_, until| until.is_none_or(|at| now < at));
        if self.refused.len() < MOST_REFUSED {
            self.refused.insert(ip, until);
        }
    }

    /// Renews no permission that is of no use any more: a peer that lists a hundred addresses, or restarts
    /// often, would take all there are.
    pub(super) fn let_lapse(&mut self, now: Instant) {
        let State::Running { client, .. } = &mut self.state else { return };
        self.used.retain(|ip, at| {
            let is_idle = now.saturating_duration_since(*at) >= IDLE;
            if is_idle {
                client.forget(*ip);
            }
            !is_idle
        });
    }

    /// Asks for a permission, if need be in the place of others.
    fn permit(&mut self, now: Instant, ip: IpAddr) -> Result<(), SendError> {
        for is_last in [false, true] {
            let State::Running { client, .. } = &mut self.state else { break };
            match client.permit(now, ip) {
                Ok(()) => {
                    self.used.insert(ip, now);
                    return Ok(());
                }
                Err(CommandError::Full) if !is_last => self.let_lapse(now),
                Err(CommandError::Full) => return Err(SendError::Full),
                Err(CommandError::Ended) => break,
            }
        }
        Err(SendError::NoBase)
    }

    /// Asks for the permissions of peers that packets will be sent to soon.
    fn permit_early(&mut self, now: Instant, peers: &[IpAddr]) {
        let mut new: Vec<IpAddr> = Vec::new();
        for peer in peers {
            let is_known = self.used.contains_key(peer) || new.contains(peer);
            let has_room = self.used.len() + new.len() < MOST_EARLY;
            if !is_known && has_room && self.refusal(now, *peer).is_none() {
                new.push(*peer);
            }
        }
        let State::Running { client, .. } = &mut self.state else { return };
        if !new.is_empty() {
            // What finds no room is asked for when it is needed, in the place of others.
            let _ = client.permit_all(now, &new);
            self.used.extend(new.into_iter().map(|peer| (peer, now)));
        }
    }

    /// Why nobody asks for this peer's permission now.
    fn refusal(&self, now: Instant, ip: IpAddr) -> Option<SendError> {
        match self.refused.get(&ip)? {
            None => Some(SendError::Forbidden),
            Some(until) => (now < *until).then_some(SendError::Full),
        }
    }
}

impl Gatherer {
    pub(in crate::ice::gather) fn receive_relayed<'p>(
        &mut self,
        now: Instant,
        id: LegId,
        path: Path,
        payload: &'p mut [u8],
    ) -> Received<'p> {
        let Some(leg) = self.legs.get_mut(&id) else { return Received::Dropped };
        leg.doubted_since = None;
        let State::Running { client, .. } = &mut leg.state else { return Received::Dropped };
        if let Some((remote, range)) = client.receive(now, path, payload) {
            return match (leg.base_of(remote), payload.get_mut(range)) {
                (Some(local), Some(payload)) => Received::From { local, remote, payload },
                _ => Received::Dropped,
            };
        }
        self.drain_leg(now, id);
        self.settle(now);
        Received::Taken
    }

    pub(in crate::ice::gather) fn send_relayed(
        &mut self,
        now: Instant,
        local: LocalId,
        remote: SocketAddr,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let id = self.leg_with(local).ok_or(SendError::NoBase)?;
        let leg = self.legs.get_mut(&id).ok_or(SendError::NoBase)?;
        if leg.base_of(remote) != Some(local) {
            return Err(SendError::Unreachable);
        }
        let refusal = leg.refusal(now, remote.ip());
        let State::Running { client, .. } = &mut leg.state else { return Err(SendError::NoBase) };
        let since = *leg.doubted_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= DOUBT {
            leg.doubted_since = Some(now);
            client.verify(now);
        }
        match client.send(now, remote, payload) {
            Ok(()) => {
                leg.used.insert(remote.ip(), now);
                Ok(())
            }
            Err(client::SendError::NotPermitted) => {
                if let Some(error) = refusal {
                    return Err(error);
                }
                leg.permit(now, remote.ip())?;
                if leg.held.len() >= MOST_HELD {
                    return Err(SendError::Full);
                }
                leg.held.push_back((remote, payload.to_vec()));
                Ok(())
            }
            Err(client::SendError::NotAllocated) => Err(SendError::NoBase),
            Err(client::SendError::Full) => Err(SendError::Full),
            Err(client::SendError::TooLong) => Err(SendError::TooLong),
        }
    }

    pub(in crate::ice::gather) fn permit_relayed(
        &mut self,
        now: Instant,
        local: LocalId,
        peers: &[IpAddr],
    ) {
        let leg = self.leg_with(local).and_then(|id| self.legs.get_mut(&id));
        if let Some(leg) = leg {
            leg.permit_early(now, peers);
        }
    }

    pub(in crate::ice::gather) fn bind_relayed(
        &mut self,
        now: Instant,
        local: LocalId,
        remote: SocketAddr,
    ) {
        let leg = self.leg_with(local).and_then(|id| self.legs.get_mut(&id));
        if let Some(Leg { state: State::Running { client, .. }, .. }) = leg {
            // Without a channel packets go as indications: longer, but they go.
            let _ = client.bind(now, remote);
        }
    }

    /// Asks all relays whether they still know their allocations.
    pub(in crate::ice::gather) fn verify_legs(&mut self, now: Instant) {
        for leg in self.legs.values_mut() {
            if let State::Running { client, .. } = &mut leg.state {
                client.verify(now);
            }
        }
    }

    /// Sends what waited for a permission.
    pub(super) fn let_go(&mut self, now: Instant, id: LegId, ip: IpAddr) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.refused.remove(&ip);
        let State::Running { client, .. } = &mut leg.state else { return };
        let (waiting, held): (VecDeque<_>, _) =
            leg.held.drain(..).partition(|(remote, _)| remote.ip() == ip);
        leg.held = held;
        for (remote, payload) in waiting {
            // A packet lost like any other.
            let _ = client.send(now, remote, &payload);
        }
    }
}
