//! The accept loops of the public TCP listeners, and what a connection turns out to be.
//!
//! On a TLS listener the first decrypted byte tells TURN from HTTP (RFC 7983: STUN begins with
//! 0–3; an HTTP request with a letter), so that one open port carries the web app and the relay
//! through the strictest firewall.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use talkie_sansio::{Path, Transport};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::connections::{Admission, Connections};
use crate::http::{Site, too_many_connections};
use crate::metrics::Metrics;
use crate::pace::{Pace, Paced};
use crate::relay::Relay;
use crate::replay::Replay;
use crate::server::{Phase, stopped};

/// The largest request head; a browser's is below 2 kB here, where there are no cookies.
const MAX_HEAD: usize = 16 * 1024;
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
            return self.serve_http(stream, remote, admission).await;
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
        let replay = Replay::new(first.to_vec(), stream);
        match first[0] {
            0..=3 => self.serve_turn(replay, local, remote, admission),
            _ => self.serve_http(replay, remote, admission).await,
        }
    }

    fn serve_turn<S>(
        &self,
        stream: Replay<S>,
        local: SocketAddr,
        remote: SocketAddr,
        admission: Admission,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(relay) = &self.relay else { return };
        admission.established();
        let path = Path { transport: Transport::Tls, local, remote };
        if let Err(error) = relay.attach(stream.holding(admission), path) {
            tracing::debug!(%error, "TURN connection refused");
        }
    }

    async fn serve_http<S>(&self, stream: S, remote: SocketAddr, admission: Admission)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(site) = &self.site else { return };
        let limits = self.connections.limits();
        let (pace, admission) = (Pace::default(), Arc::new(admission));
        let mut phase = self.phase.clone();
        let end = Box::pin(async move { grace(&mut phase).await });
        let stream = Paced::new(stream, pace.clone(), Arc::clone(&admission), end, limits);
        let secure = self.tls.is_some();
        let service = service_fn(|request: hyper::Request<Incoming>| {
            pace.serving();
            admission.established();
            let client = self.client(&request, remote, &admission);
            let pace = pace.clone();
            async move {
                let response = match client {
                    Some(client) => site.respond(request.map(Body::new), client, secure).await,
                    None => too_many_connections(),
                };
                self.metrics.answered(response.status());
                if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                    pace.resting();
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.idle)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let mut phase = self.phase.clone();
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = stopped(&mut phase) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::trace!(%error, "connection ended");
        }
    }

    /// Who asks; `None` if a proxy brings the request of a client that has too many connections.
    fn client(
        &self,
        request: &hyper::Request<Incoming>,
        remote: SocketAddr,
        admission: &Admission,
    ) -> Option<IpAddr> {
        let (proxies, remote) = (self.connections.proxies(), remote.ip());
        if !proxies.contains(remote) {
            return Some(remote.to_canonical());
        }
        let client = proxies.client(remote, request.headers());
        admission.belongs_to(client).then_some(client)
    }
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
