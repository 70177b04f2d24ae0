//! STUN and TURN through every door of the server.

use talkie_server::Purpose;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::client::{Host, PATIENCE, answer};

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
        ["STUN", "TURN over UDP", "TURN over TCP", "TURN over TLS", "TURN on the HTTPS port"]
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
            (outcome, "STUN") => assert!(outcome.is_ok(), "{leg:?}"),
            (outcome, _) => {
                let words = outcome.as_ref().unwrap_err();
                assert!(words.contains("--relay-ports"), "{words}");
            }
        }
    }
    let ready = host.ask_admin("/readyz").await;
    assert_eq!((ready.status, ready.text()), (503, "the self test failed\n"));
}
