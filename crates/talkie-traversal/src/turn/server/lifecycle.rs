//! How allocations, reservations and relays end, and the timers that end them.

use std::time::{Duration, Instant};

use talkie_sansio::Path;

use super::event::{Event, ReleaseReason};
use super::table::{Family, Id, RelayKey};
use super::{Timer, TurnServer};
use crate::stun::attributes::ReservationToken;

impl TurnServer {
    /// The connection of a TCP or TLS client closed: its allocation ends (RFC 8656 §3.1).
    pub fn handle_disconnect(&mut self, _now: Instant, path: Path) {
        if let Some(id) = self.table.find(&path) {
            self.release(id, ReleaseReason::Disconnected);
        }
    }

    /// Sets the timer for the next end of `id`.
    pub(super) fn arm(&mut self, id: Id) {
        let Some(allocation) = self.table.get_mut(id) else { return };
        let Some(at) = allocation.deadline() else { return };
        allocation.armed = at;
        self.deadlines.arm(at, Timer::Allocation(id));
        let table = &self.table;
        self.deadlines.sweep(table.load(), |at, timer| match timer {
            Timer::Allocation(id) => table.get(id).is_some_and(|allocation| allocation.armed == at),
            Timer::Reservation(token) => table.reservations.contains_key(&token),
        });
    }

    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((at, timer)) = self.deadlines.pop_due(now) {
            self.flows.forget();
            match timer {
                Timer::Allocation(id) => self.expire_allocation(now, at, id),
                Timer::Reservation(token) => self.expire_reservation(now, token),
            }
        }
    }

    fn expire_allocation(&mut self, now: Instant, at: Instant, id: Id) {
        let Some(allocation) = self.table.get(id) else { return };
        if allocation.armed != at {
            return;
        }
        let Some(deadline) = allocation.deadline() else { return };
        if deadline > now {
            // It was refreshed.
            return self.arm(id);
        }
        if allocation.opening.is_some() {
            return self.give_up(id);
        }
        for family in Family::BOTH {
            self.release_half(id, family, ReleaseReason::Expired, |expires| expires <= now);
        }
        self.arm(id);
    }

    fn expire_reservation(&mut self, now: Instant, token: ReservationToken) {
        let Some(reservation) = self.table.reservations.get(&token) else { return };
        if reservation.expires > now {
            return;
        }
        let relay = reservation.relay;
        if let Some(reservation) = self.table.reservations.remove(&token) {
            self.table.discharge(&reservation.user, reservation.source);
        }
        self.close_relay(relay);
    }

    /// Ends one relayed address of `id` if `when` says so of its expiry, and the allocation with
    /// its last one.
    pub(super) fn release_half(
        &mut self,
        id: Id,
        family: Family,
        reason: ReleaseReason,
        when: impl FnOnce(Instant) -> bool,
    ) {
        let Some(allocation) = self.table.get_mut(id) else { return };
        let Some(half) = allocation.halves[family as usize] else { return };
        if !when(half.expires) {
            return;
        }
        if allocation.halves.iter().flatten().count() == 1 {
            return self.release(id, reason);
        }
        allocation.halves[family as usize] = None;
        // No packet of this family can pass any more; what remains bound would only be in the way.
        allocation.permissions.retain(|ip, _| Family::of(*ip) != family);
        allocation.channels.retain(|_, channel| Family::of(channel.peer.ip()) != family);
        allocation.numbers.retain(|peer, _| Family::of(peer.ip()) != family);
        let transport = allocation.path.transport;
        self.count_ended(transport, family);
        self.close_relay(half.relay);
    }

    /// Ends a whole allocation.
    pub(super) fn release(&mut self, id: Id, reason: ReleaseReason) {
        self.flows.forget();
        let Some(allocation) = self.table.remove(id) else { return };
        self.table.discharge(&allocation.user, allocation.source());
        let companion = allocation.opening.as_ref().and_then(|opening| opening.companion);
        for half in allocation.halves.iter().flatten() {
            if allocation.is_live() {
                self.count_ended(allocation.path.transport, half.relay.0);
            }
            self.close_relay(half.relay);
        }
        if let Some(companion) = companion {
            self.close_relay(companion);
        }
        if allocation.is_live() {
            self.events.push_back(Event::Released {
                path: allocation.path,
                user: allocation.user.clone(),
                reason,
                to_peers: allocation.to_peers,
                to_client: allocation.to_client,
            });
        }
    }

    pub(super) fn close_relay(&mut self, key: RelayKey) {
        if let Some(relay) = self.table.relays.remove(&key) {
            self.events.push_back(Event::CloseRelay { relay: relay.id, local: relay.bound });
        }
    }

    /// Counts and tells that `id` was made.
    pub(super) fn announce(&mut self, id: Id, lifetime: Duration) {
        let Some(allocation) = self.table.get(id) else { return };
        for half in allocation.halves.iter().flatten() {
            let kind = (allocation.path.transport, half.relay.0);
            let counts = self.stats.allocations.entry(kind).or_default();
            counts.now += 1;
            counts.total += 1;
        }
        self.events.push_back(Event::Allocated {
            path: allocation.path,
            user: allocation.user.clone(),
            relayed: allocation.halves.map(|half| half.map(|half| half.advertised)),
            lifetime,
        });
    }

    fn count_ended(&mut self, transport: talkie_sansio::Transport, family: Family) {
        if let Some(counts) = self.stats.allocations.get_mut(&(transport, family)) {
            counts.now -= 1;
        }
    }
}
