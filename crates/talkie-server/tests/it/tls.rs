//! The TLS listeners and their certificate.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use talkie_server::{Purpose, Server, TlsFiles};
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use crate::client::{Host, answer, closed, config, handshake};

async fn certificate(host: &Host) -> CertificateDer<'static> {
    let tls = host.connect_tls(Purpose::Https, &[]).await;
    tls.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

/// A pair of files as an operator would bring them.
fn write_pair(dir: &Path, files: &TlsFiles) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["talk.example".to_owned()]).unwrap();
    fs::create_dir_all(dir).unwrap();
    fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    fs::write(&files.cert, made.cert.pem()).unwrap();
    made.cert.der().clone()
}

#[tokio::test]
async fn the_certificate_outlives_a_restart() {
    let first = Host::start().await;
    let report = first.server.report().certificate.clone().unwrap();
    assert!(report.self_signed);
    assert_eq!(report.sha256.len(), 95);
    let seen = certificate(&first).await;
    let again = Server::start(config(first.dir.path())).await.unwrap();
    assert_eq!(again.report().certificate, Some(report));
    let again = Host { server: again, dir: first.dir };
    assert_eq!(certificate(&again).await, seen);
}

#[tokio::test]
async fn changed_files_are_taken_over_and_broken_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let files = TlsFiles { cert: dir.path().join("c.pem"), key: dir.path().join("k.pem") };
    let first = write_pair(dir.path(), &files);
    let tls = files.clone();
    let host = Host::with(|config| config.tls = Some(tls)).await;
    assert!(!host.server.report().certificate.as_ref().unwrap().self_signed);
    assert_eq!(certificate(&host).await, first);

    fs::write(&files.cert, "-----BEGIN CERTIFICATE-----\nnonsense").unwrap();
    sleep(Duration::from_millis(2500)).await;
    assert_eq!(certificate(&host).await, first, "the old one serves on");

    let second = write_pair(dir.path(), &files);
    let began = Instant::now();
    while certificate(&host).await != second {
        assert!(began.elapsed() < Duration::from_secs(8), "not taken over");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_missing_certificate_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.tls = Some(TlsFiles { cert: dir.path().join("no.pem"), key: dir.path().join("k.pem") });
    let error = Server::start(config).await.unwrap_err().to_string();
    assert!(error.contains("no.pem") && error.starts_with("cannot read"), "{error}");
}

#[tokio::test]
async fn http_alpn_is_chosen_and_a_foreign_one_refused() {
    let host = Host::start().await;
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&["stun.turn"], Some("stun.turn")),
        (&[], None),
    ] {
        let tls = host.connect_tls(Purpose::Https, offered).await;
        let alpn = tls.get_ref().1.alpn_protocol().map(|name| std::str::from_utf8(name).unwrap());
        assert_eq!(alpn, chosen);
    }
    let stream = host.connect(Purpose::Https).await;
    assert!(handshake(stream, &["h3"]).await.is_err());
}

#[tokio::test]
async fn plain_http_on_a_tls_port_does_no_harm() {
    let host = Host::start().await;
    let mut plain = host.connect(Purpose::Https).await;
    plain.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    closed(&mut plain).await;
    let mut tls = host.connect_tls(Purpose::Https, &[]).await;
    tls.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(answer(&mut tls, false).await.unwrap().status, 200);
}

#[tokio::test]
async fn the_turns_port_serves_no_pages() {
    let host = Host::start().await;
    let mut tls = host.connect_tls(Purpose::Turns, &["stun.turn"]).await;
    tls.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(closed(&mut tls).await.is_empty());
}
