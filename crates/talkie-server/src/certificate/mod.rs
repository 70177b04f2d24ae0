//! The certificate of the TLS listeners: one's own from files, or one made here.
//!
//! Files are looked at every few seconds and taken over when they change; a renewal needs no
//! restart. What can't be used is reported and the old certificate goes on serving. A certificate
//! made here is kept for as long as it is valid, even when the host's addresses change: people have
//! accepted its fingerprint, and a browser's warning about a name is the same as about the issuer.

mod own;
mod pinned;
mod validity;

use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig, version};
use sha2::{Digest, Sha256};

use crate::config::{Config, TlsFiles};
use crate::report::CertificateReport;

/// How often the files are looked at: a renewal is in use before its writer has had time to check.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file can't be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file can't be written.
    #[error("cannot keep the certificate in {path}: {source}; choose another place with --data-dir", path = path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate's file holds none.
    #[error("{path} holds no PEM certificate", path = .0.display())]
    NoCertificate(PathBuf),
    /// The key's file holds none.
    #[error("{path} holds no PEM private key", path = .0.display())]
    NoKey(PathBuf),
    /// The two don't belong together, or the algorithm is not supported.
    #[error("{cert} and {key} can't be used: {source}", cert = cert.display(), key = key.display())]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// The certificate in use; hands it to each handshake.
#[derive(Debug)]
pub(crate) struct Certificates {
    source: Source,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

#[derive(Debug)]
enum Source {
    Files(TlsFiles),
    Own { data_dir: PathBuf, names: Vec<String> },
}

impl Certificates {
    /// Loads the files of `config`, or the certificate in its data directory, which is made when it
    /// is missing, unusable or about to end.
    pub(crate) fn load(
        config: &Config,
        addresses: &[IpAddr],
    ) -> Result<Arc<Self>, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let source = match &config.tls {
            Some(files) => Source::Files(files.clone()),
            None => Source::Own {
                data_dir: config.data_dir.clone(),
                names: own::names(addresses.iter().chain(&config.external_ip)),
            },
        };
        let current = RwLock::new(Arc::new(source.load(&provider)?));
        Ok(Arc::new(Self { source, provider, current }))
    }

    /// The TLS side of a listener.
    ///
    /// RFC 7443 §3: "stun.turn" and "stun.nat-discovery" name what a TURN or STUN client speaks. A
    /// client without ALPN is served too.
    pub(crate) fn server_config(self: &Arc<Self>, alpn: &[&str]) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .expect("aws-lc-rs has suites for both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// The client's side, for a connection to oneself.
    pub(crate) fn client_config(self: &Arc<Self>) -> Arc<ClientConfig> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .expect("aws-lc-rs has suites for both versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(pinned::Pinned(Arc::clone(self))))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"stun.turn".to_vec()];
        Arc::new(config)
    }

    pub(crate) fn report(&self) -> CertificateReport {
        let current = self.current();
        let leaf = current.cert.first().map_or(&[][..], |leaf| leaf.as_ref());
        CertificateReport {
            sha256: fingerprint(leaf),
            self_signed: matches!(self.source, Source::Own { .. }),
            not_after: validity::not_after(leaf).unwrap_or(SystemTime::UNIX_EPOCH),
        }
    }

    /// What the operator should hear about the certificate.
    pub(crate) fn warning(&self) -> Option<String> {
        let end = self.report().not_after;
        (end <= SystemTime::now() && end != SystemTime::UNIX_EPOCH)
            .then(|| "the certificate has expired: browsers will refuse it".to_owned())
    }

    /// Follows the files until the process ends or the future is dropped.
    pub(crate) async fn watch(&self) {
        let mut seen = self.source.stamp();
        loop {
            tokio::time::sleep(WATCH_INTERVAL).await;
            let stamp = self.source.stamp();
            if stamp == seen && !self.source.is_due(&self.current()) {
                continue;
            }
            match self.source.load(&self.provider) {
                Ok(fresh) => {
                    let leaf = fresh.cert.first().map_or(&[][..], |leaf| leaf.as_ref());
                    tracing::info!(sha256 = fingerprint(leaf), "certificate taken over");
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                }
                Err(error) => {
                    tracing::error!(%error, "the new certificate can't be used, the old one stays");
                }
            }
            // As it was before the files were read: what changed meanwhile is read again.
            seen = stamp;
        }
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

/// What changes when a file does.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Source {
    fn load(&self, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
        match self {
            Self::Files(files) => read(files, provider),
            Self::Own { data_dir, names } => own::load_or_make(data_dir, names, provider),
        }
    }

    fn stamp(&self) -> Stamp {
        let stamp = |path: &Path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        match self {
            Self::Files(files) => [stamp(&files.cert), stamp(&files.key)],
            // Nobody else writes there.
            Self::Own { .. } => [None, None],
        }
    }

    fn is_due(&self, current: &CertifiedKey) -> bool {
        match self {
            Self::Files(_) => false,
            Self::Own { .. } => own::is_due(current),
        }
    }
}

/// Reads a chain and its key and checks that they belong together.
fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
    let bytes = |path: &PathBuf| {
        fs::read(path).map_err(|source| CertificateError::Read { path: path.clone(), source })
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes(&files.cert)?)
        .collect::<Result<_, _>>()
        .map_err(|_| CertificateError::NoCertificate(files.cert.clone()))?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate(files.cert.clone()));
    }
    let key = PrivateKeyDer::from_pem_slice(&bytes(&files.key)?)
        .map_err(|_| CertificateError::NoKey(files.key.clone()))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| CertificateError::Unusable {
        cert: files.cert.clone(),
        key: files.key.clone(),
        source,
    })
}

/// SHA-256 as browsers show it.
fn fingerprint(der: &[u8]) -> String {
    let mut text = String::with_capacity(95);
    for byte in Sha256::digest(der) {
        let colon = if text.is_empty() { "" } else { ":" };
        write!(text, "{colon}{byte:02X}").expect("writing to a String never fails");
    }
    text
}

impl fmt::Display for CertificateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sha256)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
