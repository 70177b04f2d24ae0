//! A server that means it ill: nothing that it does may hang the client, fill its memory or make it
//! panic.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use talkie_signaling::{Client, ConnectError, End, Event, Options, RequestError, Welcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::hosts::{PATIENCE, event};
use crate::meeting::room;

fn welcome() -> Value {
    json!({"type": "welcome", "version": 1, "session": "s", "token": "t", "resumed": false,
        "ack": 0, "heartbeat": 30, "resumeWithin": 0, "iceServers": [], "iceTtl": 0,
        "limits": {"messageBytes": 65536, "messagesPerSecond": 50, "burst": 200, "roomPeers": 6,
            "roomName": 64, "peerName": 64}})
}

/// A server for one connection, on which each of `frames` follows a frame of the client's.
async fn fake(frames: Vec<Message>) -> (String, JoinHandle<WebSocketStream<TcpStream>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        for frame in frames {
            if socket.next().await.is_none() || socket.send(frame).await.is_err() {
                break;
            }
        }
        socket
    });
    (url, serving)
}

async fn connect(url: &str) -> Result<(Client, Welcome), ConnectError> {
    let options = Options::default().with_timeout(Duration::from_secs(2));
    timeout(PATIENCE, Client::connect(&url.parse().unwrap(), options)).await.expect("an answer")
}

fn text(value: &Value) -> Message {
    Message::text(value.to_string())
}

#[tokio::test]
async fn what_is_no_welcome_opens_no_session() {
    let error = |code: &str| {
        text(&json!({"type": "error", "code": code, "message": "later", "fatal": true}))
    };
    for frame in [
        Message::text("no JSON"),
        Message::text("x".repeat(2 * 1024 * 1024)),
        Message::binary(vec![0; 10]),
        text(&json!({"type": "pong"})),
        text(&json!({"type": "welcome"})),
        Message::text("{\"type\":\"welcome\",".to_owned() + &"\"a\":{".repeat(100_000)),
    ] {
        let (url, _serving) = fake(vec![frame]).await;
        let refused = connect(&url).await.map(drop);
        assert!(matches!(refused, Err(ConnectError::Protocol(_))), "{refused:?}");
    }
    let (url, _serving) = fake(vec![error("too-many-sessions")]).await;
    let refused = connect(&url).await.map(drop);
    assert!(
        matches!(&refused, Err(ConnectError::Refused(no)) if no.code == "too-many-sessions"),
        "{refused:?}"
    );
    let (url, _serving) = fake(vec![Message::Close(None)]).await;
    assert!(matches!(connect(&url).await.map(drop), Err(ConnectError::Socket(_))));
    // Nothing but silence, on an open WebSocket.
    let (url, serving) = fake(Vec::new()).await;
    assert!(matches!(connect(&url).await.map(drop), Err(ConnectError::Timeout { .. })));
    drop(serving);
}

#[tokio::test]
async fn another_kind_of_server_is_recognised() {
    for (answer, expected) in [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200"),
        ("SSH-2.0-OpenSSH_9.2p1\r\n", ""),
        ("", ""),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let error = connect(&url).await.map(drop).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_request_that_is_never_answered_times_out_and_the_session_goes_on() {
    let (url, serving) = fake(vec![text(&welcome())]).await;
    let (mut client, _) = connect(&url).await.unwrap();
    assert_eq!(client.join(room("silent")).await, Err(RequestError::Timeout));
    let mut socket = serving.await.unwrap();
    let joined = json!({"type": "joined", "room": "silent", "self": "me", "peers": [],
        "locked": false, "pass": "", "seq": 1});
    let left = json!({"type": "peer-left", "peer": "x", "reason": "lost", "seq": 2});
    for frame in [joined, left] {
        socket.send(text(&frame)).await.unwrap();
    }
    // The late answer is nobody's; what follows is heard.
    assert!(matches!(event(&mut client).await, Event::PeerLeft { .. }));
}

#[tokio::test]
async fn a_gap_in_the_sequence_ends_the_session() {
    let (url, serving) = fake(vec![text(&welcome())]).await;
    let (mut client, _) = connect(&url).await.unwrap();
    let mut socket = serving.await.unwrap();
    let gap = json!({"type": "peer-left", "peer": "x", "reason": "lost", "seq": 2});
    socket.send(text(&gap)).await.unwrap();
    assert!(matches!(event(&mut client).await, Event::Ended(End::Protocol(_))));
    assert!(client.event().await.is_none());
}

#[tokio::test]
async fn a_flood_that_nobody_reads_waits_in_the_network_and_not_in_memory() {
    let (url, serving) = fake(vec![text(&welcome())]).await;
    let (mut client, _) = connect(&url).await.unwrap();
    let mut socket = serving.await.unwrap();
    let big = "x".repeat(500_000);
    let frame =
        |seq: usize| text(&json!({"type": "signal", "from": "x", "payload": big, "seq": seq}));
    let mut sent = 0;
    // 4 MiB wait in the session; the kernel holds some more.
    while timeout(Duration::from_millis(500), socket.send(frame(sent + 1))).await.is_ok() {
        sent += 1;
        assert!(sent < 60, "nothing holds the flood back");
    }
    assert!(sent >= 9, "{sent}");
    for _ in 0..sent {
        assert!(matches!(event(&mut client).await, Event::Signal { .. }));
    }
}
