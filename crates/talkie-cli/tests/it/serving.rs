//! `talkie serve` from its start to its first answer.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use crate::program::{Running, run, serve};

/// The head of the answer to `GET path`.
fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let port = address.port();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    let _ = stream.take(1 << 20).read_to_string(&mut answer);
    answer
}

/// The address announced as `listening: PURPOSE ADDRESS`.
fn listener(running: &Running, purpose: &str) -> SocketAddr {
    let prefix = format!("listening: {purpose} ");
    let mut found = running.announced.iter().filter_map(|line| line.strip_prefix(&prefix));
    let address = found.next().unwrap_or_else(|| panic!("{purpose}: {:#?}", running.announced));
    address.parse().expect("an address")
}

#[test]
fn announced_url_answers_with_the_web_app() {
    let running = Running::start(&["--no-self-test"]);
    let url = running.value("local URL");
    let port = url.strip_prefix("http://localhost:").expect("http on localhost");
    let port: u16 = port.trim_end_matches('/').parse().expect("a port");
    let answer = get(SocketAddr::from(([127, 0, 0, 1], port)), "/");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.to_lowercase().contains("<!doctype html>"), "{answer}");
    assert_eq!(listener(&running, "http").port(), port);
}

#[test]
fn every_listener_is_announced_with_its_real_port_and_answers() {
    let running = Running::start(&["--no-self-test"]);
    for purpose in ["http", "https", "turn/tcp", "turns", "admin"] {
        let address = listener(&running, purpose);
        assert_ne!(address.port(), 0, "{purpose}");
        TcpStream::connect(address).unwrap_or_else(|error| panic!("{purpose}: {error}"));
    }
    let healthy = get(listener(&running, "admin"), "/healthz");
    assert!(healthy.starts_with("HTTP/1.1 200"), "{healthy}");

    // A bare Binding request (RFC 8489 §5): type, length, magic cookie, transaction.
    let mut request = [0; 20];
    request[..8].copy_from_slice(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    socket.send_to(&request, listener(&running, "turn/udp")).expect("sent");
    let mut answer = [0; 100];
    let (len, _) = socket.recv_from(&mut answer).expect("an answer");
    assert_eq!(
        answer[..8],
        [1, 1, 0, u8::try_from(len - 20).expect("short"), 0x21, 0x12, 0xa4, 0x42]
    );
}

#[test]
fn self_test_passes_on_every_leg() {
    let running = Running::start(&[]);
    let legs: Vec<_> =
        running.announced.iter().filter_map(|line| line.strip_prefix("self-test: ")).collect();
    for name in ["STUN", "UDP", "TCP", "TLS"] {
        assert!(legs.iter().any(|leg| leg.contains(name)), "no {name} in {legs:#?}");
    }
    for leg in legs {
        assert!(leg.contains(" ok ") && leg.ends_with(" ms"), "{leg}");
    }
}

#[test]
fn certificate_is_made_once_and_its_fingerprint_announced() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let flag = format!("--data-dir={}", data.path().display());
    let fingerprint = || {
        let running = Running::start(&["--no-self-test", &flag]);
        running.value("certificate").to_owned()
    };
    let first = fingerprint();
    let pairs = first.strip_prefix("self-signed SHA-256 ").expect("self-signed");
    assert_eq!(pairs.split(':').count(), 32, "{first}");
    assert_eq!(fingerprint(), first);
}

#[test]
fn switched_off_listeners_are_not_announced() {
    let running = Running::start(&["--http=none", "--turns=none", "--admin=none", "--no-turn"]);
    for purpose in ["http", "turns", "admin"] {
        let prefix = format!("listening: {purpose} ");
        assert!(!running.announced.iter().any(|line| line.starts_with(&prefix)), "{purpose}");
    }
    assert!(!running.announced.iter().any(|line| line.starts_with("relay: ")));
    assert!(running.value("local URL").starts_with("https://"));
    listener(&running, "turn/udp");
}

#[test]
fn a_taken_port_ends_with_code_1_and_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let data = tempfile::tempdir().expect("a temporary folder");
    for flag in ["http", "https", "turn", "turns", "admin"] {
        let said = run(serve(data.path()).arg(format!("--{flag}={address}")));
        assert_eq!(said.code, Some(1), "{flag}: {}", said.stderr);
        assert!(said.stderr.contains("error: "), "{}", said.stderr);
        assert!(said.stderr.contains(&address.to_string()), "{}", said.stderr);
        assert!(said.stderr.contains(&format!("--{flag}")), "{}", said.stderr);
        assert_eq!(said.stdout, "", "nothing is announced before everything is bound");
    }
}

#[test]
fn a_missing_certificate_ends_with_code_1_and_names_the_file() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let said =
        run(serve(data.path()).args(["--tls-cert=/nowhere/c.pem", "--tls-key=/nowhere/k.pem"]));
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("/nowhere/"), "{}", said.stderr);
}

#[test]
fn logs_are_json_lines_without_a_terminal_and_name_stray_variables() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("--http={}", taken.local_addr().expect("bound"));
    let log = |format: &str| {
        let mut command = serve(data.path());
        command.args(["--log-format", format, &address]).env("TALKIE_HTPS", "8443");
        run(&mut command).stderr
    };
    let json = log("auto");
    let line = json.lines().find(|line| line.starts_with('{')).expect("a line of JSON");
    assert!(line.contains("\"level\":\"WARN\""), "{line}");
    assert!(line.contains("\"variable\":\"TALKIE_HTPS\""), "{line}");
    assert!(line.contains("did you mean TALKIE_HTTPS?"), "{line}");
    let human = log("human");
    assert!(human.contains("WARN") && !human.contains('{') && !human.contains('\x1b'), "{human}");
}
