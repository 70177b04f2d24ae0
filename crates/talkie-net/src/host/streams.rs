//! Streams to others: TCP, and TLS on it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use talkie_sansio::{Path, Transport, WantError};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::sockets::{refused, scope_of};
use super::{Trust, tls};
use crate::driver::Stream;
use crate::driver::wires::{plain, scoped};

/// What a stream shall be.
pub(super) struct Call {
    pub(super) transport: Transport,
    pub(super) local: Option<SocketAddr>,
    pub(super) remote: SocketAddr,
    pub(super) server_name: Option<String>,
}

/// Connects, with TLS if that is asked for, within `patience`.
pub(super) async fn connect(
    call: Call,
    trust: &Trust,
    patience: Duration,
) -> Result<(Box<dyn Stream>, Path), WantError> {
    timeout(patience, open(call, trust)).await.unwrap_or(Err(WantError::TimedOut))
}

async fn open(call: Call, trust: &Trust) -> Result<(Box<dyn Stream>, Path), WantError> {
    let Call { transport, local, remote, server_name } = call;
    if transport == Transport::Udp {
        return Err(WantError::Unsupported);
    }
    let (stream, local) = dial(local, remote).await.map_err(|error| refused(&error))?;
    let path = Path { transport, local: plain(local), remote };
    let stream: Box<dyn Stream> = match transport {
        Transport::Tls => {
            let name = server_name.unwrap_or_else(|| remote.ip().to_string());
            Box::new(tls::handshake(stream, name, trust).await?)
        }
        _ => Box::new(stream),
    };
    Ok((stream, path))
}

async fn dial(
    local: Option<SocketAddr>,
    remote: SocketAddr,
) -> io::Result<(TcpStream, SocketAddr)> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    let mut scope = 0;
    if let Some(local) = local {
        if local.port() != 0 {
            // A port that a listener of ours has, or other streams leave from (RFC 6544 §4.1).
            #[cfg(unix)]
            {
                socket.set_reuseaddr(true)?;
                socket.set_reuseport(true)?;
            }
        }
        scope = scope_of(local.ip());
        socket.bind(scoped(local, scope))?;
    }
    let stream = socket.connect(scoped(remote, scope)).await?;
    // Small datagrams shall not wait for each other.
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    Ok((stream, local))
}
