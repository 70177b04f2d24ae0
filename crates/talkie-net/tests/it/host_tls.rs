//! Streams over TLS: whom to take for the server is the application's to say.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use talkie_net::host::{Options, Trust};
use talkie_sansio::{Answer, Transport, Want, WantError, WantId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::guest::{Heard, Lodger};
use crate::toy::{framed, framer};

/// A server that sends everything back, and its certificate, which bears `name`.
async fn server(name: &str) -> (SocketAddr, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![certificate.clone()], key)
    .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not believe the certificate goes away.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = [0; 1024];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                if buffer[..count].ends_with(b"bye") {
                    stream.shutdown().await.unwrap();
                    break;
                }
                stream.write_all(&buffer[..count]).await.unwrap();
            }
        }
    });
    (address, certificate)
}

fn trusting(certificate: CertificateDer<'static>) -> Options {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Options { trust: Trust::Config(Arc::new(config)), ..Options::default() }
}

fn call(remote: SocketAddr, name: Option<&str>) -> impl FnOnce(WantId) -> Want {
    let (transport, server_name) = (Transport::Tls, name.map(str::to_owned));
    move |id| Want::Connect { id, transport, local: None, remote, server_name, framer }
}

#[tokio::test]
async fn frames_pass_over_tls_until_the_server_ends_it() {
    for (bears, asked) in [("turn.test", Some("turn.test")), ("127.0.0.1", None)] {
        let (address, certificate) = server(bears).await;
        let mut it = Lodger::new(trusting(certificate)).await;
        let Answer::Connected { path, .. } = it.gets(call(address, asked)).await else { panic!() };
        assert_eq!((path.transport, path.remote), (Transport::Tls, address));
        it.says(path, &framed(b"hello")).await;
        assert_eq!(it.hears().await, Heard::Datagram(path, framed(b"hello")));
        it.says(path, &framed(b"bye")).await;
        assert_eq!(it.answer().await, Answer::Closed { path });
        it.hears_nothing().await;
    }
}

#[tokio::test]
async fn a_server_that_is_somebody_else_is_refused_with_the_reason() {
    let (address, certificate) = server("turn.test").await;
    let mut it = Lodger::new(trusting(certificate)).await;
    let other = it.fails(call(address, Some("other.test"))).await;
    assert!(matches!(&other, WantError::Certificate(why) if why.contains("other.test")), "{other}");
    let mut careful = Lodger::new(Options::default()).await;
    let unknown = careful.fails(call(address, Some("turn.test"))).await;
    assert!(matches!(unknown, WantError::Certificate(_)), "{unknown}");
    let no_name = it.fails(call(address, Some("not a name"))).await;
    assert!(matches!(no_name, WantError::Certificate(_)), "{no_name}");
}
