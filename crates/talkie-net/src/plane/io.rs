//! The sockets and legs of one thread, and the way out for every packet.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use mio::{Interest, Registry, Token};
use rustc_hash::FxHashMap;
use talkie_sansio::{Path, Sink, Transmit, Transport};

use super::Direct;
use super::outbox::{Outbox, Route};
use crate::leg::Leg;
use crate::queue::Class;
use crate::udp::{BindError, UdpOptions, UdpSocket};

/// What has happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Datagrams and frames received.
    pub received: u64,
    /// Bytes in them.
    pub received_bytes: u64,
    /// Receive calls that returned something.
    pub receive_calls: u64,
    /// Datagrams and frames sent.
    pub sent: u64,
    /// Bytes in them.
    pub sent_bytes: u64,
    /// Send calls for datagrams.
    pub send_calls: u64,
    /// Dropped because a socket's send buffer was full.
    pub dropped_busy: u64,
    /// Dropped because a stream's reader is slow.
    pub dropped_slow_reader: u64,
    /// Dropped because the leg or socket to send on is gone.
    pub dropped_no_path: u64,
    /// Dropped because the operating system refused to send to that address.
    pub dropped_unreachable: u64,
}

pub(super) struct Socket {
    pub(super) io: UdpSocket<mio::net::UdpSocket>,
    /// The address that the machine asked for; `None` for a listener, which may have many.
    pub(super) known_as: Option<SocketAddr>,
}

/// Opens and closes what a [`Direct`] machine asks for.
pub struct Io {
    registry: Registry,
    /// `None`: closed, the place is free.
    sockets: Vec<Option<Socket>>,
    free: Vec<usize>,
    /// Keyed by the local address that the machine knows the socket by.
    by_local: FxHashMap<SocketAddr, usize>,
    options: UdpOptions,
    legs: FxHashMap<Path, Arc<Leg>>,
    outbox: Outbox,
    counters: Counters,
    /// The answer to the last lookup: neighbours mostly share it.
    last: Option<(SocketAddr, Found)>,
}

#[derive(Clone, Copy)]
struct Found {
    socket: usize,
    source: Option<IpAddr>,
}

impl Io {
    pub(super) fn new(
        registry: Registry,
        listeners: Vec<UdpSocket>,
        options: UdpOptions,
    ) -> io::Result<Self> {
        let mut new = Self {
            registry,
            sockets: Vec::new(),
            free: Vec::new(),
            by_local: FxHashMap::default(),
            options,
            legs: FxHashMap::default(),
            outbox: Outbox::new(),
            counters: Counters::default(),
            last: None,
        };
        for listener in listeners {
            new.register(listener, None)?;
        }
        Ok(new)
    }

    fn register(&mut self, socket: UdpSocket, known_as: Option<SocketAddr>) -> io::Result<()> {
        let index = self.free.pop().unwrap_or(self.sockets.len());
        let mut socket = Socket { io: socket.into_mio(), known_as };
        let local = known_as.unwrap_or_else(|| socket.io.local());
        let token = Token(index);
        if let Err(error) = self.registry.register(socket.io.io_mut(), token, Interest::READABLE) {
            if index < self.sockets.len() {
                self.free.push(index);
            }
            return Err(error);
        }
        if index == self.sockets.len() {
            self.sockets.push(Some(socket));
        } else {
            self.sockets[index] = Some(socket);
        }
        self.by_local.insert(local, index);
        Ok(())
    }

    /// Binds a UDP socket at `address`; datagrams to it arrive with `address` as their local one.
    /// If no interface has that address (a public one that is mapped to this host by a NAT), all
    /// interfaces take the port.
    ///
    /// # Errors
    /// If the port is taken or the operating system refuses; nothing has changed then.
    pub fn open(&mut self, address: SocketAddr) -> Result<(), BindError> {
        let refused = |error| BindError::new(address, error);
        if self.by_local.contains_key(&address) {
            return Err(refused(io::ErrorKind::AddrInUse.into()));
        }
        let socket = match UdpSocket::bind(address, &self.options) {
            Err(BindError { refusal: crate::Refusal::NoSuchAddress, .. }) => {
                let any: IpAddr = match address {
                    SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
                    SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
                };
                UdpSocket::bind(SocketAddr::new(any, address.port()), &self.options)
            }
            outcome => outcome,
        }?;
        self.register(socket, Some(address)).map_err(refused)
    }

    /// Closes the socket at `address`, if there is one.
    pub fn close(&mut self, address: SocketAddr) {
        let Some(index) = self.by_local.remove(&address) else { return };
        self.flush();
        self.last = None;
        if let Some(mut socket) = self.sockets[index].take() {
            // Closing takes it out of the queue in any case.
            let _ = self.registry.deregister(socket.io.io_mut());
            self.free.push(index);
        }
    }

    /// Ends the stream with this path once what is queued for it is written.
    pub fn disconnect(&mut self, path: &Path) {
        if let Some(leg) = self.legs.get(path) {
            leg.queue.close();
        }
    }

    /// Says whether the stream with this path has proved a right to stay.
    pub fn set_established(&self, path: &Path, established: bool) {
        if let Some(leg) = self.legs.get(path) {
            leg.set_established(established);
        }
    }

    /// What has happened since the start.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// How many streams there are.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    pub(super) fn attach(&mut self, path: Path, leg: Arc<Leg>) -> Option<Arc<Leg>> {
        self.legs.insert(path, leg)
    }

    /// Forgets the leg; false if another has taken its place.
    pub(super) fn detach(&mut self, path: &Path, leg: &Arc<Leg>) -> bool {
        let same = self.legs.get(path).is_some_and(|current| Arc::ptr_eq(current, leg));
        if same {
            self.legs.remove(path);
        }
        same
    }

    pub(super) fn close_legs(&self) {
        for leg in self.legs.values() {
            leg.queue.close();
        }
    }

    pub(super) fn socket(&self, index: usize) -> Option<&Socket> {
        self.sockets.get(index)?.as_ref()
    }

    pub(super) fn count_received(&mut self, datagrams: u64, bytes: u64) {
        self.counters.received += datagrams;
        self.counters.received_bytes += bytes;
        self.counters.receive_calls += 1;
    }

    fn find(&mut self, local: SocketAddr) -> Option<Found> {
        if let Some((last, found)) = self.last
            && last == local
        {
            return Some(found);
        }
        let found = match self.by_local.get(&local) {
            Some(socket) => Found { socket: *socket, source: None },
            None => {
                // Reached at one of a wildcard listener's addresses.
                let any: IpAddr = match local {
                    SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
                    SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
                };
                let socket = *self.by_local.get(&SocketAddr::new(any, local.port()))?;
                Found { socket, source: Some(local.ip()) }
            }
        };
        self.last = Some((local, found));
        Some(found)
    }

    /// Sends `payload` now or with its neighbours at the next [`flush`](Self::flush).
    pub(super) fn send(&mut self, path: &Path, payload: &[u8], class: Class) {
        if path.transport != Transport::Udp {
            return self.send_frame(path, payload, class);
        }
        let Some(Found { socket, source }) = self.find(path.local) else {
            self.counters.dropped_no_path += 1;
            return;
        };
        let route = Route { socket, source, remote: path.remote };
        let most = self.sockets[socket].as_ref().map_or(1, |socket| socket.io.segments());
        if !self.outbox.append(route, payload, most) {
            self.flush();
            self.outbox.start(route, payload);
        }
    }

    fn send_frame(&mut self, path: &Path, payload: &[u8], class: Class) {
        match self.legs.get(path) {
            Some(leg) if leg.queue.push(class, payload) => {
                self.counters.sent += 1;
                self.counters.sent_bytes += payload.len() as u64;
            }
            Some(leg) if leg.queue.is_closed() => self.counters.dropped_no_path += 1,
            Some(_) => self.counters.dropped_slow_reader += 1,
            None => self.counters.dropped_no_path += 1,
        }
    }

    /// Sends the run that is waiting.
    pub(super) fn flush(&mut self) {
        let Some((route, bytes, segment, count)) = self.outbox.take() else { return };
        let count = count as u64;
        let Some(socket) = &self.sockets[route.socket] else {
            self.counters.dropped_no_path += count;
            return;
        };
        self.counters.send_calls += 1;
        match socket.io.send(route.source, route.remote, bytes, segment) {
            Ok(()) => {
                self.counters.sent += count;
                self.counters.sent_bytes += bytes.len() as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.counters.dropped_busy += count;
            }
            // One peer's network being unreachable is no one else's business.
            Err(error) => {
                self.counters.dropped_unreachable += count;
                tracing::debug!(remote = %route.remote, %error, "not sent");
            }
        }
    }
}

impl<M: Direct> Sink<M> for Io {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        self.send(&transmit.path, payload, Class::Control);
    }

    fn event(&mut self, now: Instant, machine: &mut M, event: M::Event) {
        machine.answer(now, event, self);
    }
}
