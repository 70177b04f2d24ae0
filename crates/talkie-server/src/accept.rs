//! The accept loops of the public TCP listeners, and what a connection turns out to be.
//!
//! On a TLS listener the first decrypted byte tells TURN from HTTP (RFC 7983: STUN begins with
//! 0–3; an HTTP request with a letter, and so does HTTP/2's preface), so that one open port carries
//! the web app and the relay through the strictest firewall.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use talkie_sansio::{Path, Transport};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::connections::{Admission, Connections};
use crate::conversation::Conversation;
use crate::http::Site;
use crate::metrics::Metrics;
use crate::relay::Relay;
use crate::replay::Replay;
use crate::server::{Phase, stopped};

/// How long the answers under way may take when the server stops.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// What the listeners of one purpose do with their connections.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// `None`: no HTTP here.
    pub(crate) site: Option<Site>,
    pub(crate) relay: Option<Relay>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) phase: watch::Receiver<Phase>,
}

impl Door {
    /// Accepts until the server stops.
    pub(crate) async fn run(self, listener: TcpListener) {
        let mut phase = self.phase.clone();
        loop {
            let accepted = tokio::select! {
                () = stopped(&mut phase) => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, remote)) => self.admit(stream, remote),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Out of file descriptors or memory: others must end first.
                    tracing::warn!(%error, "cannot accept connections");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, remote: SocketAddr) {
        let Some((admission, eviction)) = self.connections.admit(remote.ip()) else {
            return;
        };
        let door = self.clone();
        tokio::spawn(async move {
            let mut phase = door.phase.clone();
            tokio::select! {
                () = door.serve(stream, remote, admission) => {}
                () = eviction.wait() => {}
                () = grace(&mut phase) => {}
            }
        });
    }

    async fn serve(&self, stream: TcpStream, remote: SocketAddr, admission: Admission) {
        let Ok(local) = stream.local_addr() else { return };
        // Signaling and relayed packets are small and must not wait for each other.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            let path = Path { transport: Transport::Tcp, local, remote };
            return self.serve_http(stream, Version::Http1, path, admission).await;
        };
        let limits = self.connections.limits();
        let handshake = TlsAcceptor::from(Arc::clone(tls)).accept(stream);
        let Ok(Ok(mut stream)) = timeout(limits.tls_handshake, handshake).await else {
            self.metrics.tls_failed();
            return;
        };
        self.metrics.tls_accepted();
        let mut first = [0];
        let Ok(Ok(1)) = timeout(limits.request_head, stream.read(&mut first)).await else {
            return;
        };
        let version = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Version::Http2,
            _ => Version::Http1,
        };
        let replay = Replay::new(first.to_vec(), stream);
        let path = Path { transport: Transport::Tls, local, remote };
        match first[0] {
            0..=3 => self.serve_turn(replay, path, admission),
            _ => self.serve_http(replay, version, path, admission).await,
        }
    }

    fn serve_turn<S>(&self, stream: Replay<S>, path: Path, admission: Admission)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(relay) = &self.relay else { return };
        admission.established();
        if let Err(error) = relay.attach(stream.holding(admission), path) {
            tracing::debug!(%error, "TURN connection refused");
        }
    }

    async fn serve_http<S>(&self, stream: S, version: Version, path: Path, admission: Admission)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(site) = &self.site else { return };
        let conversation = Conversation {
            site: site.clone(),
            remote: path.remote,
            local: path.local,
            secure: self.tls.is_some(),
            admission: Arc::new(admission),
            connections: Arc::clone(&self.connections),
            metrics: Arc::clone(&self.metrics),
            phase: self.phase.clone(),
        };
        let mut phase = self.phase.clone();
        let end = Box::pin(async move { grace(&mut phase).await });
        match version {
            Version::Http1 => conversation.http1(stream, end).await,
            Version::Http2 => conversation.http2(stream, end).await,
        }
    }
}

/// Which HTTP a connection speaks.
#[derive(Clone, Copy, Debug)]
enum Version {
    Http1,
    Http2,
}

/// Resolves a while after the server has stopped.
async fn grace(phase: &mut watch::Receiver<Phase>) {
    stopped(phase).await;
    tokio::time::sleep(LAST_ANSWERS).await;
}

/// Errors that say something about one connection and nothing about the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}
