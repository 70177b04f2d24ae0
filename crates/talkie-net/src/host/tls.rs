//! The TLS handshake of a client.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use talkie_sansio::WantError;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Trust;
use super::sockets::refused;

/// Shakes hands with the server that shall be `name`.
pub(super) async fn handshake(
    stream: TcpStream,
    name: String,
    trust: &Trust,
) -> Result<TlsStream<TcpStream>, WantError> {
    let config = match trust {
        Trust::System => system().await?,
        Trust::Config(config) => Arc::clone(config),
    };
    let name = ServerName::try_from(name)
        .map_err(|_| WantError::Certificate("the server's name is not one".to_owned()))?;
    TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(why)) => WantError::Certificate(why.to_string()),
            _ => refused(&error),
        }
    })
}

/// The configuration that believes the system's authorities, whose list is read once, from many files.
async fn system() -> Result<Arc<ClientConfig>, WantError> {
    static SYSTEM: OnceCell<Arc<ClientConfig>> = OnceCell::const_new();
    let read = || async {
        let config = tokio::task::spawn_blocking(authorities).await;
        config.unwrap_or_else(|error| Err(WantError::Certificate(error.to_string())))
    };
    SYSTEM.get_or_try_init(read).await.map(Arc::clone)
}

fn authorities() -> Result<Arc<ClientConfig>, WantError> {
    let mut roots = RootCertStore::empty();
    // Some systems carry roots that are malformed by today's rules; the others still count.
    let (added, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        let none = "this system has no certificate authorities; install its ca-certificates";
        return Err(WantError::Certificate(none.to_owned()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs has suites for both versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
