//! Clients that mean harm, and the honest one beside them.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_server::Purpose;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::client::{Host, answer, closed};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn a_slow_loris_is_cut_off_while_an_honest_client_is_served() {
    let head = Duration::from_millis(600);
    let host = Host::with(|config| config.connections.request_head = head).await;
    let began = Instant::now();
    let mut loris = host.connect(Purpose::Http).await;
    let drip = async {
        // A byte now and then, so that there is never a long silence.
        for byte in GET.iter().cycle().filter(|byte| **byte != b'\r' && **byte != b'\n') {
            if loris.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(40)).await;
            assert!(began.elapsed() < head * 6, "still connected");
        }
    };
    let honest = async {
        while began.elapsed() < head * 2 {
            assert_eq!(host.fetch("/", "").await.status, 200);
            sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::join!(drip, honest);
    assert!(began.elapsed() >= head);
}

#[tokio::test]
async fn the_second_request_of_a_connection_must_not_dawdle_either_but_may_come_late() {
    let host = Host::with(|config| {
        config.connections.request_head = Duration::from_millis(300);
    })
    .await;
    let mut stream = host.connect(Purpose::Http).await;
    stream.write_all(GET).await.unwrap();
    assert_eq!(answer(&mut stream, false).await.unwrap().status, 200);
    // Resting longer than a head may take is no offence.
    sleep(Duration::from_millis(600)).await;
    stream.write_all(GET).await.unwrap();
    assert_eq!(answer(&mut stream, false).await.unwrap().status, 200);
    stream.write_all(b"GET / HT").await.unwrap();
    let began = Instant::now();
    closed(&mut stream).await;
    assert!(began.elapsed() > Duration::from_millis(200));
}

#[tokio::test]
async fn a_resting_connection_ends() {
    let host = Host::with(|config| config.connections.idle = Duration::from_millis(300)).await;
    let mut stream = host.connect(Purpose::Http).await;
    stream.write_all(GET).await.unwrap();
    assert_eq!(answer(&mut stream, false).await.unwrap().status, 200);
    closed(&mut stream).await;
}

#[tokio::test]
async fn half_open_handshakes_are_closed_and_starve_nobody() {
    let host = Host::with(|config| {
        config.connections.half_open_per_address = 8;
        config.connections.tls_handshake = Duration::from_secs(3);
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..40 {
        let mut stream = host.connect(Purpose::Https).await;
        // The beginning of a ClientHello's record.
        stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
        held.push(stream);
    }
    // From the same address, while they are all there.
    let mut honest = host.connect_tls(Purpose::Https, &[]).await;
    honest.write_all(GET).await.unwrap();
    assert_eq!(answer(&mut honest, false).await.unwrap().status, 200);
    // The oldest gave way at once, the youngest when the handshake's time was over.
    closed(&mut held[0]).await;
    closed(held.last_mut().unwrap()).await;
}

#[tokio::test]
async fn a_thousand_sockets_of_one_address_leave_room_for_a_request() {
    let host = Host::start().await;
    let mut held = Vec::new();
    for _ in 0..1000 {
        held.push(host.connect(Purpose::Http).await);
    }
    assert_eq!(host.fetch("/", "").await.status, 200);
    closed(&mut held[0]).await;
}

#[tokio::test]
async fn an_endless_head_and_a_huge_body_are_refused() {
    let host = Host::start().await;
    let fields = "X-Padding: 0123456789\r\n".repeat(2000);
    let mut stream = host.connect(Purpose::Http).await;
    // The server may close before all is sent.
    let _ = stream.write_all(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes()).await;
    if let Some(page) = answer(&mut stream, false).await {
        assert_eq!(page.status, 431);
    }
    let page = host.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n").await;
    assert_eq!(page.status, 413);
    assert_eq!(host.fetch("/", "").await.status, 200);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let host =
        Host::with(|config| config.connections.write_stall = Duration::from_millis(500)).await;
    let mut stream = host.connect(Purpose::Http).await;
    // Requests without end, answers never read: the buffers between fill up.
    let began = Instant::now();
    let many = GET.repeat(200);
    while tokio::time::timeout(Duration::from_secs(8), stream.write_all(&many))
        .await
        .expect("the server gives up")
        .is_ok()
    {
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

/// What comes of a connection and a request.
async fn asked(address: SocketAddr) -> Option<u16> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may be closed by now.
    let _ = stream.write_all(GET).await;
    answer(&mut stream, false).await.map(|answer| answer.status)
}

#[tokio::test]
async fn who_connects_too_fast_is_turned_away_at_the_door() {
    let host = Host::with(|config| {
        config.http = vec!["0.0.0.0:0".parse().unwrap()];
        config.https = config.http.clone();
        config.connections.arrival_burst = 3;
        config.connections.arrivals_per_second = 1;
    })
    .await;
    let port = host.at(Purpose::Http).port();
    let address_of = |url: &String| url.strip_prefix("https://")?.split_once(':')?.0.parse().ok();
    let mut own = host.server.report().lan_urls.iter().filter_map(address_of);
    // A host without a network has only loopback, which is not bounded.
    let Some(own) = own.find(IpAddr::is_ipv4) else { return };
    for _ in 0..3 {
        assert_eq!(asked((own, port).into()).await, Some(200));
    }
    assert_eq!(asked((own, port).into()).await, None);
    assert_eq!(asked(([127, 0, 0, 1], port).into()).await, Some(200));
    sleep(Duration::from_millis(1_100)).await;
    assert_eq!(asked((own, port).into()).await, Some(200), "it may come again");
}
