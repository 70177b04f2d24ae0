//! The way to a server: name, TCP, TLS, WebSocket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest as _};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::error::ConnectError;
use crate::tls::Tls;
use crate::url::ServerUrl;

/// Bytes of a frame that is taken: a room full of cards, or a message of the server's default limit
/// sixteen times over.
const MAX_FRAME: usize = 1024 * 1024;
/// RFC 8305 §5: the next address is tried before the one before it has failed.
const NEXT_ADDRESS: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// TCP or TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) type Socket = WebSocketStream<Box<dyn Stream>>;

/// Opens sockets to one server.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(crate) url: ServerUrl,
    /// For an https URL.
    pub(crate) tls: Option<Tls>,
    pub(crate) timeout: Duration,
}

impl Connector {
    /// A socket on which the WebSocket is open, and the server's address.
    pub(crate) async fn open(&self) -> Result<(Socket, SocketAddr), ConnectError> {
        match timeout(self.timeout, self.connect()).await {
            Ok(opened) => opened,
            Err(_) => Err(self.too_late()),
        }
    }

    pub(crate) fn too_late(&self) -> ConnectError {
        ConnectError::Timeout { host: self.url.to_string(), after: self.timeout }
    }

    async fn connect(&self) -> Result<(Socket, SocketAddr), ConnectError> {
        let (tcp, address) = self.tcp().await?;
        // Signaling is small messages that somebody waits for.
        let _ = tcp.set_nodelay(true);
        let stream: Box<dyn Stream> = match &self.tls {
            Some(tls) => Box::new(self.handshake(tls, tcp).await?),
            None => Box::new(tcp),
        };
        let request = self.url.signal().into_client_request().map_err(|error| failed(&error))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME))
            .max_frame_size(Some(MAX_FRAME))
            .max_write_buffer_size(2 * MAX_FRAME);
        match client_async_with_config(request, stream, Some(config)).await {
            Ok((socket, _)) => Ok((socket, address)),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn handshake(
        &self,
        tls: &Tls,
        tcp: TcpStream,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, ConnectError> {
        let name = ServerName::try_from(self.url.host().to_owned())
            .map_err(|error| ConnectError::Socket(error.to_string()))?;
        let connector = TlsConnector::from(Arc::clone(&tls.config));
        connector.connect(name, tcp).await.map_err(|source| {
            let inner = source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match (inner, tls.met()) {
                (Some(rustls::Error::InvalidCertificate(_)), Some(met)) => {
                    ConnectError::Untrusted { met, source }
                }
                _ => ConnectError::Tls(source),
            }
        })
    }

    /// The first of the host's addresses that answers (RFC 8305 §5, without sorting: the resolver
    /// has sorted by RFC 6724).
    async fn tcp(&self) -> Result<(TcpStream, SocketAddr), ConnectError> {
        let host = self.url.host();
        let resolve = |source| ConnectError::Resolve { host: host.to_owned(), source };
        let found = lookup_host((host, self.url.port())).await.map_err(resolve)?;
        let mut attempts = JoinSet::new();
        for (address, nth) in found.take(MAX_ADDRESSES).zip(0..) {
            attempts.spawn(async move {
                sleep(NEXT_ADDRESS * nth).await;
                (address, TcpStream::connect(address).await)
            });
        }
        let mut error = resolve(std::io::ErrorKind::NotFound.into());
        while let Some(attempt) = attempts.join_next().await {
            match attempt {
                Ok((address, Ok(stream))) => return Ok((stream, address)),
                Ok((address, Err(source))) => error = ConnectError::Tcp { address, source },
                Err(_) => {}
            }
        }
        Err(error)
    }
}

fn failed(error: &tungstenite::Error) -> ConnectError {
    match error {
        tungstenite::Error::Http(response) => {
            ConnectError::Status { status: response.status().as_u16() }
        }
        other => ConnectError::Socket(other.to_string()),
    }
}
