//! What the server tells its driver, and asks of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use talkie_sansio::Path;

/// Names one relay socket from its opening to its closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayId {
    pub(super) serial: u64,
    pub(super) key: super::table::RelayKey,
}

/// Why a relay socket could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The port belongs to somebody else; the server picks another.
    #[error("the port is taken")]
    PortTaken,
    /// Anything that another port would not mend: no such address, no more descriptors.
    #[error("no socket to be had")]
    Failed,
}

/// What happened, or is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Bind a UDP socket to `local` and answer with
    /// [`handle_relay_opened`](super::TurnServer::handle_relay_opened). What the socket receives
    /// goes to `handle_datagram` or `forward` with `local` as the path's local address.
    OpenRelay {
        /// Names the socket in the answer.
        relay: RelayId,
        /// What to bind to.
        local: SocketAddr,
    },
    /// Close the socket. May come before the answer to `OpenRelay`, which is then not needed, and so
    /// for a socket that could not be opened.
    CloseRelay {
        /// The socket's name.
        relay: RelayId,
        /// What it is bound to.
        local: SocketAddr,
    },
    /// Close a TCP or TLS connection: what came along it is no TURN.
    Disconnect {
        /// The connection.
        path: Path,
    },
    /// An allocation was made and answered.
    Allocated {
        /// The client's 5-tuple.
        path: Path,
        /// Whom quotas count it for.
        user: Arc<str>,
        /// The relayed addresses as the client was told them, IPv4 and IPv6.
        relayed: [Option<SocketAddr>; 2],
        /// The lifetime granted.
        lifetime: Duration,
    },
    /// An allocation ended; its relays are closed by events of their own.
    Released {
        /// The client's 5-tuple.
        path: Path,
        /// Whom quotas counted it for.
        user: Arc<str>,
        /// Why.
        reason: ReleaseReason,
        /// What went to its peers.
        to_peers: Traffic,
        /// What went to its client.
        to_client: Traffic,
    },
}

/// Why an allocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReleaseReason {
    /// The client did not refresh it.
    Expired,
    /// The client deleted it.
    Deleted,
    /// The client's connection closed.
    Disconnected,
}

/// An amount of relayed payload, without headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Traffic {
    pub(super) fn add(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }
}
