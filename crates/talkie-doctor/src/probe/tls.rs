//! TLS to a server whose certificate is looked at, not insisted on.
//!
//! The question is what the server shows and whether browsers would take it; a certificate that they
//! refuse is a finding, no reason to stop looking. Nothing secret is sent over such a connection: a
//! relay's password never leaves this host in the clear (RFC 8489 §9.2), and credentials that are
//! issued here are for the asking anyway.

use std::sync::Arc;

use rustls::{CertificateError, Error};
use talkie_signaling::Tls;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{PATIENCE, within};
use crate::report::{Certificate, Failure, FailureKind, Trust};
use crate::target::Host;

/// A TLS connection and the certificate that was shown on it.
pub(crate) async fn handshake(
    stream: TcpStream,
    host: &Host,
) -> Result<(TlsStream<TcpStream>, Option<Certificate>), Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        Failure::new(FailureKind::Tls, format_args!("the TLS handshake with {host} failed: {why}"))
    };
    let name = host.server_name().ok_or_else(|| failed(&"the name cannot be in a certificate"))?;
    // What this system trusts is in files.
    let tls = tokio::task::spawn_blocking(|| Tls::observing(&[])).await;
    let tls = tls.map_err(|error| failed(&error))?;
    let silence = || failed(&"no answer in time");
    let connected = within(PATIENCE, silence, async {
        let connector = TlsConnector::from(Arc::clone(&tls.config));
        connector.connect(name, stream).await.map_err(|error| failed(&error))
    });
    let stream = connected.await?;
    let shown = |sha256: talkie_signaling::Fingerprint| Certificate {
        trust: trust(tls.opinion()),
        sha256: sha256.to_string(),
    };
    Ok((stream, tls.met().map(shown)))
}

/// What there is to say of the authorities' opinion; without any, nobody is known.
fn trust(opinion: Option<Result<(), Error>>) -> Trust {
    let Some(opinion) = opinion else { return Trust::UnknownIssuer };
    let Err(error) = opinion else { return Trust::Trusted };
    let Error::InvalidCertificate(error) = error else { return Trust::Refused };
    match error {
        CertificateError::UnknownIssuer => Trust::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Trust::OtherName
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Trust::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Trust::NotYet
        }
        _ => Trust::Refused,
    }
}
