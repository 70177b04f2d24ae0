//! Multicast within one local network: what is sent to a group reaches the hosts that are attached to
//! the same router or NAT and have joined it there, and the sender's own socket, as systems do it.
//! Routers hand nothing on (RFC 5771 §4, RFC 4291 §2.7: the scope of the link).

use std::net::SocketAddr;

use super::fabric::{Fabric, Happening, Kind, LOOPBACK};
use crate::trace::{Cause, What};

impl Fabric {
    /// A packet for a group comes out of a line. Returns the host whose machine is to have it.
    pub(super) fn arrive_at_group(&mut self, node: u32, via: u32, id: u32) -> Option<u32> {
        if !matches!(self.nodes[node as usize].kind, Kind::Host { .. }) {
            self.spread(node, via, id);
            return None;
        }
        let Some(local) = self.member(node, via, self.pool.get(id).destination) else {
            self.discard(node, Some(via), id, Cause::NoSocket);
            return None;
        };
        // A machine knows its sockets, not the groups that they hear.
        self.pool.get_mut(id).destination = local;
        self.deliver(node, Some(via), id)
    }

    /// A box has got a packet for a group from below.
    fn spread(&mut self, node: u32, from: u32, id: u32) {
        let group = self.pool.get(id).destination;
        if matches!(self.nodes[node as usize].kind, Kind::Router { is_internet: true })
            || self.attached[from as usize].parent != node
        {
            return self.discard(node, Some(from), id, Cause::NoRoute);
        }
        self.record(node, Some(from), id, What::Forwarded);
        let to: Vec<u32> = (0..self.attached.len() as u32)
            .filter(|via| *via != from && self.attached[*via as usize].parent == node)
            .filter(|via| self.member(self.attached[*via as usize].child, *via, group).is_some())
            .collect();
        for via in to {
            let number = self.counters.packets();
            self.counters.copies += 1;
            let copy = self.pool.copy(id, number);
            self.carry(node, via, copy);
        }
        // The original has gone as far as it goes.
        self.counters.delivered += 1;
        self.pool.remove(id);
    }

    /// Lets the sender hear what it says.
    pub(super) fn echo_to_sender(&mut self, node: u32, via: u32, id: u32) {
        let Some(local) = self.member(node, via, self.pool.get(id).destination) else { return };
        let number = self.counters.packets();
        self.counters.copies += 1;
        let packet = self.pool.copy(id, number);
        self.pool.get_mut(packet).destination = local;
        self.queue.push(self.now + LOOPBACK, Happening::Loopback { packet, node });
    }

    /// The socket by which a host hears a group on an interface.
    fn member(&self, node: u32, via: u32, group: SocketAddr) -> Option<SocketAddr> {
        let Kind::Host { hosting: Some(hosting), .. } = &self.nodes[node as usize].kind else {
            return None;
        };
        let addresses = &self.attached[via as usize].addresses;
        hosting.member(group, |interface| addresses.contains(&interface))
    }
}
