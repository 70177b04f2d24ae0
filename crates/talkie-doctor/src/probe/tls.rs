//! TLS to a server whose certificate is looked at, not insisted on.
//!
//! The question is what the server shows and whether browsers would take it; a certificate that they
//! refuse is a finding, no reason to stop looking. Nothing secret is sent over such a connection: a
//! relay's password never leaves this host in the clear (RFC 8489 §9.2), and credentials that are
//! issued here are for the asking anyway.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use sha2::{Digest as _, Sha256};
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
    let provider = Arc::new(aws_lc_rs::default_provider());
    let witness = Arc::new(Witness {
        judge: judge(&provider).await,
        provider: Arc::clone(&provider),
        seen: Mutex::default(),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as _)
        .with_no_client_auth();
    let silence = || failed(&"no answer in time");
    let connected = within(PATIENCE, silence, async {
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.map_err(|error| failed(&error))
    });
    let stream = connected.await?;
    let seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok((stream, seen))
}

type Judge = Option<Arc<WebPkiServerVerifier>>;

/// What this system trusts; loaded once, since that reads many files.
async fn judge(provider: &Arc<CryptoProvider>) -> Judge {
    static JUDGE: OnceLock<Judge> = OnceLock::new();
    if let Some(judge) = JUDGE.get() {
        return judge.clone();
    }
    let provider = Arc::clone(provider);
    let load = move || {
        let mut roots = RootCertStore::empty();
        // What cannot be read is not trusted.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().ok()
    };
    let loaded = tokio::task::spawn_blocking(load).await.unwrap_or_default();
    JUDGE.get_or_init(|| loaded).clone()
}

/// Takes any certificate and remembers what the judge said of it.
#[derive(Debug)]
struct Witness {
    judge: Judge,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Certificate>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let trust = match &self.judge {
            Some(judge) => trust(judge.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            )),
            None => Trust::UnknownIssuer,
        };
        let sha256 = fingerprint(end_entity);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(Certificate { trust, sha256 });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn trust(verdict: Result<ServerCertVerified, Error>) -> Trust {
    let Err(error) = verdict else { return Trust::Trusted };
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

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate.as_ref());
    let pairs: Vec<_> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}
