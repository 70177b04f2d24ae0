//! coturn's test client and echo peer (Debian's package `coturn`) against our relay.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use talkie_sansio::Transport;

use super::{LOCALHOST, PASSWORD, TestRelay, USER};

/// How long one run may take; `timeout` ends it then.
const LIMIT: &str = "20";

/// `turnutils_peer`, which echoes, on a port of its own.
struct EchoPeer {
    child: Child,
    address: SocketAddr,
}

impl EchoPeer {
    fn start() -> Self {
        let address = UdpSocket::bind((LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let child = Command::new("turnutils_peer")
            .args(["-L", "127.0.0.1", "-p", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("`apt-get install coturn` brings turnutils_peer, which this test needs");
        let peer = Self { child, address };
        peer.wait();
        peer
    }

    fn wait(&self) {
        let probe = UdpSocket::bind((LOCALHOST, 0)).unwrap();
        probe.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        for _ in 0..100 {
            probe.send_to(b"anybody there?", self.address).unwrap();
            if probe.recv(&mut [0; 64]).is_ok() {
                return;
            }
        }
        panic!("turnutils_peer does not answer");
    }
}

impl Drop for EchoPeer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `turnutils_uclient` and expects that every message came back.
async fn loses_nothing(server: &TestRelay, transport: Transport, flags: &[&str]) {
    let address = server.address(transport);
    let mut command = Command::new("timeout");
    command.args([LIMIT, "turnutils_uclient", "-u", USER, "-w", PASSWORD]);
    command.args(["-p", &address.port().to_string()]).args(flags);
    match transport {
        Transport::Udp => {}
        Transport::Tcp => drop(command.arg("-t")),
        Transport::Tls => drop(command.args(["-t", "-S"])),
    }
    command.arg(address.ip().to_string());
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    let Output { status, stdout, stderr } = run.await.unwrap();
    let text = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(status.success(), "{transport} {flags:?}: {status}\n{text}");
    let summary = text.lines().rfind(|line| line.contains("Total lost packets"));
    let summary = summary.unwrap_or_else(|| panic!("{transport} {flags:?}: no summary\n{text}"));
    assert!(summary.contains("Total lost packets 0 ("), "{transport} {flags:?}: {summary}");
    let received = text.lines().rfind(|line| line.contains("tot_recv_msgs=")).unwrap_or_default();
    assert!(!received.contains("tot_recv_msgs=0,"), "{transport} {flags:?}: nothing came\n{text}");
}

async fn every_way(transport: Transport) {
    let peer = EchoPeer::start();
    let server = TestRelay::on_localhost().await;
    let port = peer.address.port().to_string();
    // Data goes by indications (`-s`): this client draws channel numbers from all of RFC 5766's
    // range, of which RFC 8656 §12 leaves a quarter.
    let to_peer =
        ["-s", "-e", "127.0.0.1", "-r", &port, "-n", "50", "-m", "5", "-l", "171", "-z", "5"];
    // With RTCP's second port by EVEN-PORT and a reservation, and without.
    loses_nothing(&server, transport, &to_peer).await;
    loses_nothing(&server, transport, &[&to_peer[..], &["-c"]].concat()).await;
    // From client to client.
    let pairs = ["-s", "-y", "-c", "-n", "50", "-m", "4", "-l", "1000", "-z", "5"];
    loses_nothing(&server, transport, &pairs).await;
    server.relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coturns_client_over_udp() {
    every_way(Transport::Udp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coturns_client_over_tcp() {
    every_way(Transport::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coturns_client_over_tls() {
    every_way(Transport::Tls).await;
}
