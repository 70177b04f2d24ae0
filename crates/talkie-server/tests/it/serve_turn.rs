//! STUN and TURN through every door of the server.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use talkie_net::driver::{self, Wires};
use talkie_net::{BadFrame, UdpOptions};
use talkie_sansio::{Path, Transport};
use talkie_server::Purpose;
use talkie_traversal::stun::credential::LongTerm;
use talkie_traversal::turn::channel_data::stream::frame_length;
use talkie_traversal::turn::client::{self, Client, End, Event, Failure};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UdpSocket;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::client::{Host, PATIENCE, answer};

/// What a browser does with its `iceServers`: an allocation over `wires`; the relayed address.
async fn allocate(
    (username, password): &(String, String),
    path: Path,
    wires: Wires,
) -> Result<SocketAddr, Failure> {
    let credential = LongTerm::new(username, password).unwrap();
    let genesis = talkie_net::genesis().unwrap();
    let client = Client::new(&genesis, path, Some(credential), client::Config::default());
    let mut running = driver::spawn(client, wires).unwrap();
    let settled = async {
        loop {
            match running.events.recv().await.unwrap() {
                Event::Allocated { relayed, .. } => return Ok(relayed),
                Event::Ended(End::Failed(failure)) => return Err(failure),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, settled).await.unwrap()
}

async fn over_udp(host: &Host, credential: &(String, String)) -> Result<SocketAddr, Failure> {
    let local = "127.0.0.1:0".parse().unwrap();
    let socket = talkie_net::UdpSocket::bind(local, &UdpOptions::default()).unwrap();
    let remote = host.at(Purpose::TurnUdp);
    let path = Path { transport: Transport::Udp, local: socket.local(), remote };
    allocate(credential, path, Wires { sockets: vec![socket], stream: None }).await
}

/// The relay's credential of a session that came by `name`.
async fn credential(host: &Host, name: &str) -> (String, String) {
    let mut request =
        format!("ws://{}/signal", host.at(Purpose::Http)).into_client_request().unwrap();
    request.headers_mut().insert("host", name.parse().unwrap());
    let stream = host.connect(Purpose::Http).await;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    socket.send(r#"{"type":"hello","version":1}"#.into()).await.unwrap();
    let frame = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    let welcome: serde_json::Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
    let server = &welcome["iceServers"][1];
    let text = |field: &str| server[field].as_str().unwrap().to_owned();
    (text("username"), text("credential"))
}

/// A Binding request without attributes (RFC 8489 §5).
const BINDING: [u8; 20] =
    [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/// Whether `reply` is the success response to [`BINDING`].
fn is_answer(reply: &[u8]) -> bool {
    reply.len() >= 32 && reply[..2] == [1, 1] && reply[4..20] == BINDING[4..20]
}

async fn binds(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> bool {
    stream.write_all(&BINDING).await.unwrap();
    let mut reply = [0; 32];
    let read = timeout(PATIENCE, stream.read_exact(&mut reply)).await.expect("an answer in time");
    read.is_ok() && is_answer(&reply)
}

#[tokio::test]
async fn stun_answers_over_udp_and_tcp() {
    let host = Host::start().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&BINDING, host.at(Purpose::TurnUdp)).await.unwrap();
    let mut reply = [0; 100];
    let (len, _) = timeout(PATIENCE, socket.recv_from(&mut reply)).await.unwrap().unwrap();
    assert!(is_answer(&reply[..len]));
    let mut stream = host.connect(Purpose::TurnTcp).await;
    assert!(binds(&mut stream).await);
}

#[tokio::test]
async fn the_first_decrypted_byte_tells_turn_from_http() {
    let host = Host::start().await;
    for alpn in [&[][..], &["stun.turn"], &["http/1.1"]] {
        let mut tls = host.connect_tls(Purpose::Https, alpn).await;
        assert!(binds(&mut tls).await, "{alpn:?}");
        // And it goes on being TURN.
        assert!(binds(&mut tls).await, "{alpn:?}");
        let mut tls = host.connect_tls(Purpose::Https, alpn).await;
        tls.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert_eq!(answer(&mut tls, false).await.unwrap().status, 200, "{alpn:?}");
    }
}

#[tokio::test]
async fn a_message_that_comes_byte_by_byte_is_understood() {
    let host = Host::start().await;
    let mut tls = host.connect_tls(Purpose::Https, &[]).await;
    for byte in &BINDING[..19] {
        tls.write_all(&[*byte]).await.unwrap();
        tls.flush().await.unwrap();
    }
    tls.write_all(&BINDING[19..]).await.unwrap();
    let mut reply = [0; 32];
    timeout(PATIENCE, tls.read_exact(&mut reply)).await.unwrap().unwrap();
    assert!(is_answer(&reply));
}

#[tokio::test]
async fn the_turns_port_speaks_turn() {
    let host = Host::start().await;
    let mut tls = host.connect_tls(Purpose::Turns, &["stun.turn"]).await;
    assert!(binds(&mut tls).await);
}

#[tokio::test]
async fn without_a_relay_stun_still_answers() {
    let host = Host::with(|config| config.relay = false).await;
    assert!(host.server.report().relay.is_none());
    let mut tls = host.connect_tls(Purpose::Https, &[]).await;
    assert!(binds(&mut tls).await);
}

#[tokio::test]
async fn the_self_test_finds_every_door_open() {
    let host = Host::with(|config| config.self_test = true).await;
    let report = host.server.report();
    let names: Vec<_> = report.self_test.iter().map(|leg| leg.name).collect();
    assert_eq!(
        names,
        [
            "STUN",
            "STUN on the second port",
            "TURN over UDP",
            "TURN over TCP",
            "TURN over TLS",
            "TURN on the HTTPS port"
        ]
    );
    for leg in &report.self_test {
        assert!(leg.outcome.is_ok(), "{leg:?}");
    }
    assert!(report.is_sound());
    assert_eq!(host.ask_admin("/readyz").await.status, 200);
    // It leaves nothing behind.
    let metrics = host.ask_admin("/metrics").await;
    assert!(metrics.text().contains("\ntalkie_relay_sockets 0\n"), "{}", metrics.text());
}

#[tokio::test]
async fn the_self_test_says_what_fails_and_what_to_do() {
    // The only relay port is taken, in both families.
    let v4 = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = v4.local_addr().unwrap().port();
    let _v6 = std::net::UdpSocket::bind(("::", port));
    let host = Host::with(|config| {
        config.self_test = true;
        config.relay_ports = port..=port;
    })
    .await;
    let report = host.server.report();
    assert!(!report.is_sound());
    for leg in &report.self_test {
        match (&leg.outcome, leg.name) {
            (outcome, "STUN" | "STUN on the second port") => assert!(outcome.is_ok(), "{leg:?}"),
            (outcome, _) => {
                let words = outcome.as_ref().unwrap_err();
                assert!(words.contains("--relay-ports"), "{words}");
            }
        }
    }
    let ready = host.ask_admin("/readyz").await;
    assert_eq!((ready.status, ready.text()), (503, "the self test failed\n"));
}

#[tokio::test]
async fn the_credentials_of_the_welcome_open_the_relay() {
    let host = Host::start().await;
    let credential = credential(&host, "127.0.0.1").await;
    assert!(over_udp(&host, &credential).await.is_ok());

    let stream = host.connect_tls(Purpose::Https, &[]).await;
    let local = stream.get_ref().0.local_addr().unwrap();
    let path = Path { transport: Transport::Tls, local, remote: host.at(Purpose::Https) };
    let framer = |bytes: &[u8]| frame_length(bytes).map_err(|_| BadFrame);
    let wires = Wires { sockets: Vec::new(), stream: Some((Box::new(stream), path, framer)) };
    assert!(allocate(&credential, path, wires).await.is_ok());

    let forged = (credential.0.clone(), "AAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned());
    assert!(over_udp(&host, &forged).await.is_err());
    let (expiry, name) = credential.0.split_once(':').unwrap();
    let longer: u64 = expiry.parse::<u64>().unwrap() + 1;
    assert!(over_udp(&host, &(format!("{longer}:{name}"), credential.1)).await.is_err());
}

#[tokio::test]
async fn a_host_behind_a_one_to_one_nat_relays_from_its_outer_address() {
    let host = Host::start().await;
    let outer = credential(&host, "203.0.113.7:8443").await;
    assert_eq!(over_udp(&host, &outer).await.unwrap().ip().to_string(), "203.0.113.7");
    let inner = credential(&host, "127.0.0.1").await;
    assert_eq!(over_udp(&host, &inner).await.unwrap().ip().to_string(), "127.0.0.1");
}

#[tokio::test]
async fn a_configured_outer_address_is_every_sessions() {
    let outer = "203.0.113.9".parse().unwrap();
    let host = Host::with(|config| config.external_ip = vec![outer]).await;
    for name in ["127.0.0.1", "203.0.113.7"] {
        let credential = credential(&host, name).await;
        assert_eq!(over_udp(&host, &credential).await.unwrap().ip(), outer, "{name}");
    }
}

#[tokio::test]
async fn a_user_of_the_configuration_may_relay() {
    let ann = ("ann".to_owned(), "open sesame".to_owned());
    let user = ann.clone();
    let host = Host::with(|config| config.turn_users = vec![user]).await;
    assert!(over_udp(&host, &ann).await.is_ok());
    assert!(over_udp(&host, &(ann.0, "open".to_owned())).await.is_err());
}
