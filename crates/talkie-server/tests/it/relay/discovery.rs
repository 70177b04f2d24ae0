//! NAT behaviour discovery over real sockets: all of 127.0.0.0/8 is this host, so that two addresses
//! are there for the asking.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use talkie_sansio::Transport;
use talkie_server::OwnAddress;
use talkie_server::relay::{AlternatePort, Alternates, Relay, RelayConfig, RelayError};
use talkie_traversal::stun::attributes::{
    ChangeRequest, OtherAddress, Padding, ResponseOrigin, ResponsePort, XorMappedAddress,
};
use talkie_traversal::stun::{Class, Message, Method, TransactionId, Writer};

use super::{LOCALHOST, SOON, config};

const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn alternates() -> Alternates {
    let addresses =
        vec![vec![OwnAddress::from(LOCALHOST), OwnAddress::from(std::net::IpAddr::V4(SECOND))]];
    Alternates { port: AlternatePort::Next, addresses, required: true }
}

/// A relay on `host` with two addresses of two ports.
async fn start(host: Ipv4Addr) -> Relay {
    let config = RelayConfig { alternates: alternates(), ..config(host.into()) };
    Relay::start(config).await.unwrap()
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket
}

struct Answer {
    from: SocketAddr,
    origin: Option<SocketAddr>,
    other: Option<SocketAddr>,
    mapped: SocketAddr,
    len: usize,
}

fn send(socket: &UdpSocket, server: SocketAddr, fill: impl FnOnce(&mut Writer<'_>)) {
    let mut request = Vec::new();
    let id = TransactionId([7; 12]);
    fill(&mut Writer::new(&mut request, Class::Request, Method::BINDING, id));
    socket.send_to(&request, server).unwrap();
}

fn receive(socket: &UdpSocket) -> Answer {
    let mut buffer = [0; 4096];
    let (len, from) = socket.recv_from(&mut buffer).expect("an answer");
    let message = Message::parse(&buffer[..len]).unwrap();
    assert_eq!(message.class(), Class::Success);
    Answer {
        from,
        origin: message.get::<ResponseOrigin>().unwrap().map(|it| it.0),
        other: message.get::<OtherAddress>().unwrap().map(|it| it.0),
        mapped: message.get::<XorMappedAddress>().unwrap().unwrap().0,
        len,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_combination_comes_from_the_very_address_and_port() {
    // Bound one by one, and all addresses by one socket for each port.
    for host in [Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED] {
        let relay = start(host).await;
        let [one, two] = relay.discovery()[0].ports;
        let client = socket();
        for ip in [Ipv4Addr::LOCALHOST, SECOND] {
            for port in [one, two] {
                for (change_ip, change_port) in
                    [(false, false), (false, true), (true, false), (true, true)]
                {
                    let wish = ChangeRequest { ip: change_ip, port: change_port };
                    send(&client, (ip, port).into(), |writer| {
                        writer.attribute(&wish);
                    });
                    let answer = receive(&client);
                    let other_ip = if ip == SECOND { Ipv4Addr::LOCALHOST } else { SECOND };
                    let other_port = if port == two { one } else { two };
                    let from_ip = if change_ip { other_ip } else { ip };
                    let from_port = if change_port { other_port } else { port };
                    let from = SocketAddr::from((from_ip, from_port));
                    assert_eq!(answer.from, from, "{host} {ip}:{port} {wish:?}");
                    assert_eq!(answer.origin, Some(from));
                    assert_eq!(answer.other, Some((other_ip, other_port).into()));
                    assert_eq!(answer.mapped, client.local_addr().unwrap());
                }
            }
        }
        relay.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn padding_comes_back_in_fragments_and_another_port_is_answered() {
    let relay = start(Ipv4Addr::LOCALHOST).await;
    let server = SocketAddr::new(LOCALHOST, relay.discovery()[0].ports[0]);
    let (client, other) = (socket(), socket());
    send(&client, server, |writer| {
        writer.attribute(&Padding(&[0; 1500]));
    });
    let answer = receive(&client);
    assert!((1472..=1524).contains(&answer.len), "longer than a frame, no longer than asked");
    send(&client, server, |writer| {
        writer.attribute(&ResponsePort(other.local_addr().unwrap().port()));
    });
    assert_eq!(receive(&other).mapped, client.local_addr().unwrap());
    client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(client.recv(&mut [0; 64]).is_err(), "and at that one only");
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_peer_is_a_socket_of_discovery() {
    // All of them are listeners, which the relay must not be a way to.
    let relay = start(Ipv4Addr::LOCALHOST).await;
    let [one, two] = relay.discovery()[0].ports;
    let bound: Vec<_> = relay.listeners().iter().map(|it| (it.transport, it.address)).collect();
    for (ip, port) in [(LOCALHOST, two), (SECOND.into(), one), (SECOND.into(), two)] {
        let address = SocketAddr::new(ip, port);
        assert!(bound.contains(&(Transport::Udp, address)), "{bound:?}");
    }
    let alternate = relay.listeners().iter().filter(|it| it.alternate);
    assert_eq!(alternate.filter(|it| it.transport == Transport::Udp).count(), 3);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_gone_without_unless_it_was_asked_for() {
    let taken = socket();
    let port = AlternatePort::Fixed(taken.local_addr().unwrap().port());
    let with = |required| RelayConfig {
        alternates: Alternates { port, required, ..Alternates::default() },
        ..config(LOCALHOST)
    };
    let relay = Relay::start(with(false)).await.unwrap();
    assert!(relay.discovery().is_empty());
    assert_eq!(relay.troubles()[0].1.address, taken.local_addr().unwrap());
    let server = relay.listeners()[0].address;
    let client = socket();
    send(&client, server, |_| {});
    let answer = receive(&client);
    assert_eq!((answer.origin, answer.len), (None, 32), "a plain STUN server");
    relay.stop().await;
    let error = Relay::start(with(true)).await.err().expect("it cannot start");
    assert!(matches!(error, RelayError::Alternate(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_configured_listeners_may_be_the_pair() {
    // A fixed port on both addresses, as `--turn 127.0.0.1:P,127.0.0.2:P` has it.
    let probe = socket();
    let port = probe.local_addr().unwrap().port();
    drop(probe);
    let udp = vec![SocketAddr::new(LOCALHOST, port), SocketAddr::new(SECOND.into(), port)];
    let alternates = Alternates { port: AlternatePort::Fixed(0), ..alternates() };
    let config = RelayConfig { udp, tcp: Vec::new(), alternates, ..config(LOCALHOST) };
    let relay = Relay::start(config).await.unwrap();
    assert_eq!(relay.discovery().len(), 1, "{:?}", relay.discovery());
    let client = socket();
    send(&client, (SECOND, port).into(), |writer| {
        writer.attribute(&ChangeRequest { ip: true, port: false });
    });
    assert_eq!(receive(&client).from, SocketAddr::new(LOCALHOST, port));
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_on_one_address_share_the_second_port() {
    let probe = socket();
    let port = probe.local_addr().unwrap().port();
    drop(probe);
    let any = SocketAddr::new(LOCALHOST, 0);
    let port = AlternatePort::Fixed(port);
    let alternates = Alternates { port, required: true, ..Alternates::default() };
    let udp = vec![any, any];
    let config = RelayConfig { udp, tcp: Vec::new(), alternates, ..config(LOCALHOST) };
    let relay = Relay::start(config).await.unwrap();
    assert_eq!((relay.discovery().len(), relay.listeners().len()), (1, 3));
    relay.stop().await;
}
