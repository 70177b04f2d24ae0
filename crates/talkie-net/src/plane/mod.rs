//! Runs a machine that forwards packets, on a thread of its own.
//!
//! The thread owns its sockets, its machine and its timers and shares nothing, so that more than one
//! can run side by side (`reuse_port`). It polls with epoll or its like, takes datagrams in batches,
//! lets the machine rewrite each one in place ([`Direct::forward`]), merges neighbours of one path
//! into runs and sends them; no lock and no allocation per packet. What the machine does not forward
//! at once takes the slow way through [`Machine::handle_datagram`].
//!
//! Streams live on tokio, one task each. They hand whole frames to the thread over a bounded queue,
//! which holds them back when it is full, and take frames from a bounded queue each, which drops
//! what a slow reader leaves.

mod io;
pub(crate) mod outbox;
mod shard;

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use talkie_sansio::{Machine, Path, Transport};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

pub use self::io::{Counters, Io};
pub use crate::leg::LegLimits;

use crate::frame::{Chunk, Framer};
use crate::leg::{Deliver, Leg};
use crate::udp::{BindError, Granted, UdpOptions, UdpSocket};

/// Commands that may wait for the thread; senders wait beyond that.
const COMMANDS: usize = 512;

/// A machine with a path for packets that need no thought.
pub trait Direct: Machine + Send + 'static {
    /// Decides on a packet and rewrites it in place. Called for every packet.
    fn forward(&mut self, now: Instant, path: Path, packet: &mut Packet<'_>) -> Forward;

    /// Answers an event of the machine: opens and closes sockets, ends legs.
    fn answer(&mut self, now: Instant, event: Self::Event, io: &mut Io);

    /// A stream has ended.
    fn handle_disconnect(&mut self, now: Instant, path: Path);
}

/// A packet inside a larger buffer. The bytes before it and, where the buffer goes on, those after
/// it are free to write to.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The buffer.
    pub buffer: &'a mut [u8],
    /// Where the packet starts; at least 64 bytes before are free.
    pub start: usize,
    /// Where the packet ends.
    pub end: usize,
}

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forward {
    /// Send this part of the buffer.
    Send {
        /// Along this path.
        path: Path,
        /// The part.
        range: Range<usize>,
    },
    /// Give it to [`Machine::handle_datagram`]; the packet is unchanged.
    Slow,
    /// Forget it.
    Drop,
}

/// What a thread is started with.
#[derive(Debug)]
pub struct Setup {
    /// The sockets to listen on.
    pub listeners: Vec<UdpSocket>,
    /// For the sockets that the machine asks for.
    pub relays: UdpOptions,
    /// The framing of every stream.
    pub framer: Framer,
    /// The bounds of every stream.
    pub legs: LegLimits,
}

type Call<M> = Box<dyn FnOnce(&mut M, Instant, &Io) + Send>;

pub(crate) enum Command<M> {
    Call(Call<M>),
    Attach { path: Path, leg: Arc<Leg> },
    Frames { path: Path, chunk: Chunk },
    Detach { path: Path, leg: Arc<Leg> },
    Stop,
}

/// The thread could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The operating system gave no event queue or no thread.
    #[error("cannot start the packet thread: {0}")]
    Io(#[from] std::io::Error),
}

/// The thread is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the packet thread has stopped")]
pub struct Stopped;

/// Speaks to the thread, which stops when told to or when all handles are gone.
pub struct Handle<M> {
    shared: Arc<Shared<M>>,
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

struct Shared<M> {
    commands: mpsc::Sender<Command<M>>,
    // After `commands`: dropped later, so that the thread wakes to a closed channel.
    doorbell: Ringer,
    framer: Framer,
    legs: LegLimits,
    listeners: Vec<Listener>,
}

/// A bound listener.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// Its address, with the port that the kernel chose if 0 was asked for.
    pub address: SocketAddr,
    /// Its buffers.
    pub granted: Granted,
}

/// Wakes the thread; rings once however often it is pressed before the thread wakes.
pub(crate) struct Doorbell {
    waker: mio::Waker,
    rung: AtomicBool,
}

impl Doorbell {
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // Fails only when the counter is about to overflow, and then the thread wakes anyway.
            let _ = self.waker.wake();
        }
    }

    /// To be called before the commands are looked at. Acquires, so that the commands of whoever
    /// found the bell rung already are seen.
    pub(crate) fn answer(&self) {
        self.rung.swap(false, Ordering::AcqRel);
    }
}

/// Rings for the last time when the last handle goes.
struct Ringer(Arc<Doorbell>);

impl Drop for Ringer {
    fn drop(&mut self) {
        self.0.ring();
    }
}

/// Starts a thread that runs `machine`.
///
/// # Errors
/// If the operating system refuses.
pub fn start<M: Direct>(name: &str, machine: M, setup: Setup) -> Result<Handle<M>, StartError> {
    let poll = mio::Poll::new()?;
    let waker = mio::Waker::new(poll.registry(), shard::DOORBELL)?;
    let doorbell = Arc::new(Doorbell { waker, rung: AtomicBool::new(false) });
    let listeners = setup
        .listeners
        .iter()
        .map(|socket| Ok(Listener { address: socket.local(), granted: socket.granted()? }))
        .collect::<std::io::Result<_>>()?;
    let (commands, receiver) = mpsc::channel(COMMANDS);
    let shared = Shared {
        commands,
        doorbell: Ringer(Arc::clone(&doorbell)),
        framer: setup.framer,
        legs: setup.legs,
        listeners,
    };
    let io = Io::new(poll.registry().try_clone()?, setup.listeners, setup.relays)?;
    let shard = shard::Shard::new(machine, poll, io, receiver, doorbell);
    std::thread::Builder::new().name(name.to_owned()).spawn(move || shard.run())?;
    Ok(Handle { shared: Arc::new(shared) })
}

impl<M: Direct> Handle<M> {
    /// The bound listeners.
    pub fn listeners(&self) -> &[Listener] {
        &self.shared.listeners
    }

    async fn send(&self, command: Command<M>) -> Result<(), Stopped> {
        self.shared.commands.send(command).await.map_err(|_| Stopped)?;
        self.shared.doorbell.0.ring();
        Ok(())
    }

    /// Runs `ask` on the thread.
    ///
    /// # Errors
    /// If the thread has stopped.
    pub async fn call<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut M, Instant, &Io) -> R + Send + 'static,
    ) -> Result<R, Stopped> {
        let (reply, answer) = oneshot::channel();
        let call = move |machine: &mut M, now: Instant, io: &Io| {
            // Whoever asked may have gone.
            let _ = reply.send(ask(machine, now, io));
        };
        self.send(Command::Call(Box::new(call))).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Serves a client on a stream until either side ends it, to be spawned and not cancelled. An
    /// older stream with the same path is ended.
    ///
    /// # Errors
    /// If the thread has stopped.
    pub async fn serve<S>(&self, stream: S, path: Path) -> Result<(), Stopped>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let leg = Arc::new(Leg::new(&self.shared.legs));
        self.send(Command::Attach { path, leg: Arc::clone(&leg) }).await?;
        let records = path.transport == Transport::Tls;
        let deliver = ToThread { handle: self, path };
        let end = leg.run(stream, self.shared.framer, records, &self.shared.legs, deliver).await;
        tracing::debug!(%path.transport, %path.remote, %end, "leg ended");
        leg.queue.close();
        self.send(Command::Detach { path, leg }).await
    }

    /// Ends the thread and waits for its end.
    pub async fn stop(self) {
        if self.send(Command::Stop).await.is_ok() {
            self.shared.commands.closed().await;
        }
    }
}

struct ToThread<'a, M> {
    handle: &'a Handle<M>,
    path: Path,
}

impl<M: Direct> Deliver for ToThread<'_, M> {
    async fn deliver(&mut self, chunk: Chunk) -> bool {
        self.handle.send(Command::Frames { path: self.path, chunk }).await.is_ok()
    }
}

/// Binds all of `addresses`.
///
/// # Errors
/// At the first that is refused.
pub fn bind_all(
    addresses: &[SocketAddr],
    options: &UdpOptions,
) -> Result<Vec<UdpSocket>, BindError> {
    addresses.iter().map(|address| UdpSocket::bind(*address, options)).collect()
}
