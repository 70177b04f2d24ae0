//! Runs one machine as a tokio task, on UDP sockets, on a stream, or on both: what a client needs.
//!
//! Commands reach the machine as closures ([`Handle::call`]); events come out of a bounded channel.
//! While nobody takes the events, the task stops reading the network but keeps the machine's timers.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use talkie_sansio::{Datagram, Machine, Path, Sink, Transmit, Transport, drain};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::frame::{Chunk, Framer};
use crate::leg::{Leg, LegLimits};
use crate::plane::outbox::{Outbox, Route};
use crate::queue::Class;
use crate::udp::{BATCH, Batch, HEADROOM, UdpSocket};

/// Commands that may wait for the task.
const COMMANDS: usize = 64;
/// Events that may wait for the application.
const EVENTS: usize = 256;

/// A byte stream: TCP, TLS or a pipe in a test.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// What a machine runs on.
#[derive(Default)]
pub struct Wires {
    /// UDP sockets; a transmit leaves from the one bound to its path's local address.
    pub sockets: Vec<UdpSocket>,
    /// A stream, the path that the machine knows it by, and its framing.
    pub stream: Option<(Box<dyn Stream>, Path, Framer)>,
}

/// Why the task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// All handles, or the receiver of events, are gone.
    Released,
    /// The stream ended.
    StreamClosed,
}

/// The task is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the driver has ended")]
pub struct Ended;

type Command<M> = Box<dyn FnOnce(&mut M, Instant) + Send>;

/// Speaks to the machine. The task ends when all handles are gone.
pub struct Handle<M> {
    commands: mpsc::Sender<Command<M>>,
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { commands: self.commands.clone() }
    }
}

impl<M: Machine> Handle<M> {
    /// Runs `ask` on the machine.
    ///
    /// # Errors
    /// If the task has ended.
    pub async fn call<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut M, Instant) -> R + Send + 'static,
    ) -> Result<R, Ended> {
        let (reply, answer) = oneshot::channel();
        let command: Command<M> = Box::new(move |machine, now| {
            // Whoever asked may have gone.
            let _ = reply.send(ask(machine, now));
        });
        self.commands.send(command).await.map_err(|_| Ended)?;
        answer.await.map_err(|_| Ended)
    }
}

/// A running machine.
pub struct Running<M: Machine> {
    /// Speaks to it.
    pub handle: Handle<M>,
    /// Its events.
    pub events: mpsc::Receiver<M::Event>,
    /// Its end.
    pub end: JoinHandle<End>,
}

/// Runs `machine` on `wires` in the current tokio runtime.
///
/// # Errors
/// If the runtime cannot take a socket.
pub fn spawn<M>(machine: M, wires: Wires) -> io::Result<Running<M>>
where
    M: Machine + Send + 'static,
    M::Event: Send,
{
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (outbox, events) = mpsc::channel(EVENTS);
    let sockets =
        wires.sockets.into_iter().map(UdpSocket::into_tokio).collect::<io::Result<Vec<_>>>()?;
    let (leg, chunks) = match wires.stream {
        Some((stream, path, framer)) => {
            let (leg, chunks) = run_leg(stream, path.transport == Transport::Tls, framer);
            (Some((path, leg)), Some(chunks))
        }
        None => (None, None),
    };
    let output = Output { sockets, leg, run: Outbox::new(), events: VecDeque::new() };
    let task = Task {
        machine,
        output,
        commands: inbox,
        events: outbox,
        chunks,
        batch: Batch::new(),
        scratch: Vec::new(),
    };
    Ok(Running { handle: Handle { commands }, events, end: tokio::spawn(task.run()) })
}

fn run_leg(
    stream: Box<dyn Stream>,
    records: bool,
    framer: Framer,
) -> (Arc<Leg>, mpsc::Receiver<Chunk>) {
    let (sender, chunks) = mpsc::channel(4);
    let limits = LegLimits::default();
    let leg = Arc::new(Leg::new(&limits));
    // A client waits for its server as long as its machine does.
    leg.set_established(true);
    let task = Arc::clone(&leg);
    tokio::spawn(async move {
        let end = task.run(stream, framer, records, &limits, sender).await;
        tracing::debug!(%end, "stream ended");
        task.queue.close();
    });
    (leg, chunks)
}

struct Task<M: Machine> {
    machine: M,
    output: Output<M::Event>,
    commands: mpsc::Receiver<Command<M>>,
    events: mpsc::Sender<M::Event>,
    chunks: Option<mpsc::Receiver<Chunk>>,
    batch: Batch,
    scratch: Vec<u8>,
}

enum Step<M: Machine> {
    Command(Option<Command<M>>),
    Readable(usize),
    Chunk(Option<Chunk>),
    Due,
    Event(bool),
}

impl<M: Machine> Task<M> {
    async fn run(mut self) -> End {
        loop {
            let now = Instant::now();
            let deadline = drain(&mut self.machine, now, &mut self.scratch, &mut self.output);
            self.output.flush();
            match self.step(deadline).await {
                Step::Command(Some(command)) => command(&mut self.machine, Instant::now()),
                Step::Readable(index) => self.receive(index),
                Step::Chunk(Some(chunk)) => self.take_frames(chunk),
                Step::Due => self.machine.handle_timeout(Instant::now()),
                Step::Event(true) => {}
                Step::Chunk(None) => return self.finish(End::StreamClosed),
                Step::Command(None) | Step::Event(false) => return self.finish(End::Released),
            }
        }
    }

    fn finish(self, end: End) -> End {
        if let Some((_, leg)) = &self.output.leg {
            leg.queue.close();
        }
        // What the application can still take it shall have.
        for event in self.output.events {
            if self.events.try_send(event).is_err() {
                break;
            }
        }
        end
    }

    async fn step(&mut self, deadline: Option<Instant>) -> Step<M> {
        let held_back = !self.output.events.is_empty();
        let sockets = &self.output.sockets;
        let sleep = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let chunk = async {
            match &mut self.chunks {
                Some(chunks) => chunks.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            command = self.commands.recv() => Step::Command(command),
            index = poll_fn(|cx| readable(sockets, cx)), if !held_back => Step::Readable(index),
            chunk = chunk, if !held_back => Step::Chunk(chunk),
            () = sleep => Step::Due,
            permit = self.events.reserve(), if held_back => {
                if let Ok(permit) = permit
                    && let Some(event) = self.output.events.pop_front()
                {
                    permit.send(event);
                    Step::Event(true)
                } else {
                    Step::Event(false)
                }
            }
            () = self.events.closed(), if !held_back => Step::Event(false),
        }
    }

    fn receive(&mut self, index: usize) {
        let socket = &self.output.sockets[index];
        let batch = &mut self.batch;
        let outcome =
            socket.io().try_io(tokio::io::Interest::READABLE, || socket.receive(batch, BATCH));
        let count = match outcome {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => {
                tracing::debug!(%error, "not received");
                return;
            }
        };
        let now = Instant::now();
        for slot in 0..count {
            let (buffer, meta) = batch.slot(slot);
            let local = socket.reached(&meta);
            let path = Path { transport: Transport::Udp, local, remote: meta.addr };
            let received = &mut buffer[HEADROOM..HEADROOM + meta.len];
            for payload in received.chunks_mut(meta.stride.max(1)) {
                self.machine.handle_datagram(now, Datagram { path, payload });
            }
        }
    }

    fn take_frames(&mut self, mut chunk: Chunk) {
        let Some((path, _)) = self.output.leg else { return };
        let now = Instant::now();
        while let Some((buffer, start, end)) = chunk.next_frame() {
            let payload = &mut buffer[start..end];
            self.machine.handle_datagram(now, Datagram { path, payload });
        }
    }
}

fn readable(sockets: &[UdpSocket<tokio::net::UdpSocket>], cx: &mut Context<'_>) -> Poll<usize> {
    // A socket whose readiness fails is looked at as well: receiving tells the error.
    match sockets.iter().position(|socket| socket.io().poll_recv_ready(cx).is_ready()) {
        Some(index) => Poll::Ready(index),
        None => Poll::Pending,
    }
}

struct Output<E> {
    sockets: Vec<UdpSocket<tokio::net::UdpSocket>>,
    leg: Option<(Path, Arc<Leg>)>,
    run: Outbox,
    /// Bounded by the machine's own queue: nothing is read while it is not empty.
    events: VecDeque<E>,
}

impl<E> Output<E> {
    fn flush(&mut self) {
        let Some((route, bytes, segment, _)) = self.run.take() else { return };
        let socket = &self.sockets[route.socket];
        if let Err(error) = socket.send(route.source, route.remote, bytes, segment) {
            // Lost, as datagrams may be.
            tracing::debug!(remote = %route.remote, %error, "not sent");
        }
    }
}

impl<M: Machine> Sink<M> for Output<M::Event> {
    fn transmit(&mut self, transmit: Transmit, payload: &mut [u8]) {
        let path = transmit.path;
        if path.transport != Transport::Udp {
            if let Some((of_leg, leg)) = &self.leg
                && *of_leg == path
                && !leg.queue.push(Class::Control, payload)
            {
                tracing::debug!("the stream's queue is full");
            }
            return;
        }
        let bound = |socket: &UdpSocket<_>| socket.local() == path.local;
        let wildcard = |socket: &UdpSocket<_>| {
            let local: std::net::SocketAddr = socket.local();
            local.ip().is_unspecified()
                && local.port() == path.local.port()
                && local.is_ipv4() == path.local.is_ipv4()
        };
        let (socket, source) = match self.sockets.iter().position(bound) {
            Some(index) => (index, None),
            None => match self.sockets.iter().position(wildcard) {
                Some(index) => (index, Some(path.local.ip())),
                None => return,
            },
        };
        let route = Route { socket, source, remote: path.remote };
        if !self.run.append(route, payload, self.sockets[socket].segments()) {
            self.flush();
            self.run.start(route, payload);
        }
    }

    fn event(&mut self, _now: Instant, _machine: &mut M, event: M::Event) {
        self.events.push_back(event);
    }
}
