//! Runs one machine that asks for its own sockets ([`Hosted`]) as a tokio task.
//!
//! The machine says what it wants, and gets each answer once: UDP sockets and listeners at once;
//! streams, TLS sessions and names when they are there, or have failed, or have taken too long. The
//! addresses of this host's interfaces come at the start and whenever they change, and also when the
//! host wakes from sleep, since what was true of the network before need not be any more. The machine's
//! time goes on while the host sleeps, as does that of NATs and servers.
//!
//! Everything has a bound, in [`Limits`] or beside the code. While the application takes no events,
//! the task stops reading the network and keeps the machine's timers, as [`driver`](crate::driver)
//! does, with which it shares the task.

pub(crate) mod errands;
mod names;
mod sockets;
mod streams;
mod tls;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use talkie_sansio::{Answer, Hosted, Interface, Want};

use self::errands::Errands;
use crate::driver::task::{Guest, Task};
use crate::driver::{Running, start};
use crate::udp::UdpOptions;
use crate::watch::Watch;

/// How to run a machine.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How to bind UDP sockets.
    pub udp: UdpOptions,
    /// Whom to take for a server of a TLS stream.
    pub trust: Trust,
    /// How much it may have and how long things may take.
    pub limits: Limits,
}

/// Whom to take for a server of a TLS stream.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Trust {
    /// Whoever an authority of this system vouches for.
    #[default]
    System,
    /// Whoever this configuration's verifier takes.
    Config(Arc<ClientConfig>),
}

/// How much one machine may have and how long things may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// UDP sockets and listeners.
    pub sockets: usize,
    /// Streams, those under way included. Beyond three quarters of it, those that others open wait in the
    /// kernel.
    pub streams: usize,
    /// Names being resolved.
    pub names: usize,
    /// From asking for a stream to the end of its handshakes.
    pub connect: Duration,
    /// For a name.
    pub resolve: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Two families and TCP on dozens of interfaces.
            sockets: 256,
            // An agent checks at most 100 pairs (RFC 8445 §6.1.2.5), some of them over TCP.
            streams: 256,
            names: 64,
            // As long as a browser's STUN transaction over UDP is given, rounded up.
            connect: Duration::from_secs(10),
            // Two servers asked in turn by resolv.conf's defaults.
            resolve: Duration::from_secs(10),
        }
    }
}

/// Runs `machine` in the current tokio runtime.
///
/// # Errors
/// If the operating system does not tell of its interfaces.
pub fn spawn<M>(machine: M, options: Options) -> io::Result<Running<M>>
where
    M: Hosted + Send + 'static,
    M::Event: Send,
{
    Ok(run(machine, options, Watch::start()?))
}

fn run<M>(machine: M, options: Options, watch: Watch) -> Running<M>
where
    M: Hosted + Send + 'static,
    M::Event: Send,
{
    let mut task = Task::new(Asking(machine));
    task.watch = Some(watch);
    task.errands = Some(Errands::new(options));
    start(task)
}

/// A machine that asks for what it needs.
struct Asking<M>(M);

impl<M: Hosted + Send + 'static> Guest for Asking<M> {
    type Machine = M;
    const ENDS_WITH_ITS_STREAM: bool = false;

    fn machine(&mut self) -> &mut M {
        &mut self.0
    }

    fn poll_want(&mut self) -> Option<Want> {
        self.0.poll_want()
    }

    fn handle_answer(&mut self, now: Instant, answer: Answer) {
        self.0.handle_answer(now, answer);
    }

    fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]) {
        self.0.handle_interfaces(now, interfaces);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
