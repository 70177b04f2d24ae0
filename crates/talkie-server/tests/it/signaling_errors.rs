//! Each row of the table of error codes, over sockets. Those that belong to a resume or to an
//! attack are in the modules named after these; the last test here keeps the list complete.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::json;
use talkie_server::signaling::{Code, SignalingConfig};
use tokio_tungstenite::tungstenite::Message;

use crate::signaling_host::{Host, Peer};

fn config() -> SignalingConfig {
    SignalingConfig::default()
}

#[tokio::test]
async fn bad_message_is_forgiven_nine_times() {
    let host = Host::start(config()).await;
    let mut peer = host.peer().await;
    // Only one of them has a number, and it is used up.
    peer.sent = 1;
    let bad = [
        "nonsense",
        "[]",
        r#"{"type":"no-such-type"}"#,
        r#"{"type":"join","room":"room"}"#,
        r#"{"type":"signal","seq":1,"to":"x"}"#,
        r#"{"type":"ack","ack":99}"#,
        r#"{"type":"hello","version":1}"#,
        "{\"type\":\"ping\"",
    ];
    for (count, text) in bad.into_iter().enumerate() {
        peer.socket().send_text(text).await;
        let error = peer.expect("error").await;
        assert_eq!((&error["code"], &error["fatal"]), (&json!("bad-message"), &json!(false)));
        assert_eq!(error.get("about"), (count == 4).then_some(&json!(1)), "{text}");
    }
    peer.join("room").await;
    peer.socket().send_message(Message::binary(b"{}".as_slice())).await.unwrap();
    assert_eq!(peer.expect("error").await["code"], "bad-message");
    peer.socket().send_text("nonsense").await;
    peer.socket().fatal("bad-message").await;
    assert_eq!(peer.resume(&host).await["resumed"], false);
}

#[tokio::test]
async fn bad_message_before_the_session_is_fatal() {
    let host = Host::start(config()).await;
    for text in ["nonsense", "[]", r#"{"type":"hello"}"#, r#"{"type":"hello","version":"1"}"#] {
        let mut socket = host.socket().await;
        socket.send_text(text).await;
        socket.fatal("bad-message").await;
    }
}

#[tokio::test]
async fn bad_version() {
    let host = Host::start(config()).await;
    for version in [0, 2] {
        let mut socket = host.socket().await;
        socket.send_text(&json!({"type": "hello", "version": version}).to_string()).await;
        socket.fatal("bad-version").await;
    }
}

#[tokio::test]
async fn bad_sequence_ends_the_session() {
    let host = Host::start(config()).await;
    let mut peer = host.member("room").await;
    peer.sent += 1;
    peer.send(json!({"type": "leave"})).await;
    peer.socket().fatal("bad-sequence").await;
    assert_eq!(peer.resume(&host).await["resumed"], false);
}

#[tokio::test]
async fn hello_first() {
    let host = Host::start(config()).await;
    let mut socket = host.socket().await;
    socket.send_text(r#"{"type":"join","seq":1,"room":"room"}"#).await;
    socket.fatal("hello-first").await;

    let hello_within = Duration::from_millis(100);
    let host = Host::start(SignalingConfig { hello_within, ..config() }).await;
    host.socket().await.fatal("hello-first").await;
    let mut patient = host.peer().await;
    tokio::time::sleep(hello_within * 2).await;
    patient.join("room").await;
}

#[tokio::test]
async fn too_fast_refuses_and_then_ends() {
    let limits = SignalingConfig {
        messages_per_second: 20,
        burst: 5,
        flood_patience: Duration::from_millis(400),
        ..config()
    };
    let host = Host::start(limits).await;
    let mut peer = host.peer().await;
    for _ in 0..60 {
        peer.send(json!({"type": "leave"})).await;
    }
    let mut refused = 0;
    for about in 1..=60 {
        let error = peer.expect("error").await;
        assert_eq!((&error["about"], &error["fatal"]), (&json!(about), &json!(false)));
        refused += usize::from(error["code"] == "too-fast");
        assert!(about > 5 || error["code"] == "not-in-room", "{error}");
    }
    assert!(refused > 0);
    tokio::time::sleep(Duration::from_millis(300)).await;
    peer.join("room").await;
    // Now it goes on and on.
    let flood = async {
        loop {
            peer.send(json!({"type": "leave"})).await;
            let message = peer.next().await.unwrap();
            peer.acknowledge().await;
            if message["fatal"] == true {
                return message;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let last = tokio::time::timeout(Duration::from_secs(10), flood).await.unwrap();
    assert_eq!(last["code"], "too-fast");
    assert_eq!(peer.next().await.unwrap_err().reason, "too-fast");
}

#[tokio::test]
async fn bad_room_names_and_peer_names() {
    let host = Host::start(config()).await;
    let mut peer = host.peer().await;
    let long = "x".repeat(10_240);
    for room in ["", "../etc/passwd", "a/../b", "-a", "a b", "\u{202e}evil", "a\0b", &long] {
        peer.refused(json!({"type": "join", "room": room}), "bad-room-name").await;
    }
    for name in [&long, &"é".repeat(65)] {
        peer.refused(json!({"type": "join", "room": "room", "name": name}), "bad-name").await;
    }
    peer.join("room").await;
}

#[tokio::test]
async fn room_full() {
    let host = Host::start(SignalingConfig { room_peers: 2, ..config() }).await;
    let _ann = host.member("room").await;
    let mut bob = host.member("room").await;
    let mut eve = host.peer().await;
    eve.refused(json!({"type": "join", "room": "room"}), "room-full").await;
    bob.send(json!({"type": "leave"})).await;
    bob.expect("left").await;
    eve.join("room").await;
}

#[tokio::test]
async fn too_many_rooms_counts_open_rooms_of_their_maker() {
    let host = Host::start(SignalingConfig { rooms_per_address: 2, ..config() }).await;
    let mut ann = host.member("one").await;
    let _bob = host.member("two").await;
    let mut eve = host.peer().await;
    eve.refused(json!({"type": "join", "room": "three"}), "too-many-rooms").await;
    let other = host.socket_from(Ipv4Addr::new(127, 0, 0, 2).into()).await;
    Peer::open(other).await.join("three").await;
    ann.send(json!({"type": "leave"})).await;
    ann.expect("left").await;
    eve.join("four").await;
}

#[tokio::test]
async fn server_full_for_a_session_and_for_a_room() {
    let host = Host::start(SignalingConfig { sessions: 2, rooms: 1, ..config() }).await;
    let _ann = host.member("one").await;
    let mut bob = host.peer().await;
    bob.refused(json!({"type": "join", "room": "two"}), "server-full").await;
    let mut eve = host.socket().await;
    eve.send_text(r#"{"type":"hello","version":1}"#).await;
    eve.fatal("server-full").await;
    bob.join("one").await;
}

#[tokio::test]
async fn not_in_room_already_in_room_and_no_such_peer() {
    let host = Host::start(config()).await;
    let mut ann = host.peer().await;
    ann.refused(json!({"type": "leave"}), "not-in-room").await;
    let signal = |to: &str| json!({"type": "signal", "to": to, "payload": 1});
    ann.refused(signal("AAAAAAAAAAAAAAAA"), "not-in-room").await;
    ann.join("room").await;
    ann.refused(json!({"type": "join", "room": "room"}), "already-in-room").await;
    ann.refused(json!({"type": "join", "room": "other"}), "already-in-room").await;

    let stranger = host.member("elsewhere").await;
    let own = ann.id.clone();
    let long = "x".repeat(10_000);
    for to in ["", "AAAAAAAAAAAAAAAA", "../..", &long, &own, &stranger.id] {
        ann.refused(signal(to), "no-such-peer").await;
    }
    let mut bob = host.member("room").await;
    ann.expect("peer-joined").await;
    bob.send(json!({"type": "leave"})).await;
    ann.expect("peer-left").await;
    ann.refused(signal(&bob.id), "no-such-peer").await;
}

#[test]
fn each_code_has_its_test() {
    let elsewhere = [
        "message-too-big",
        "too-many-sessions",
        "slow-reader",
        "replay-overflow",
        "replaced",
        "draining",
        "wrong-key",
        "too-many-knocks",
        "refused",
    ];
    let here = include_str!("signaling_errors.rs");
    let others = [
        include_str!("signaling.rs"),
        include_str!("signaling_hostile.rs"),
        include_str!("signaling_keys.rs"),
        include_str!("signaling_knocks.rs"),
        include_str!("signaling_resume.rs"),
    ];
    let document = include_str!("../../../../docs/signaling.md");
    for code in Code::ALL {
        let text = format!("\"{code}\"");
        let tested = if elsewhere.contains(&code.as_str()) {
            others.iter().any(|file| file.contains(&text))
        } else {
            here.contains(&text)
        };
        assert!(tested, "{code} has no test");
        assert!(document.contains(&format!("| `{code}` |")), "{code} is not documented");
    }
    let table = document.split("| code |").nth(1).expect("the table of codes");
    let documented = table.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(documented, Code::ALL.len());
}
