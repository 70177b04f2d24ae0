//! How a NAT handles a packet: outward, inward, and between those inside. One with a prefix is a NAT64
//! as well (RFC 6146): packets from IPv6 hosts inside to addresses of the prefix go out as IPv4 packets,
//! and what comes back becomes IPv6 again. Headers grow and shrink with the family. Other IPv6 packets it
//! hands on as any router does.

use std::net::{IpAddr, SocketAddr};

use super::fabric::{Fabric, Kind};
use crate::nat::{Prefix, Verdict};
use crate::trace::{Cause, Way, What};

impl Fabric {
    pub(super) fn translate_outbound(&mut self, node: u32, from: u32, id: u32) {
        let packet = self.pool.get(id);
        let (source, destination) = (packet.source, packet.destination);
        let protocol = packet.content.protocol();
        let now = self.instant();
        let box_ = &mut self.nodes[node as usize];
        if box_.routes.lookup(destination.ip()).is_some() {
            // Those inside reach each other without the NAT's other half.
            return self.route(node, from, id, false);
        }
        let Kind::Nat { nat, prefix } = &mut box_.kind else { return };
        let prefix = *prefix;
        let remote = meant(prefix, destination);
        if prefix.is_some() && remote.is_ipv6() {
            return self.route(node, from, id, false);
        }
        match nat.handle_outbound(now, protocol, source, remote) {
            Verdict::Outside { source } => match box_.uplink {
                Some(via) => self.translate(node, from, via, id, (Way::Out, source, remote)),
                None => self.discard(node, Some(from), id, Cause::NoRoute),
            },
            Verdict::Inside { source, to } => {
                let source = as_seen(prefix, source, to);
                self.translate_inside(node, from, id, (Way::Hairpin, source, to));
            }
            Verdict::Dropped(reason) => self.discard(node, Some(from), id, Cause::Nat(reason)),
        }
    }

    pub(super) fn translate_inbound(&mut self, node: u32, from: u32, id: u32) {
        let packet = self.pool.get(id);
        let (source, destination) = (packet.source, packet.destination);
        let protocol = packet.content.protocol();
        let now = self.instant();
        let Kind::Nat { nat, prefix } = &mut self.nodes[node as usize].kind else { return };
        let prefix = *prefix;
        if prefix.is_some() && destination.is_ipv6() {
            return self.route(node, from, id, false);
        }
        match nat.handle_inbound(now, protocol, destination, source) {
            Verdict::Inside { source, to } => {
                let source = as_seen(prefix, source, to);
                self.translate_inside(node, from, id, (Way::In, source, to));
            }
            Verdict::Outside { .. } => self.discard(node, Some(from), id, Cause::NoRoute),
            Verdict::Dropped(reason) => self.discard(node, Some(from), id, Cause::Nat(reason)),
        }
    }

    fn translate_inside(
        &mut self,
        node: u32,
        from: u32,
        id: u32,
        after: (Way, SocketAddr, SocketAddr),
    ) {
        match self.nodes[node as usize].routes.lookup(after.2.ip()) {
            Some(via) => self.translate(node, from, via, id, after),
            None => self.discard(node, Some(from), id, Cause::NoRoute),
        }
    }

    fn translate(
        &mut self,
        node: u32,
        from: u32,
        via: u32,
        id: u32,
        (way, source, destination): (Way, SocketAddr, SocketAddr),
    ) {
        if self.pool.get(id).hops == 0 {
            return self.discard(node, Some(from), id, Cause::TooManyHops);
        }
        let before = (self.pool.get(id).source, self.pool.get(id).destination);
        let is_same = before == (source, destination);
        let translated = What::Translated { way, source, destination };
        self.record(node, Some(from), id, if is_same { What::Forwarded } else { translated });
        let packet = self.pool.get_mut(id);
        packet.hops -= 1;
        (packet.source, packet.destination) = (source, destination);
        self.carry(node, via, id);
    }
}

/// Whom a host inside means (RFC 6146 §3.5.1: algorithmic mapping of the destination).
fn meant(prefix: Option<Prefix>, destination: SocketAddr) -> SocketAddr {
    match prefix.and_then(|prefix| prefix.extract(destination.ip())) {
        Some(address) => SocketAddr::new(address.into(), destination.port()),
        None => destination,
    }
}

/// What a host inside sees as the source of what comes from outside.
fn as_seen(prefix: Option<Prefix>, source: SocketAddr, to: SocketAddr) -> SocketAddr {
    match (prefix, source.ip(), to.ip()) {
        (Some(prefix), IpAddr::V4(address), IpAddr::V6(_)) => {
            SocketAddr::new(prefix.embed(address).into(), source.port())
        }
        _ => source,
    }
}
