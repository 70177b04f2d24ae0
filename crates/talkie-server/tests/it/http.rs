//! The pages and files, and the fields they carry.

use std::io::Read as _;

use talkie_server::Purpose;
use tokio::io::AsyncWriteExt as _;

use crate::client::{Host, answer};

#[tokio::test]
async fn the_start_page_and_rooms_are_the_app() {
    let host = Host::start().await;
    let start = host.fetch("/", "").await;
    assert_eq!(start.status, 200);
    assert_eq!(start.field("content-type"), Some("text/html; charset=utf-8"));
    assert!(start.text().contains("<script type=\"module\""));
    let rooms = ["/r/blue-otter-7", "/r/Blue", "/r/a?join&name=Ann&relay"];
    for path in rooms.into_iter().chain(["/check", "/sdp", "/compare", "/check?relay"]) {
        let page = host.fetch(path, "").await;
        assert_eq!((page.status, page.text()), (200, start.text()), "{path}");
    }
}

#[tokio::test]
async fn a_slash_too_many_leads_to_the_page() {
    let host = Host::start().await;
    for (path, to) in [
        ("/check/", "/check"),
        ("/sdp/?a=1&b=%2f", "/sdp?a=1&b=%2f"),
        ("/compare/", "/compare"),
        ("/r/Blue-otter/?join", "/r/Blue-otter?join"),
    ] {
        let answer = host.fetch(path, "").await;
        assert_eq!((answer.status, answer.field("location")), (308, Some(to)), "{path}");
    }
}

#[tokio::test]
async fn what_does_not_exist_gets_a_page_that_says_so() {
    let host = Host::start().await;
    let long = format!("/r/{}", "a".repeat(10_000));
    for path in [
        "/nothing",
        "/r/",
        "/r/-a",
        "/r/a_b",
        "/r/..%2f..%2fetc",
        "/r/a/b",
        "/check//",
        "//check/",
        "/compare/x",
        "/r/a_b/",
        "/r/%2f%2fevil.example/",
        "/r/%00",
        &long,
        "/app",
        "/app/",
        "/jsconfig.json",
        "//index.html/",
    ] {
        let page = host.fetch(path, "").await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text().contains("There is nothing here"), "{path}");
        assert_eq!(page.field("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn nothing_outside_the_web_apps_folder_can_be_had() {
    let host = Host::start().await;
    for path in [
        "/../Cargo.toml",
        "/../src/lib.rs",
        "/app/../../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "/app/..%2f..%2fsrc%2flib.rs",
        "/%2e%2e%2fsrc/http/not-found.html",
        "/..\\Cargo.toml",
        "/./../src/http/not-found.html",
        "//etc/passwd",
        "/etc/passwd",
    ] {
        let status = host.fetch(path, "").await.status;
        assert!(matches!(status, 400 | 404), "{path}: {status}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_fields() {
    let host = Host::start().await;
    for path in ["/", "/r/room", "/icon.svg", "/nothing"] {
        let page = host.fetch(path, "").await;
        let policy = page.field("content-security-policy").unwrap();
        for part in [
            "default-src 'none';",
            "script-src 'self';",
            "frame-ancestors 'none'",
            "connect-src 'self' ws://localhost:8080;",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("data:"), "{policy}");
        let is_page = path != "/icon.svg";
        assert_eq!(policy.contains("require-trusted-types-for 'script';"), is_page, "{path}");
        assert_eq!(page.field("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.field("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.field("cross-origin-opener-policy"), Some("same-origin"));
        assert!(page.field("permissions-policy").unwrap().contains("camera=(self)"));
    }
}

#[tokio::test]
async fn the_policy_names_the_host_the_browser_used() {
    let host = Host::start().await;
    for (field, socket) in [
        ("Talk.Example", "ws://talk.example;"),
        ("[::1]:8080", "ws://[::1]:8080;"),
        ("192.0.2.1", "ws://192.0.2.1;"),
    ] {
        let page = host.ask(&format!("GET / HTTP/1.1\r\nHost: {field}\r\n\r\n")).await;
        assert!(page.field("content-security-policy").unwrap().contains(socket), "{field}");
    }
    let mut tls = host.connect_tls(Purpose::Https, &["http/1.1"]).await;
    tls.write_all(b"GET / HTTP/1.1\r\nHost: talk.example:8443\r\n\r\n").await.unwrap();
    let page = answer(&mut tls, false).await.unwrap();
    assert!(page.field("content-security-policy").unwrap().contains("wss://talk.example:8443;"));
}

#[tokio::test]
async fn a_host_that_is_none_is_refused() {
    let host = Host::start().await;
    for fields in ["", "Host: a; script-src *\r\n", "Host: a,b\r\n", "Host: a\r\nHost: b\r\n"] {
        let page = host.ask(&format!("GET / HTTP/1.1\r\n{fields}\r\n")).await;
        assert_eq!(page.status, 400, "{fields:?}");
        let policy = page.field("content-security-policy").unwrap_or_default();
        assert!(!policy.contains("script-src *"), "{policy}");
    }
}

#[tokio::test]
async fn by_loopback_a_foreign_name_is_refused_for_pages_websockets_and_metrics() {
    let host = Host::start().await;
    let of = |purpose| host.at(purpose).port();
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (purpose, path, served) in [
        (Purpose::Http, "/", 200),
        (Purpose::Http, "/signal", 101),
        (Purpose::Admin, "/metrics", 200),
    ] {
        let fields = if served == 101 { websocket } else { "" };
        for (name, status) in [("evil.example", 421), ("localhost", served), ("127.0.0.1", served)]
        {
            let mut stream = host.connect(purpose).await;
            let port = of(purpose);
            let origin = format!("Origin: http://{name}:{port}\r\n");
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\n{origin}{fields}\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let answer = answer(&mut stream, false).await.unwrap();
            assert_eq!(answer.status, status, "{path} by {name}");
            if status == 421 {
                assert!(answer.text().contains("--allow-host evil.example"), "{}", answer.text());
                assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
            }
        }
    }
}

#[tokio::test]
async fn an_operator_may_name_the_hosts_that_are_served() {
    let host = Host::with(|config| {
        config.allowed_hosts = vec!["talk.example".to_owned(), ".corp.example".to_owned()];
    })
    .await;
    for (name, status) in [
        ("talk.example", 200),
        ("a.corp.example:8443", 200),
        ("192.0.2.7", 200),
        ("localhost:8080", 200),
        ("other.example", 421),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n");
        assert_eq!(host.ask(&request).await.status, status, "{name}");
        let mut tls = host.connect_tls(Purpose::Https, &["http/1.1"]).await;
        tls.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(answer(&mut tls, false).await.unwrap().status, status, "{name} over TLS");
    }
}

#[tokio::test]
async fn files_have_their_types() {
    let host = Host::start().await;
    for (path, media_type) in [
        ("/icon.svg", "image/svg+xml"),
        ("/styles/base.css", "text/css; charset=utf-8"),
        ("/app/names.js", "text/javascript; charset=utf-8"),
        ("/sw.js", "text/javascript; charset=utf-8"),
    ] {
        let file = host.fetch(path, "").await;
        assert_eq!((file.status, file.field("content-type")), (200, Some(media_type)), "{path}");
        assert_eq!(file.field("cache-control"), Some("no-cache"), "{path}");
    }
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again() {
    let host = Host::start().await;
    let first = host.fetch("/styles/base.css", "").await;
    let tag = first.field("etag").unwrap();
    assert_eq!(first.field("cache-control"), Some("no-cache"));
    for field in [tag.to_owned(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let again = host.fetch("/styles/base.css", &format!("If-None-Match: {field}\r\n")).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{field}");
        assert_eq!(again.field("etag"), Some(tag));
    }
    let other = host.fetch("/styles/base.css", "If-None-Match: \"x\"\r\n").await;
    assert_eq!((other.status, other.body), (200, first.body));
}

#[tokio::test]
async fn text_is_compressed_as_the_browser_asks() {
    let host = Host::start().await;
    let plain = host.fetch("/styles/base.css", "").await;
    assert_eq!(plain.field("content-encoding"), None);
    assert_eq!(plain.field("vary"), Some("accept-encoding"));
    let packed = host.fetch("/styles/base.css", "Accept-Encoding: gzip, deflate, br\r\n").await;
    assert_eq!(packed.field("content-encoding"), Some("br"));
    let mut text = Vec::new();
    brotli::Decompressor::new(&packed.body[..], 4096).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body);
    assert!(packed.body.len() < plain.body.len() / 2);
    assert_ne!(packed.field("etag"), plain.field("etag"));

    let packed = host.fetch("/styles/base.css", "Accept-Encoding: gzip\r\n").await;
    assert_eq!(packed.field("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body);
}

#[tokio::test]
async fn only_get_and_head_are_for_pages() {
    let host = Host::start().await;
    for (method, path) in [("POST", "/"), ("PUT", "/styles/base.css"), ("DELETE", "/r/room")] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        let page = host.ask(&request).await;
        assert_eq!(page.status, 405, "{method} {path}");
        assert!(page.field("allow").unwrap().contains("GET"));
    }
    let head = host.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let start = host.fetch("/", "").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.field("content-length"), start.field("content-length"));
}

#[tokio::test]
async fn a_connection_serves_many_requests_over_tls_too() {
    let host = Host::start().await;
    let mut tls = host.connect_tls(Purpose::Https, &[]).await;
    for path in ["/", "/icon.svg", "/nothing", "/r/room"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        tls.write_all(request.as_bytes()).await.unwrap();
        let page = answer(&mut tls, false).await.unwrap();
        assert_eq!(page.status, if path == "/nothing" { 404 } else { 200 });
    }
}
