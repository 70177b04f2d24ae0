//! Packets in flight, in slots that are used again, so that a hop costs no allocation.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::nat::Protocol;
use crate::packet::build::Segment;

/// A packet somewhere between two hosts.
#[derive(Debug)]
pub(super) struct Packet {
    /// Counts the packets of a network from 0; copies have numbers of their own.
    pub(super) number: u64,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) content: Content,
    pub(super) payload: Vec<u8>,
    /// How many more boxes may forward it.
    pub(super) hops: u8,
    /// The state of the link it was put on: packets on a link that is cut are lost.
    pub(super) epoch: u32,
    /// The payload for the trace, if there is one.
    pub(super) capture: Option<Arc<[u8]>>,
}

/// What is in an IP packet, payload apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A UDP datagram.
    Udp,
    /// A TCP segment.
    Tcp(Segment),
}

/// The most packets in flight, so that machines that answer each other without an end meet one.
const MOST: usize = 1 << 18;

/// How many boxes forward a packet until it is taken to be going in circles.
pub(super) const HOPS: u8 = 64;

impl Content {
    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::Udp => Protocol::Udp,
            Self::Tcp(segment) => Protocol::Tcp(segment.flags),
        }
    }
}

impl Packet {
    /// The size of the IP header.
    pub(super) fn ip_header(&self) -> usize {
        if self.destination.is_ipv4() { 20 } else { 40 }
    }

    /// The size of the IP packet.
    pub(super) fn len(&self) -> usize {
        let header = match self.content {
            Content::Udp => 8,
            Content::Tcp(_) => 20,
        };
        self.ip_header() + header + self.payload.len()
    }
}

#[derive(Debug, Default)]
pub(super) struct Pool {
    slots: Vec<Packet>,
    free: Vec<u32>,
}

impl Pool {
    /// A packet with nothing in it yet but what is given.
    pub(super) fn insert(
        &mut self,
        number: u64,
        source: SocketAddr,
        destination: SocketAddr,
        content: Content,
        payload: &[u8],
    ) -> u32 {
        if let Some(id) = self.free.pop() {
            let packet = &mut self.slots[id as usize];
            packet.payload.clear();
            packet.payload.extend_from_slice(payload);
            (packet.number, packet.content) = (number, content);
            (packet.source, packet.destination) = (source, destination);
            (packet.hops, packet.epoch) = (HOPS, 0);
            return id;
        }
        let payload = payload.to_vec();
        let (hops, epoch, capture) = (HOPS, 0, None);
        self.slots.push(Packet {
            number,
            source,
            destination,
            content,
            payload,
            hops,
            epoch,
            capture,
        });
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 packets in flight")
    }

    /// Another packet like `id`.
    pub(super) fn copy(&mut self, id: u32, number: u64) -> u32 {
        let original = &mut self.slots[id as usize];
        let payload = std::mem::take(&mut original.payload);
        let (source, destination, content) =
            (original.source, original.destination, original.content);
        let (hops, epoch, capture) = (original.hops, original.epoch, original.capture.clone());
        let copy = self.insert(number, source, destination, content, &payload);
        self.slots[id as usize].payload = payload;
        let packet = &mut self.slots[copy as usize];
        (packet.hops, packet.epoch, packet.capture) = (hops, epoch, capture);
        copy
    }

    pub(super) fn get(&self, id: u32) -> &Packet {
        &self.slots[id as usize]
    }

    pub(super) fn get_mut(&mut self, id: u32) -> &mut Packet {
        &mut self.slots[id as usize]
    }

    pub(super) fn remove(&mut self, id: u32) {
        self.slots[id as usize].capture = None;
        self.free.push(id);
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() > MOST
    }

    /// How many packets are in flight.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}
