//! The operator's listener.

use talkie_server::Purpose;

use crate::client::Host;

fn value(metrics: &str, sample: &str) -> f64 {
    metrics
        .lines()
        .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("{sample} is missing in\n{metrics}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn health_and_readiness_are_told() {
    let host = Host::start().await;
    assert_eq!(host.ask_admin("/healthz").await.status, 200);
    assert_eq!(host.ask_admin("/readyz").await.status, 200);
    assert_eq!(host.ask_admin("/").await.status, 404);
    assert_eq!(host.fetch("/metrics", "").await.status, 404, "not for the public");
}

#[tokio::test]
async fn a_draining_server_is_alive_and_not_ready() {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;
    let host = Host::start().await;
    let url = format!("ws://{}/signal", host.at(Purpose::Http));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    for text in [r#"{"type":"hello","version":1}"#, r#"{"type":"join","seq":1,"room":"a"}"#] {
        socket.send(Message::text(text)).await.unwrap();
        socket.next().await.unwrap().unwrap();
    }
    host.server.drain();
    let ready = host.ask_admin("/readyz").await;
    assert_eq!((ready.status, ready.text()), (503, "draining\n"));
    assert_eq!(host.ask_admin("/healthz").await.status, 200);
    let metrics = host.ask_admin("/metrics").await;
    assert_eq!(value(metrics.text(), "talkie_draining"), 1.0);
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let host = Host::start().await;
    for _ in 0..3 {
        host.fetch("/", "").await;
    }
    host.fetch("/nothing", "").await;
    let tls = host.connect_tls(Purpose::Https, &[]).await;
    let metrics = host.ask_admin("/metrics").await;
    assert_eq!(metrics.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = metrics.text();
    for (sample, count) in [
        ("talkie_http_responses_total{status=\"2xx\"}", 3.0),
        ("talkie_http_responses_total{status=\"4xx\"}", 1.0),
        ("talkie_tls_handshakes_total{outcome=\"done\"}", 1.0),
        ("talkie_sessions", 0.0),
        ("talkie_rooms", 0.0),
        ("talkie_relay_bytes_total{direction=\"to_peers\"}", 0.0),
        ("talkie_signaling_errors_total{code=\"too-fast\"}", 0.0),
        ("talkie_draining", 0.0),
    ] {
        assert_eq!(value(text, sample), count, "{sample}");
    }
    if cfg!(target_os = "linux") {
        assert!(value(text, "process_resident_memory_bytes") > 1e6);
        assert!(value(text, "process_open_fds") > 10.0);
    }
    drop(tls);
}

#[tokio::test]
async fn metrics_are_in_prometheus_form() {
    let host = Host::start().await;
    let metrics = host.ask_admin("/metrics").await;
    let mut family = "";
    for line in metrics.text().lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(matches!(kind, "counter" | "gauge"), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            family = name;
        } else if !line.starts_with("# HELP ") {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(sample.split('{').next(), Some(family), "{line}");
            value.parse::<f64>().unwrap();
        }
    }
}
