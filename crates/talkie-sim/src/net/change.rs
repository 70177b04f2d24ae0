//! Building the network, and changing it while it runs.

use std::net::IpAddr;

use super::fabric::{Attached, Fabric, Kind, Node};
use super::link::{Duplex, Line};
use super::routes::{Routes, is_public, width};
use super::{Attachment, NatBox, Place};
use crate::trace::BoxKind;

/// What can happen to a network while it runs.
#[derive(Clone, Debug)]
pub enum Change {
    /// A link is cut: what is on it is lost, and what comes until it is mended.
    Cut(Attachment),
    /// A link carries packets again.
    Mend(Attachment),
    /// A link's properties change; what is on it arrives as it would have.
    Relink(Attachment, Duplex),
    /// A host's interface has other addresses from now on, or none. Packets to the old ones are lost. A
    /// hosted machine is told; others are by whoever runs them, with
    /// [`Network::call`](super::Network::call).
    Readdress(Attachment, Vec<IpAddr>),
    /// A host's interface is somewhere else from now on, as when a phone leaves the Wi-Fi. Packets on
    /// the old link are lost.
    Move {
        /// Which interface.
        attachment: Attachment,
        /// The new network.
        to: Place,
        /// The link to it.
        link: Duplex,
        /// Its addresses there.
        addresses: Vec<IpAddr>,
    },
    /// A NAT forgets everything.
    Reboot(NatBox),
}

impl Fabric {
    pub(super) fn add_node(&mut self, name: &str, kind: Kind) -> u32 {
        let is = match kind {
            Kind::Host { .. } => BoxKind::Host,
            Kind::Router { .. } => BoxKind::Router,
            Kind::Nat { .. } => BoxKind::Nat,
        };
        self.trace.name(name, is);
        self.nodes.push(Node { kind, routes: Routes::default(), uplink: None });
        u32::try_from(self.nodes.len() - 1).expect("fewer than 2^32 boxes")
    }

    pub(super) fn attach(
        &mut self,
        child: u32,
        parent: u32,
        link: Duplex,
        addresses: Vec<IpAddr>,
        mut seed: impl FnMut() -> u64,
    ) -> u32 {
        let id = u32::try_from(self.attached.len()).expect("fewer than 2^32 links");
        let (up, down) = (Line::new(link.up, seed()), Line::new(link.down, seed()));
        self.attached.push(Attached { child, parent, addresses, up, down, is_up: true, epoch: 0 });
        let node = &mut self.nodes[child as usize];
        match &mut node.kind {
            Kind::Host { interfaces, .. } => {
                interfaces.push(id);
                self.announce_interfaces(child);
            }
            Kind::Router { .. } | Kind::Nat { .. } => node.uplink = Some(id),
        }
        self.announce(id);
        id
    }

    pub(super) fn change(&mut self, change: Change) {
        match change {
            Change::Cut(Attachment(id)) => {
                let attached = &mut self.attached[id as usize];
                attached.is_up = false;
                attached.epoch += 1;
            }
            Change::Mend(Attachment(id)) => self.attached[id as usize].is_up = true,
            Change::Relink(Attachment(id), link) => {
                let attached = &mut self.attached[id as usize];
                attached.up.replace(link.up);
                attached.down.replace(link.down);
            }
            Change::Readdress(Attachment(id), addresses) => {
                self.withdraw(id);
                self.attached[id as usize].addresses = addresses;
                self.announce(id);
                self.announce_interfaces(self.attached[id as usize].child);
            }
            Change::Move { attachment: Attachment(id), to, link, addresses } => {
                self.withdraw(id);
                let attached = &mut self.attached[id as usize];
                attached.up.replace(link.up);
                attached.down.replace(link.down);
                (attached.parent, attached.addresses) = (to.0, addresses);
                attached.epoch += 1;
                let child = attached.child;
                self.announce(id);
                self.announce_interfaces(child);
            }
            Change::Reboot(NatBox(id)) => {
                if let Kind::Nat { nat, .. } = &mut self.nodes[id as usize].kind {
                    nat.reboot();
                }
            }
        }
    }

    /// Tells the boxes above where an attachment's addresses are.
    fn announce(&mut self, id: u32) {
        for address in self.attached[id as usize].addresses.clone() {
            self.each_above(id, address, |routes, via| {
                routes.insert((address, width(address)), via);
            });
        }
    }

    fn withdraw(&mut self, id: u32) {
        for address in self.attached[id as usize].addresses.clone() {
            self.each_above(id, address, |routes, via| {
                routes.remove((address, width(address)), via);
            });
        }
    }

    /// Every box above that can know of the address: up to a NAT that hides it, and not the internet if
    /// it is private.
    fn each_above(&mut self, id: u32, address: IpAddr, mut act: impl FnMut(&mut Routes, u32)) {
        let mut next = Some(id);
        while let Some(via) = next {
            let parent = &mut self.nodes[self.attached[via as usize].parent as usize];
            let hides = match &parent.kind {
                Kind::Router { is_internet: true } if !is_public(address) => return,
                Kind::Nat { nat, .. } => {
                    nat.config().outside.iter().any(|own| own.is_ipv4() == address.is_ipv4())
                }
                Kind::Router { .. } | Kind::Host { .. } => false,
            };
            act(&mut parent.routes, via);
            next = parent.uplink.filter(|_| !hides);
        }
    }
}
