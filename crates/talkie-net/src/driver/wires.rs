//! The sockets, listeners and streams of one machine: what comes in by them, and what goes out.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustc_hash::FxHashMap;
use talkie_sansio::{Datagram, Machine, Path, Transmit, Transport, WantId};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Sleep, sleep, timeout};

use super::Stream;
use super::clock::Clock;
use super::tally::Tally;
use crate::frame::{Chunk, Framer};
use crate::leg::{Deliver, Leg, LegLimits};
use crate::plane::outbox::{Outbox, Route};
use crate::queue::Class;
use crate::udp::{BATCH, Batch, HEADROOM, UdpSocket};

/// What streams have read and the machine has not.
const ARRIVALS: usize = 16;
/// What a stream still has to say may take this long after it was hung up.
const PARTING: Duration = Duration::from_secs(1);
/// How long no stream is accepted after one could not be, for want of descriptors or memory.
const REST: Duration = Duration::from_millis(200);

/// Something that a stream's task has to tell.
pub(crate) struct Arrival {
    path: Path,
    serial: u64,
    /// `None` once it has ended.
    chunk: Option<Chunk>,
}

/// Something to look at.
pub(crate) enum Ready {
    Socket(usize),
    Stream(Arrival),
    Accepted(usize, TcpStream, SocketAddr),
}

/// All that one machine runs on.
pub(crate) struct Wires {
    sockets: Vec<Port>,
    listeners: Vec<Listener>,
    streams: FxHashMap<Path, Line>,
    arrivals: (mpsc::Sender<Arrival>, mpsc::Receiver<Arrival>),
    /// Streams are numbered, so that a late word of one is not taken for its successor's.
    serial: u64,
    run: Outbox,
    batch: Batch,
    /// Where the search for a readable socket starts, so that a busy one does not starve the others.
    turn: usize,
    rest: Option<Pin<Box<Sleep>>>,
    pub(super) tally: Arc<Tally>,
}

/// A UDP socket.
struct Port {
    id: Option<WantId>,
    socket: UdpSocket<tokio::net::UdpSocket>,
    /// The address that the machine knows it by.
    local: SocketAddr,
    /// The interface that link-local addresses belong to, which a machine does not know of; 0 if the
    /// socket is not bound to one.
    scope: u32,
}

struct Listener {
    id: WantId,
    io: TcpListener,
    framer: Framer,
}

struct Line {
    serial: u64,
    leg: Arc<Leg>,
    /// The stream's task ends when this is gone.
    _held: oneshot::Sender<()>,
}

impl Wires {
    pub(crate) fn new() -> Self {
        Self {
            sockets: Vec::new(),
            listeners: Vec::new(),
            streams: FxHashMap::default(),
            arrivals: mpsc::channel(ARRIVALS),
            serial: 0,
            run: Outbox::new(),
            batch: Batch::new(),
            turn: 0,
            rest: None,
            tally: Arc::default(),
        }
    }

    /// Adds a socket, which answers to the address it is bound to. Must be called in a runtime.
    pub(crate) fn add_socket(
        &mut self,
        id: Option<WantId>,
        socket: UdpSocket,
        scope: u32,
    ) -> io::Result<()> {
        let local = socket.local();
        self.add_socket_as(id, socket, local, scope)
    }

    /// Adds a socket that the machine knows by the address `local`.
    pub(crate) fn add_socket_as(
        &mut self,
        id: Option<WantId>,
        socket: UdpSocket,
        local: SocketAddr,
        scope: u32,
    ) -> io::Result<()> {
        self.sockets.push(Port { id, socket: socket.into_tokio()?, local, scope });
        Ok(())
    }

    pub(crate) fn add_listener(&mut self, id: WantId, io: TcpListener, framer: Framer) {
        self.listeners.push(Listener { id, io, framer });
    }

    /// Serves a stream in a task of its own. One that is not `trusted` has to say something soon.
    pub(crate) fn add_stream(
        &mut self,
        path: Path,
        stream: Box<dyn Stream>,
        framer: Framer,
        trusted: bool,
    ) {
        self.serial += 1;
        let serial = self.serial;
        let limits = LegLimits::default();
        let leg = Arc::new(Leg::new(&limits));
        leg.set_established(trusted);
        let (held, released) = oneshot::channel::<()>();
        let (task, arrivals) = (Arc::clone(&leg), self.arrivals.0.clone());
        let records = path.transport == Transport::Tls;
        tokio::spawn(async move {
            let deliver = Tongue { path, serial, arrivals: arrivals.clone() };
            let run = task.run(stream, framer, records, &limits, deliver);
            tokio::pin!(run);
            let end = tokio::select! {
                end = &mut run => end,
                _ = released => {
                    task.queue.close();
                    let _ = timeout(PARTING, run).await;
                    return;
                }
            };
            tracing::debug!(%end, "stream ended");
            task.queue.close();
            // Nobody listens if the machine's task is gone.
            let _ = arrivals.send(Arrival { path, serial, chunk: None }).await;
        });
        self.streams.insert(path, Line { serial, leg, _held: held });
    }

    /// How many streams there are.
    pub(crate) fn streams(&self) -> usize {
        self.streams.len()
    }

    /// How many sockets and listeners there are.
    pub(crate) fn sockets(&self) -> usize {
        self.sockets.len() + self.listeners.len()
    }

    /// Whether any stream may be accepted.
    pub(crate) fn listens(&self) -> bool {
        !self.listeners.is_empty()
    }

    /// Closes a socket or listener.
    pub(crate) fn close(&mut self, id: WantId) {
        self.sockets.retain(|port| port.id != Some(id));
        self.listeners.retain(|listener| listener.id != id);
    }

    /// Ends a stream: what is queued for it still goes out, if it can do so soon.
    pub(crate) fn hang_up(&mut self, path: &Path) {
        self.streams.remove(path);
    }

    /// Waits for something to look at; streams are accepted only if there is room for them.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>, room: bool) -> Poll<Ready> {
        self.turn = self.turn.wrapping_add(1);
        let streams_first = self.turn.is_multiple_of(2);
        if streams_first && let Poll::Ready(ready) = self.poll_arrival(cx) {
            return Poll::Ready(ready);
        }
        let count = self.sockets.len();
        for step in 0..count {
            let index = self.turn.wrapping_add(step) % count;
            // A socket whose readiness fails is looked at as well: receiving tells the error.
            if self.sockets[index].socket.io().poll_recv_ready(cx).is_ready() {
                return Poll::Ready(Ready::Socket(index));
            }
        }
        if !streams_first && let Poll::Ready(ready) = self.poll_arrival(cx) {
            return Poll::Ready(ready);
        }
        if room { self.poll_accept(cx) } else { Poll::Pending }
    }

    fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<Ready> {
        // Never `None`: this side keeps a sender.
        match self.arrivals.1.poll_recv(cx) {
            Poll::Ready(Some(arrival)) => Poll::Ready(Ready::Stream(arrival)),
            _ => Poll::Pending,
        }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Ready> {
        if let Some(rest) = &mut self.rest {
            std::task::ready!(rest.as_mut().poll(cx));
            self.rest = None;
        }
        for (index, listener) in self.listeners.iter().enumerate() {
            match listener.io.poll_accept(cx) {
                Poll::Ready(Ok((stream, remote))) => {
                    return Poll::Ready(Ready::Accepted(index, stream, remote));
                }
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "not accepted");
                    let mut rest = Box::pin(sleep(REST));
                    // Asks to be woken; it can't be over yet.
                    let _ = rest.as_mut().poll(cx);
                    self.rest = Some(rest);
                    return Poll::Pending;
                }
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    /// Takes up an accepted stream: its listener and its path.
    pub(crate) fn accept(
        &mut self,
        index: usize,
        stream: TcpStream,
        remote: SocketAddr,
    ) -> Option<(WantId, Path)> {
        // One that has gone already has no address.
        let local = stream.local_addr().ok()?;
        let listener = &self.listeners[index];
        let (id, framer) = (listener.id, listener.framer);
        let path = Path { transport: Transport::Tcp, local: plain(local), remote: plain(remote) };
        // Small datagrams shall not wait for each other.
        let _ = stream.set_nodelay(true);
        self.add_stream(path, Box::new(stream), framer, false);
        Some((id, path))
    }

    /// Hands what has arrived on a stream to the machine, and tells if this was its end.
    pub(crate) fn take<M: Machine>(
        &mut self,
        arrival: Arrival,
        clock: Clock,
        machine: &mut M,
    ) -> Option<Path> {
        let Arrival { path, serial, chunk } = arrival;
        let line = self.streams.get(&path).filter(|line| line.serial == serial)?;
        let Some(mut chunk) = chunk else {
            self.streams.remove(&path);
            return Some(path);
        };
        line.leg.set_established(true);
        let now = clock.now();
        while let Some((buffer, start, end)) = chunk.next_frame() {
            let payload = &mut buffer[start..end];
            machine.handle_datagram(now, Datagram { path, payload });
        }
        None
    }

    /// Hands what a socket has received to the machine.
    pub(crate) fn receive<M: Machine>(&mut self, index: usize, clock: Clock, machine: &mut M) {
        let port = &self.sockets[index];
        let (socket, batch) = (&port.socket, &mut self.batch);
        let outcome =
            socket.io().try_io(tokio::io::Interest::READABLE, || socket.receive(batch, BATCH));
        let count = match outcome {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // What ICMP says of one destination is no end of the socket.
            Err(error) => {
                tracing::debug!(%error, "not received");
                self.tally.unreceived();
                return;
            }
        };
        let now = clock.now();
        for slot in 0..count {
            let (buffer, meta) = batch.slot(slot);
            let path = Path {
                transport: Transport::Udp,
                local: port.known_as(socket.reached(&meta)),
                remote: if port.scope == 0 { meta.addr } else { plain(meta.addr) },
            };
            let received = &mut buffer[HEADROOM..HEADROOM + meta.len];
            for payload in received.chunks_mut(meta.stride.max(1)) {
                machine.handle_datagram(now, Datagram { path, payload });
            }
        }
    }

    /// Sends what waits for more of its kind.
    pub(crate) fn flush(&mut self) {
        let Some((route, bytes, segment, count)) = self.run.take() else { return };
        let socket = &self.sockets[route.socket].socket;
        if let Err(error) = socket.send(route.source, route.remote, bytes, segment) {
            // Lost, as datagrams may be.
            tracing::debug!(remote = %route.remote, %error, "not sent");
            self.tally.refused(count);
        }
    }

    /// Sends one datagram, now or with the next [`flush`](Self::flush).
    pub(crate) fn send(&mut self, transmit: Transmit, payload: &[u8]) {
        let path = transmit.path;
        if path.transport != Transport::Udp {
            match self.streams.get(&path) {
                Some(line) if line.leg.queue.push(Class::Control, payload) => {}
                Some(_) => self.tally.overrun(),
                None => self.tally.homeless(),
            }
            return;
        }
        let Some((index, source)) = self.find(path.local) else {
            self.tally.homeless();
            return;
        };
        let port = &self.sockets[index];
        let route = Route { socket: index, source, remote: port.reachable(path.remote) };
        let segments = port.socket.segments();
        if !self.run.append(route, payload, segments) {
            self.flush();
            self.run.start(route, payload);
        }
    }

    /// The socket that has the address, or one bound to all addresses and what to send from.
    fn find(&self, local: SocketAddr) -> Option<(usize, Option<IpAddr>)> {
        let wildcard = |port: &Port| {
            port.local.ip().is_unspecified()
                && port.local.port() == local.port()
                && port.local.is_ipv4() == local.is_ipv4()
        };
        match self.sockets.iter().position(|port| port.local == local) {
            Some(index) => Some((index, None)),
            None => Some((self.sockets.iter().position(wildcard)?, Some(local.ip()))),
        }
    }
}

impl Port {
    /// The address that the machine knows it by, when it was reached at `reached`.
    fn known_as(&self, reached: SocketAddr) -> SocketAddr {
        if self.local.ip().is_unspecified() { reached } else { self.local }
    }

    fn reachable(&self, remote: SocketAddr) -> SocketAddr {
        scoped(remote, self.scope)
    }
}

/// A link-local address together with the interface that it belongs to.
pub(crate) fn scoped(address: SocketAddr, scope: u32) -> SocketAddr {
    match address {
        SocketAddr::V6(mut v6)
            if v6.scope_id() == 0
                && (v6.ip().is_unicast_link_local() || v6.ip().octets()[..2] == [0xff, 0x02]) =>
        {
            v6.set_scope_id(scope);
            v6.into()
        }
        address => address,
    }
}

/// An address as machines know it, without the number of an interface of this host.
pub(crate) fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port())
}

/// Carries a stream's chunks to the machine's task.
struct Tongue {
    path: Path,
    serial: u64,
    arrivals: mpsc::Sender<Arrival>,
}

impl Deliver for Tongue {
    async fn deliver(&mut self, chunk: Chunk) -> bool {
        let arrival = Arrival { path: self.path, serial: self.serial, chunk: Some(chunk) };
        self.arrivals.send(arrival).await.is_ok()
    }
}
