use std::net::SocketAddr;
use std::time::Duration;

use talkie_net::plane::LegLimits;
use talkie_sansio::{Path, Transport};
use talkie_server::relay::{RelayConfig, StreamLimits};
use talkie_traversal::stun::attributes::RequestedTransport;
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::timeout;

use super::client::Client;
use super::{LOCALHOST, SOON, TestRelay, config};

/// Limits that tests need not wait long for.
fn impatient() -> RelayConfig {
    let legs = LegLimits {
        first_frame: Duration::from_millis(300),
        unestablished: Duration::from_millis(600),
        ..LegLimits::default()
    };
    RelayConfig { legs, ..config(LOCALHOST) }
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    // A reset is an end as well.
    timeout(SOON, stream.read_to_end(&mut Vec::new())).await.is_ok()
}

fn request(method: Method) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Request, method, TransactionId([7; 12]));
    if method == Method::ALLOCATE {
        writer.attribute(&RequestedTransport::UDP);
    }
    bytes
}

#[tokio::test]
async fn frames_that_lie_about_their_length_end_the_connection() {
    let server = TestRelay::start(impatient()).await;
    let address = server.address(Transport::Tcp);
    let honest = Client::new(&server, Transport::Tcp).await;
    let stun = request(Method::BINDING);
    let odd = [&stun[..2], &[0, 3], &stun[4..]].concat();
    let too_long = [&stun[..2], &[0xff, 0xfc], &stun[4..]].concat();
    let channel = [0x40, 0x00, 0xff, 0xff, 1, 2, 3].to_vec();
    let neither = b"GET / HTTP/1.1\r\n\r\n".to_vec();
    let half = stun[..7].to_vec();
    for lie in [odd, too_long, channel, neither, half, Vec::new()] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&lie).await.unwrap();
        assert!(is_closed(&mut stream).await, "{lie:?}");
    }
    let stats = server.relay.stats().await;
    assert_eq!((stats.allocations, stats.streams), (1, 1));
    drop(honest);
    server.relay.stop().await;
}

#[tokio::test]
async fn a_client_that_never_authenticates_may_not_stay() {
    let server = TestRelay::start(impatient()).await;
    for method in [Method::BINDING, Method::ALLOCATE] {
        let mut stream = TcpStream::connect(server.address(Transport::Tcp)).await.unwrap();
        let mut answers = 0;
        let talking = async {
            let mut buffer = [0; 1024];
            loop {
                if stream.write_all(&request(method)).await.is_err() {
                    return;
                }
                match stream.read(&mut buffer).await {
                    Ok(length) if length > 0 => {
                        let message = Message::parse(&buffer[..length]).unwrap();
                        assert!(message.class().is_response());
                        answers += 1;
                    }
                    _ => return,
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(SOON, talking).await.expect("the connection must end");
        assert!(answers >= 2, "it is answered until then");
    }
    assert_eq!(server.relay.stats().await.allocations, 0);
    server.relay.stop().await;
}

#[tokio::test]
async fn an_allocation_keeps_its_connection() {
    let server = TestRelay::start(impatient()).await;
    let mut client = Client::new(&server, Transport::Tcp).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    client.permit(LOCALHOST).await;
    server.relay.stop().await;
}

#[tokio::test]
async fn connections_are_bounded_by_address() {
    let streams = StreamLimits { per_address: 3, ..StreamLimits::default() };
    let server = TestRelay::start(RelayConfig { streams, ..config(LOCALHOST) }).await;
    let address = server.address(Transport::Tcp);
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(Client::new(&server, Transport::Tcp).await);
    }
    for _ in 0..20 {
        let mut refused = TcpStream::connect(address).await.unwrap();
        assert!(is_closed(&mut refused).await);
    }
    let stats = server.relay.stats().await;
    assert_eq!((stats.streams, stats.streams_refused), (3, 20));
    clients.pop();
    server.holds(2).await;
    clients.push(Client::new(&server, Transport::Tcp).await);
    server.relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_loses_packets_and_nobody_else_does() {
    let server = TestRelay::on_localhost().await;
    let peer = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    let peer_address = peer.local_addr().unwrap();
    let mut slow = slow_client(server.address(Transport::Tcp)).await;
    slow.bind(peer_address).await;
    let mut quick = Client::new(&server, Transport::Udp).await;
    quick.bind(peer_address).await;
    // `slow` takes no events now, so that its driver soon stops to read.
    let mut sent = 0;
    while server.relay.stats().await.packets.dropped_slow_reader < 1000 {
        for _ in 0..100 {
            peer.send_to(&[1; 1200], slow.relayed).await.unwrap();
        }
        sent += 100;
        assert!(sent < 100_000, "the queue does not end");
        peer.send_to(&[2; 100], quick.relayed).await.unwrap();
        assert_eq!(quick.data().await.1, [2; 100]);
    }
    // It gets the rest whole when it reads again, and answers are not lost.
    for _ in 0..300 {
        assert_eq!(slow.data().await.1, [1; 1200]);
    }
    server.relay.stop().await;
}

/// A client whose system holds little of what it does not read.
async fn slow_client(server: SocketAddr) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let stream = socket.connect(server).await.unwrap();
    let local = stream.local_addr().unwrap();
    let path = Path { transport: Transport::Tcp, local, remote: server };
    Client::on_stream(path, Box::new(stream)).await
}

#[tokio::test]
async fn garbage_on_udp_is_not_answered_and_costs_nothing() {
    let server = TestRelay::on_localhost().await;
    let address = server.address(Transport::Udp);
    let socket = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
    for length in 0..200 {
        socket.send_to(&vec![0xff; length], address).await.unwrap();
        socket.send_to(&vec![0; length], address).await.unwrap();
        socket.send_to(&vec![0x40; length], address).await.unwrap();
    }
    socket.send_to(&request(Method::BINDING), address).await.unwrap();
    let mut buffer = [0; 1024];
    let (length, _) = timeout(SOON, socket.recv_from(&mut buffer)).await.unwrap().unwrap();
    let message = Message::parse(&buffer[..length]).unwrap();
    assert_eq!(message.class(), Class::Success, "the only answer is to the only request");
    server.relay.stop().await;
}
