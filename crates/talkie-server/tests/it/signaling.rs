//! Every message of `docs/signaling.md`, over sockets.

use std::time::Duration;

use serde_json::json;
use talkie_server::signaling::SignalingConfig;
use tokio::time::timeout;

use crate::signaling_host::{Host, PATIENCE, Peer};

#[tokio::test]
async fn the_welcome_tells_all_that_a_client_needs() {
    let host = Host::start(SignalingConfig::default()).await;
    let peer = host.peer().await;
    let welcome = peer.welcome;
    let session = welcome["session"].as_str().unwrap();
    assert_eq!(session.len(), 22, "128 bits");
    assert_eq!(welcome["token"].as_str().unwrap().len(), 32, "192 bits");
    assert_eq!(
        welcome,
        json!({
            "type": "welcome", "version": 1, "session": session, "token": welcome["token"],
            "resumed": false, "ack": 0, "heartbeat": 15, "resumeWithin": 30,
            "limits": {"messageBytes": 65_536, "messagesPerSecond": 50, "burst": 200,
                "roomPeers": 6, "roomName": 64, "peerName": 64},
            "iceServers": [{"urls": [format!("turn:{}", host.address)],
                "username": format!("{session} 0"), "credential": "secret"}],
            "iceTtl": 3_600,
        })
    );
    let other = host.peer().await.welcome;
    assert_ne!((&other["session"], &other["token"]), (&welcome["session"], &welcome["token"]));
}

#[tokio::test]
async fn two_peers_meet_exchange_signals_and_part() {
    let host = Host::start(SignalingConfig::default()).await;
    let (mut ann, mut bob) = (host.peer().await, host.peer().await);
    ann.send(json!({"type": "join", "room": "Blue-Otter", "name": " Ann\u{202e}\u{7} "})).await;
    let joined = ann.expect("joined").await;
    assert_eq!((&joined["room"], &joined["peers"]), (&json!("blue-otter"), &json!([])));
    let ann_id = joined["self"].clone();

    let joined = bob.join("blue-otter").await;
    assert_eq!(joined["peers"], json!([{"id": ann_id, "name": "Ann"}]));
    let came = ann.expect("peer-joined").await;
    assert_eq!(came["peer"], json!({"id": bob.id, "name": ""}));

    let payload = json!({"sdp": "v=0\r\n", "nested": [null, 1.5, {"x": "é"}]});
    ann.send(json!({"type": "signal", "to": bob.id, "payload": payload})).await;
    let signal = bob.expect("signal").await;
    assert_eq!((&signal["from"], &signal["payload"]), (&ann_id, &payload));
    bob.send(json!({"type": "signal", "to": ann_id, "payload": null})).await;
    assert_eq!(ann.expect("signal").await["payload"], json!(null));

    bob.send(json!({"type": "leave"})).await;
    assert_eq!(bob.expect("left").await["room"], "blue-otter");
    let left = ann.expect("peer-left").await;
    assert_eq!((&left["peer"], &left["reason"]), (&json!(bob.id), &json!("left")));

    let before = bob.id.clone();
    bob.join("blue-otter").await;
    assert_ne!(bob.id, before, "a new id for each join");
    ann.expect("peer-joined").await;
    bob.send(json!({"type": "bye"})).await;
    let closed = bob.next().await.unwrap_err();
    assert_eq!(closed.status, 1000);
    assert_eq!(ann.expect("peer-left").await["reason"], "ended");
    assert_eq!(host.signaling.stats().sessions, 1);
}

#[tokio::test]
async fn pings_are_answered_and_requests_acknowledged_within_a_second() {
    let host = Host::start(SignalingConfig::default()).await;
    let mut peer = host.member("room").await;
    peer.socket().send_text(r#"{"type":"ping"}"#).await;
    peer.expect("pong").await;
    // An acknowledgement for the join came with its answer; this request has none.
    peer.send(json!({"type": "leave"})).await;
    let acknowledged = async {
        loop {
            let message = peer.socket().next().await.unwrap();
            if message["ack"] == 2 {
                return;
            }
        }
    };
    timeout(Duration::from_secs(1), acknowledged).await.expect("within a second");
}

#[tokio::test]
async fn ice_servers_are_renewed_when_three_quarters_of_their_life_are_over() {
    let ttl = Duration::from_millis(400);
    let host = Host::with_ttl(SignalingConfig::default(), ttl).await;
    let mut peer = host.peer().await;
    let started = tokio::time::Instant::now();
    let session = peer.welcome["session"].as_str().unwrap().to_owned();
    for count in 1..=2 {
        let renewal = peer.expect("ice-servers").await;
        assert_eq!(renewal["iceServers"][0]["username"], format!("{session} {count}"));
        assert_eq!(renewal["iceTtl"], 0.4);
    }
    assert!(started.elapsed() >= ttl * 3 / 2 - Duration::from_millis(50));
}

#[tokio::test]
async fn a_draining_server_opens_no_rooms_and_is_empty_when_the_last_peer_goes() {
    let host = Host::start(SignalingConfig::default()).await;
    let mut ann = host.member("room").await;
    assert!(!host.signaling.is_empty());
    host.signaling.drain(Duration::from_secs(30));
    assert_eq!(ann.expect("draining").await["within"], 30);

    let mut bob = host.peer().await;
    let within = bob.expect("draining").await["within"].as_u64().unwrap();
    assert!((1..=30).contains(&within));
    bob.refused(json!({"type": "join", "room": "another"}), "draining").await;
    bob.join("room").await;

    let signaling = host.signaling.clone();
    let empty = tokio::spawn(async move { signaling.wait_empty().await });
    ann.send(json!({"type": "leave"})).await;
    bob.expect("peer-left").await;
    assert!(!empty.is_finished());
    bob.send(json!({"type": "bye"})).await;
    timeout(PATIENCE, empty).await.expect("nobody is left").unwrap();
    assert!(host.signaling.is_empty());
}

#[tokio::test]
async fn who_does_not_come_back_is_lost() {
    let config =
        SignalingConfig { resume_within: Duration::from_millis(200), ..SignalingConfig::default() };
    let host = Host::start(config).await;
    let mut ann = host.member("room").await;
    let mut bob = host.member("room").await;
    ann.expect("peer-joined").await;
    bob.cut();
    let left = ann.expect("peer-left").await;
    assert_eq!((&left["peer"], &left["reason"]), (&json!(bob.id), &json!("lost")));
    assert_eq!(bob.resume(&host).await["resumed"], false);
}

#[tokio::test]
async fn a_silent_socket_is_closed_and_a_pinging_one_is_not() {
    let config =
        SignalingConfig { heartbeat: Duration::from_millis(400), ..SignalingConfig::default() };
    let host = Host::start(config).await;
    let mut silent = host.peer().await;
    let mut alive = host.peer().await;
    let pings = tokio::spawn(async move {
        for _ in 0..6 {
            alive.socket().send_text(r#"{"type":"ping"}"#).await;
            alive.expect("pong").await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let closed = silent.next().await.unwrap_err();
    assert_eq!((closed.status, &*closed.reason), (1001, "heartbeat"));
    pings.await.unwrap();
    assert_eq!(silent.resume(&host).await["resumed"], true);
}

#[tokio::test]
async fn the_figures_count_what_there_is() {
    let host = Host::start(SignalingConfig::default()).await;
    let mut ann = host.member("room").await;
    let mut bob = host.member("room").await;
    let idle: Peer = host.peer().await;
    ann.expect("peer-joined").await;
    bob.cut();
    while host.signaling.stats().sockets != 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bob.resume(&host).await;
    let stats = host.signaling.stats();
    assert_eq!((stats.sockets, stats.sessions, stats.rooms, stats.peers), (3, 3, 1, 2));
    assert_eq!((stats.opened, stats.resumes, stats.messages_in), (3, 1, 6));
    assert!(stats.messages_out >= 7);
    drop(idle);
}
