//! A host inside: this test once more, as a process in the namespace, with the machine on real sockets.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use talkie_net::host::{Options, spawn};
use talkie_traversal::portmap::{Config, Event, Portmap};

use super::PATIENCE;
use super::gateway::Network;

const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 1);
const INTERNAL: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 168, 77, 2), 5000);
/// Which protocols the process shall use.
const PROTOCOL: &str = "TALKIE_TEST_PORTMAP";

/// A process inside that wants its port 5000 mapped.
pub(super) struct Tenant {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Tenant {
    pub(super) fn start(network: &Network, protocol: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = network.at("inside", program.to_str().unwrap());
        command.args(["--exact", "portmap::host::tenant", "--ignored", "--nocapture"]);
        command.env(PROTOCOL, protocol).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // The test harness prints beside.
            let said = stdout.lines().map_while(Result::ok);
            for line in said.filter_map(|line| line.strip_prefix("tenant: ").map(str::to_owned)) {
                let _ = sender.send(line);
            }
        });
        Self { stdin: child.stdin.take(), child, lines }
    }

    /// The next thing that it says.
    pub(super) fn says(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("it says something")
    }

    /// Whether it says within a moment that this arrived.
    pub(super) fn heard(&self, text: &str) -> bool {
        match self.lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => {
                assert_eq!(line, format!("heard {text}"));
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Tells it to remove the mapping; drops what it still hears.
    pub(super) fn close(&mut self) {
        while self.lines.try_recv().is_ok() {}
        writeln!(self.stdin.as_mut().unwrap(), "close").unwrap();
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
#[ignore = "run by the tests above, in a namespace"]
async fn tenant() {
    let protocol = std::env::var(PROTOCOL).expect("the tests above say which");
    let wants = |name: &str| protocol == "all" || protocol == name;
    let config = Config {
        pcp: wants("PCP"),
        nat_pmp: wants("NAT-PMP"),
        igd: wants("UPnP"),
        ..Config::new(GATEWAY, INTERNAL)
    };
    let socket = tokio::net::UdpSocket::bind(INTERNAL).await.unwrap();
    let portmap = Portmap::new(&talkie_net::genesis().unwrap(), config);
    let mut running = spawn(portmap, Options::default()).unwrap();
    let (command, mut commands) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        std::io::stdin().lines().map_while(Result::ok).try_for_each(|line| command.send(line))
    });
    let mut buffer = [0; 100];
    loop {
        tokio::select! {
            event = running.events.recv() => match event.unwrap() {
                Event::Mapped(it) => println!("\ntenant: mapped {} {}", it.external, it.protocol),
                Event::Lost(why) => println!("\ntenant: lost: {why}"),
                Event::Unavailable(reasons) => println!("\ntenant: unavailable {reasons}"),
                Event::Closed => break,
                other => panic!("{other:?}"),
            },
            received = socket.recv(&mut buffer) => {
                let length = received.unwrap();
                println!("\ntenant: heard {}", String::from_utf8_lossy(&buffer[..length]));
            }
            line = commands.recv() => {
                assert_eq!(line.as_deref(), Some("close"));
                running.handle.call(Portmap::close).await.unwrap();
            }
        }
    }
    println!("\ntenant: closed");
}
