//! The relay over real sockets on loopback, by our own TURN client and by coturn's.

mod client;
mod coturn;
mod discovery;
mod hostile;
mod relaying;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use talkie_sansio::{Path, Transport};
use talkie_server::relay::{Relay, RelayConfig};
use talkie_traversal::turn::server::{Config, Credentials, PeerPolicy};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const USER: &str = "alice";
const PASSWORD: &str = "correct horse";
const REALM: &str = "talk";
/// Nothing on loopback takes so long.
const SOON: Duration = Duration::from_secs(20);
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn config(host: IpAddr) -> RelayConfig {
    let mut turn = Config {
        realm: REALM.into(),
        credentials: Credentials {
            users: vec![(USER.into(), PASSWORD.into())],
            ..Credentials::default()
        },
        peers: PeerPolicy {
            allow: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
            ..PeerPolicy::default()
        },
        ..Config::default()
    };
    turn.limits.allocations_per_user = 2000;
    let any = SocketAddr::new(host, 0);
    RelayConfig { udp: vec![any], tcp: vec![any], turn, ..RelayConfig::default() }
}

/// A relay with a TLS listener in front, as an HTTPS server would be.
struct TestRelay {
    relay: Relay,
    tls: SocketAddr,
    certificate: CertificateDer<'static>,
}

impl TestRelay {
    async fn start(config: RelayConfig) -> Self {
        let host = config.udp[0].ip();
        let relay = Relay::start(config).await.unwrap();
        let names = vec!["localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(accept_tls(listener, TlsAcceptor::from(Arc::new(tls)), relay.clone()));
        Self { relay, tls: address, certificate }
    }

    async fn on_localhost() -> Self {
        Self::start(config(LOCALHOST)).await
    }

    fn address(&self, transport: Transport) -> SocketAddr {
        if transport == Transport::Tls {
            return self.tls;
        }
        let mut listeners = self.relay.listeners().iter();
        listeners.find(|listener| listener.transport == transport).unwrap().address
    }

    /// Waits until the relay holds `count` allocations.
    async fn holds(&self, count: usize) {
        let reached = async {
            while self.relay.stats().await.allocations != count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(SOON, reached).await.expect("the number of allocations");
    }
}

async fn accept_tls(listener: TcpListener, acceptor: TlsAcceptor, relay: Relay) {
    while let Ok((stream, remote)) = listener.accept().await {
        let (acceptor, relay) = (acceptor.clone(), relay.clone());
        tokio::spawn(async move {
            let local = stream.local_addr().unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                let path = Path { transport: Transport::Tls, local, remote };
                relay.attach(stream, path).unwrap();
            }
        });
    }
}
