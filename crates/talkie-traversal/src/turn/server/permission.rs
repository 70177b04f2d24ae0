//! CreatePermission requests (RFC 8656 §9, §10.2).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::auth::Caller;
use super::reply::Asker;
use super::table::{Family, Id};
use super::{Outcome, TurnServer};
use crate::stun::attributes::{Attribute as _, AttributeType, ErrorCode, XorPeerAddress};
use crate::stun::{Message, TransactionId};

/// RFC 8656 §9: MUST be 300 seconds.
const PERMISSION: Duration = Duration::from_secs(300);

impl TurnServer {
    pub(super) fn create_permission(
        &mut self,
        now: Instant,
        asker: Asker,
        caller: &Caller,
        request: &Message<'_>,
    ) -> Outcome {
        let id = self.allocation_of(asker, caller)?;
        // RFC 8656 §10.2: all of the addresses or none.
        let mut count = 0;
        for peer in peers(request, asker.transaction) {
            self.check_peer_ip(id, peer?.ip())?;
            count += 1;
        }
        if count == 0 {
            return Err(ErrorCode::BAD_REQUEST);
        }
        let new = peers(request, asker.transaction).flatten().map(|peer| peer.ip());
        self.make_room(id, now, new)?;
        for peer in peers(request, asker.transaction).flatten() {
            self.permit(id, peer.ip(), now);
        }
        asker.success(&mut self.outbox, Some(&caller.signer), |_| {});
        Ok(())
    }

    /// Whether `id` may have a permission for `ip`: of a family it relays, and allowed.
    pub(super) fn check_peer_ip(&mut self, id: Id, ip: IpAddr) -> Outcome {
        let allocation = self.table.get(id).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        let half =
            allocation.half(Family::of(ip)).ok_or(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH)?;
        // Our own addresses always: the relays of others are there. What else is there cannot be
        // reached; see `route`.
        if ip == half.advertised.ip() || self.is_ours(ip) || self.config.peers.allows(ip) {
            return Ok(());
        }
        self.stats.denied_peers += 1;
        Err(ErrorCode::FORBIDDEN)
    }

    /// Refuses with 508 if the permissions for `ips` would be too many.
    pub(super) fn make_room(
        &mut self,
        id: Id,
        now: Instant,
        ips: impl Iterator<Item = IpAddr> + Clone,
    ) -> Outcome {
        let limit = self.config.limits.permissions_per_allocation;
        let allocation = self.table.get_mut(id).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        let held = &mut allocation.permissions;
        // One address may be named twice: it then counts twice here, which only refuses too early
        // what is close to the limit anyway.
        let new = ips.clone().filter(|ip| !held.contains_key(ip)).count();
        if held.len() + new <= limit {
            return Ok(());
        }
        held.retain(|_, expires| now < *expires);
        let new = ips.filter(|ip| !held.contains_key(ip)).count();
        if held.len() + new > limit {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        Ok(())
    }

    pub(super) fn permit(&mut self, id: Id, ip: IpAddr, now: Instant) {
        if let Some(allocation) = self.table.get_mut(id) {
            allocation.permissions.insert(ip, now + PERMISSION);
        }
    }
}

/// Every XOR-PEER-ADDRESS of a request.
fn peers<'m>(
    request: &Message<'m>,
    id: TransactionId,
) -> impl Iterator<Item = Result<SocketAddr, ErrorCode<'static>>> + Clone + use<'m> {
    request
        .attributes()
        .filter(|(kind, _)| *kind == AttributeType::XOR_PEER_ADDRESS)
        .map(move |(_, value)| XorPeerAddress::decode(value, id))
        .map(|peer| peer.map(|XorPeerAddress(peer)| peer).map_err(|_| ErrorCode::BAD_REQUEST))
}
