//! Binding the TCP listeners, and saying well why one could not be bound.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::TcpListener;

use crate::holder::{Holder, holder};
use crate::report::Purpose;

/// Connections the kernel keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// A listener could not be bound.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListenError {
    /// What it was for.
    pub purpose: Purpose,
    /// Where it was to be bound.
    pub address: SocketAddr,
    /// What the operating system said.
    pub source: io::Error,
    /// Who has the port, when that could be found.
    pub holder: Option<Holder>,
}

impl ListenError {
    /// Looks up who has the port when it is taken.
    pub(crate) fn new(purpose: Purpose, address: SocketAddr, source: io::Error) -> Self {
        let taken = source.kind() == io::ErrorKind::AddrInUse;
        let holder = if taken { holder(purpose.transport(), address) } else { None };
        Self { purpose, address, source, holder }
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl std::fmt::Display for ListenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { purpose, address, source, holder } = self;
        write!(f, "cannot listen on {address} ({}) for {purpose}: ", purpose.transport())?;
        match (source.kind(), holder) {
            (io::ErrorKind::AddrInUse, Some(holder)) => {
                write!(f, "the port is taken by {holder}")?;
            }
            (io::ErrorKind::AddrInUse, None) => f.write_str("the port is taken")?,
            (io::ErrorKind::PermissionDenied, _) if address.port() < 1024 => {
                f.write_str("ports below 1024 need root or the capability CAP_NET_BIND_SERVICE")?;
            }
            (io::ErrorKind::AddrNotAvailable, _) => {
                f.write_str("the address is not one of this host's")?;
            }
            _ => write!(f, "{source}")?,
        }
        write!(f, "; choose another with {}", purpose.flag())
    }
}

/// Binds every address of `configured` and their companions; a companion that cannot be bound is
/// a warning, for nobody asked for it by name.
pub(crate) fn listen_all(
    purpose: Purpose,
    configured: &[SocketAddr],
    warnings: &mut Vec<String>,
) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners = Vec::new();
    for &address in configured {
        let fail = |source| ListenError::new(purpose, address, source);
        let listener = listen(address).map_err(fail)?;
        let bound = listener.local_addr().map_err(fail)?;
        listeners.push(listener);
        let Some(companion) = companion(bound).filter(|it| !configured.contains(it)) else {
            continue;
        };
        match listen(companion) {
            Ok(listener) => listeners.push(listener),
            Err(error) => warnings.push(ListenError::new(purpose, companion, error).to_string()),
        }
    }
    Ok(listeners)
}

/// The addresses and, behind each, its companion.
pub(crate) fn with_companions(configured: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut all = Vec::new();
    for &address in configured {
        for candidate in [Some(address), companion(address)].into_iter().flatten() {
            if !all.contains(&candidate) {
                all.push(candidate);
            }
        }
    }
    all
}

/// The IPv6 address that goes with an IPv4 one: the wildcard with the wildcard, loopback with
/// loopback, if the host has IPv6.
fn companion(address: SocketAddr) -> Option<SocketAddr> {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv6Addr::UNSPECIFIED,
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Ipv6Addr::LOCALHOST,
        _ => return None,
    };
    crate::interfaces::has_ipv6().then(|| SocketAddr::from((ip, address.port())))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart must not wait for the old connections' TIME_WAIT. On Windows the option would let
    // two servers share the port.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}
