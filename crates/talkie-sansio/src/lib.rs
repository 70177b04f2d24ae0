//! The vocabulary of talkie's protocol machines.
//!
//! A [`Machine`] is a protocol with every outside influence taken out: it never reads a clock,
//! a socket or a random source. Datagrams, time and commands go in through `handle_*` calls;
//! datagrams, events and the next deadline come out through `poll_*` calls. [`drain()`] is the one
//! loop that empties a machine; the tokio driver, the simulator and the fuzzers all call it.
//!
//! The contract, each line of which is a check in [`conformance`]:
//!
//! 1. `now` comes first in every call that may start a timer; `poll_*` take none. Time may stall
//!    and never runs back.
//! 2. Any number of inputs before a drain is legal. Every queue has a bound: network input beyond
//!    it is dropped and counted, application input is refused.
//! 3. After a drain `poll_timeout()` lies after `now`.
//! 4. The same [`Genesis`] and inputs give the same bytes.
//! 5. Machines own their children and are `Send`.
//! 6. One datagram per [`Transmit`]; batching belongs to the driver.
//! 7. Any other I/O is an event, or a [`Want`] of a [`Hosted`] machine, that the driver answers with a
//!    `handle_*` call.

pub mod conformance;
mod drain;
mod interface;
mod io;

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub use drain::{Sink, drain};
pub use interface::{Interface, Scope};
pub use io::{Answer, BadFrame, Framer, Hosted, Want, WantError, WantId};

/// All that a machine learns of the outside at birth.
#[derive(Clone)]
pub struct Genesis {
    /// The monotonic time of birth.
    pub now: Instant,
    /// The wall clock at `now`, as time since the Unix epoch.
    pub unix: Duration,
    /// Feeds the machine's generator of identifiers and secrets. In production it comes from the
    /// operating system's CSPRNG; a test passes a constant.
    pub seed: [u8; 32],
}

impl Genesis {
    /// The wall clock at `now`, as time since the Unix epoch, assuming that it advances with the
    /// monotonic clock.
    #[must_use]
    pub fn unix_at(&self, now: Instant) -> Duration {
        self.unix + now.saturating_duration_since(self.now)
    }
}

impl fmt::Debug for Genesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The seed is a secret.
        f.debug_struct("Genesis")
            .field("now", &self.now)
            .field("unix", &self.unix)
            .finish_non_exhaustive()
    }
}

/// What carries a datagram between two transport addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP; each datagram is one message of the stream's framing.
    Tcp,
    /// TLS over TCP; each datagram is one message of the stream's framing.
    Tls,
}

impl Transport {
    /// Whether the transport itself retransmits and keeps order.
    #[must_use]
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        })
    }
}

/// Where a datagram travels: a 5-tuple seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// The transport protocol.
    pub transport: Transport,
    /// Our transport address.
    pub local: SocketAddr,
    /// The other side's transport address.
    pub remote: SocketAddr,
}

/// A received datagram.
#[derive(Debug)]
pub struct Datagram<'a> {
    /// The path it came along.
    pub path: Path,
    /// Its bytes; the machine may change them (decryption in place).
    pub payload: &'a mut [u8],
}

/// A datagram to send: the last `len` bytes of the buffer given to [`Machine::poll_transmit`].
#[must_use = "a transmit that is not sent is a lost packet"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The path to send it along.
    pub path: Path,
    /// Its length in bytes.
    pub len: usize,
}

/// A protocol without I/O. See the [crate documentation](crate) for the contract.
pub trait Machine {
    /// What the machine tells its driver or application.
    type Event;

    /// Takes a datagram from the network. Never fails: what is malformed is dropped and counted.
    fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>);

    /// Tells the machine that the time it asked for in [`poll_timeout`](Self::poll_timeout) has
    /// come. Calling it early or twice is harmless.
    fn handle_timeout(&mut self, now: Instant);

    /// Appends the next datagram to `buf`.
    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit>;

    /// The next event.
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; `None` if only input can
    /// wake the machine.
    fn poll_timeout(&self) -> Option<Instant>;
}
