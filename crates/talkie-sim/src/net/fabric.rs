//! The boxes and the lines between them: how a packet finds its way from one host to another.
//!
//! Boxes form a tree: each has one way towards the internet, and knows the addresses that lie below it.
//! A packet goes down where an address is known, and up where it is not. A NAT hides what is below it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use talkie_sansio::{Path, Transport};

use super::NodeId;
use super::counters::Counters;
use super::dice::Dice;
use super::hosted::{Hosting, Names};
use super::link::Line;
use super::pool::{Content, Pool};
use super::queue::Queue;
use super::routes::{Routes, is_public};
use super::stream::{Ports, Streams};
use crate::nat::{Nat, Prefix};
use crate::trace::{Cause, Entry, Side, Trace, What};

/// The largest payload that an IPv4 UDP datagram can have.
const LARGEST_UDP: usize = 65_507;

/// How many nanoseconds a host takes to hand itself a packet, so that time goes on.
pub(super) const LOOPBACK: u64 = 20_000;

pub(super) struct Fabric {
    pub(super) origin: Instant,
    /// Nanoseconds since `origin`.
    pub(super) now: u64,
    pub(super) queue: Queue<Happening>,
    pub(super) pool: Pool,
    pub(super) nodes: Vec<Node>,
    pub(super) attached: Vec<Attached>,
    pub(super) trace: Trace,
    pub(super) counters: Counters,
    pub(super) streams: Streams,
    pub(super) names: Names,
    /// The inside address of each box that tells it, by its node.
    pub(super) gateways: Vec<(u32, IpAddr)>,
    /// For the first numbers of streams, and ports that are any.
    pub(super) dice: Dice,
}

/// What happens at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Happening {
    /// A packet comes out of a line.
    Arrival { packet: u32, attachment: u32, up: bool },
    /// A packet that a host sent to itself.
    Loopback { packet: u32, node: u32 },
    /// A host's machine wanted to be woken.
    Wake { node: u32 },
    /// A connection wanted to be woken.
    Stream { index: u32, generation: u32 },
    /// A hosted machine is to be told what it asked for.
    Answer { node: u32 },
    /// A hosted machine is to be told of its addresses.
    Interfaces { node: u32 },
    /// The network changes.
    Change(u32),
}

pub(super) struct Node {
    pub(super) kind: Kind,
    /// The ways down.
    pub(super) routes: Routes,
    /// The way up.
    pub(super) uplink: Option<u32>,
}

pub(super) enum Kind {
    Host {
        /// Its attachments.
        interfaces: Vec<u32>,
        ports: Ports,
        /// If its machine asks for sockets.
        hosting: Option<Box<Hosting>>,
    },
    Router {
        /// Whether it carries public addresses only.
        is_internet: bool,
    },
    Nat {
        nat: Box<Nat>,
        /// If it is a NAT64.
        prefix: Option<Prefix>,
    },
}

/// A box's link to the one above it.
pub(super) struct Attached {
    pub(super) child: u32,
    pub(super) parent: u32,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) up: Line,
    pub(super) down: Line,
    pub(super) is_up: bool,
    /// Counts how often it was cut.
    pub(super) epoch: u32,
}

impl Fabric {
    pub(super) fn instant(&self) -> Instant {
        self.origin + Duration::from_nanos(self.now)
    }

    /// A host's machine sends.
    pub(super) fn send(&mut self, node: u32, path: Path, payload: &[u8]) {
        match path.transport {
            Transport::Udp => self.emit(node, path.local, path.remote, Content::Udp, payload),
            Transport::Tcp | Transport::Tls if self.has_stream(node, path) => {
                self.send_message(node, path, payload);
            }
            Transport::Tcp | Transport::Tls => self.counters.refused += 1,
        }
    }

    /// A host sends a packet.
    pub(super) fn emit(
        &mut self,
        node: u32,
        local: SocketAddr,
        remote: SocketAddr,
        content: Content,
        payload: &[u8],
    ) {
        let number = self.counters.packets();
        self.counters.sent += 1;
        let packet = self.pool.insert(number, local, remote, content, payload);
        let (via, address) = match self.interface(node, local.ip(), remote) {
            Ok(found) => found,
            Err(cause) => return self.discard(node, None, packet, cause),
        };
        self.pool.get_mut(packet).source.set_ip(address);
        self.record(node, Some(via), packet, What::Sent);
        if payload.len() > LARGEST_UDP {
            return self.discard(node, Some(via), packet, Cause::TooBig { mtu: 65_535 });
        }
        if content == Content::Udp && !self.has_socket(node, local) {
            return self.discard(node, Some(via), packet, Cause::NoSocket);
        }
        if self.pool.is_full() {
            return self.discard(node, Some(via), packet, Cause::TooManyPackets);
        }
        if self.has_address(node, remote.ip()) {
            return self.queue.push(self.now + LOOPBACK, Happening::Loopback { packet, node });
        }
        if remote.ip().is_multicast() {
            self.echo_to_sender(node, via, packet);
        }
        self.carry(node, via, packet);
    }

    /// By which of its interfaces a host sends, and with which address.
    pub(super) fn interface(
        &self,
        node: u32,
        local: IpAddr,
        remote: SocketAddr,
    ) -> Result<(u32, IpAddr), Cause> {
        if local.is_ipv4() != remote.is_ipv4() {
            return Err(Cause::NoRoute);
        }
        let mut candidates = self.addresses(node);
        if local.is_unspecified() {
            let is_up = |via: u32| self.attached[via as usize].is_up;
            let found = candidates
                .find(|(via, address)| is_up(*via) && address.is_ipv4() == remote.is_ipv4());
            return found.ok_or(Cause::NoRoute);
        }
        candidates.find(|(_, address)| *address == local).ok_or(Cause::NoSuchAddress)
    }

    pub(super) fn has_address(&self, node: u32, address: IpAddr) -> bool {
        self.addresses(node).any(|(_, own)| own == address)
    }

    /// A host's addresses, each with its interface.
    pub(super) fn addresses(&self, node: u32) -> impl Iterator<Item = (u32, IpAddr)> {
        let interfaces: &[u32] = match &self.nodes[node as usize].kind {
            Kind::Host { interfaces, .. } => interfaces,
            Kind::Router { .. } | Kind::Nat { .. } => &[],
        };
        interfaces.iter().flat_map(|via| {
            let addresses = self.attached[*via as usize].addresses.iter();
            addresses.map(|address| (*via, *address))
        })
    }

    /// Whether a host's machine has a UDP socket there: any, if it does not ask for sockets.
    fn has_socket(&self, node: u32, local: SocketAddr) -> bool {
        self.hosting(node).is_none_or(|hosting| hosting.has_socket(local))
    }

    /// Puts a packet on the line behind `node`.
    pub(super) fn carry(&mut self, node: u32, via: u32, id: u32) {
        let attached = &mut self.attached[via as usize];
        if !attached.is_up {
            return self.discard(node, Some(via), id, Cause::LinkDown);
        }
        let up = attached.child == node;
        let line = if up { &mut attached.up } else { &mut attached.down };
        let packet = self.pool.get_mut(id);
        packet.epoch = attached.epoch;
        let arrival = match line.carry(self.now, packet.len(), packet.ip_header()) {
            Ok(arrival) => arrival,
            Err(cause) => return self.discard(node, Some(via), id, cause),
        };
        self.queue.push(arrival.at, Happening::Arrival { packet: id, attachment: via, up });
        if let Some(again) = arrival.again
            && !self.pool.is_full()
        {
            let copy = self.counters.packets();
            self.counters.copies += 1;
            self.record(node, Some(via), id, What::Duplicated { copy });
            let copy = self.pool.copy(id, copy);
            self.queue.push(again, Happening::Arrival { packet: copy, attachment: via, up });
        }
    }

    /// A packet comes out of a line. Returns the host whose machine is to have it.
    pub(super) fn arrive(&mut self, id: u32, via: u32, up: bool) -> Option<u32> {
        let attached = &self.attached[via as usize];
        let node = if up { attached.parent } else { attached.child };
        if !attached.is_up || attached.epoch != self.pool.get(id).epoch {
            self.discard(node, Some(via), id, Cause::LinkDown);
            return None;
        }
        if self.pool.get(id).destination.ip().is_multicast() {
            return self.arrive_at_group(node, via, id);
        }
        match self.nodes[node as usize].kind {
            Kind::Host { .. } => {
                let address = self.pool.get(id).destination.ip();
                if !self.has_address(node, address) {
                    self.discard(node, Some(via), id, Cause::NoSuchAddress);
                    return None;
                }
                return self.deliver(node, Some(via), id);
            }
            Kind::Router { is_internet } => self.route(node, via, id, is_internet),
            Kind::Nat { .. } if up => self.translate_outbound(node, via, id),
            Kind::Nat { .. } => self.translate_inbound(node, via, id),
        }
        None
    }

    /// A packet is where it was sent to. A datagram is for the host's machine.
    pub(super) fn deliver(&mut self, node: u32, via: Option<u32>, id: u32) -> Option<u32> {
        let packet = self.pool.get(id);
        if packet.content == Content::Udp && !self.has_socket(node, packet.destination) {
            self.discard(node, via, id, Cause::NoSocket);
            return None;
        }
        self.record(node, via, id, What::Delivered);
        self.counters.delivered += 1;
        match self.pool.get(id).content {
            Content::Udp => Some(node),
            Content::Tcp(segment) => {
                self.handle_segment(node, id, segment);
                None
            }
        }
    }

    pub(super) fn route(&mut self, node: u32, from: u32, id: u32, is_internet: bool) {
        let packet = self.pool.get_mut(id);
        let (source, destination) = (packet.source.ip(), packet.destination.ip());
        if is_internet && !(is_public(source) && is_public(destination)) {
            return self.discard(node, Some(from), id, Cause::PrivateAddress);
        }
        if packet.hops == 0 {
            return self.discard(node, Some(from), id, Cause::TooManyHops);
        }
        packet.hops -= 1;
        let box_ = &self.nodes[node as usize];
        // Never back where it came from: it would come again.
        let via = box_.routes.lookup(destination).or(box_.uplink).filter(|via| *via != from);
        let Some(via) = via else { return self.discard(node, Some(from), id, Cause::NoRoute) };
        self.record(node, Some(from), id, What::Forwarded);
        self.carry(node, via, id);
    }

    pub(super) fn discard(&mut self, node: u32, via: Option<u32>, id: u32, cause: Cause) {
        self.record(node, via, id, What::Dropped(cause));
        self.counters.drop(cause);
        self.pool.remove(id);
    }

    pub(super) fn record(&mut self, node: u32, via: Option<u32>, id: u32, what: What) {
        if !self.trace.is_on() {
            return;
        }
        let side = self.side(node, via);
        let packet = self.pool.get_mut(id);
        let payload = packet.capture.get_or_insert_with(|| Arc::from(&packet.payload[..])).clone();
        self.trace.push(Entry {
            at: Duration::from_nanos(self.now),
            packet: packet.number,
            node: NodeId(node),
            side,
            source: packet.source,
            destination: packet.destination,
            content: packet.content,
            payload,
            what,
        });
    }

    fn side(&self, node: u32, via: Option<u32>) -> Side {
        let box_ = &self.nodes[node as usize];
        match &box_.kind {
            Kind::Host { interfaces, .. } => {
                let index = interfaces.iter().position(|interface| Some(*interface) == via);
                Side::Interface(u16::try_from(index.unwrap_or(0)).unwrap_or(u16::MAX))
            }
            Kind::Router { .. } => Side::Any,
            Kind::Nat { .. } if box_.uplink == via => Side::Outside,
            Kind::Nat { .. } => Side::Inside,
        }
    }
}
