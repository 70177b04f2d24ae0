use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use talkie_sansio::Transport;
use talkie_server::relay::{Relay, RelayError};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::client::Client;
use super::{LOCALHOST, SOON, TestRelay, config};

const ALL: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

async fn peer(host: IpAddr) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((host, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

async fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (length, from) = timeout(SOON, socket.recv_from(&mut buffer)).await.unwrap().unwrap();
    buffer.truncate(length);
    (buffer, from)
}

/// Payloads of all paddings, and one as large as IPv6 carries with room for its envelopes.
fn payloads() -> Vec<Vec<u8>> {
    [1, 2, 3, 4, 172, 1200, 1473, 9000].map(|length| vec![length as u8; length]).to_vec()
}

async fn exchange(client: &mut Client, socket: &UdpSocket, address: SocketAddr) {
    for payload in payloads() {
        client.send(address, payload.clone()).await;
        assert_eq!(receive(socket).await, (payload.clone(), client.relayed));
        socket.send_to(&payload, client.relayed).await.unwrap();
        assert_eq!(client.data().await, (address, payload));
    }
}

#[tokio::test]
async fn every_transport_relays_by_indication_and_by_channel() {
    for host in [LOCALHOST, Ipv6Addr::LOCALHOST.into()] {
        let server = TestRelay::start(config(host)).await;
        for transport in ALL {
            let mut client = Client::new(&server, transport).await;
            let (socket, address) = peer(host).await;
            client.permit(host).await;
            exchange(&mut client, &socket, address).await;
            client.bind(address).await;
            exchange(&mut client, &socket, address).await;
        }
        let stats = server.relay.stats().await;
        assert_eq!(stats.packets.dropped_unreachable, 0);
        server.relay.stop().await;
    }
}

#[tokio::test]
async fn two_relayed_clients_meet_whatever_their_transports() {
    let server = TestRelay::on_localhost().await;
    for (one, two) in ALL.into_iter().flat_map(|one| ALL.map(|two| (one, two))) {
        let mut a = Client::new(&server, one).await;
        let mut b = Client::new(&server, two).await;
        let (at_a, at_b) = (a.relayed, b.relayed);
        a.bind(at_b).await;
        b.bind(at_a).await;
        for payload in payloads() {
            a.send(at_b, payload.clone()).await;
            assert_eq!(b.data().await, (at_a, payload.clone()), "{one} to {two}");
            b.send(at_a, payload.clone()).await;
            assert_eq!(a.data().await, (at_b, payload), "{two} to {one}");
        }
    }
    server.relay.stop().await;
}

#[tokio::test]
async fn batches_arrive_whole_and_in_order() {
    let server = TestRelay::on_localhost().await;
    for transport in ALL {
        let mut client = Client::new(&server, transport).await;
        let (socket, address) = peer(LOCALHOST).await;
        client.bind(address).await;
        for round in 0..20_u8 {
            for index in 0..60 {
                let length = if index % 11 == 10 { 99 } else { 1100 };
                let mut payload = vec![round; length];
                payload[0] = index;
                client.send(address, payload).await;
            }
            let mut received = Vec::new();
            for index in 0..60 {
                let (payload, _) = receive(&socket).await;
                assert_eq!(payload[..2], [index, round], "{transport}");
                received.push(payload);
            }
            for payload in &received {
                socket.send_to(payload, client.relayed).await.unwrap();
            }
            for payload in received {
                assert_eq!(client.data().await.1, payload, "{transport}");
            }
        }
    }
    server.relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_allocations_live_side_by_side() {
    talkie_net::raise_descriptor_limit().unwrap();
    let server = TestRelay::on_localhost().await;
    let (socket, address) = peer(LOCALHOST).await;
    let mut clients = Vec::new();
    for index in 0..1000 {
        let transport = ALL[if index % 50 == 0 { 1 } else { 0 }];
        clients.push(Client::new(&server, transport).await);
    }
    assert_eq!(server.relay.stats().await.allocations, 1000);
    for client in &mut clients {
        client.bind(address).await;
        client.send(address, b"ping".to_vec()).await;
        assert_eq!(receive(&socket).await, (b"ping".to_vec(), client.relayed));
        socket.send_to(b"pong", client.relayed).await.unwrap();
        assert_eq!(client.data().await, (address, b"pong".to_vec()));
    }
    server.relay.stop().await;
}

#[tokio::test]
async fn an_unreachable_peer_disturbs_nobody() {
    let server = TestRelay::on_localhost().await;
    let mut client = Client::new(&server, Transport::Udp).await;
    let (socket, address) = peer(LOCALHOST).await;
    let (gone, nobody) = peer(LOCALHOST).await;
    drop(gone);
    client.bind(address).await;
    client.bind(nobody).await;
    for _ in 0..50 {
        client.send(nobody, b"lost".to_vec()).await;
        client.send(address, b"kept".to_vec()).await;
        assert_eq!(receive(&socket).await.0, b"kept");
    }
    server.holds(1).await;
    server.relay.stop().await;
}

#[tokio::test]
async fn a_closed_connection_gives_its_allocation_back() {
    let server = TestRelay::on_localhost().await;
    for transport in [Transport::Tcp, Transport::Tls] {
        let client = Client::new(&server, transport).await;
        let relayed = client.relayed;
        server.holds(1).await;
        drop(client);
        server.holds(0).await;
        std::net::UdpSocket::bind(relayed).expect("the port is free again");
    }
    assert_eq!(server.relay.stats().await.streams, 0);
    server.relay.stop().await;
}

#[tokio::test]
async fn stopping_ends_connections_and_frees_ports() {
    let server = TestRelay::on_localhost().await;
    let client = Client::new(&server, Transport::Tcp).await;
    let listeners = server.relay.listeners().to_vec();
    server.relay.stop().await;
    client.closed().await;
    for listener in listeners.iter().filter(|listener| listener.transport == Transport::Udp) {
        std::net::UdpSocket::bind(listener.address).expect("the port is free again");
    }
}

#[tokio::test]
async fn a_taken_port_is_told_with_its_address() {
    let (_socket, taken) = peer(LOCALHOST).await;
    let mut over_udp = config(LOCALHOST);
    over_udp.udp = vec![taken];
    let error = Relay::start(over_udp).await.err().expect("an error");
    assert_eq!(
        error.to_string(),
        format!("TURN over udp: cannot listen on {taken}: the port is in use")
    );
    let listener = tokio::net::TcpListener::bind((LOCALHOST, 0)).await.unwrap();
    let mut over_tcp = config(LOCALHOST);
    over_tcp.tcp = vec![listener.local_addr().unwrap()];
    let error = Relay::start(over_tcp).await.err().expect("an error");
    assert!(matches!(error, RelayError::Listen { transport: Transport::Tcp, .. }), "{error}");
}
