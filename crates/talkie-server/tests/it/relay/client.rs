//! Our TURN client on real sockets.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use talkie_net::driver::{self, Running, Stream, Wires};
use talkie_net::{BadFrame, Framer, UdpOptions, UdpSocket};
use talkie_sansio::{Path, Transport};
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::turn::channel_data::stream::frame_length;
use talkie_traversal::turn::client::{self, Event, Families};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{PASSWORD, SOON, TestRelay, USER};

pub(super) struct Client {
    running: Running<client::Client>,
    pub(super) relayed: SocketAddr,
}

impl Client {
    /// Allocates over `transport`, relaying in the family of the server's address.
    pub(super) async fn new(server: &TestRelay, transport: Transport) -> Self {
        let address = server.address(transport);
        if transport == Transport::Udp {
            let any = SocketAddr::new(address.ip(), 0);
            let socket = UdpSocket::bind(any, &UdpOptions::default()).unwrap();
            let path = Path { transport, local: socket.local(), remote: address };
            return Self::run(path, Wires { sockets: vec![socket], stream: None }).await;
        }
        let tcp = TcpStream::connect(address).await.unwrap();
        let path = Path { transport, local: tcp.local_addr().unwrap(), remote: address };
        let stream: Box<dyn Stream> = match transport {
            Transport::Tls => {
                let mut roots = RootCertStore::empty();
                roots.add(server.certificate.clone()).unwrap();
                let config = ClientConfig::builder().with_root_certificates(roots);
                let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
                let name = "localhost".try_into().unwrap();
                Box::new(connector.connect(name, tcp).await.unwrap())
            }
            _ => Box::new(tcp),
        };
        Self::on_stream(path, stream).await
    }

    pub(super) async fn on_stream(path: Path, stream: Box<dyn Stream>) -> Self {
        let stream = Some((stream, path, framer as Framer));
        Self::run(path, Wires { sockets: Vec::new(), stream }).await
    }

    async fn run(path: Path, wires: Wires) -> Self {
        let families = if path.remote.is_ipv4() { Families::Ipv4 } else { Families::Ipv6 };
        let config = client::Config { families, ..client::Config::default() };
        let credential = LongTerm::new(USER, PASSWORD).unwrap();
        let genesis = talkie_net::genesis().unwrap();
        let machine = client::Client::new(&genesis, path, Some(credential), config);
        let mut running = driver::spawn(machine, wires).unwrap();
        match timeout(SOON, running.events.recv()).await.unwrap() {
            Some(Event::Allocated { relayed, .. }) => Self { running, relayed },
            other => panic!("{other:?} instead of an allocation over {}", path.transport),
        }
    }

    pub(super) async fn event(&mut self) -> Event {
        timeout(SOON, self.running.events.recv()).await.expect("an event").expect("a client")
    }

    pub(super) async fn permit(&mut self, peer: IpAddr) {
        self.running
            .handle
            .call(move |client, now| client.permit(now, peer))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(self.event().await, Event::Permitted(peer));
    }

    pub(super) async fn bind(&mut self, peer: SocketAddr) {
        self.running.handle.call(move |client, now| client.bind(now, peer)).await.unwrap().unwrap();
        let event = self.event().await;
        assert!(matches!(event, Event::Bound(bound, _) if bound == peer), "{event:?}");
    }

    pub(super) async fn send(&self, peer: SocketAddr, payload: Vec<u8>) {
        let send = move |client: &mut client::Client, now| client.send(now, peer, &payload);
        self.running.handle.call(send).await.unwrap().unwrap();
    }

    pub(super) async fn data(&mut self) -> (SocketAddr, Vec<u8>) {
        match self.event().await {
            Event::Data { peer, payload } => (peer, payload),
            other => panic!("{other:?} instead of data"),
        }
    }

    /// Waits for the end of the stream.
    pub(super) async fn closed(self) {
        timeout(SOON, self.running.end).await.expect("an end").unwrap();
    }
}

fn framer(stream: &[u8]) -> Result<Option<usize>, BadFrame> {
    frame_length(stream).map_err(|_| BadFrame)
}
