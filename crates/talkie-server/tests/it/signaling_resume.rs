//! Sessions that outlive their sockets.

use std::time::Duration;

use serde_json::{Value, json};
use talkie_server::signaling::{Code, SignalingConfig};

use crate::signaling_host::{Host, Peer};

async fn pair(host: &Host) -> (Peer, Peer) {
    let mut ann = host.member("room").await;
    let bob = host.member("room").await;
    ann.expect("peer-joined").await;
    (ann, bob)
}

#[tokio::test]
async fn a_resumed_session_is_where_it_was_and_gets_fresh_ice_servers() {
    let host = Host::start(SignalingConfig::default()).await;
    let (mut ann, mut bob) = pair(&host).await;
    bob.cut();
    ann.send(json!({"type": "signal", "to": bob.id, "payload": "while away"})).await;
    let welcome = bob.resume(&host).await;
    assert_eq!((&welcome["resumed"], &welcome["ack"]), (&json!(true), &json!(1)));
    assert_eq!(welcome["session"], bob.welcome["session"]);
    let username = |welcome: &Value| welcome["iceServers"][0]["username"].clone();
    assert_ne!(username(&welcome), username(&bob.welcome));
    assert_eq!(bob.expect("signal").await["payload"], "while away");
    bob.send(json!({"type": "signal", "to": ann.id, "payload": "back"})).await;
    assert_eq!(ann.expect("signal").await["payload"], "back");
}

#[tokio::test]
async fn nothing_is_lost_or_repeated_while_both_sockets_break_under_traffic() {
    const COUNT: u64 = 150;
    let host = Host::start(SignalingConfig { burst: 10_000, ..SignalingConfig::default() }).await;
    let (mut ann, mut bob) = pair(&host).await;
    let to = bob.id.clone();
    let signal =
        |seq: u64| json!({"type": "signal", "seq": seq, "to": to, "payload": seq}).to_string();
    let mut got = Vec::new();
    let first = ann.sent + 1;
    while ann.sent < first - 1 + COUNT {
        for _ in 0..10 {
            ann.sent += 1;
            let text = signal(ann.sent);
            ann.socket().send_text(&text).await;
        }
        // The sender's socket breaks: it sends again what the server has not got.
        if ann.sent % 30 == 1 {
            ann.cut();
            let ack = ann.resume(&host).await["ack"].as_u64().unwrap();
            for seq in ack + 1..=ann.sent {
                ann.socket().send_text(&signal(seq)).await;
            }
        }
        // The receiver's breaks with signals on their way.
        for _ in 0..4 {
            got.push(bob.expect("signal").await["payload"].as_u64().unwrap());
        }
        bob.cut();
        assert_eq!(bob.resume(&host).await["resumed"], true);
    }
    while got.len() < usize::try_from(COUNT).unwrap() {
        got.push(bob.expect("signal").await["payload"].as_u64().unwrap());
    }
    assert_eq!(got, (first..first + COUNT).collect::<Vec<_>>());
    // Nothing follows.
    bob.socket().send_text(r#"{"type":"ping"}"#).await;
    bob.expect("pong").await;
}

#[tokio::test]
async fn a_message_sent_twice_is_done_once_and_acknowledged_again() {
    let host = Host::start(SignalingConfig::default()).await;
    let (mut ann, mut bob) = pair(&host).await;
    for _ in 0..3 {
        ann.send(json!({"type": "signal", "to": bob.id, "payload": ann.sent})).await;
        ann.sent -= 1;
    }
    ann.sent += 1;
    ann.send(json!({"type": "signal", "to": bob.id, "payload": "last"})).await;
    bob.expect("signal").await;
    assert_eq!(bob.expect("signal").await["payload"], "last");
}

#[tokio::test]
async fn a_socket_whose_session_is_taken_over_is_replaced() {
    let host = Host::start(SignalingConfig::default()).await;
    let (mut ann, mut bob) = pair(&host).await;
    let mut old = bob.socket.take().unwrap();
    assert_eq!(bob.resume(&host).await["resumed"], true);
    old.fatal("replaced").await;
    old.cut();
    // The old socket's end is not the session's.
    ann.send(json!({"type": "signal", "to": bob.id, "payload": 1})).await;
    bob.expect("signal").await;
}

#[tokio::test]
async fn another_s_session_is_not_to_be_had() {
    let host = Host::start(SignalingConfig::default()).await;
    let (mut ann, bob) = pair(&host).await;
    let right = bob.welcome["token"].as_str().unwrap().to_owned();
    let mut flipped = right.clone();
    let last = if flipped.pop() == Some('A') { 'E' } else { 'A' };
    flipped.push(last);
    for token in
        ["", &flipped, &right[..31], &"A".repeat(32), ann.welcome["token"].as_str().unwrap()]
    {
        let mut thief = host.socket().await;
        let resume = json!({"session": bob.welcome["session"], "token": token, "ack": 0});
        let hello = json!({"type": "hello", "version": 1, "resume": resume});
        thief.send_text(&hello.to_string()).await;
        let welcome = thief.next().await.unwrap();
        assert_eq!(welcome["resumed"], false);
        assert_ne!(welcome["session"], bob.welcome["session"]);
    }
    let mut bob = bob;
    ann.send(json!({"type": "signal", "to": bob.id, "payload": 1})).await;
    bob.expect("signal").await;
}

#[tokio::test]
async fn a_client_that_lost_the_thread_gets_a_new_session() {
    let host = Host::start(SignalingConfig::default()).await;
    let (mut ann, mut bob) = pair(&host).await;
    bob.acknowledge().await;
    bob.socket().send_text(r#"{"type":"ping"}"#).await;
    bob.expect("pong").await;
    bob.cut();
    bob.received = 0;
    assert_eq!(bob.resume(&host).await["resumed"], false);
    assert_eq!(ann.expect("peer-left").await["reason"], "ended");
    ann.cut();
    ann.received = u64::MAX;
    assert_eq!(ann.resume(&host).await["resumed"], false);
}

#[tokio::test]
async fn who_does_not_acknowledge_overflows() {
    let config = SignalingConfig { replay_messages: 16, ..SignalingConfig::default() };
    let host = Host::start(config).await;
    let (mut ann, mut bob) = pair(&host).await;
    // One waits already: that bob came in.
    for number in 0..15 {
        ann.send(json!({"type": "signal", "to": bob.id, "payload": number})).await;
        bob.expect("signal").await;
    }
    ann.send(json!({"type": "signal", "to": bob.id, "payload": "too much"})).await;
    bob.socket().fatal("replay-overflow").await;
    assert_eq!(ann.expect("peer-left").await["reason"], "ended");

    // The same in bytes, for a session without a socket; who acknowledges is not concerned.
    let config = SignalingConfig { replay_bytes: 4_096, ..SignalingConfig::default() };
    let host = Host::start(config).await;
    let (mut ann, mut bob) = pair(&host).await;
    let large = "x".repeat(1_000);
    for _ in 0..20 {
        ann.send(json!({"type": "signal", "to": bob.id, "payload": large})).await;
        bob.expect("signal").await;
        bob.acknowledge().await;
    }
    bob.cut();
    for _ in 0..5 {
        ann.send(json!({"type": "signal", "to": bob.id, "payload": large})).await;
    }
    assert_eq!(ann.expect("peer-left").await["reason"], "ended");
    assert_eq!(host.errors(Code::ReplayOverflow), 1);
    assert_eq!(bob.resume(&host).await["resumed"], false);
}

#[tokio::test]
async fn a_session_survives_many_breaks_at_once() {
    let config =
        SignalingConfig { resume_within: Duration::from_secs(5), ..SignalingConfig::default() };
    let host = Host::start(config).await;
    let (_ann, mut bob) = pair(&host).await;
    for _ in 0..50 {
        bob.cut();
        assert_eq!(bob.resume(&host).await["resumed"], true);
    }
    assert_eq!(host.signaling.stats().sessions, 2);
    assert_eq!(host.signaling.stats().resumes, 50);
}
