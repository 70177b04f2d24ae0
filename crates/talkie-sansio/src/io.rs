//! What a machine wants of the outside beyond datagrams and time: sockets, streams, names.
//!
//! A machine that cannot be handed its sockets beforehand implements [`Hosted`]: it says what it wants
//! ([`Hosted::poll_want`]), never how, and is told the outcome ([`Hosted::handle_answer`]). Whoever runs
//! it — a driver on real sockets, a simulator — answers each want that asks for something exactly once;
//! [`Answer::Accepted`] and [`Answer::Closed`] come whenever they happen.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Instant;

use crate::{Interface, Machine, Path, Transport};

/// A machine that asks for its own sockets.
pub trait Hosted: Machine {
    /// The next thing it wants.
    fn poll_want(&mut self) -> Option<Want>;

    /// What has come of a want, or has happened to what it brought.
    fn handle_answer(&mut self, now: Instant, answer: Answer);

    /// All addresses of all interfaces that are up: at the start, and again whenever they change.
    fn handle_interfaces(&mut self, now: Instant, interfaces: &[Interface]);
}

/// Names one want of one machine, by the machine's own counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantId(pub u64);

/// What a machine wants.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Want {
    /// A UDP socket. Answered by [`Answer::Bound`].
    Bind {
        /// Names the socket.
        id: WantId,
        /// An interface's address.
        local: IpAddr,
        /// The ports it may have; `0..=0` for any.
        ports: RangeInclusive<u16>,
    },
    /// A UDP socket that hears a multicast group on one interface, its port shared with whoever else on
    /// this host listens. Answered by [`Answer::Bound`] with the interface's address and the group's port.
    Join {
        /// Names the socket.
        id: WantId,
        /// An address of the interface.
        interface: IpAddr,
        /// The group.
        group: SocketAddr,
    },
    /// A TCP port that accepts streams. Answered by [`Answer::Bound`].
    Listen {
        /// Names the listener.
        id: WantId,
        /// An interface's address.
        local: IpAddr,
        /// The ports it may have; `0..=0` for any.
        ports: RangeInclusive<u16>,
        /// Cuts the streams into datagrams.
        framer: Framer,
    },
    /// A stream. Answered by [`Answer::Connected`].
    Connect {
        /// Names the stream until it is there.
        id: WantId,
        /// TCP or TLS.
        transport: Transport,
        /// Where it shall come from: an interface's address, and a port or 0 for any.
        local: Option<SocketAddr>,
        /// Where to.
        remote: SocketAddr,
        /// Whose certificate it shall be, if the transport is TLS.
        server_name: Option<String>,
        /// Cuts the stream into datagrams.
        framer: Framer,
    },
    /// The addresses of a host's name. Answered by [`Answer::Resolved`].
    Resolve {
        /// Names the question.
        id: WantId,
        /// The name.
        name: String,
    },
    /// The router that packets to the world go to from an address. Answered by [`Answer::Gateway`].
    Gateway {
        /// Names the question.
        id: WantId,
        /// An interface's address.
        local: IpAddr,
    },
    /// A socket or listener is not needed any more, or an answer still owed is not. Not answered.
    Close {
        /// Names it.
        id: WantId,
    },
    /// A stream is not needed any more; what was sent on it before still goes out, if it can soon. Not
    /// answered: nothing more is heard of it, [`Answer::Closed`] neither.
    HangUp {
        /// The stream.
        path: Path,
    },
}

impl Want {
    /// What to answer where there is no such thing; `None` if no answer is owed.
    #[must_use]
    pub fn refusal(&self) -> Option<Answer> {
        match *self {
            Self::Bind { id, .. }
            | Self::Join { id, .. }
            | Self::Listen { id, .. }
            | Self::Connect { id, .. }
            | Self::Resolve { id, .. }
            | Self::Gateway { id, .. } => {
                Some(Answer::Failed { id, error: WantError::Unsupported })
            }
            Self::Close { .. } | Self::HangUp { .. } => None,
        }
    }
}

/// What a machine is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A socket or listener is open.
    Bound {
        /// Names it.
        id: WantId,
        /// Its address.
        local: SocketAddr,
    },
    /// A stream is there.
    Connected {
        /// The want that it answers.
        id: WantId,
        /// Names the stream from now on.
        path: Path,
    },
    /// Somebody has connected to a listener.
    Accepted {
        /// The listener.
        id: WantId,
        /// Names the stream from now on.
        path: Path,
    },
    /// A name's addresses, never none.
    Resolved {
        /// The want that it answers.
        id: WantId,
        /// In the order the resolver prefers.
        addresses: Vec<IpAddr>,
    },
    /// The next hop of the default route.
    Gateway {
        /// The want that it answers.
        id: WantId,
        /// Its address, of the family that was asked for.
        gateway: IpAddr,
    },
    /// It cannot be had, or (a socket's) it is there no longer.
    Failed {
        /// Names it.
        id: WantId,
        /// Why.
        error: WantError,
    },
    /// A stream has ended, and was not [hung up](Want::HangUp). Told once.
    Closed {
        /// The stream.
        path: Path,
    },
}

/// Why a want came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WantError {
    /// What the operating system said.
    Io(std::io::ErrorKind),
    /// The name has no address.
    NoAddress,
    /// No router leads out from there.
    NoGateway,
    /// The server's certificate is not to be believed, and why.
    Certificate(String),
    /// Nobody answered in time.
    TimedOut,
    /// Whoever runs this machine has no such thing.
    Unsupported,
}

/// The stream does not follow its framing; nothing after this point can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFrame;

/// Tells the whole length of the frame that starts at the first byte, padding included, or `None`
/// while its header is incomplete.
pub type Framer = fn(&[u8]) -> Result<Option<usize>, BadFrame>;

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream does not follow its framing")
    }
}

impl std::error::Error for BadFrame {}

impl fmt::Display for WantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(kind) => write!(f, "{kind}"),
            Self::NoAddress => f.write_str("the name has no address"),
            Self::NoGateway => f.write_str("no router leads out from there"),
            Self::Certificate(why) => write!(f, "the certificate is not to be believed: {why}"),
            Self::TimedOut => f.write_str("nobody answered in time"),
            Self::Unsupported => f.write_str("not possible here"),
        }
    }
}

impl std::error::Error for WantError {}
