//! The TURN relay: the sans-IO machine on real sockets.
//!
//! [`Relay::start`] binds UDP sockets, which a thread of their own serves, and TCP listeners, whose
//! connections are tasks that hand their messages to that thread. Whoever terminates TLS hands its
//! decrypted streams to [`Relay::attach`].

mod admission;
mod alternates;
mod shard;
mod tcp;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use talkie_net::plane::{self, Counters, Handle, LegLimits, Setup, StartError};
use talkie_net::{BadFrame, BindError, Fragmentation, Granted, UdpOptions};
use talkie_sansio::{Path, Transport};
use talkie_traversal::turn::channel_data::stream::frame_length;
use talkie_traversal::turn::server::{Config, ConfigError, Discovery, Stats, TurnServer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

pub use admission::{AttachError, StreamLimits};
pub use alternates::{AlternatePort, Alternates};

use admission::Admission;
use alternates::Listeners;
use shard::Shard;

/// How to run a relay.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// UDP addresses to listen on.
    pub udp: Vec<SocketAddr>,
    /// TCP addresses to listen on.
    pub tcp: Vec<SocketAddr>,
    /// The further sockets of NAT behaviour discovery.
    pub alternates: Alternates,
    /// The machine. The bound listeners, and what they are to behaviour discovery, are added to its
    /// own.
    pub turn: Config,
    /// How many TCP and TLS connections there may be.
    pub streams: StreamLimits,
    /// How long each may stay without an allocation, and how much may wait for it.
    pub legs: LegLimits,
    /// Socket buffers; `reuse_port` and the rest are set as each socket needs.
    pub sockets: UdpOptions,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            udp: Vec::new(),
            tcp: Vec::new(),
            alternates: Alternates::default(),
            turn: Config::default(),
            streams: StreamLimits::default(),
            legs: LegLimits::default(),
            // A relay must not shrink what its clients can send: a datagram that fits their path
            // is four bytes longer with a ChannelData header.
            sockets: UdpOptions { fragmentation: Fragmentation::Allow, ..UdpOptions::default() },
        }
    }
}

/// A relay that cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// An address cannot be listened on; the source says which and why.
    #[error("TURN over {transport}: {source}")]
    Listen {
        /// UDP or TCP.
        transport: Transport,
        /// The address and the reason.
        source: BindError,
    },
    /// A further address for behaviour discovery, which was asked for, cannot be listened on.
    #[error("behaviour discovery: {0}")]
    Alternate(#[source] BindError),
    /// The machine's configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The packet thread did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The operating system has no randomness to give.
    #[error("no randomness: {0}")]
    Genesis(io::Error),
}

/// A bound listener.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// UDP or TCP.
    pub transport: Transport,
    /// The address, with the port that the kernel chose if 0 was asked for.
    pub address: SocketAddr,
    /// The buffers of a UDP socket.
    pub granted: Option<Granted>,
    /// Whether it is there for behaviour discovery alone.
    pub alternate: bool,
}

/// What the relay has done and holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RelayStats {
    /// The machine's counters.
    pub turn: Stats,
    /// Allocations now, those being opened included.
    pub allocations: usize,
    /// The packet thread's counters.
    pub packets: Counters,
    /// TCP and TLS connections now.
    pub streams: usize,
    /// Connections refused because there were too many.
    pub streams_refused: u64,
    /// Datagrams that the kernel dropped because a listener's buffer was full, where it tells.
    pub kernel_drops: Option<u64>,
}

/// A running relay. Clones speak to the same one.
#[derive(Clone)]
pub struct Relay {
    inner: Arc<Inner>,
}

struct Inner {
    handle: Handle<Shard>,
    admission: Admission,
    listeners: Vec<Listener>,
    discovery: Vec<Discovery>,
    troubles: Vec<(Transport, BindError)>,
    /// The accept loops and the clock.
    tasks: Vec<JoinHandle<()>>,
}

impl Inner {
    fn abort_tasks(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.abort_tasks();
    }
}

impl Relay {
    /// Binds every listener and starts to serve, in the current tokio runtime.
    ///
    /// # Errors
    /// At the first thing that does not work; nothing is left bound then.
    pub async fn start(config: RelayConfig) -> Result<Self, RelayError> {
        let RelayConfig { udp, tcp, alternates, mut turn, streams, legs, sockets } = config;
        let listen = |transport| move |source| RelayError::Listen { transport, source };
        let mut datagram = plane::bind_all(&udp, &sockets).map_err(listen(Transport::Udp))?;
        let mut stream = tcp
            .iter()
            .map(|address| tcp::bind(*address))
            .collect::<Result<Vec<_>, _>>()
            .map_err(listen(Transport::Tcp))?;
        let primary = Listeners {
            asked: &udp,
            udp: &datagram.iter().map(talkie_net::UdpSocket::local).collect::<Vec<_>>(),
            tcp: &stream.iter().map(|(_, address)| *address).collect::<Vec<_>>(),
        };
        let further = alternates.bind(&primary, &sockets).map_err(RelayError::Alternate)?;
        let (datagrams, streams_first) = (datagram.len(), stream.len());
        datagram.extend(further.udp);
        stream.extend(further.tcp);
        let bound = datagram.iter().map(talkie_net::UdpSocket::local);
        let bound: Vec<_> = bound.chain(stream.iter().map(|(_, address)| *address)).collect();
        turn.listeners.extend(bound.into_iter().flat_map(one_by_one));
        turn.discovery.extend(further.discovery.iter().cloned());
        let genesis = talkie_net::genesis().map_err(RelayError::Genesis)?;
        let machine = Shard::new(TurnServer::new(genesis, turn)?);
        // The machine knows a relay socket by the address that it asked for.
        let relays = UdpOptions { packet_info: false, ..sockets };
        let setup = Setup { listeners: datagram, relays, framer, legs };
        let handle = plane::start("talkie-relay", machine, setup)?;
        let admission = Admission::new(streams);
        let datagrams = handle.listeners().iter().enumerate().map(|(index, listener)| Listener {
            transport: Transport::Udp,
            address: listener.address,
            granted: Some(listener.granted),
            alternate: index >= datagrams,
        });
        let connections = stream.iter().enumerate().map(|(index, (_, address))| Listener {
            transport: Transport::Tcp,
            address: *address,
            granted: None,
            alternate: index >= streams_first,
        });
        let listeners = datagrams.chain(connections).collect();
        let mut tasks = vec![tokio::spawn(tell_time(handle.clone()))];
        tasks.extend(stream.into_iter().map(|(listener, _)| {
            tokio::spawn(tcp::accept(listener, handle.clone(), admission.clone()))
        }));
        let (discovery, troubles) = (further.discovery, further.troubles);
        let inner = Inner { handle, admission, listeners, discovery, troubles, tasks };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Serves a client whose TCP or TLS connection somebody else accepted. `stream` carries TURN
    /// messages, `path` is what the client sees as its 5-tuple. Returns at once.
    ///
    /// # Errors
    /// If there are too many connections; `stream` is closed then.
    pub fn attach<S>(&self, stream: S, path: Path) -> Result<(), AttachError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let place = self.inner.admission.admit(path.remote.ip())?;
        tokio::spawn(tcp::serve(self.inner.handle.clone(), stream, path, place));
        Ok(())
    }

    /// What it listens on.
    #[must_use]
    pub fn listeners(&self) -> &[Listener] {
        &self.inner.listeners
    }

    /// The sockets of NAT behaviour discovery that belong together.
    #[must_use]
    pub fn discovery(&self) -> &[Discovery] {
        &self.inner.discovery
    }

    /// What behaviour discovery has to do without.
    #[must_use]
    pub fn troubles(&self) -> &[(Transport, BindError)] {
        &self.inner.troubles
    }

    /// What it has done and holds; nothing once it was stopped.
    pub async fn stats(&self) -> RelayStats {
        let ask = |shard: &mut Shard, _, io: &plane::Io| {
            (shard.server().stats(), shard.server().allocations(), io.counters())
        };
        let (turn, allocations, packets) = self.inner.handle.call(ask).await.unwrap_or_default();
        let udp: Vec<_> = self
            .listeners()
            .iter()
            .filter(|listener| listener.transport == Transport::Udp)
            .map(|listener| listener.address)
            .collect();
        let (streams, streams_refused) = self.inner.admission.counts();
        let kernel_drops = talkie_net::kernel_drops(&udp);
        RelayStats { turn, allocations, packets, streams, streams_refused, kernel_drops }
    }

    /// Closes the listeners, every relay and every connection.
    pub async fn stop(&self) {
        self.inner.abort_tasks();
        self.inner.handle.clone().stop().await;
    }
}

/// How far the relay's wall clock may be behind: credentials and nonces count in minutes.
const CLOCK: Duration = Duration::from_secs(60);

/// Keeps the machine's wall clock right when the host has slept or its clock was set.
async fn tell_time(handle: Handle<Shard>) {
    let mut every = tokio::time::interval(CLOCK);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let tell = |shard: &mut Shard, now, _: &plane::Io| {
            shard.handle_clock(now, talkie_net::unix_time());
        };
        if handle.call(tell).await.is_err() {
            return;
        }
    }
}

/// A wildcard listener as the addresses that it stands for, besides itself.
fn one_by_one(address: SocketAddr) -> Vec<SocketAddr> {
    let mut list = vec![address];
    if address.ip().is_unspecified() {
        // Without the list the machine still refuses the port on what looks like its own.
        let interfaces = talkie_net::interfaces().unwrap_or_default();
        let same = interfaces.iter().filter(|entry| entry.address.is_ipv4() == address.is_ipv4());
        list.extend(same.map(|entry| SocketAddr::new(entry.address, address.port())));
    }
    list
}

fn framer(stream: &[u8]) -> Result<Option<usize>, BadFrame> {
    frame_length(stream).map_err(|_| BadFrame)
}
