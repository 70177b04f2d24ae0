//! Clients that mean no good, and the honest one beside them.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::json;
use talkie_server::signaling::{Code, SignalingConfig};
use tokio::net::TcpSocket;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::signaling_host::{Host, PATIENCE, Peer};

#[tokio::test]
async fn a_thousand_sockets_of_one_address_leave_room_for_the_others() {
    let config =
        SignalingConfig { linger: Duration::from_millis(50), ..SignalingConfig::default() };
    let host = Host::start(config).await;
    let mut admitted = Vec::new();
    let mut refused = 0;
    for _ in 0..1_000 {
        let mut socket = host.socket().await;
        let hello = Message::text(r#"{"type":"hello","version":1}"#);
        // Who is refused at once may find the socket closed already.
        drop(socket.send_message(hello).await);
        let answer = socket.next().await.unwrap();
        if answer["type"] == "welcome" {
            admitted.push(socket);
        } else {
            assert_eq!(
                (&answer["code"], &answer["fatal"]),
                (&json!("too-many-sessions"), &json!(true))
            );
            refused += 1;
        }
    }
    assert_eq!((admitted.len(), refused), (256, 744));
    assert_eq!(host.errors(Code::TooManySessions), 744);

    let honest = host.socket_from(Ipv4Addr::new(127, 0, 0, 2).into()).await;
    let mut honest = Peer::open(honest).await;
    honest.join("room").await;
    // A place that becomes free is given again.
    let mut goes = admitted.pop().unwrap();
    goes.send_text(r#"{"type":"bye","seq":1}"#).await;
    assert_eq!(goes.next().await.unwrap_err().status, 1000);
    host.peer().await;
}

#[tokio::test]
async fn sockets_that_never_say_hello_are_bounded_too() {
    let config = SignalingConfig { sessions_per_address: 5, ..SignalingConfig::default() };
    let host = Host::start(config).await;
    let mut mute = Vec::new();
    for _ in 0..10 {
        mute.push(host.socket().await);
    }
    host.socket().await.fatal("too-many-sessions").await;
    mute[0].hello().await.unwrap();
}

#[tokio::test]
async fn a_frame_above_the_limit_is_answered_before_it_is_read() {
    let host = Host::start(SignalingConfig::default()).await;
    let mut peer = host.member("room").await;
    let padding = |size: usize| {
        let frame = r#"{"type":"ping","x":""}"#;
        Message::text(frame.replace("\"\"", &format!("\"{}\"", "x".repeat(size - frame.len()))))
    };
    peer.socket().send_message(padding(65_536)).await.unwrap();
    peer.expect("pong").await;
    peer.socket().send_message(padding(65_537)).await.unwrap();
    peer.socket().fatal("message-too-big").await;
    assert_eq!(peer.resume(&host).await["resumed"], false);

    // Far too large: the server does not take it, so the client is still writing when it is told.
    for size in [200_000, 2_000_000, 20_000_000] {
        let mut socket = host.socket().await;
        let sending = timeout(Duration::from_millis(300), socket.send_message(padding(size))).await;
        drop(sending);
        socket.fatal("message-too-big").await;
    }
}

#[tokio::test]
async fn fragments_add_up() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let host =
        Host::start(SignalingConfig { message_bytes: 1_000, ..SignalingConfig::default() }).await;
    let mut socket = host.socket().await;
    for number in 0..5 {
        let kind = if number == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(vec![b' '; 300], OpCode::Data(kind), false);
        if socket.send_message(Message::Frame(frame)).await.is_err() {
            break;
        }
    }
    socket.fatal("message-too-big").await;
}

#[tokio::test]
async fn a_flood_of_one_does_not_reach_the_others() {
    let host = Host::start(SignalingConfig::default()).await;
    let mut ann = host.member("room").await;
    let mut bob = host.member("room").await;
    ann.expect("peer-joined").await;
    let mut flooder = host.member("room").await;
    ann.expect("peer-joined").await;
    bob.expect("peer-joined").await;
    let started = Instant::now();
    for _ in 0..600 {
        let message = json!({"type": "signal", "to": ann.id, "payload": "flood"});
        flooder.sent += 1;
        let mut message = message;
        message["seq"] = flooder.sent.into();
        // It may be thrown out meanwhile, for it does not acknowledge what it is answered.
        if flooder.socket().send_message(Message::text(message.to_string())).await.is_err() {
            break;
        }
    }
    bob.send(json!({"type": "signal", "to": ann.id, "payload": "honest"})).await;
    let mut flood = 0;
    loop {
        let message = ann.next().await.unwrap();
        ann.acknowledge().await;
        match message["payload"].as_str() {
            Some("flood") => flood += 1,
            Some("honest") => break,
            _ => assert_eq!(message["type"], "peer-left"),
        }
    }
    // The burst less the join, and what the rate adds while the test runs.
    let most = 200.0 + 50.0 * started.elapsed().as_secs_f64();
    assert!(flood >= 199 && f64::from(flood) <= most, "{flood} of {most}");
    assert!(host.errors(Code::TooFast) > 0);
}

/// Two members of one room, the second with a receive buffer that is soon full.
async fn sender_and_small_reader(host: &Host) -> (Peer, Peer) {
    let mut ann = host.member("room").await;
    let small = TcpSocket::new_v4().unwrap();
    small.set_recv_buffer_size(4_096).unwrap();
    let mut bob = Peer::open(host.open(small, None).await.unwrap()).await;
    bob.join("room").await;
    ann.expect("peer-joined").await;
    (ann, bob)
}

#[tokio::test]
async fn a_reader_that_stops_is_told_and_may_resume() {
    let config = SignalingConfig {
        write_within: Duration::from_millis(200),
        linger: Duration::from_secs(5),
        burst: 10_000,
        replay_bytes: 64 << 20,
        replay_messages: 10_000,
        ..SignalingConfig::default()
    };
    let host = Host::start(config).await;
    let (mut ann, mut bob) = sender_and_small_reader(&host).await;
    let large = "x".repeat(60_000);
    let mut sent = 0;
    // Into the buffers of the system, until they are full and the server waits.
    while host.errors(Code::SlowReader) == 0 {
        ann.send(json!({"type": "signal", "to": bob.id, "payload": large})).await;
        sent += 1;
        assert!(sent < 500, "30 MB and nobody minds");
        sleep(Duration::from_millis(5)).await;
    }
    bob.socket().fatal("slow-reader").await;
    bob.received = 1;
    assert_eq!(bob.resume(&host).await["resumed"], true);
    for _ in 0..sent {
        bob.expect("signal").await;
        bob.acknowledge().await;
    }
}

#[tokio::test]
async fn a_reader_that_stops_for_good_is_dropped() {
    let config = SignalingConfig {
        write_within: Duration::from_millis(100),
        linger: Duration::from_millis(100),
        resume_within: Duration::from_millis(100),
        burst: 10_000,
        ..SignalingConfig::default()
    };
    let host = Host::start(config).await;
    let (mut ann, bob) = sender_and_small_reader(&host).await;
    let large = "x".repeat(60_000);
    // Either the socket stalls or a megabyte waits unacknowledged: the session ends.
    for _ in 0..100 {
        ann.send(json!({"type": "signal", "to": bob.id, "payload": large})).await;
    }
    timeout(PATIENCE, async {
        while host.signaling.stats().sockets > 1 || host.signaling.stats().sessions > 1 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the stalled socket and its session are gone");
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_gets_no_socket() {
    let config = SignalingConfig {
        origins: vec!["https://app.example".to_owned()],
        ..SignalingConfig::default()
    };
    let host = Host::start(config).await;
    let own = format!("http://{}", host.address);
    for origin in [own.as_str(), "https://app.example"] {
        let mut socket = host.open(TcpSocket::new_v4().unwrap(), Some(origin)).await.unwrap();
        assert_eq!(socket.hello().await.unwrap()["type"], "welcome");
    }
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1"] {
        match host.open(TcpSocket::new_v4().unwrap(), Some(origin)).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 403, "{origin}"),
            other => panic!("{origin}: {:?}", other.map(|_| "a socket")),
        }
    }
    assert_eq!(host.signaling.stats().foreign_origins, 4);
}

#[tokio::test]
async fn sessions_that_move_count_for_their_new_address() {
    let config = SignalingConfig { sessions_per_address: 2, ..SignalingConfig::default() };
    let host = Host::start(config).await;
    let there = Ipv4Addr::new(127, 0, 0, 2).into();
    let mut movers = Vec::new();
    for _ in 0..2 {
        movers.push(Peer::open(host.socket_from(there).await).await);
    }
    let mut ann = host.member("room").await;
    let _bob = host.peer().await;
    movers[0].join("room").await;
    ann.expect("peer-joined").await;
    let mut moved = host.socket().await;
    moved.send_text(&movers[0].resuming_hello()).await;
    moved.fatal("too-many-sessions").await;
    // Its owner's is as it was.
    ann.send(json!({"type": "signal", "to": movers[0].id, "payload": 1})).await;
    movers[0].expect("signal").await;
    ann.cut();
    assert_eq!(ann.resume(&host).await["resumed"], true, "it has its place already");
    ann.send(json!({"type": "bye"})).await;
    assert_eq!(ann.next().await.unwrap_err().status, 1000);
    assert_eq!(movers[1].resume(&host).await["resumed"], true);
    let _new = Peer::open(host.socket_from(there).await).await;
    let mut third = host.socket_from(there).await;
    third.send_text(r#"{"type":"hello","version":1}"#).await;
    third.fatal("too-many-sessions").await;
    let mut third = host.socket().await;
    third.send_text(r#"{"type":"hello","version":1}"#).await;
    third.fatal("too-many-sessions").await;
}

#[tokio::test]
async fn pings_of_one_who_reads_nothing_do_not_pile_up() {
    // Their answers are beyond what the system's buffers hold.
    const COUNT: usize = 60_000;
    let config =
        SignalingConfig { burst: 1_000_000, message_bytes: 1_000, ..SignalingConfig::default() };
    let host = Host::start(config).await;
    let small = TcpSocket::new_v4().unwrap();
    small.set_recv_buffer_size(4_096).unwrap();
    let mut socket = host.open(small, None).await.unwrap();
    socket.hello().await.unwrap();
    for _ in 0..COUNT {
        socket.send_message(Message::Ping(vec![0; 125].into())).await.unwrap();
    }
    socket.send_text(r#"{"type":"ping"}"#).await;
    let mut answers = 0;
    // Until the answer to the last, or until the server has had enough.
    while let Some(Ok(Message::Pong(_))) = socket.next_message().await {
        answers += 1;
    }
    assert!(answers < COUNT, "all of them were kept");
}

#[tokio::test]
async fn websocket_pings_count_as_messages() {
    let config = SignalingConfig {
        messages_per_second: 1,
        burst: 20,
        flood_patience: Duration::from_millis(200),
        ..SignalingConfig::default()
    };
    let host = Host::start(config).await;
    let mut socket = host.socket().await;
    socket.hello().await.unwrap();
    for _ in 0..15 {
        socket.send_message(Message::Ping(Vec::new().into())).await.unwrap();
    }
    socket.send_text(r#"{"type":"ping"}"#).await;
    assert_eq!(socket.next().await.unwrap()["type"], "pong");
    let started = Instant::now();
    while host.errors(Code::TooFast) < 2 {
        assert!(started.elapsed() < PATIENCE, "they cost nothing");
        // It may be thrown out meanwhile.
        drop(socket.send_message(Message::Ping(Vec::new().into())).await);
        sleep(Duration::from_millis(5)).await;
    }
    socket.fatal("too-fast").await;
}
