//! Two machines behind NATs try it with each other: `talkie doctor --pair` and what it prints to type.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::{Lab, SERVER, all};

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// `talkie serve` on the lab's server.
struct Serving {
    child: Child,
    _data: TempDir,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(lab: &Lab) -> Serving {
    let data = tempfile::tempdir().unwrap();
    let talkie = talkie_e2e::binary().unwrap();
    let http = format!("{SERVER}:8080");
    let words = [
        "server",
        "--",
        talkie.to_str().unwrap(),
        "serve",
        "--http",
        &http,
        "--data-dir",
        data.path().to_str().unwrap(),
    ];
    let mut command = lab.talkie("exec", &words);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let listens = || {
        let connect = || std::net::TcpStream::connect((SERVER, 8080));
        talkie_lab::real::inside(&lab.name, talkie_lab::real::Host::Left, connect)
            .is_ok_and(|connected| connected.is_ok())
    };
    while !listens() {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "no server");
        thread::sleep(Duration::from_millis(50));
    }
    Serving { child, _data: data }
}

/// Both sides' answers.
fn pair(flags: &[&str]) -> [Value; 2] {
    let lab = Lab::up(flags);
    let _serving = serve(&lab);
    let talkie = talkie_e2e::binary().unwrap();
    let url = format!("http://{SERVER}:8080");
    let program = talkie.to_str().unwrap();
    let mut first = lab
        .talkie("exec", &["left", "--", program, "doctor", "--pair", "--json", "--server", &url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(first.stderr.take().unwrap()).lines();
    let command = said.find_map(|line| {
        let line = line.unwrap();
        line.strip_prefix("talkie ").map(str::to_owned)
    });
    let command = command.expect("a command for the other side");
    assert!(command.ends_with(&format!(" --server {url}")), "{command}");
    let words: Vec<_> =
        ["right", "--", program].into_iter().chain(command.split(' ')).chain(["--json"]).collect();
    let second = lab.talkie("exec", &words).output().unwrap();
    let said: String = said.map_while(Result::ok).collect();
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), second.status.code(), "{said} {}", all(&second));
    [answer(&first, &said), answer(&second, "")]
}

fn answer(output: &Output, said: &str) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {said} {}", all(output)))
}

#[test]
fn two_port_restricted_nats_are_punched_through() {
    let kind = "port-restricted";
    for side in pair(&["--left", kind, "--right", kind, "--delay", "5ms"]) {
        assert_eq!(side["verdict"]["outcome"], "direct", "{side}");
        let path = &side["tried"]["path"];
        assert!(path["local"] == "srflx" || path["local"] == "prflx", "{side}");
        assert!(path["remote"] == "srflx" || path["remote"] == "prflx", "{side}");
        // Two lines of 5 ms, there and back; the relay is where they meet and takes hardly longer.
        for round_trip in ["directMs", "relayedMs"] {
            let millis = side["tried"][round_trip].as_f64().unwrap();
            assert!((20.0..1000.0).contains(&millis), "{side}");
        }
    }
}

#[test]
fn two_symmetric_nats_are_relayed_and_the_answer_says_why() {
    for side in pair(&["--left", "symmetric", "--right", "symmetric"]) {
        assert_eq!(side["verdict"]["outcome"], "relayed", "{side}");
        assert_eq!(side["tried"]["path"]["direct"], false, "{side}");
        let why = side["verdict"]["why"][0].as_str().unwrap();
        assert!(why.contains("neither side can be told where to send"), "{side}");
        assert!(side["tried"]["relayedMs"].is_number() && side["tried"]["directMs"].is_null());
        assert!(!side["verdict"]["advice"].as_array().unwrap().is_empty(), "{side}");
    }
}

#[test]
fn a_symmetric_nat_and_a_port_restricted_one_are_told_apart() {
    let [left, right] = pair(&["--left", "port-restricted", "--right", "symmetric"]);
    for (side, own, other) in [
        (&left, "a port-restricted NAT on your side", "a symmetric NAT on the other side"),
        (&right, "a symmetric NAT on your side", "a port-restricted NAT on the other side"),
    ] {
        assert_eq!(side["verdict"]["outcome"], "relayed", "{side}");
        let why = side["verdict"]["why"][0].as_str().unwrap();
        assert!(why.contains(own) && why.contains(other), "{why}");
    }
}

#[test]
fn where_ipv4_needs_a_relay_ipv6_goes_directly() {
    // IPv6 is filtered, not translated: each side can be told where to send.
    for side in pair(&["--left", "symmetric", "--right", "symmetric", "--ipv6"]) {
        assert_eq!(side["verdict"]["outcome"], "direct", "{side}");
        for end in ["localAddress", "remoteAddress"] {
            let address = side["tried"]["path"][end].as_str().unwrap();
            assert!(address.starts_with('['), "{side}");
        }
    }
}
