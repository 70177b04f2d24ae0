//! Where a relayed packet goes: to a peer through the network, or to a client.
//!
//! A packet for a relayed address of this very server is handed to the other allocation here and
//! never sees the kernel, so that two relayed clients reach each other behind a 1:1 NAT, on private
//! addresses and on loopback alike. An address counts as ours if it is configured, if a client
//! reached us at it, or if sender and receiver both were told it; what a single client's credential
//! claims diverts nobody else's packets.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use talkie_sansio::{Path, Transport};

use super::TurnServer;
use super::config::Config;
use super::policy::{Class, Forms, canonical};
use super::table::{Allocation, Family, Half, Id, Owner, RelayKey};
use crate::stun::attributes::ChannelNumber;

/// A way for packets, good until an instant at which something that it rests on ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) way: Way,
    pub(super) until: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From client `from` to a peer.
    ToPeer { from: Id, path: Path },
    /// From a peer to a client.
    ToClient(Delivery),
    /// From client `from` to another client.
    Inside { from: Id, to: Delivery },
}

/// The last step to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) to: Id,
    pub(super) path: Path,
    pub(super) peer: SocketAddr,
    pub(super) channel: Option<ChannelNumber>,
}

/// Why a packet goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    Allocation,
    Channel,
    Permission,
    OwnAddress,
}

enum Destination<'a> {
    Network,
    Inside { id: Id, allocation: &'a Allocation, half: &'a Half, source: SocketAddr },
    Refused,
}

/// The addresses that are ours by configuration.
pub(super) fn own_addresses(config: &Config) -> Vec<IpAddr> {
    let relays = [config.relay_v4, config.relay_v6].into_iter().flatten();
    let mut own: Vec<_> = relays
        .flat_map(|relay| [relay.bind, relay.advertise])
        .chain(config.listeners.iter().map(SocketAddr::ip))
        .map(|ip| ip.to_canonical())
        .filter(|ip| !ip.is_unspecified())
        .collect();
    own.sort_unstable();
    own.dedup();
    own
}

impl TurnServer {
    /// The way of a client's ChannelData (RFC 8656 §12.6).
    pub(super) fn route_channel(
        &self,
        now: Instant,
        path: &Path,
        number: ChannelNumber,
    ) -> Result<Route, NoRoute> {
        let (id, allocation) = self.live(path)?;
        let channel = allocation.channel(number, now).ok_or(NoRoute::Channel)?;
        self.route_out(now, id, allocation, channel.peer, channel.expires)
    }

    /// The way of a client's Send indication (RFC 8656 §11.2).
    pub(super) fn route_send(
        &self,
        now: Instant,
        path: &Path,
        peer: SocketAddr,
    ) -> Result<Route, NoRoute> {
        let (id, allocation) = self.live(path)?;
        let permitted = allocation.permits(peer.ip(), now).ok_or(NoRoute::Permission)?;
        self.route_out(now, id, allocation, peer, permitted)
    }

    /// The way of a datagram that came to a relay (RFC 8656 §11.3).
    pub(super) fn route_in(&self, now: Instant, path: &Path) -> Result<Route, NoRoute> {
        let relay = self.table.relay_at(path).ok_or(NoRoute::Allocation)?;
        let Owner::Allocation(id) = relay.owner else { return Err(NoRoute::Allocation) };
        let allocation = self.table.get(id).ok_or(NoRoute::Allocation)?;
        let half = allocation
            .half(Family::of(path.local.ip()))
            .filter(|half| allocation.is_live() && now < half.expires)
            .ok_or(NoRoute::Allocation)?;
        let peer = SocketAddr::new(path.remote.ip(), path.remote.port());
        let (delivery, until) = deliver(now, id, allocation, half, peer)?;
        Ok(Route { way: Way::ToClient(delivery), until })
    }

    fn live(&self, path: &Path) -> Result<(Id, &Allocation), NoRoute> {
        let id = self.table.find(path).ok_or(NoRoute::Allocation)?;
        let allocation = self.table.get(id).filter(|allocation| allocation.is_live());
        Ok((id, allocation.ok_or(NoRoute::Allocation)?))
    }

    fn route_out(
        &self,
        now: Instant,
        from: Id,
        allocation: &Allocation,
        peer: SocketAddr,
        until: Instant,
    ) -> Result<Route, NoRoute> {
        let half = allocation
            .half(Family::of(peer.ip()))
            .filter(|half| now < half.expires)
            .ok_or(NoRoute::Allocation)?;
        let until = until.min(half.expires);
        match self.destination(half, peer) {
            Destination::Refused => Err(NoRoute::OwnAddress),
            Destination::Network => {
                let path = Path { transport: Transport::Udp, local: half.bound, remote: peer };
                Ok(Route { way: Way::ToPeer { from, path }, until })
            }
            Destination::Inside { id, allocation, half, source } => {
                if now >= half.expires {
                    return Err(NoRoute::OwnAddress);
                }
                let (to, theirs) = deliver(now, id, allocation, half, source)?;
                Ok(Route { way: Way::Inside { from, to }, until: until.min(theirs) })
            }
        }
    }

    /// Whether `id` can send to `peer` at all.
    pub(super) fn may_send_to(&self, id: Id, peer: SocketAddr) -> bool {
        let allocation = self.table.get(id);
        let half = allocation.and_then(|allocation| allocation.half(Family::of(peer.ip())));
        half.is_some_and(|half| !matches!(self.destination(half, peer), Destination::Refused))
    }

    /// Whether `ip` is known to be an address of this host.
    pub(super) fn is_ours(&self, ip: IpAddr) -> bool {
        self.own.contains(&ip) || self.table.is_local(ip)
    }

    fn destination(&self, half: &Half, peer: SocketAddr) -> Destination<'_> {
        if let Some(inside) = self.inside(half, peer) {
            return inside;
        }
        // The permission was for an address that is ours, perhaps: then for the relays there, and
        // it may be somebody else's by now. So the policy is asked here too.
        let refused = peer.port() == 0
            || !self.config.peers.allows(peer.ip())
            || Forms::of(peer.ip()).iter().any(|ip| self.withholds(half, ip, peer.port()));
        if refused { Destination::Refused } else { Destination::Network }
    }

    /// Whether something of our own is at an address that is not to be reached from outside.
    fn withholds(&self, half: &Half, ip: IpAddr, port: u16) -> bool {
        let ours = ip == half.advertised.ip() || self.is_ours(ip);
        self.listens_at(ip, port, ours) || (ours && !self.config.peers.allows_by_name(ip))
    }

    /// The allocation that `peer` is the relayed address of.
    fn inside(&self, sender: &Half, peer: SocketAddr) -> Option<Destination<'_>> {
        let ip = peer.ip();
        let ours = self.is_ours(ip);
        if !ours && ip != sender.advertised.ip() {
            return None;
        }
        let relay = self.table.relays.get(&RelayKey(Family::of(ip), peer.port()))?;
        let Owner::Allocation(id) = relay.owner else { return None };
        let allocation = self.table.get(id).filter(|allocation| allocation.is_live())?;
        let half = allocation.half(Family::of(ip))?;
        if !ours && ip != half.advertised.ip() {
            return None;
        }
        // The receiver sees the sender at the address that the sender was told, unless it is
        // nothing but a claim of the sender's credential; then where the kernel would show it.
        let told = sender.advertised.ip();
        let known = told == half.advertised.ip() || self.is_ours(told);
        let source = SocketAddr::new(if known { told } else { ip }, sender.advertised.port());
        Some(Destination::Inside { id, allocation, half, source })
    }

    /// Whether clients are listened for at an address. A wildcard listener is met on every address
    /// that is ours or that may be: those that are not global.
    fn listens_at(&self, ip: IpAddr, port: u16, ours: bool) -> bool {
        self.config.listeners.iter().filter(|listener| listener.port() == port).any(|listener| {
            if listener.ip().is_unspecified() {
                ours || Class::of(ip) != Class::Global
            } else {
                canonical(listener.ip()) == ip
            }
        })
    }
}

/// The last step of a packet from `peer` to the client of `allocation`.
fn deliver(
    now: Instant,
    id: Id,
    allocation: &Allocation,
    half: &Half,
    peer: SocketAddr,
) -> Result<(Delivery, Instant), NoRoute> {
    // RFC 8656 §9: addresses are compared, ports are not.
    let permitted = allocation.permits(peer.ip(), now).ok_or(NoRoute::Permission)?;
    let until = permitted.min(half.expires);
    let (channel, until) = match allocation.number(peer, now) {
        Some((number, expires)) => (Some(number), until.min(expires)),
        None => (None, until),
    };
    Ok((Delivery { to: id, path: allocation.path, peer, channel }, until))
}
