//! A server of STUN and TURN on the lab's server: talkie's or coturn.

use std::net::UdpSocket;
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
const HOSTS: [&str; 2] = ["203.0.113.0/24", "192.0.2.0/24"];

/// Dropping it stops it.
pub(super) struct Server {
    child: Child,
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
        let data = tempfile::tempdir().unwrap();
        let inside =
            |option: &str, file: &str| format!("{option}={}/{file}", data.path().display());
        let files = [inside("--pidfile", "pid"), inside("--db", "db"), inside("--log-file", "log")];
        let mut words = vec!["server", "--", "turnserver", "-n", "--no-cli", "--lt-cred-mech"];
        words.extend(["--no-tls", "--no-dtls", "--realm=talkie", "--user=alice:wonder"]);
        words.extend(["--listening-ip", SERVER, "--relay-ip", SERVER, "--simple-log"]);
        words.extend(files.iter().map(String::as_str));
        Self::start(lab, &words, data)
    }

    fn start(lab: &Lab, words: &[&str], data: TempDir) -> Self {
        let mut command = lab.talkie("exec", words);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut server = Self { child, data };
        let client = lab.udp(Host::Left, "0.0.0.0:0");
        let deadline = Instant::now() + PATIENCE;
        while !answers(&client) {
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none(), "{words:?} ended with {ended:?}");
            assert!(Instant::now() < deadline, "{words:?} does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        server
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

fn answers(client: &UdpSocket) -> bool {
    // A Binding request (RFC 8489 §5).
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend([7; 12]);
    client.send_to(&request, (SERVER, 3478)).is_ok() && client.recv(&mut [0; 512]).is_ok()
}
