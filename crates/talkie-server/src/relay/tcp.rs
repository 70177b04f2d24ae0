//! TCP connections: accepting them and handing them to the packet thread.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use talkie_net::BindError;
use talkie_net::plane::Handle;
use talkie_sansio::{Path, Transport};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use super::admission::{Admission, Place};
use super::shard::Shard;

/// Handshakes that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Binds a listener; an IPv6 one takes no IPv4 connections.
pub(super) fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let open = || -> io::Result<_> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // So that a restart need not wait for the old connections to be forgotten.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into())?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    open().map_err(|error| BindError::new(address, error))
}

/// Accepts until it is aborted.
pub(super) async fn accept(listener: TcpListener, handle: Handle<Shard>, admission: Admission) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => match admission.admit(remote.ip()) {
                Ok(place) => take(stream, remote, &handle, place),
                Err(error) => tracing::debug!(%remote, %error, "TCP connection refused"),
            },
            Err(error) => {
                // Mostly: no more descriptors. Some will come free.
                tracing::warn!(%error, "cannot accept TCP connections");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn take(stream: TcpStream, remote: SocketAddr, handle: &Handle<Shard>, place: Place) {
    // A connection that is gone by now shows when it is read.
    let Ok(local) = stream.local_addr() else { return };
    let _ = stream.set_nodelay(true);
    // A client that vanished without a word is found out before its allocation expires.
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(60));
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    let path = Path { transport: Transport::Tcp, local, remote };
    tokio::spawn(serve(handle.clone(), stream, path, place));
}

/// Serves one connection to its end.
pub(super) async fn serve<S>(handle: Handle<Shard>, stream: S, path: Path, place: Place)
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    // The thread has stopped: so has the connection.
    let _ = handle.serve(stream, path).await;
    drop(place);
}
