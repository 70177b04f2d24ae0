//! UDP sockets: bound with large buffers, received from in batches with GRO, sent to with GSO.
//!
//! quinn-udp does the portable part of segmentation offload. Plain datagrams go out by `sendto`
//! because a control message on every packet is measurable.

use std::array;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsSocket;

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::sys;

/// Bytes free before each received datagram.
pub(crate) const HEADROOM: usize = 64;
/// Datagrams, or runs of coalesced ones, taken by one call.
pub(crate) const BATCH: usize = 32;
/// The largest datagram or coalesced run.
const LARGEST: usize = 65_536;
/// The distance between two buffers: a multiple of a cache line, but no power of two, so that the
/// heads of the buffers do not compete for the same cache sets.
const STRIDE: usize = HEADROOM + LARGEST + 17 * 64;
/// Larger segments are not sent by GSO, since the kernel refuses the whole run when one does not
/// fit the path's MTU. 1400 bytes fit everything but tunnels, which fall back.
pub(crate) const LARGEST_SEGMENT: usize = 1400;
/// Bytes in one GSO run: an IPv4 datagram's most, less both headers.
pub(crate) const LARGEST_RUN: usize = 65_000;

/// What the operating system socket inside a [`UdpSocket`] must be.
#[cfg(unix)]
pub(crate) trait Io: AsFd {}
#[cfg(unix)]
impl<T: AsFd> Io for T {}
#[cfg(windows)]
pub(crate) trait Io: AsSocket {}
#[cfg(windows)]
impl<T: AsSocket> Io for T {}

/// Whether the network may fragment what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fragmentation {
    /// Set IPv4's don't-fragment bit; too large a datagram is lost.
    #[default]
    Forbid,
    /// Let routers, and for IPv6 this host, fragment.
    Allow,
}

/// How to bind a UDP socket.
#[derive(Clone, Debug)]
pub struct UdpOptions {
    /// Share the address with other sockets, the kernel spreading flows over them.
    pub reuse_port: bool,
    /// Bytes to ask for as receive buffer. 4 MiB hold 30 ms of 1 Gbit/s.
    pub receive_buffer: usize,
    /// Bytes to ask for as send buffer.
    pub send_buffer: usize,
    /// Whether the network may fragment what is sent.
    pub fragmentation: Fragmentation,
    /// Whether a socket bound to all addresses learns at which one it was reached, so that it
    /// answers from there. Costs a little on every packet.
    pub packet_info: bool,
}

impl Default for UdpOptions {
    fn default() -> Self {
        Self {
            reuse_port: false,
            receive_buffer: 4 << 20,
            send_buffer: 4 << 20,
            fragmentation: Fragmentation::Forbid,
            packet_info: true,
        }
    }
}

/// The buffer sizes that the kernel granted, by its own way of counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Bytes of receive buffer.
    pub receive: usize,
    /// Bytes of send buffer.
    pub send: usize,
}

/// A socket that could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {refusal}")]
pub struct BindError {
    /// The address that was asked for.
    pub address: SocketAddr,
    /// Why.
    pub refusal: Refusal,
}

/// Why an address cannot be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Another socket has it.
    #[error("the port is in use")]
    InUse,
    /// Ports below 1024 usually need a privilege.
    #[error("permission denied")]
    Permission,
    /// No interface has the address.
    #[error("no interface has this address")]
    NoSuchAddress,
    /// Anything else.
    #[error(transparent)]
    Other(io::Error),
}

impl BindError {
    /// Classifies an error met while binding `address`.
    #[must_use]
    pub fn new(address: SocketAddr, error: io::Error) -> Self {
        let refusal = match error.kind() {
            io::ErrorKind::AddrInUse => Refusal::InUse,
            io::ErrorKind::PermissionDenied => Refusal::Permission,
            io::ErrorKind::AddrNotAvailable => Refusal::NoSuchAddress,
            _ => Refusal::Other(error),
        };
        Self { address, refusal }
    }
}

/// A bound, non-blocking UDP socket; `I` is the event loop's own type.
#[derive(Debug)]
pub struct UdpSocket<I = std::net::UdpSocket> {
    io: I,
    state: UdpSocketState,
    local: SocketAddr,
}

impl UdpSocket {
    /// Binds `address`. An IPv6 socket takes no IPv4 traffic.
    ///
    /// # Errors
    /// Says which address and why.
    pub fn bind(address: SocketAddr, options: &UdpOptions) -> Result<Self, BindError> {
        Self::open(address, options).map_err(|error| BindError::new(address, error))
    }

    fn open(address: SocketAddr, options: &UdpOptions) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        #[cfg(unix)]
        if options.reuse_port {
            socket.set_reuse_port(true)?;
        }
        Self::bind_prepared(socket, address, options)
    }

    /// Binds a socket whose own options are set already.
    pub(crate) fn bind_prepared(
        socket: Socket,
        address: SocketAddr,
        options: &UdpOptions,
    ) -> io::Result<Self> {
        // Less than asked for is still a working socket; `granted` tells.
        let _ = socket.set_recv_buffer_size(options.receive_buffer);
        let _ = socket.set_send_buffer_size(options.send_buffer);
        socket.bind(&address.into())?;
        let io = std::net::UdpSocket::from(socket);
        let state = UdpSocketState::new((&io).into())?;
        let local = io.local_addr()?;
        let tuning = sys::Tuning {
            ipv4: local.is_ipv4(),
            packet_info: options.packet_info && local.ip().is_unspecified(),
            may_fragment: options.fragmentation == Fragmentation::Allow,
        };
        #[cfg(unix)]
        sys::tune(io.as_fd(), tuning)?;
        #[cfg(not(unix))]
        sys::tune((), tuning)?;
        Ok(Self { io, state, local })
    }

    pub(crate) fn into_mio(self) -> UdpSocket<mio::net::UdpSocket> {
        let io = mio::net::UdpSocket::from_std(self.io);
        UdpSocket { io, state: self.state, local: self.local }
    }

    /// Must be called in a tokio runtime.
    pub(crate) fn into_tokio(self) -> io::Result<UdpSocket<tokio::net::UdpSocket>> {
        let io = tokio::net::UdpSocket::from_std(self.io)?;
        Ok(UdpSocket { io, state: self.state, local: self.local })
    }
}

#[expect(private_bounds, reason = "`Io` only names what both families of systems have")]
impl<I: Io> UdpSocket<I> {
    /// The address it is bound to.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The buffer sizes that the kernel granted.
    ///
    /// # Errors
    /// If the operating system does not tell.
    pub fn granted(&self) -> io::Result<Granted> {
        let socket = SockRef::from(&self.io);
        Ok(Granted { receive: socket.recv_buffer_size()?, send: socket.send_buffer_size()? })
    }

    pub(crate) fn io(&self) -> &I {
        &self.io
    }

    pub(crate) fn io_mut(&mut self) -> &mut I {
        &mut self.io
    }

    /// How many segments one send may carry; 1 without GSO.
    pub(crate) fn segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Sends one datagram, or a run of them of `segment` bytes each, the last one maybe shorter.
    /// A run that the kernel refuses goes out one by one.
    pub(crate) fn send(
        &self,
        source: Option<IpAddr>,
        remote: SocketAddr,
        contents: &[u8],
        segment: usize,
    ) -> io::Result<()> {
        let coalesced = contents.len() > segment;
        if !coalesced && source.is_none() {
            return SockRef::from(&self.io).send_to(contents, &SockAddr::from(remote)).map(drop);
        }
        let transmit = Transmit {
            destination: remote,
            ecn: None,
            contents,
            segment_size: coalesced.then_some(segment),
            src_ip: source,
        };
        match self.state.try_send((&self.io).into(), &transmit) {
            // The first run that a driver cannot split fails with EIO or EINVAL; quinn-udp then
            // sets `max_gso_segments` to 1.
            Err(error) if coalesced && error.kind() != io::ErrorKind::WouldBlock => {
                let mut outcome = Ok(());
                for datagram in contents.chunks(segment) {
                    let single =
                        Transmit { contents: datagram, segment_size: None, ..transmit.clone() };
                    outcome = self.state.try_send((&self.io).into(), &single);
                }
                outcome
            }
            outcome => outcome,
        }
    }

    /// Fills at most `limit` buffers of `batch`. Fewer than `limit` means that the socket is empty.
    pub(crate) fn receive(&self, batch: &mut Batch, limit: usize) -> io::Result<usize> {
        let mut rest = batch.storage.chunks_exact_mut(STRIDE);
        let mut buffers: [IoSliceMut<'_>; BATCH] = array::from_fn(|_| {
            let slot = rest.next().expect("the storage has `BATCH` slots");
            IoSliceMut::new(&mut slot[HEADROOM..HEADROOM + LARGEST])
        });
        let limit = limit.min(BATCH);
        self.state.recv((&self.io).into(), &mut buffers[..limit], &mut batch.metas[..limit])
    }

    /// Which of our addresses the packet was sent to.
    pub(crate) fn reached(&self, meta: &RecvMeta) -> SocketAddr {
        match meta.dst_ip {
            Some(ip) if self.local.ip().is_unspecified() => SocketAddr::new(ip, self.local.port()),
            _ => self.local,
        }
    }
}

/// Buffers for one batch, kept for the life of an event loop.
pub(crate) struct Batch {
    storage: Box<[u8]>,
    metas: [RecvMeta; BATCH],
}

impl Batch {
    pub(crate) fn new() -> Self {
        // Zeroed pages cost no memory until a datagram reaches them.
        Self { storage: vec![0; STRIDE * BATCH].into(), metas: [RecvMeta::default(); BATCH] }
    }

    /// The `index`-th receipt: its buffer, whose first [`HEADROOM`] bytes are free, and what is
    /// known of it.
    pub(crate) fn slot(&mut self, index: usize) -> (&mut [u8], RecvMeta) {
        (&mut self.storage[index * STRIDE..(index + 1) * STRIDE], self.metas[index])
    }
}
