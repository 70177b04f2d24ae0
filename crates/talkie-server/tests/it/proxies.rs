//! Behind a reverse proxy, which here is the test itself on loopback.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use talkie_server::{Config, Purpose};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::{Host, answer};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn behind_loopback(config: &mut Config) {
    config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
}

/// Says hello on behalf of `client`; the first message that comes.
async fn hello(host: &Host, client: &str) -> (Value, Socket) {
    let url = format!("ws://{}/signal", host.at(Purpose::Http));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("x-forwarded-for", client.parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let hello = json!({"type": "hello", "version": 1}).to_string();
    socket.send(Message::text(hello)).await.unwrap();
    let text = socket.next().await.unwrap().unwrap().into_text().unwrap();
    (serde_json::from_str(&text).unwrap(), socket)
}

#[tokio::test]
async fn each_client_has_its_own_sessions() {
    let host = Host::with(|config| {
        behind_loopback(config);
        config.signaling.sessions_per_address = 2;
    })
    .await;
    let mut open = Vec::new();
    for client in ["203.0.113.7", "203.0.113.7, 127.0.0.9", "203.0.113.8", "2001:db8::1"] {
        let (welcome, socket) = hello(&host, client).await;
        assert_eq!(welcome["type"], "welcome", "{client}");
        open.push(socket);
    }
    // Neither what the client itself wrote nor another hop of ours makes it another client.
    for client in ["203.0.113.7", "198.51.100.1, 203.0.113.7", "203.0.113.7, 127.0.0.9"] {
        assert_eq!(hello(&host, client).await.0["code"], "too-many-sessions", "{client}");
    }
}

#[tokio::test]
async fn a_client_opens_so_many_websockets_at_a_time() {
    let host = Host::with(|config| {
        behind_loopback(config);
        config.connections.arrival_burst = 2;
        config.connections.arrivals_per_second = 1;
    })
    .await;
    let ask = async |client: &str, path: &str| {
        let fields = format!(
            "X-Forwarded-For: {client}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        host.fetch(path, &fields).await
    };
    for path in ["/signal", "/compare/socket/0123456789-abcdefghi_X"] {
        assert_eq!(ask("203.0.113.7", path).await.status, 101);
    }
    let refused = ask("203.0.113.7", "/signal").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.field("retry-after"), Some("1"));
    assert_eq!(ask("203.0.113.8", "/signal").await.status, 101);
    // Pages are many requests, each of which may be a connection to a proxy.
    for _ in 0..9 {
        let page = host.fetch("/", "X-Forwarded-For: 203.0.113.7\r\n").await;
        assert_eq!(page.status, 200);
    }
    assert!(host.ask_admin("/metrics").await.text().contains("cause=\"too_fast\"} 1"));
}

#[tokio::test]
async fn without_trust_the_field_counts_for_nothing() {
    let host = Host::with(|config| config.signaling.sessions_per_address = 1).await;
    let (welcome, _socket) = hello(&host, "203.0.113.7").await;
    assert_eq!(welcome["type"], "welcome");
    assert_eq!(hello(&host, "203.0.113.8").await.0["code"], "too-many-sessions");
}

#[tokio::test]
async fn each_client_has_its_own_connections() {
    let host = Host::with(|config| {
        behind_loopback(config);
        config.connections.per_address = 2;
        config.connections.half_open_per_address = 1;
    })
    .await;
    // The proxy may open as many as it likes, before it has said for whom.
    let mut all = Vec::new();
    for _ in 0..6 {
        all.push(host.connect(Purpose::Http).await);
    }
    let clients = ["203.0.113.7", "203.0.113.7", "203.0.113.7", "203.0.113.8", "203.0.113.8", ""];
    for ((stream, client), status) in
        all.iter_mut().zip(clients).zip([200, 200, 429, 200, 200, 200])
    {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let page = answer(stream, false).await.unwrap();
        assert_eq!(page.status, status, "{client}");
        assert_eq!(page.field("x-content-type-options"), Some("nosniff"));
    }
    // The refused connection still serves others.
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n";
    all[2].write_all(request).await.unwrap();
    assert_eq!(answer(&mut all[2], false).await.unwrap().status, 200);
}
