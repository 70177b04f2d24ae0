//! A server on free ports with a data directory of its own, and a client that shows every byte.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use talkie_server::{Config, Purpose, Server};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Nothing here takes this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A server and the directory it keeps its certificate in.
pub(crate) struct Host {
    pub(crate) server: Server,
    pub(crate) dir: TempDir,
}

/// Every purpose on a free port of loopback.
pub(crate) fn config(data_dir: &Path) -> Config {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut config = Config::default();
    config.http = vec![loopback];
    config.https = vec![loopback];
    config.turn = vec![loopback];
    config.turns = vec![loopback];
    config.admin = Some(loopback);
    config.data_dir = data_dir.to_owned();
    config.self_test = false;
    config
}

impl Host {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        change(&mut config);
        Self { server: Server::start(config).await.unwrap(), dir }
    }

    /// The IPv4 address bound for `purpose`.
    pub(crate) fn at(&self, purpose: Purpose) -> SocketAddr {
        self.server.report().addresses(purpose).find(SocketAddr::is_ipv4).unwrap()
    }

    pub(crate) async fn connect(&self, purpose: Purpose) -> TcpStream {
        TcpStream::connect(self.at(purpose)).await.unwrap()
    }

    pub(crate) async fn connect_tls(
        &self,
        purpose: Purpose,
        alpn: &[&str],
    ) -> TlsStream<TcpStream> {
        let stream = self.connect(purpose).await;
        handshake(stream, alpn).await.unwrap()
    }

    /// `GET path` over plain HTTP, with more header lines in `fields`.
    pub(crate) async fn fetch(&self, path: &str, fields: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost:8080\r\n{fields}\r\n")).await
    }

    /// `GET path` from the operator's listener.
    pub(crate) async fn ask_admin(&self, path: &str) -> Answer {
        let mut stream = self.connect(Purpose::Admin).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        answer(&mut stream, false).await.expect("an answer")
    }

    /// Sends `request` as it is and reads one answer.
    pub(crate) async fn ask(&self, request: &str) -> Answer {
        let mut stream = self.connect(Purpose::Http).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let is_head = request.starts_with("HEAD");
        answer(&mut stream, is_head).await.expect("an answer")
    }
}

/// An answer, parsed just enough.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A field's value; the test fails if there are two.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().filter_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then_some(value.trim())
        });
        let value = values.next();
        assert!(values.next().is_none(), "{name} twice: {}", self.head);
        value
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Reads one answer; `None` when the connection ends first.
pub(crate) async fn answer(stream: &mut (impl AsyncRead + Unpin), is_head: bool) -> Option<Answer> {
    timeout(PATIENCE, async {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: bytes.split_off(end + 4) };
        let has_body = !is_head && status != 304 && status >= 200;
        let len = answer.field("content-length").map_or(0, |len| len.parse().unwrap());
        while has_body && answer.body.len() < len {
            if stream.read_buf(&mut answer.body).await.ok()? == 0 {
                return None;
            }
        }
        Some(answer)
    })
    .await
    .expect("the server answers or closes")
}

/// Waits for the server to close `stream`; the time it took, and what came before.
pub(crate) async fn closed(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server closes");
    bytes
}

/// A TLS handshake that takes any certificate.
pub(crate) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    alpn: &[&str],
) -> std::io::Result<TlsStream<S>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST).into());
    timeout(PATIENCE, TlsConnector::from(Arc::new(config)).connect(name, stream)).await.unwrap()
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
