//! TCP and TLS between hosts: reliable, ordered streams of messages.
//!
//! Machines speak of TCP as they do of UDP, by [`Path`]. The first message to a new path opens a
//! connection, from the port that the path names; the other side must [`listen`](Network::listen). What
//! is sent before the connection is open waits. A machine sees whole messages, one per datagram, in
//! order; segments, acknowledgements and retransmissions are packets like others, which NATs translate
//! and links lose. TLS is TCP here: nothing is encrypted, and the handshake of TLS takes no round trip.
//!
//! Machines are not told of connections; whoever runs them learns of it by
//! [`poll_stream`](Network::poll_stream), as a driver does, and tells them in their own words.

mod connection;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;

use rustc_hash::FxHashMap;
use talkie_sansio::{Machine, Path, Transport};

pub use connection::End;

use super::fabric::{Fabric, Happening, Kind};
use super::pool::Content;
use super::{Host, Network};
use crate::nat::Flags;
use crate::packet::build::Segment;
use connection::{Connection, Output};

/// What happened to a connection of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// Both sides have greeted each other.
    Opened(Path),
    /// There is no connection any more.
    Closed(Path, End),
}

/// How many of them wait for whoever takes them; older ones give way.
const MOST_EVENTS: usize = 1024;
/// The most connections of all hosts.
const MOST_CONNECTIONS: usize = 1 << 20;

/// All connections of a network.
#[derive(Debug, Default)]
pub(super) struct Streams {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// By host, its own end and the other end.
    by_ends: FxHashMap<Ends, u32>,
    /// What has come for hosts' machines.
    pub(super) inbox: VecDeque<(u32, Parcel)>,
}

/// What comes of a stream.
#[derive(Debug)]
pub(super) enum Parcel {
    /// A message for the machine.
    Message(Path, Vec<u8>),
    /// A hosted machine's connection has opened or ended.
    Event(StreamEvent),
}

type Ends = (u32, SocketAddr, SocketAddr);

#[derive(Debug, Default)]
struct Slot {
    connection: Option<Box<Connection>>,
    node: u32,
    /// When the queue will ask for it, `u64::MAX` if it won't.
    scheduled: u64,
    /// Counts the connections that were here.
    generation: u32,
}

/// What a host knows of streams.
#[derive(Debug, Default)]
pub(super) struct Ports {
    listening: Vec<(u16, Transport)>,
    events: VecDeque<StreamEvent>,
}

impl Network {
    /// Lets a host take connections at a port of all its addresses.
    ///
    /// # Panics
    /// If `transport` is UDP, for which all ports are open.
    pub fn listen<M>(&mut self, host: Host<M>, transport: Transport, port: u16) {
        assert!(transport.is_reliable(), "all UDP ports of a host are its machine's");
        if let Some(ports) = self.fabric.ports(host.0) {
            ports.listening.retain(|(known, _)| *known != port);
            ports.listening.push((port, transport));
        }
    }

    /// Opens a connection. Sending a message does so, too.
    pub fn connect<M>(&mut self, host: Host<M>, path: Path) {
        self.fabric.with_connection(host.0, path, |connection, now, out| connection.open(now, out));
    }

    /// Ends a connection when all has arrived.
    pub fn disconnect<M>(&mut self, host: Host<M>, path: Path) {
        if let Some(index) = self.fabric.connection(host.0, path) {
            self.fabric.run(index, |connection, now, out| connection.close(now, out));
        }
    }

    /// What has happened to a host's connections.
    pub fn poll_stream<M: Machine>(&mut self, host: Host<M>) -> Option<StreamEvent> {
        self.fabric.ports(host.0)?.events.pop_front()
    }
}

impl Streams {
    /// Whether a host has a connection between these ends.
    pub(super) fn has(&self, node: u32, local: SocketAddr, remote: SocketAddr) -> bool {
        self.by_ends.contains_key(&(node, local, remote))
    }
}

impl Fabric {
    fn ports(&mut self, node: u32) -> Option<&mut Ports> {
        match &mut self.nodes[node as usize].kind {
            Kind::Host { ports, .. } => Some(ports),
            Kind::Router { .. } | Kind::Nat { .. } => None,
        }
    }

    /// Opens a hosted machine's connection.
    pub(super) fn open_stream(&mut self, node: u32, path: Path) {
        self.with_connection(node, path, |connection, now, out| connection.open(now, out));
    }

    /// Ends a hosted machine's connection when all has arrived.
    pub(super) fn end_stream(&mut self, node: u32, path: Path) {
        if let Some(index) = self.connection(node, path) {
            self.run(index, |connection, now, out| connection.close(now, out));
        }
    }

    /// Forgets a connection that is not open yet, without a word.
    pub(super) fn abandon_stream(&mut self, node: u32, path: Path) {
        if let Some(index) = self.connection(node, path) {
            self.forget(index);
        }
    }

    /// A host's machine sends a message.
    pub(super) fn send_message(&mut self, node: u32, path: Path, message: &[u8]) {
        let is_taken = self.with_connection(node, path, |connection, now, out| {
            connection.open(now, out);
            connection.send(now, message, out)
        });
        if is_taken != Some(true) {
            self.counters.refused += 1;
        }
    }

    /// A segment has reached a host.
    pub(super) fn handle_segment(&mut self, node: u32, id: u32, segment: Segment) {
        let packet = self.pool.get_mut(id);
        let (local, remote) = (packet.destination, packet.source);
        let payload = std::mem::take(&mut packet.payload);
        match self.receiver(node, local, remote, segment.flags) {
            Some(index) => self.run(index, |connection, now, out| {
                connection.handle_segment(now, segment, &payload, out);
            }),
            None => self.refuse(node, local, remote, segment, payload.len()),
        }
        self.pool.get_mut(id).payload = payload;
        self.pool.remove(id);
    }

    /// A connection wanted to be woken.
    pub(super) fn wake_stream(&mut self, index: u32, generation: u32) {
        let now = self.now;
        let slot = &mut self.streams.slots[index as usize];
        if slot.generation != generation || slot.scheduled > now {
            return;
        }
        slot.scheduled = u64::MAX;
        self.run(index, |connection, now, out| connection.handle_timeout(now, out));
    }

    /// The connection that a segment is for: one that is there, or a new one where a SYN finds somebody
    /// who listens.
    fn receiver(
        &mut self,
        node: u32,
        local: SocketAddr,
        remote: SocketAddr,
        flags: Flags,
    ) -> Option<u32> {
        if let Some(index) = self.streams.by_ends.get(&(node, local, remote)) {
            return Some(*index);
        }
        if !flags.contains(Flags::SYN) || flags.contains(Flags::ACK) || flags.contains(Flags::RST) {
            return None;
        }
        if self.listens(node, local) {
            let path = Path { transport: Transport::Tcp, local, remote };
            return self.insert(node, path);
        }
        let listening = &self.ports(node)?.listening;
        let (_, transport) = *listening.iter().find(|(port, _)| *port == local.port())?;
        self.insert(node, Path { transport, local, remote })
    }

    /// RFC 9293 §3.10.7.1: what belongs to no connection is answered by a reset, a reset by nothing.
    fn refuse(
        &mut self,
        node: u32,
        local: SocketAddr,
        remote: SocketAddr,
        segment: Segment,
        len: usize,
    ) {
        let flags = segment.flags;
        if flags.contains(Flags::RST) {
            return;
        }
        let reset = if flags.contains(Flags::ACK) {
            let sequence = segment.acknowledgement;
            Segment { flags: Flags::RST, sequence, ..Segment::default() }
        } else {
            let marks = [Flags::SYN, Flags::FIN].iter().filter(|flag| flags.contains(**flag));
            let len = (len + marks.count()) as u32;
            let acknowledgement = segment.sequence.wrapping_add(len);
            Segment { flags: Flags::RST | Flags::ACK, acknowledgement, ..Segment::default() }
        };
        self.emit(node, local, remote, Content::Tcp(reset), &[]);
    }

    /// The path as the host has it: with the address that it sends from.
    fn resolve(&self, node: u32, mut path: Path) -> Option<Path> {
        let (_, address) = self.interface(node, path.local.ip(), path.remote).ok()?;
        path.local.set_ip(address);
        Some(path)
    }

    fn connection(&self, node: u32, path: Path) -> Option<u32> {
        let path = self.resolve(node, path)?;
        self.streams.by_ends.get(&(node, path.local, path.remote)).copied()
    }

    /// Runs a connection of a host by its path, which is a new one if there is none.
    fn with_connection<R>(
        &mut self,
        node: u32,
        path: Path,
        act: impl FnOnce(&mut Connection, u64, &mut Output) -> R,
    ) -> Option<R> {
        let index = match self.connection(node, path) {
            Some(index) => index,
            None => self.insert(node, self.resolve(node, path)?)?,
        };
        Some(self.run(index, act))
    }

    fn insert(&mut self, node: u32, path: Path) -> Option<u32> {
        let streams = &mut self.streams;
        if streams.by_ends.len() >= MOST_CONNECTIONS {
            return None;
        }
        let first = self.dice.number() as u32;
        let index = streams.free.pop().unwrap_or_else(|| {
            streams.slots.push(Slot::default());
            streams.slots.len() as u32 - 1
        });
        let slot = &mut streams.slots[index as usize];
        (slot.node, slot.scheduled) = (node, u64::MAX);
        slot.connection = Some(Box::new(Connection::new(path, first)));
        streams.by_ends.insert((node, path.local, path.remote), index);
        Some(index)
    }

    /// Does something to a connection, then sends and tells what comes of it.
    fn run<R>(
        &mut self,
        index: u32,
        act: impl FnOnce(&mut Connection, u64, &mut Output) -> R,
    ) -> R {
        let slot = &mut self.streams.slots[index as usize];
        let node = slot.node;
        let connection =
            slot.connection.as_mut().expect("an index is of a connection that is there");
        let mut out = Output::default();
        let result = act(connection, self.now, &mut out);
        let path = connection.path;
        match connection.deadline {
            Some(at) if at < slot.scheduled => {
                slot.scheduled = at;
                let generation = slot.generation;
                self.queue.push(at, Happening::Stream { index, generation });
            }
            _ => {}
        }
        if out.opened {
            self.tell(node, StreamEvent::Opened(path));
        }
        for message in out.messages {
            self.streams.inbox.push_back((node, Parcel::Message(path, message)));
        }
        if let Some(end) = out.ended {
            self.forget(index);
            self.tell(node, StreamEvent::Closed(path, end));
        }
        for (segment, payload) in out.segments {
            self.emit(node, path.local, path.remote, Content::Tcp(segment), &payload);
        }
        result
    }

    fn forget(&mut self, index: u32) {
        let slot = &mut self.streams.slots[index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        if let Some(Connection { path, .. }) = slot.connection.take().as_deref() {
            self.streams.by_ends.remove(&(slot.node, path.local, path.remote));
            self.streams.free.push(index);
        }
    }

    fn tell(&mut self, node: u32, event: StreamEvent) {
        if self.hosting(node).is_some() {
            return self.streams.inbox.push_back((node, Parcel::Event(event)));
        }
        let Some(ports) = self.ports(node) else { return };
        if ports.events.len() >= MOST_EVENTS {
            ports.events.pop_front();
        }
        ports.events.push_back(event);
    }
}
