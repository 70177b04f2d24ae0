//! HTTP/2 on the HTTPS port, beside HTTP/1.1, WebSockets and TURN.

use std::time::{Duration, Instant};

use axum::http::{Method, Request, Response, StatusCode};
use bytes::Bytes;
use futures_util::future::join_all;
use h2::client::{Builder, SendRequest};
use h2::{Reason, RecvStream};
use talkie_server::Purpose;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;

use crate::client::{Host, PATIENCE, answer, closed};

type Driver = JoinHandle<Result<(), h2::Error>>;

/// An HTTP/2 connection; what it ends with is the driver's result.
async fn open(host: &Host) -> (SendRequest<Bytes>, Driver) {
    let tls = host.connect_tls(Purpose::Https, &["h2", "http/1.1"]).await;
    let (client, connection) = Builder::new()
        .max_concurrent_reset_streams(100_000)
        .handshake::<TlsStream<TcpStream>, Bytes>(tls)
        .await
        .unwrap();
    (client, tokio::spawn(connection))
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

async fn ask(
    client: &SendRequest<Bytes>,
    request: Request<()>,
) -> Result<Response<RecvStream>, h2::Error> {
    let mut client = client.clone().ready().await?;
    let (response, _) = client.send_request(request, true)?;
    timeout(PATIENCE, response).await.expect("an answer")
}

async fn text(response: Response<RecvStream>) -> String {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn many_files_come_at_once_over_one_connection() {
    let host = Host::start().await;
    let (client, _driver) = open(&host).await;
    let paths = ["/", "/r/room", "/icon.svg", "/styles/base.css", "/app/names.js", "/nothing"];
    let answers = join_all(
        paths
            .iter()
            .cycle()
            .take(90)
            .map(|path| ask(&client, get(&format!("https://talk.example:8443{path}")))),
    )
    .await;
    for (path, response) in paths.iter().cycle().zip(answers) {
        let response = response.unwrap();
        assert_eq!(response.status(), if *path == "/nothing" { 404 } else { 200 }, "{path}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("wss://talk.example:8443;"), "{policy}");
    }
    let page = ask(&client, get("https://talk.example:8443/")).await.unwrap();
    assert!(text(page).await.contains("<script type=\"module\""));
}

#[tokio::test]
async fn a_websocket_finds_its_way_on_the_same_port() {
    let host = Host::start().await;
    let (client, _driver) = open(&host).await;
    assert_eq!(ask(&client, get("https://localhost/")).await.unwrap().status(), 200);
    // Over HTTP/2 there is none: the settings do not offer it.
    assert!(!client.is_extended_connect_protocol_enabled());
    let refused = ask(&client, get("https://localhost/signal")).await.unwrap();
    assert!(refused.status().is_client_error());
    let tls = host.connect_tls(Purpose::Https, &["http/1.1"]).await;
    let url = "wss://localhost/signal";
    let (mut socket, upgraded) = tokio_tungstenite::client_async(url, tls).await.unwrap();
    assert_eq!(upgraded.status(), StatusCode::SWITCHING_PROTOCOLS);
    use futures_util::{SinkExt as _, StreamExt as _};
    socket.send(r#"{"type":"hello","version":1}"#.into()).await.unwrap();
    let welcome = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(welcome.to_text().unwrap().contains("\"welcome\""));
}

#[tokio::test]
async fn the_authority_is_the_host_and_must_be_one() {
    let host = Host::start().await;
    let (client, _driver) = open(&host).await;
    let with_host =
        |host: &str| Request::get("https://talk.example/").header("host", host).body(()).unwrap();
    for (request, status) in [
        (with_host("talk.example"), 200),
        (with_host("other.example"), 400),
        (get("https://user@talk.example/"), 400),
    ] {
        assert_eq!(ask(&client, request).await.unwrap().status(), status);
    }
    // A tunnel is not to be had.
    let tunnel = Request::connect("talk.example:443").body(()).unwrap();
    match ask(&client, tunnel).await {
        Ok(response) => assert!(response.status().is_client_error(), "{}", response.status()),
        Err(error) => assert!(error.is_reset(), "{error}"),
    }
    assert_eq!(ask(&client, get("https://talk.example/")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn bodies_and_heads_are_bounded() {
    let host = Host::start().await;
    let (client, _driver) = open(&host).await;
    let post = |len: Option<u64>| {
        let mut request = Request::builder().method(Method::POST).uri("https://a/");
        if let Some(len) = len {
            request = request.header("content-length", len);
        }
        request.body(()).unwrap()
    };
    for (len, status) in [(Some(9_999_999), 413), (None, 405)] {
        let mut ready = client.clone().ready().await.unwrap();
        let (response, mut body) = ready.send_request(post(len), false).unwrap();
        let response = timeout(PATIENCE, response).await.unwrap().unwrap();
        assert_eq!(response.status(), status);
        // What is sent of it nevertheless is not kept.
        let _ = body.send_data(Bytes::from(vec![0; 1 << 20]), false);
    }
    let padded = Request::get("https://a/").header("x", "x".repeat(20_000)).body(()).unwrap();
    match ask(&client, padded).await {
        Ok(response) => assert_eq!(response.status(), 431),
        Err(error) => assert!(error.reason().is_some(), "{error}"),
    }
    assert_eq!(host.fetch("/", "").await.status, 200);
}

#[tokio::test]
async fn streams_at_once_are_bounded() {
    let host = Host::start().await;
    let (client, _driver) = open(&host).await;
    ask(&client, get("https://a/")).await.unwrap();
    assert_eq!(client.current_max_send_streams(), 128);
}

#[tokio::test]
async fn a_flood_of_resets_ends_its_own_connection_alone() {
    let host = Host::start().await;
    let (honest, _its_driver) = open(&host).await;
    let (client, driver) = open(&host).await;
    let flood = async {
        for _ in 0..20_000 {
            let Ok(mut ready) = client.clone().ready().await else { return };
            let Ok((_, mut stream)) = ready.send_request(get("https://a/"), false) else { return };
            stream.send_reset(Reason::CANCEL);
        }
    };
    let beside = async {
        for _ in 0..20 {
            let began = Instant::now();
            assert_eq!(ask(&honest, get("https://a/")).await.unwrap().status(), 200);
            assert!(began.elapsed() < Duration::from_secs(5));
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::join!(timeout(PATIENCE, flood), beside).0.unwrap();
    drop(client);
    // Calmed down, or served to the end of it.
    if let Err(error) = timeout(PATIENCE, driver).await.expect("it ends").unwrap() {
        assert!(error.is_io() || error.reason() == Some(Reason::ENHANCE_YOUR_CALM), "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_asks_nothing_more_is_told_to_go() {
    let host = Host::with(|config| config.connections.idle = Duration::from_millis(500)).await;
    let (client, driver) = open(&host).await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        assert_eq!(ask(&client, get("https://a/")).await.unwrap().status(), 200);
        sleep(Duration::from_millis(100)).await;
    }
    timeout(PATIENCE, driver).await.expect("the server ends it").unwrap().unwrap();
}

#[tokio::test]
async fn who_opens_and_asks_nothing_or_too_slowly_is_cut_off() {
    let host = Host::with(|config| {
        config.connections.request_head = Duration::from_millis(500);
        config.connections.idle = Duration::from_millis(500);
        config.connections.write_stall = Duration::from_millis(500);
    })
    .await;
    let (_client, driver) = open(&host).await;
    let ended = timeout(PATIENCE, driver).await.expect("without a request").unwrap();
    assert!(ended.is_err() || ended.is_ok());

    // A head that never ends: the preface, empty settings, and the beginning of a HEADERS frame.
    let mut tls = host.connect_tls(Purpose::Https, &["h2"]).await;
    tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    tls.write_all(b"\0\x01\0\x01\0\0\0\0\x01").await.unwrap();
    let drip = async {
        while tls.write_all(b"\x40").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, drip).await.expect("the server ends it");

    // Answers that are asked for and never taken.
    let tls = host.connect_tls(Purpose::Https, &["h2"]).await;
    let handshake = Builder::new().initial_window_size(0).handshake::<_, Bytes>(tls);
    let (client, connection) = handshake.await.unwrap();
    let driver = tokio::spawn(connection);
    let held = join_all((0..100).map(|_| ask(&client, get("https://a/")))).await;
    let _ended = timeout(PATIENCE, driver).await.expect("the server ends it").unwrap();
    drop(held);
}

#[tokio::test]
async fn what_is_no_http2_is_cut_off() {
    let host = Host::start().await;
    for nonsense in
        [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], &[0x80; 64], b"PRI * HTTP/2.0\r\n\r\nXX"]
    {
        let mut tls = host.connect_tls(Purpose::Https, &["h2"]).await;
        tls.write_all(nonsense).await.unwrap();
        closed(&mut tls).await;
    }
    // The preface without the agreement, too.
    let mut tls = host.connect_tls(Purpose::Https, &["http/1.1"]).await;
    tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    if let Some(page) = answer(&mut tls, false).await {
        assert_eq!(page.status, 400);
    }
}

#[tokio::test]
async fn requests_that_a_proxy_brings_together_count_for_their_clients() {
    let host = Host::with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let (client, _driver) = open(&host).await;
    let from = |address: &str| {
        Request::get("https://a/").header("x-forwarded-for", address).body(()).unwrap()
    };
    let answers = join_all((0..50).map(|n| ask(&client, from(&format!("198.51.100.{n}"))))).await;
    assert!(answers.into_iter().all(|response| response.unwrap().status() == 200));
}
