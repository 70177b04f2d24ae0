//! Sockets that wait for others: UDP, multicast, listeners.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use socket2::{Domain, Protocol, Socket, Type};
use talkie_sansio::{Answer, WantError, WantId};
use tokio::net::TcpListener;

use crate::driver::wires::{Wires, plain, scoped};
use crate::frame::Framer;
use crate::interfaces::interface_index;
use crate::udp::{Refusal, UdpOptions, UdpSocket};

/// Ports tried before a range counts as taken.
const TRIES: u32 = 256;
/// Streams that may wait to be accepted.
const BACKLOG: i32 = 64;

/// A UDP socket on an interface's address.
pub(super) fn bind(
    id: WantId,
    local: IpAddr,
    ports: RangeInclusive<u16>,
    options: &UdpOptions,
    wires: &mut Wires,
) -> Result<Answer, WantError> {
    let scope = scope_of(local);
    let socket = first_free(local, ports, scope, |address| {
        UdpSocket::bind(address, options).map_err(|error| match error.refusal {
            Refusal::InUse => io::ErrorKind::AddrInUse.into(),
            Refusal::Permission => io::ErrorKind::PermissionDenied.into(),
            Refusal::NoSuchAddress => io::ErrorKind::AddrNotAvailable.into(),
            Refusal::Other(error) => error,
        })
    })?;
    let local = plain(socket.local());
    wires.add_socket_as(Some(id), socket, local, scope).map_err(|error| refused(&error))?;
    Ok(Answer::Bound { id, local })
}

/// A TCP port on an interface's address.
pub(super) fn listen(
    id: WantId,
    local: IpAddr,
    ports: RangeInclusive<u16>,
    framer: Framer,
    wires: &mut Wires,
) -> Result<Answer, WantError> {
    let listener = first_free(local, ports, scope_of(local), |address| {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Connections of a listener that is gone shall not keep its port.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        // Only now: nobody else's listener may have the port, but streams may leave from it, as
        // RFC 6544 §4.1 has it for simultaneous-open candidates.
        #[cfg(unix)]
        socket.set_reuse_port(true)?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket.into())
    })?;
    let local = plain(listener.local_addr().map_err(|error| refused(&error))?);
    wires.add_listener(id, listener, framer);
    Ok(Answer::Bound { id, local })
}

/// A socket that hears a multicast group on one interface.
pub(super) fn join(
    id: WantId,
    interface: IpAddr,
    group: SocketAddr,
    options: &UdpOptions,
    wires: &mut Wires,
) -> Result<Answer, WantError> {
    if !group.ip().is_multicast() || group.is_ipv4() != interface.is_ipv4() {
        return Err(WantError::Io(io::ErrorKind::InvalidInput));
    }
    let (socket, scope) =
        open_multicast(interface, group, options).map_err(|error| refused(&error))?;
    let local = SocketAddr::new(interface, group.port());
    wires.add_socket_as(Some(id), socket, local, scope).map_err(|error| refused(&error))?;
    Ok(Answer::Bound { id, local })
}

fn open_multicast(
    interface: IpAddr,
    group: SocketAddr,
    options: &UdpOptions,
) -> io::Result<(UdpSocket, u32)> {
    let socket = Socket::new(Domain::for_address(group), Type::DGRAM, Some(Protocol::UDP))?;
    // Other programs on this host listen to the same group.
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    let index = interface_index(interface);
    // Bound to the group itself, it takes nobody else's unicast. Windows can't do that.
    let bound = if cfg!(unix) { group.ip() } else { unspecified(group) };
    match (interface, group.ip()) {
        (IpAddr::V4(interface), IpAddr::V4(group)) => {
            #[cfg(target_os = "linux")]
            socket.set_multicast_all_v4(false)?;
            socket.join_multicast_v4(&group, &interface)?;
            socket.set_multicast_if_v4(&interface)?;
            // RFC 6762 §11: a TTL of 255, and so no less of what is sent to one host alone.
            socket.set_multicast_ttl_v4(255)?;
            socket.set_ttl_v4(255)?;
            socket.set_multicast_loop_v4(true)?;
        }
        (IpAddr::V6(_), IpAddr::V6(group)) => {
            let index = index.ok_or(io::ErrorKind::AddrNotAvailable)?;
            socket.set_only_v6(true)?;
            #[cfg(target_os = "linux")]
            socket.set_multicast_all_v6(false)?;
            socket.join_multicast_v6(&group, index)?;
            socket.set_multicast_if_v6(index)?;
            socket.set_multicast_hops_v6(255)?;
            socket.set_unicast_hops_v6(255)?;
            socket.set_multicast_loop_v6(true)?;
        }
        _ => return Err(io::ErrorKind::InvalidInput.into()),
    }
    let scope = if group.is_ipv6() { index.unwrap_or(0) } else { 0 };
    let socket = UdpSocket::bind_prepared(
        socket,
        scoped(SocketAddr::new(bound, group.port()), scope),
        options,
    )?;
    Ok((socket, scope))
}

fn unspecified(like: SocketAddr) -> IpAddr {
    if like.is_ipv4() { IpAddr::from([0; 4]) } else { Ipv6Addr::UNSPECIFIED.into() }
}

/// Tries the ports of a range from a random one on; `0..=0` leaves the choice to the system.
fn first_free<T>(
    local: IpAddr,
    ports: RangeInclusive<u16>,
    scope: u32,
    open: impl Fn(SocketAddr) -> io::Result<T>,
) -> Result<T, WantError> {
    let at = |port| scoped(SocketAddr::new(local, port), scope);
    let (first, last) = (u32::from(*ports.start()), u32::from(*ports.end()));
    if last == 0 {
        return open(at(0)).map_err(|error| refused(&error));
    }
    let first = first.max(1);
    let count = (last + 1).checked_sub(first).filter(|count| *count > 0);
    let count = count.ok_or(WantError::Io(io::ErrorKind::InvalidInput))?;
    let start = getrandom::u32().map_err(|_| WantError::Io(io::ErrorKind::Other))? % count;
    let mut outcome = Err(WantError::Io(io::ErrorKind::AddrInUse));
    for step in 0..count.min(TRIES) {
        let port = u16::try_from(first + (start + step) % count).unwrap_or(0);
        match open(at(port)) {
            Ok(opened) => return Ok(opened),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            // One port may need a privilege that the next does not.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                outcome = Err(refused(&error));
            }
            Err(error) => return Err(refused(&error)),
        }
    }
    outcome
}

/// The interface of a link-local address, which is part of where it is; 0 for any other address.
pub(super) fn scope_of(local: IpAddr) -> u32 {
    match local {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => interface_index(local).unwrap_or(0),
        _ => 0,
    }
}

pub(super) fn refused(error: &io::Error) -> WantError {
    match error.kind() {
        io::ErrorKind::TimedOut => WantError::TimedOut,
        kind => WantError::Io(kind),
    }
}
