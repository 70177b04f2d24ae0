//! `talkie doctor` behind NATs whose kind is known, with `talkie serve` as the only server.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::{Lab, SERVER, SERVER_SECOND};

/// `talkie serve` on the lab's server; it goes with the lab.
struct Serve {
    child: Child,
    _data: tempfile::TempDir,
}

impl Serve {
    fn start(lab: &Lab) -> Self {
        let data = tempfile::tempdir().unwrap();
        let binary = talkie_e2e::binary().unwrap();
        let words = [
            "server",
            "--",
            binary.to_str().unwrap(),
            "serve",
            "--no-self-test",
            "--alternate-ip",
            SERVER_SECOND,
            "--data-dir",
            data.path().to_str().unwrap(),
        ];
        let mut child = lab.talkie("exec", &words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line == "ready");
        assert!(ready, "it ended before it was ready");
        // Whatever else it prints is to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, _data: data }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_doctor_names_the_nat_and_with_whom_a_direct_connection_works() {
    // NAT, what the doctor calls it, its exit code, and what becomes of a connection with one
    // behind a port-restricted and one behind a symmetric NAT.
    for (kind, name, code, restricted, symmetric) in [
        ("full-cone", "fullCone", 0, "direct", "direct"),
        ("address-restricted", "addressRestricted", 0, "direct", "direct"),
        ("port-restricted", "portRestricted", 0, "direct", "relay"),
        ("symmetric", "symmetric", 3, "relay", "relay"),
        ("firewall", "firewall", 0, "direct", "relay"),
        ("none", "open", 0, "direct", "direct"),
    ] {
        let lab = Lab::up(&["--left", kind]);
        let _serve = Serve::start(&lab);
        let (ended, json) = doctor(&lab);
        assert_eq!(json["nats"][0]["type"], name, "{kind}: {json:#}");
        assert_eq!(ended, Some(code), "{kind}: {json:#}");
        for leg in json["servers"][0]["legs"].as_array().unwrap() {
            assert_eq!(leg["failure"], Value::Null, "{kind}: {leg:#}");
        }
        let outcome = |kind: &str| {
            let peers = json["diagnosis"]["peers"].as_array().unwrap();
            peers.iter().find(|peer| peer["kind"] == kind).unwrap()["outcome"].clone()
        };
        assert_eq!(outcome("portRestricted"), restricted, "{kind}");
        assert_eq!(outcome("symmetric"), symmetric, "{kind}");
    }
}

#[test]
fn the_doctor_finds_udp_blocked_and_the_relay_that_still_works() {
    let lab = Lab::up(&["--left", "udp-blocked"]);
    let _serve = Serve::start(&lab);
    let (code, json) = doctor(&lab);
    assert_eq!(code, Some(3), "{json:#}");
    assert_eq!(json["diagnosis"]["findings"][0]["code"], "udp-blocked");
    let echoes: Vec<_> = json["servers"][0]["legs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|leg| leg["echo"]["state"] == "returned")
        .map(|leg| leg["transport"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(echoes, ["tcp", "tls"], "{json:#}");
}

fn doctor(lab: &Lab) -> (Option<i32>, Value) {
    let binary = talkie_e2e::binary().unwrap();
    let url = format!("https://{SERVER}:8443");
    let words = [binary.to_str().unwrap(), "doctor", "--json", "--server", &url];
    let output = lab.exec("left", &words);
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", super::all(&output)));
    (output.status.code(), json)
}
