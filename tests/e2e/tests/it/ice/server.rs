//! A server of STUN and TURN on the lab's server: talkie's or coturn.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use talkie_lab::real::Host;
use tempfile::TempDir;

use crate::lab::{Lab, SERVER};

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// Relays refuse addresses that are not of the Internet unless told otherwise, and a lab's are reserved
/// for documentation (RFC 5737).
const HOSTS: [&str; 3] = ["203.0.113.0/24", "192.0.2.0/24", "2001:db8::/32"];
/// The server's address in a lab with IPv6.
pub(super) const SERVER_V6: &str = "2001:db8:5::1";

/// Dropping it stops it.
pub(super) struct Server {
    child: Child,
    words: Vec<String>,
    data: TempDir,
}

impl Server {
    /// `talkie serve`.
    pub(super) fn talkie(lab: &Lab) -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().display().to_string();
        let talkie = talkie_e2e::binary().unwrap();
        let mut words = vec!["server", "--", talkie.to_str().unwrap(), "serve"];
        words.extend(["--turn-user=alice:wonder", "--data-dir", &folder]);
        words.extend(HOSTS.iter().flat_map(|hosts| ["--allow-peer", hosts]));
        Self::start(lab, &words, data)
    }

    /// coturn, with nothing of it where another could find it.
    pub(super) fn coturn(lab: &Lab) -> Self {
        Self::coturn_with(lab, &["--no-tls", "--no-dtls"])
    }

    /// coturn over TLS, with this certificate and its key.
    pub(super) fn coturn_over_tls(lab: &Lab, certificate: &Path, key: &Path) -> Self {
        let (certificate, key) = (certificate.display(), key.display());
        Self::coturn_with(lab, &[&format!("--cert={certificate}"), &format!("--pkey={key}")])
    }

    /// coturn, with some options more.
    pub(super) fn coturn_with(lab: &Lab, more: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let inside =
            |option: &str, file: &str| format!("{option}={}/{file}", data.path().display());
        let files = [inside("--pidfile", "pid"), inside("--db", "db"), inside("--log-file", "log")];
        let mut words = vec!["server", "--", "turnserver", "-n", "--no-cli", "--lt-cred-mech"];
        words.extend(["--realm=talkie", "--user=alice:wonder"]);
        words.extend(["--listening-ip", SERVER, "--relay-ip", SERVER, "--simple-log"]);
        words.extend(files.iter().map(String::as_str));
        words.extend(more);
        Self::start(lab, &words, data)
    }

    fn start(lab: &Lab, words: &[&str], data: TempDir) -> Self {
        let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
        let mut server = Self { child: run(lab, &words), words, data };
        server.wait(lab);
        server
    }

    /// Ends it as a crash would, and starts it again: it knows nothing of before.
    pub(super) fn crash(&mut self, lab: &Lab) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = run(lab, &self.words);
        self.wait(lab);
    }

    fn wait(&mut self, lab: &Lab) {
        let client = lab.udp(Host::Left, "0.0.0.0:0");
        let deadline = Instant::now() + PATIENCE;
        while !answers(&client) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{:?} ended with {ended:?}", self.words);
            assert!(Instant::now() < deadline, "{:?} does not answer", self.words);
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What coturn has written about itself.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap()
    }

    /// The certificate of its own making.
    pub(super) fn certificate(&self) -> String {
        self.data.path().join("certificate.pem").display().to_string()
    }

    /// What finds reflexive candidates.
    pub(super) fn stun() -> String {
        format!("stun:{SERVER}:3478")
    }

    /// What relays.
    pub(super) fn turn() -> String {
        format!("turn:{SERVER}:3478,alice,wonder")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(lab: &Lab, words: &[String]) -> Child {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut command = lab.talkie("exec", &words);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn answers(client: &UdpSocket) -> bool {
    // A Binding request (RFC 8489 §5).
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend([7; 12]);
    client.send_to(&request, (SERVER, 3478)).is_ok() && client.recv(&mut [0; 512]).is_ok()
}
