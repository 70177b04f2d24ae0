//! Runs one machine as a tokio task, on UDP sockets, on a stream, or on both: what a client needs.
//!
//! Commands reach the machine as closures ([`Handle::call`]); events come out of a bounded channel.
//! While nobody takes the events, the task stops reading the network but keeps the machine's timers. What
//! is lost between machine and network is counted ([`Handle::drops()`]).
//!
//! The task itself is shared with [`host`](crate::host), whose machines ask for their own sockets.

mod clock;
mod gate;
mod tally;
pub(crate) mod task;
pub(crate) mod wires;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use talkie_sansio::{Answer, Interface, Machine, Path, Want};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub use self::tally::Drops;
use self::tally::Tally;
use self::task::{Guest, Task};
use crate::frame::Framer;
use crate::udp::UdpSocket;

/// Commands that may wait for the task.
const COMMANDS: usize = 64;
/// Events that may wait for the application.
pub(crate) const EVENTS: usize = 256;

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

pub(crate) type Command<M> = Box<dyn FnOnce(&mut M, Instant) + Send>;

/// Speaks to the machine. The task ends when all handles are gone.
pub struct Handle<M> {
    commands: mpsc::Sender<Command<M>>,
    tally: Arc<Tally>,
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { commands: self.commands.clone(), tally: Arc::clone(&self.tally) }
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

    /// What was dropped between the machine and the network so far.
    #[must_use]
    pub fn drops(&self) -> Drops {
        self.tally.drops()
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
    let mut task = Task::new(Settled(machine));
    for socket in wires.sockets {
        task.wires.add_socket(None, socket, 0)?;
    }
    if let Some((stream, path, framer)) = wires.stream {
        // A client waits for its server as long as its machine does.
        task.wires.add_stream(path, stream, framer, true);
    }
    Ok(start(task))
}

pub(crate) fn start<G>(task: Task<G>) -> Running<G::Machine>
where
    G: Guest,
    <G::Machine as Machine>::Event: Send,
{
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (outbox, events) = mpsc::channel(EVENTS);
    let handle = Handle { commands, tally: Arc::clone(&task.wires.tally) };
    Running { handle, events, end: tokio::spawn(task.run(inbox, outbox)) }
}

/// A machine that has been given all it will have.
struct Settled<M>(M);

impl<M: Machine + Send + 'static> Guest for Settled<M> {
    type Machine = M;
    const ENDS_WITH_ITS_STREAM: bool = true;

    fn machine(&mut self) -> &mut M {
        &mut self.0
    }

    fn poll_want(&mut self) -> Option<Want> {
        None
    }

    fn handle_answer(&mut self, _now: Instant, _answer: Answer) {}

    fn handle_interfaces(&mut self, _now: Instant, _interfaces: &[Interface]) {}
}
