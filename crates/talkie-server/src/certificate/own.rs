//! A certificate made here: self-signed, ECDSA P-256, kept with its key in the data directory.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use super::{CertificateError, read, validity};
use crate::config::TlsFiles;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Apple's systems refuse a certificate that is valid for more than 825 days, however it came to
/// be trusted; it starts a day early for clocks that are behind.
const LIFETIME: Duration = Duration::from_secs(824 * 24 * 3600);
/// Whoever accepted the old one has to accept the new one: late, but before it fails.
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The kept certificate, or a new one when it is missing, unusable or about to end.
pub(super) fn load_or_make(
    data_dir: &Path,
    names: &[String],
    provider: &CryptoProvider,
) -> Result<CertifiedKey, CertificateError> {
    let files =
        TlsFiles { cert: data_dir.join("certificate.pem"), key: data_dir.join("certificate.key") };
    if files.cert.exists() || files.key.exists() {
        match read(&files, provider) {
            Ok(kept) if !is_due(&kept) => return Ok(kept),
            Ok(_) => tracing::info!("the certificate is about to expire: making a new one"),
            Err(error) => tracing::warn!(%error, "making a new certificate"),
        }
    }
    make(&files, names)?;
    read(&files, provider)
}

/// Whether the certificate ends soon, or says nothing legible about it.
pub(super) fn is_due(certificate: &CertifiedKey) -> bool {
    let end = certificate.cert.first().and_then(|leaf| validity::not_after(leaf));
    end.is_none_or(|end| end < SystemTime::now() + RENEW_BEFORE)
}

/// What the certificate is to be valid for: this host by every name and address it knows of.
pub(super) fn names<'a>(addresses: impl Iterator<Item = &'a IpAddr>) -> Vec<String> {
    let mut names = vec!["localhost".to_owned()];
    let uname = rustix::system::uname();
    let host = uname.nodename().to_string_lossy().to_lowercase();
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-.".contains(letter);
    if !host.is_empty() && host.chars().all(is_name) {
        // The second is how multicast DNS calls it.
        let local = (!host.contains('.')).then(|| format!("{host}.local"));
        names.extend([Some(host), local].into_iter().flatten());
    }
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    names.extend(loopback.iter().map(ToString::to_string));
    names.extend(addresses.map(ToString::to_string));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn make(files: &TlsFiles, names: &[String]) -> Result<(), CertificateError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(names)?;
    let unix = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .saturating_sub(DAY);
    params.not_before = date_time_ymd(1970, 1, 1) + unix;
    params.not_after = params.not_before + LIFETIME;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "talkie (self-signed)");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;

    let dir = files.cert.parent().unwrap_or_else(|| Path::new("."));
    make_dir(dir).map_err(|source| CertificateError::Write { path: dir.to_owned(), source })?;
    // The key first: a crash between the two leaves a pair that doesn't match and is made again.
    for (path, pem) in [(&files.key, key.serialize_pem()), (&files.cert, certificate.pem())] {
        write_private(path, pem.as_bytes())
            .map_err(|source| CertificateError::Write { path: path.clone(), source })?;
    }
    Ok(())
}

/// Makes the directory for its owner alone; one that exists is left as it is.
fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Replaces `path` in one step by a file that only its owner can read.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // One left by a crash of an earlier process with this id.
    let _ = fs::remove_file(&temporary);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}
