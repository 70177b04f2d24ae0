//! HTTP on one connection, in the version that TLS has agreed on.
//!
//! The app is some ninety small modules. A browser asks for six of them at a time over HTTP/1.1 and
//! for all at once over HTTP/2. WebSockets stay with HTTP/1.1, on connections of their own: RFC
//! 8441, which carries them over HTTP/2, is not offered, so that one WebSocket is one connection to
//! all who count and bound them.
//!
//! In HTTP/1.1 the stream itself ends a client that dawdles ([`Paced`]). In HTTP/2 it cannot tell a
//! request's head from all else that arrives, so the bound is another: the first request must come
//! as soon, and a connection that brings none for the idle time is told to go (GOAWAY) and, a
//! while later, is closed whatever it still does. What may be under way until then is bounded: by the
//! settings below, and by `h2` itself for streams that are opened and reset at once.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::UPGRADE;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::connections::{Admission, Connections};
use crate::http::{Site, Way, too_many_connections};
use crate::metrics::Metrics;
use crate::pace::{End, Pace, Paced};
use crate::server::{Phase, stopped};

/// The largest request head; a browser's is below 2 kB here, where there are no cookies.
const MAX_HEAD: u16 = 16 * 1024;
/// Requests at once on an HTTP/2 connection: all modules of the app. RFC 9113 §6.5.2 advises
/// against fewer than 100.
const MAX_STREAMS: u32 = 128;
/// What a client may send of bodies on an HTTP/2 connection; no handler reads any. RFC 9113 §6.9.2:
/// the connection's window starts with no less than this.
const BODIES: u32 = 65_535;
/// What waits to be sent on one stream of an HTTP/2 connection before its body is asked for more.
const SEND_BUFFER: usize = 64 * 1024;

/// One connection's client, and what its requests need.
#[derive(Clone)]
pub(crate) struct Conversation {
    pub(crate) site: Site,
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) secure: bool,
    pub(crate) admission: Arc<Admission>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) phase: watch::Receiver<Phase>,
}

impl Conversation {
    /// Speaks HTTP/1.1 until either side has had enough, or a WebSocket takes over.
    pub(crate) async fn http1<S>(&self, stream: S, end: End)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (stream, pace) = self.paced(stream, end);
        let service = service_fn(|request: hyper::Request<Incoming>| {
            pace.serving();
            let pace = pace.clone();
            async move {
                let response = self.answer(request).await;
                if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                    pace.resting();
                }
                Ok::<_, Infallible>(response)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.connections.limits().idle)
            .max_buf_size(MAX_HEAD.into())
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
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

    /// Speaks HTTP/2 until either side has had enough.
    pub(crate) async fn http2<S>(&self, stream: S, end: End)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (stream, pace) = self.paced(stream, end);
        let latest = Arc::new(Latest::now());
        let service = service_fn(|request: hyper::Request<Incoming>| {
            pace.serving();
            latest.touch();
            let conversation = self.clone();
            async move { Ok::<_, Infallible>(conversation.answer(request).await) }
        });
        let connection = http2::Builder::new(TokioExecutor::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD.into())
            .initial_stream_window_size(BODIES)
            .initial_connection_window_size(BODIES)
            .max_send_buf_size(SEND_BUFFER)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut phase = self.phase.clone();
        let limits = self.connections.limits();
        let ended = tokio::select! {
            ended = &mut connection => Ok(ended),
            () = async { tokio::select! {
                () = stopped(&mut phase) => {}
                () = latest.long_ago(limits.idle) => {}
            } } => {
                connection.as_mut().graceful_shutdown();
                timeout(limits.write_stall, connection).await
            }
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::trace!(%error, "connection ended"),
            Err(_) => tracing::trace!("connection closed with answers under way"),
        }
    }

    fn paced<S>(&self, stream: S, end: End) -> (Paced<S>, Pace) {
        let (pace, place) = (Pace::default(), Arc::clone(&self.admission));
        (Paced::new(stream, pace.clone(), place, end, self.connections.limits()), pace)
    }

    async fn answer(&self, request: hyper::Request<Incoming>) -> Response {
        self.admission.established();
        let response = match self.client(&request) {
            Ok(client) => {
                let way = Way { client, local: self.local, secure: self.secure };
                self.site.respond(request.map(Body::new), &way).await
            }
            Err(wait) => too_many_connections(wait),
        };
        self.metrics.answered(response.status());
        response
    }

    /// Who asks. An error is for a client that a proxy brings too often, with how long that lasts, if
    /// it is known.
    fn client(&self, request: &hyper::Request<Incoming>) -> Result<IpAddr, Option<Duration>> {
        let (proxies, remote) = (self.connections.proxies(), self.remote.ip());
        if !proxies.contains(remote) {
            return Ok(remote.to_canonical());
        }
        let client = proxies.client(remote, request.headers());
        if !self.admission.belongs_to(client) {
            return Err(None);
        }
        if request.headers().contains_key(UPGRADE) {
            self.connections.arrives(client).map_err(Some)?;
        }
        Ok(client)
    }
}

/// When the latest request came.
struct Latest(Mutex<Instant>);

impl Latest {
    fn now() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Resolves when there was none for `idle`.
    async fn long_ago(&self, idle: Duration) {
        loop {
            let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner) + idle;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}
