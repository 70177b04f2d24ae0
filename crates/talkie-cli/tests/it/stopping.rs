//! Signals: the first drains, the second stops at once.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::program::Running;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn an_empty_server_drains_at_once_with_code_0() {
    for signal in ["TERM", "INT"] {
        let mut running = Running::start(&["--no-self-test"]);
        running.signal(signal);
        let line = running.line().expect("a word on draining");
        assert!(line.starts_with("draining: no new rooms, waiting up to 30 s"), "{line}");
        assert_eq!(running.end(SOON).code(), Some(0), "{signal}: {:#?}", running.errors());
        assert_eq!(running.line().as_deref(), Some("stopped"));
    }
}

#[test]
fn an_open_session_is_waited_for_and_the_second_signal_stops_at_once() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let mut running = Running::start(&["--no-self-test", "--drain-timeout=10m"]);
        let session = Session::open(&running);
        running.signal(signal);
        assert!(running.line().expect("a line").starts_with("draining: "));
        std::thread::sleep(Duration::from_millis(300));
        running.signal(signal);
        assert_eq!(running.end(SOON).code(), Some(code), "{:#?}", running.errors());
        assert_eq!(running.line().as_deref(), Some("stopped at once"));
        drop(session);
    }
}

#[test]
fn the_drain_ends_after_its_timeout() {
    let mut running = Running::start(&["--no-self-test", "--drain-timeout=1s"]);
    let _session = Session::open(&running);
    running.signal("TERM");
    assert!(running.line().expect("a line").contains("waiting up to 1 s"));
    assert_eq!(running.end(SOON).code(), Some(0), "{:#?}", running.errors());
}

#[test]
fn a_service_survives_sighup() {
    let mut running = Running::start(&["--no-self-test"]);
    running.signal("HUP");
    std::thread::sleep(Duration::from_millis(300));
    running.signal("TERM");
    assert!(running.line().expect("a line").starts_with("draining: "));
    assert_eq!(running.end(SOON).code(), Some(0));
    let errors = running.errors();
    assert!(errors.iter().any(|line| line.contains("nothing to reload")), "{errors:#?}");
}

/// A participant in a room, spoken by hand so that the test needs no client of its own: a
/// WebSocket (RFC 6455) whose frames fit the shortest header but one.
struct Session(TcpStream);

impl Session {
    fn open(running: &Running) -> Self {
        let url = running.value("local URL");
        let port = url.trim_start_matches("http://localhost:").trim_end_matches('/');
        let stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
        stream.set_read_timeout(Some(SOON)).expect("a timeout");
        let mut session = Self(stream);
        let request = format!(
            "GET /signal HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        session.0.write_all(request.as_bytes()).expect("it reads");
        session.wait_for("\r\n\r\n");
        session.send(r#"{"type":"hello","version":1}"#);
        session.wait_for("\"welcome\"");
        session.send(r#"{"type":"join","seq":1,"room":"quiet-harbour","name":"Test"}"#);
        session.wait_for("\"joined\"");
        session
    }

    fn send(&mut self, text: &str) {
        let len = u8::try_from(text.len()).ok().filter(|len| *len < 126).expect("a short text");
        // The mask of zeros leaves the text as it is.
        let mut frame = vec![0x81, 0x80 | len, 0, 0, 0, 0];
        frame.extend(text.as_bytes());
        self.0.write_all(&frame).expect("it reads");
    }

    fn wait_for(&mut self, text: &str) {
        let mut seen = String::new();
        let mut chunk = [0; 4096];
        while !seen.contains(text) {
            let len = self.0.read(&mut chunk).expect("an answer in time");
            assert_ne!(len, 0, "closed after {seen}");
            seen.push_str(&String::from_utf8_lossy(&chunk[..len]));
        }
    }
}
