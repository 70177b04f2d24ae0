use std::net::{Ipv4Addr, SocketAddr, UdpSocket as StdSocket};
use std::time::Duration;

use talkie_net::plane::{self, Handle, LegLimits, Setup};
use talkie_net::{Refusal, UdpOptions, UdpSocket};
use talkie_sansio::{Path, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use crate::toy::{Toy, framed, framer};

const SOON: Duration = Duration::from_secs(5);

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A port that was free a moment ago.
fn free_port() -> SocketAddr {
    StdSocket::bind(loopback(0)).unwrap().local_addr().unwrap()
}

fn client() -> StdSocket {
    let socket = StdSocket::bind(loopback(0)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket
}

fn start(listener: SocketAddr, legs: LegLimits) -> Handle<Toy> {
    let options = UdpOptions::default();
    let listeners = vec![UdpSocket::bind(listener, &options).unwrap()];
    let relays = UdpOptions { packet_info: false, ..options };
    let setup = Setup { listeners, relays, framer, legs };
    plane::start("toy", Toy::new(free_port()), setup).unwrap()
}

fn ask(socket: &StdSocket, server: SocketAddr, request: &[u8]) -> Vec<u8> {
    socket.send_to(request, server).unwrap();
    receive(socket)
}

fn receive(socket: &StdSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let (length, _) = socket.recv_from(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

fn towards(peer: &StdSocket, payload: &[u8]) -> Vec<u8> {
    let port = peer.local_addr().unwrap().port();
    [b">", &port.to_be_bytes()[..], payload].concat()
}

#[tokio::test]
async fn packets_are_forwarded_both_ways() {
    let handle = start(loopback(0), LegLimits::default());
    let server = handle.listeners()[0].address;
    let (client, peer) = (client(), client());
    assert_eq!(ask(&client, server, b"slow"), b"slow");
    assert_eq!(ask(&client, server, b"O"), b"O");
    client.send_to(&towards(&peer, b"hello"), server).unwrap();
    assert_eq!(receive(&peer), b"hello");
    let relay = handle.call(|toy, _, _| toy.relay).await.unwrap();
    peer.send_to(b"back", relay).unwrap();
    assert_eq!(receive(&client), b"<back");
    handle.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_reported_and_a_closed_one_is_free_again() {
    let handle = start(loopback(0), LegLimits::default());
    let server = handle.listeners()[0].address;
    let relay = handle.call(|toy, _, _| toy.relay).await.unwrap();
    let client = client();
    let squatter = StdSocket::bind(relay).unwrap();
    assert_eq!(ask(&client, server, b"O"), b"X");
    drop(squatter);
    assert_eq!(ask(&client, server, b"O"), b"O");
    assert_eq!(ask(&client, server, b"O"), b"X", "its own port counts as taken");
    client.send_to(b"C", server).unwrap();
    assert_eq!(ask(&client, server, b"O"), b"O");
    handle.stop().await;
    StdSocket::bind(relay).expect("stopping closes the sockets");
}

#[tokio::test]
async fn batches_arrive_whole_and_in_order() {
    let handle = start(loopback(0), LegLimits::default());
    let server = handle.listeners()[0].address;
    let (client, peer) = (client(), client());
    assert_eq!(ask(&client, server, b"O"), b"O");
    for round in 0..20_u16 {
        // Sizes that make runs, end them and start new ones.
        for index in 0..40_u16 {
            let size = if index % 7 == 6 { 50 } else { 600 };
            let mut payload = vec![0; size];
            payload[..2].copy_from_slice(&(round * 40 + index).to_be_bytes());
            client.send_to(&towards(&peer, &payload), server).unwrap();
        }
        for index in 0..40_u16 {
            let got = receive(&peer);
            assert_eq!(got.len(), if index % 7 == 6 { 50 } else { 600 });
            assert_eq!(got[..2], (round * 40 + index).to_be_bytes());
        }
    }
    let counters = handle.call(|_, _, io| io.counters()).await.unwrap();
    assert_eq!(counters.sent, 801);
    assert!(counters.send_calls < counters.sent, "some were merged");
    handle.stop().await;
}

#[tokio::test]
async fn an_unreachable_peer_disturbs_nobody() {
    let handle = start(loopback(0), LegLimits::default());
    let server = handle.listeners()[0].address;
    let (client, peer, gone) = (client(), client(), client());
    assert_eq!(ask(&client, server, b"O"), b"O");
    let to_gone = towards(&gone, b"lost");
    drop(gone);
    for _ in 0..10 {
        client.send_to(&to_gone, server).unwrap();
        client.send_to(&towards(&peer, b"hello"), server).unwrap();
        assert_eq!(receive(&peer), b"hello");
    }
    // Port 0 is one that the operating system itself refuses.
    client.send_to(b">\0\0x", server).unwrap();
    client.send_to(&towards(&peer, b"after"), server).unwrap();
    assert_eq!(receive(&peer), b"after");
    let counters = handle.call(|_, _, io| io.counters()).await.unwrap();
    assert_eq!(counters.dropped_unreachable, 1);
    handle.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_wildcard_listener_answers_from_the_address_it_was_reached_at() {
    let handle = start((Ipv4Addr::UNSPECIFIED, 0).into(), LegLimits::default());
    let port = handle.listeners()[0].address.port();
    let client = client();
    for host in [1, 2, 77] {
        let server: SocketAddr = ([127, 0, 0, host], port).into();
        // A connected socket takes answers from this address only.
        client.connect(server).unwrap();
        client.send(b"hello").unwrap();
        assert_eq!(receive(&client), b"hello");
    }
    handle.stop().await;
}

#[tokio::test]
async fn a_listener_on_ipv6_works_the_same() {
    let Ok(client) = StdSocket::bind("[::1]:0") else { return };
    client.set_read_timeout(Some(SOON)).unwrap();
    let handle = start("[::]:0".parse().unwrap(), LegLimits::default());
    let port = handle.listeners()[0].address.port();
    client.connect(("::1", port)).unwrap();
    client.send(b"hello").unwrap();
    assert_eq!(receive(&client), b"hello");
    handle.stop().await;
}

#[test]
fn a_refused_address_says_why() {
    let taken = client();
    let address = taken.local_addr().unwrap();
    let error = UdpSocket::bind(address, &UdpOptions::default()).unwrap_err();
    assert!(matches!(error.refusal, Refusal::InUse));
    assert_eq!(error.address, address);
    let nowhere = "192.0.2.1:0".parse().unwrap();
    let error = UdpSocket::bind(nowhere, &UdpOptions::default()).unwrap_err();
    assert!(matches!(error.refusal, Refusal::NoSuchAddress));
}

#[tokio::test]
async fn the_thread_ends_with_its_last_handle() {
    let handle = start(loopback(0), LegLimits::default());
    let address = handle.listeners()[0].address;
    drop(handle);
    for _ in 0..500 {
        if StdSocket::bind(address).is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the listener is still open");
}

fn leg_path(port: u16) -> Path {
    Path { transport: Transport::Tcp, local: loopback(1), remote: loopback(port) }
}

/// A leg on a pipe.
fn attach(handle: &Handle<Toy>, port: u16, pipe: usize) -> DuplexStream {
    let (near, far) = tokio::io::duplex(pipe);
    let handle = handle.clone();
    tokio::spawn(async move { handle.serve(far, leg_path(port)).await });
    near
}

async fn read_frame(stream: &mut DuplexStream) -> Vec<u8> {
    let mut frame = vec![0; 2];
    timeout(SOON, stream.read_exact(&mut frame)).await.unwrap().unwrap();
    let length = usize::from(u16::from_be_bytes([frame[0], frame[1]]));
    frame.resize(2 + length, 0);
    timeout(SOON, stream.read_exact(&mut frame[2..])).await.unwrap().unwrap();
    frame
}

async fn is_closed(stream: &mut DuplexStream) -> bool {
    matches!(timeout(SOON, stream.read_to_end(&mut Vec::new())).await, Ok(Ok(_)))
}

#[tokio::test]
async fn streams_carry_frames_however_they_are_cut() {
    let handle = start(loopback(0), LegLimits::default());
    let mut stream = attach(&handle, 7, 1 << 16);
    let wire = [framed(b"one"), framed(b""), framed(&[7; 3000])].concat();
    for piece in wire.chunks(5) {
        stream.write_all(piece).await.unwrap();
    }
    assert_eq!(read_frame(&mut stream).await, framed(b"one"));
    assert_eq!(read_frame(&mut stream).await, framed(b""));
    assert_eq!(read_frame(&mut stream).await, framed(&[7; 3000]));
    stream.write_all(&framed(b"B")).await.unwrap();
    assert!(is_closed(&mut stream).await, "the machine may end a stream");
    let gone = handle.call(|toy, _, _| toy.disconnects.clone()).await.unwrap();
    assert_eq!(gone, [leg_path(7)], "and is told of its end");
    handle.stop().await;
}

#[tokio::test]
async fn a_frame_that_lies_about_its_length_ends_the_stream() {
    let limits = LegLimits {
        first_frame: Duration::from_millis(100),
        unestablished: Duration::from_millis(200),
        ..LegLimits::default()
    };
    let handle = start(loopback(0), limits);
    let mut impossible = attach(&handle, 1, 4096);
    impossible.write_all(&[0xff, 0xff, 0]).await.unwrap();
    assert!(is_closed(&mut impossible).await);
    let mut never_complete = attach(&handle, 2, 4096);
    never_complete.write_all(&[0x40, 0, 1, 2, 3]).await.unwrap();
    assert!(is_closed(&mut never_complete).await);
    let mut silent = attach(&handle, 3, 4096);
    assert!(is_closed(&mut silent).await);
    handle.stop().await;
}

#[tokio::test]
async fn only_established_streams_may_stay() {
    let limits = LegLimits { unestablished: Duration::from_millis(200), ..LegLimits::default() };
    let handle = start(loopback(0), limits);
    let (mut stranger, mut guest) = (attach(&handle, 1, 4096), attach(&handle, 2, 4096));
    guest.write_all(&framed(b"E")).await.unwrap();
    // Talking does not help the stranger.
    let talking = async {
        while stranger.write_all(&framed(b"hi")).await.is_ok() {
            if timeout(Duration::from_millis(20), stranger.read_u8())
                .await
                .is_ok_and(|r| r.is_err())
            {
                return;
            }
        }
    };
    timeout(SOON, talking).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    guest.write_all(&framed(b"still here")).await.unwrap();
    assert_eq!(read_frame(&mut guest).await, framed(b"still here"));
    handle.stop().await;
    assert!(is_closed(&mut guest).await, "stopping ends the streams");
}

#[tokio::test]
async fn a_slow_reader_loses_packets_and_no_memory() {
    let limits = LegLimits { queue: 64 << 10, ..LegLimits::default() };
    let handle = start(loopback(0), limits);
    let peer = client();
    let mut stream = attach(&handle, 1, 1024);
    stream.write_all(&framed(b"O")).await.unwrap();
    let mut opened = [0];
    timeout(SOON, stream.read_exact(&mut opened)).await.unwrap().unwrap();
    // The toy's forwarding takes unframed packets; over a datagram it makes the sender its client.
    let udp = client();
    udp.send_to(&towards(&peer, b"x"), handle.listeners()[0].address).unwrap();
    receive(&peer);
    handle.call(|toy, _, _| toy.adopt(leg_path(1))).await.unwrap();
    let relay = handle.call(|toy, _, _| toy.relay).await.unwrap();
    for _ in 0..400 {
        peer.send_to(&[1; 1000], relay).unwrap();
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
    let counters = handle.call(|_, _, io| io.counters()).await.unwrap();
    assert!(counters.dropped_slow_reader > 200, "{counters:?}");
    assert_eq!(ask(&udp, handle.listeners()[0].address, b"others go on"), b"others go on");
    handle.stop().await;
}
