//! A server's life: what it binds, what it says when it can't, how it ends.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use talkie_server::relay::AlternatePort;
use talkie_server::{Config, OwnAddress, Purpose, Server, StartError};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::client::{Host, PATIENCE, closed, config};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(host: &Host) -> Socket {
    let url = format!("ws://{}/signal", host.at(Purpose::Http));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    say(&mut socket, json!({"type": "hello", "version": 1})).await;
    socket
}

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The next message of `kind`; others are passed over.
async fn hear(socket: &mut Socket, kind: &str) -> Value {
    let heard = async {
        while let Some(frame) = socket.next().await {
            let Message::Text(text) = frame.unwrap() else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] == kind {
                return message;
            }
        }
        panic!("closed before {kind}");
    };
    timeout(PATIENCE, heard).await.expect(kind)
}

#[tokio::test]
async fn the_report_tells_what_is_bound() {
    let host = Host::start().await;
    let report = host.server.report();
    for purpose in [
        Purpose::Http,
        Purpose::Https,
        Purpose::TurnUdp,
        Purpose::TurnTcp,
        Purpose::Turns,
        Purpose::Admin,
    ] {
        let address = host.at(purpose);
        assert!(address.ip().is_loopback() && address.port() != 0, "{purpose}: {address}");
    }
    let port = host.at(Purpose::Http).port();
    assert_eq!(report.local_url, Some(format!("http://localhost:{port}/")));
    assert!(report.lan_urls.is_empty(), "only loopback is bound");
    assert_eq!(report.relay.as_ref().unwrap().ports, 49152..=65535);
}

#[tokio::test]
async fn a_wildcard_listens_on_both_families_and_is_reached_by_the_lan() {
    let host = Host::with(|config| {
        config.https = vec!["0.0.0.0:0".parse().unwrap()];
    })
    .await;
    let report = host.server.report();
    let bound: Vec<_> = report.addresses(Purpose::Https).collect();
    let port = bound[0].port();
    assert!(bound.iter().all(|address| address.port() == port), "{bound:?}");
    if UdpSocket::bind("[::1]:0").is_ok() {
        assert!(TcpStream::connect(("::1", port)).await.is_ok());
    }
    for url in &report.lan_urls {
        assert!(url.starts_with("https://") && url.ends_with(&format!(":{port}/")), "{url}");
        assert!(!url.contains("127.0.0.1") && !url.contains("localhost"));
    }
}

#[tokio::test]
async fn a_taken_port_is_told_with_its_holder_and_the_flag() {
    let dir = tempfile::tempdir().unwrap();
    let held_tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let held_udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (tcp, udp) = (held_tcp.local_addr().unwrap(), held_udp.local_addr().unwrap());
    type Set = fn(&mut Config, SocketAddr);
    let cases: [(&str, SocketAddr, Set); 5] = [
        ("--http", tcp, |config, at| config.http = vec![at]),
        ("--https", tcp, |config, at| config.https = vec![at]),
        ("--turns", tcp, |config, at| config.turns = vec![at]),
        ("--admin", tcp, |config, at| config.admin = Some(at)),
        ("--turn", udp, |config, at| config.turn = vec![at]),
    ];
    for (flag, address, set) in cases {
        let mut config = config(dir.path());
        set(&mut config, address);
        let error = Server::start(config).await.unwrap_err();
        let StartError::Listen(listen) = &error else { panic!("{flag}: {error}") };
        assert_eq!(listen.address, address);
        let text = error.to_string();
        assert!(text.ends_with(&format!("choose another with {flag}")), "{text}");
        if cfg!(target_os = "linux") {
            assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
        }
    }
}

#[tokio::test]
async fn a_failed_start_leaves_nothing_bound() {
    let dir = tempfile::tempdir().unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut config = config(dir.path());
    config.http = vec![free];
    config.turn = vec![free];
    config.admin = Some(held.local_addr().unwrap());
    Server::start(config).await.unwrap_err();
    TcpListener::bind(free).unwrap();
    UdpSocket::bind(free).unwrap();
}

#[tokio::test]
async fn a_contradictory_configuration_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.realm = String::new();
    let error = Server::start(config).await.unwrap_err();
    assert!(matches!(error, StartError::Config(_)), "{error}");
}

#[tokio::test]
async fn a_page_by_loopback_is_told_where_others_find_it() {
    let everywhere = Host::with(|config| config.https = vec!["0.0.0.0:0".parse().unwrap()]).await;
    let lan = everywhere.server.report().lan_urls.first().cloned();
    let welcome = hear(&mut open(&everywhere).await, "welcome").await;
    match &lan {
        Some(url) => {
            assert_eq!(welcome["origin"], url.trim_end_matches('/'));
            assert_eq!(welcome["selfSigned"], true);
        }
        None => assert!(welcome.get("origin").is_none(), "a host without a network: {welcome}"),
    }

    // By another name than loopback's, the page's own origin will do.
    let mut request =
        format!("ws://{}/signal", everywhere.at(Purpose::Http)).into_client_request().unwrap();
    request.headers_mut().insert("host", "talk.example".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    say(&mut socket, json!({"type": "hello", "version": 1})).await;
    let welcome = hear(&mut socket, "welcome").await;
    assert!(welcome.get("origin").is_none() && welcome.get("selfSigned").is_none(), "{welcome}");

    // Where only loopback is bound, there is none.
    let here = Host::start().await;
    let welcome = hear(&mut open(&here).await, "welcome").await;
    assert!(welcome.get("origin").is_none() && welcome.get("selfSigned").is_none(), "{welcome}");
}

#[tokio::test]
async fn a_session_is_told_its_ice_servers_by_the_host_it_used() {
    let host = Host::start().await;
    let mut socket = open(&host).await;
    let welcome = hear(&mut socket, "welcome").await;
    let servers = welcome["iceServers"].as_array().unwrap();
    let udp = host.at(Purpose::TurnUdp).port();
    assert_eq!(servers[0]["urls"], json!([format!("stun:127.0.0.1:{udp}")]));
    let urls = servers[1]["urls"].as_array().unwrap();
    assert_eq!(urls.len() + 1, 4);
    let https = host.at(Purpose::Https).port();
    assert_eq!(urls[2], format!("turns:127.0.0.1:{https}?transport=tcp"));
    assert_eq!(welcome["iceTtl"], 12 * 3600);
    // The second port is for pages that look at their NAT, not for calls.
    let second = host.at(Purpose::StunUdp).port();
    let both = [udp, second].map(|port| format!("stun:127.0.0.1:{port}"));
    assert_eq!(welcome["discovery"], json!(both));
}

#[tokio::test]
async fn a_second_address_is_told_and_without_a_second_port_nothing_is() {
    let second = OwnAddress::from(std::net::IpAddr::from([127, 0, 0, 2]));
    let host = Host::with(|config| config.alternate_ip = Some(vec![second])).await;
    let report = &host.server.report().discovery[0];
    assert_eq!(report.addresses, Some([[127, 0, 0, 1].into(), [127, 0, 0, 2].into()]));
    let welcome = hear(&mut open(&host).await, "welcome").await;
    let third = format!("stun:127.0.0.2:{}", report.ports[0]);
    assert_eq!(welcome["discovery"][2], third);

    let plain = Host::with(|config| config.alternate_port = AlternatePort::None).await;
    assert!(plain.server.report().discovery.is_empty());
    assert_eq!(plain.server.report().addresses(Purpose::StunUdp).count(), 0);
    let welcome = hear(&mut open(&plain).await, "welcome").await;
    assert!(welcome.get("discovery").is_none(), "{welcome}");
}

#[tokio::test]
async fn signaling_is_for_websockets_of_our_own_pages() {
    let host = Host::start().await;
    assert!((400..500).contains(&host.fetch("/signal", "").await.status));
    let fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let foreign = format!("{fields}Origin: https://evil.example\r\n");
    assert_eq!(host.fetch("/signal", &foreign).await.status, 403);
    let own = format!("{fields}Origin: http://localhost:8080\r\n");
    assert_eq!(host.fetch("/signal", &own).await.status, 101);
}

#[tokio::test]
async fn an_empty_server_drains_at_once() {
    let host = Host::start().await;
    let _idle = open(&host).await;
    let began = Instant::now();
    host.server.drain();
    timeout(PATIENCE, host.server.stopped()).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(TcpStream::connect(host.at(Purpose::Http)).await.is_err());
}

#[tokio::test]
async fn a_drain_tells_the_rooms_and_waits_for_them() {
    let host = Host::start().await;
    let mut socket = open(&host).await;
    hear(&mut socket, "welcome").await;
    say(&mut socket, json!({"type": "join", "seq": 1, "room": "blue", "name": "Ann"})).await;
    hear(&mut socket, "joined").await;
    host.server.drain();
    assert_eq!(hear(&mut socket, "draining").await["within"], 30);
    assert!(
        timeout(Duration::from_millis(500), host.server.stopped()).await.is_err(),
        "somebody is in a room"
    );
    assert_eq!(host.fetch("/", "").await.status, 200, "pages go on");
    say(&mut socket, json!({"type": "leave", "seq": 2})).await;
    timeout(PATIENCE, host.server.stopped()).await.unwrap();
}

#[tokio::test]
async fn a_drain_ends_in_time() {
    let host = Host::with(|config| config.drain_timeout = Duration::from_millis(300)).await;
    let mut socket = open(&host).await;
    hear(&mut socket, "welcome").await;
    say(&mut socket, json!({"type": "join", "seq": 1, "room": "blue"})).await;
    hear(&mut socket, "joined").await;
    host.server.drain();
    timeout(PATIENCE, host.server.stopped()).await.unwrap();
    // The socket ends with the server.
    let end = async { while let Some(Ok(_)) = socket.next().await {} };
    timeout(PATIENCE, end).await.unwrap();
}

/// The status of the close frame; messages before it are passed over.
async fn close_status(socket: &mut Socket) -> u16 {
    let closed = async {
        while let Some(frame) = socket.next().await {
            if let Message::Close(frame) = frame.unwrap() {
                return frame.unwrap().code.into();
            }
        }
        panic!("no close frame");
    };
    timeout(PATIENCE, closed).await.expect("the socket is closed")
}

#[tokio::test]
async fn a_stop_tells_each_websocket_that_the_server_goes_away() {
    let host = Host::start().await;
    let mut in_a_room = open(&host).await;
    hear(&mut in_a_room, "welcome").await;
    say(&mut in_a_room, json!({"type": "join", "seq": 1, "room": "blue"})).await;
    hear(&mut in_a_room, "joined").await;
    let mut outside = open(&host).await;
    hear(&mut outside, "welcome").await;
    let url = format!("ws://{}/signal", host.at(Purpose::Http));
    let (mut silent, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    host.server.stop();
    for socket in [&mut in_a_room, &mut outside, &mut silent] {
        assert_eq!(close_status(socket).await, 1001);
    }
    timeout(PATIENCE, host.server.stopped()).await.unwrap();
}

#[tokio::test]
async fn the_last_answer_comes_before_the_end_of_a_drain() {
    let host = Host::start().await;
    let mut socket = open(&host).await;
    hear(&mut socket, "welcome").await;
    say(&mut socket, json!({"type": "join", "seq": 1, "room": "blue"})).await;
    hear(&mut socket, "joined").await;
    host.server.drain();
    say(&mut socket, json!({"type": "leave", "seq": 2})).await;
    hear(&mut socket, "left").await;
    assert_eq!(close_status(&mut socket).await, 1001);
}

#[tokio::test]
async fn who_does_not_answer_the_close_holds_no_stop() {
    let host = Host::start().await;
    // Nobody reads it.
    let mut socket = open(&host).await;
    hear(&mut socket, "welcome").await;
    let began = Instant::now();
    host.server.stop();
    timeout(PATIENCE, host.server.stopped()).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(socket);
}

#[tokio::test]
async fn everything_is_free_again_after_a_stop() {
    let host = Host::start().await;
    let mut idle = host.connect(Purpose::Http).await;
    let addresses: Vec<_> = [Purpose::Http, Purpose::Https, Purpose::TurnTcp, Purpose::Admin]
        .map(|purpose| host.at(purpose))
        .into();
    let udp = host.at(Purpose::TurnUdp);
    host.server.stop();
    timeout(PATIENCE, host.server.stopped()).await.unwrap();
    closed(&mut idle).await;
    for address in addresses {
        TcpListener::bind(address).unwrap();
    }
    UdpSocket::bind(udp).unwrap();
}
