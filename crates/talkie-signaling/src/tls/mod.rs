//! Whom to take for the server: TLS with the system's authorities, with one pinned certificate, or
//! with any, and never the last unless somebody said so.
//!
//! A `talkie serve` without a name of its own makes its certificate itself, which no authority
//! vouches for; it prints the fingerprint. So the refusal carries the fingerprint that was met:
//! whoever compares it with the printed one can pin it, and has more than an authority could give.

mod fingerprint;
mod verify;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs as provider};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, version};

pub use fingerprint::{Fingerprint, ParseFingerprintError};

/// Whom to take for the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// Whoever an authority of this system vouches for, under the name in the URL.
    #[default]
    System,
    /// Whoever has this certificate, whatever name or dates it bears.
    Pinned(Fingerprint),
    /// Anybody. The connection is then open to whoever stands between.
    Anybody,
}

/// Why there is no way to verify a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The system has no list of authorities.
    #[error(
        "this system has no certificate authorities; install its package ca-certificates, or pin \
         the server's fingerprint"
    )]
    NoAuthorities,
    /// The list can't be used.
    #[error("the certificate authorities of this system can't be used: {0}")]
    Unusable(String),
}

/// A client's TLS configuration, which remembers the certificate that it was shown last.
#[derive(Clone, Debug)]
pub struct Tls {
    /// For `tokio_rustls::TlsConnector` or any other driver of rustls.
    pub config: Arc<ClientConfig>,
    met: Met,
}

/// The certificate that was met last.
#[derive(Clone, Debug, Default)]
struct Met(Arc<Mutex<Seen>>);

#[derive(Clone, Debug, Default)]
struct Seen {
    fingerprint: Option<Fingerprint>,
    opinion: Option<Result<(), rustls::Error>>,
}

impl Met {
    fn note(
        &self,
        certificate: &CertificateDer<'_>,
        opinion: Option<Result<(), rustls::Error>>,
    ) -> Fingerprint {
        let fingerprint = Fingerprint::of(certificate);
        *self.seen() = Seen { fingerprint: Some(fingerprint), opinion };
        fingerprint
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tls {
    /// A configuration for TLS 1.2 and 1.3 that offers the protocols `alpn`.
    ///
    /// # Errors
    /// With [`Trust::System`], if the system has no usable authorities.
    pub fn new(trust: &Trust, alpn: &[&str]) -> Result<Self, TrustError> {
        let provider = Arc::new(provider::default_provider());
        let met = Met::default();
        let shown = |expected| -> Arc<dyn ServerCertVerifier> {
            let (provider, met) = (Arc::clone(&provider), met.clone());
            Arc::new(verify::Shown { expected, judge: None, provider, met })
        };
        let verifier = match trust {
            Trust::System => {
                let inner = authorities(&provider)?;
                Arc::new(verify::Vouched { inner, met: met.clone() })
            }
            Trust::Pinned(expected) => shown(Some(*expected)),
            Trust::Anybody => shown(None),
        };
        Ok(Self::with_verifier(provider, verifier, met, alpn))
    }

    /// A configuration that takes anybody, as with [`Trust::Anybody`], and remembers what the
    /// authorities of this system say. Their list is read once, from many files.
    #[must_use]
    pub fn observing(alpn: &[&str]) -> Self {
        static JUDGE: OnceLock<Option<Arc<WebPkiServerVerifier>>> = OnceLock::new();
        let provider = Arc::new(provider::default_provider());
        let judge = JUDGE.get_or_init(|| authorities(&provider).ok()).clone();
        let met = Met::default();
        let shown = verify::Shown {
            expected: None,
            judge,
            provider: Arc::clone(&provider),
            met: met.clone(),
        };
        Self::with_verifier(provider, Arc::new(shown), met, alpn)
    }

    fn with_verifier(
        provider: Arc<CryptoProvider>,
        verifier: Arc<dyn ServerCertVerifier>,
        met: Met,
        alpn: &[&str],
    ) -> Self {
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .expect("aws-lc-rs has suites for both versions")
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { config: Arc::new(config), met }
    }

    /// The fingerprint of the certificate that a server showed last, trusted or not.
    #[must_use]
    pub fn met(&self) -> Option<Fingerprint> {
        self.met.seen().fingerprint
    }

    /// What the authorities say of it, under the name that was asked for. `None` if this was not made
    /// by [`Tls::observing`], nothing was met, or this system has no authorities.
    #[must_use]
    pub fn opinion(&self) -> Option<Result<(), rustls::Error>> {
        self.met.seen().opinion.clone()
    }
}

fn authorities(provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, TrustError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Some systems carry roots that are malformed by today's rules; the others still count.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(match found.errors.first() {
            Some(error) => TrustError::Unusable(error.to_string()),
            None => TrustError::NoAuthorities,
        });
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| TrustError::Unusable(error.to_string()))
}
