//! `talkie lab up` and what belongs to it, with real packets. As root, since it is for root only.

mod behaviour;
mod coturn;
mod discovery;
mod doctor;
mod leftovers;
mod line;
mod pair;
mod programs;
mod refusals;

use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use talkie_lab::real::{self, Host, Name};

/// The server's addresses.
pub(crate) const SERVER: &str = "198.51.100.1";
const SERVER_SECOND: &str = "198.51.100.2";

/// What a lab of a test is called; it is taken down with it.
pub(crate) struct Lab {
    name: Name,
}

impl Lab {
    /// A name that no other test has, and no lab yet.
    fn planned() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}-{number}", std::process::id()).parse().unwrap();
        Self { name }
    }

    /// One that is up.
    pub(crate) fn up(flags: &[&str]) -> Self {
        let lab = Self::planned();
        let output = lab.talkie("up", flags).output().unwrap();
        assert!(output.status.success(), "{flags:?}: {}", all(&output));
        lab
    }

    /// A `talkie lab` command on it.
    pub(crate) fn talkie(&self, command: &str, words: &[&str]) -> Command {
        let mut talkie = Command::new(talkie_e2e::binary().unwrap());
        talkie.args(["lab", command, "--name", &self.name.to_string()]).args(words);
        talkie.stdin(Stdio::null());
        talkie
    }

    /// Runs a command on one of its hosts.
    fn exec(&self, host: &str, words: &[&str]) -> Output {
        self.talkie("exec", &[&[host, "--"], words].concat()).output().unwrap()
    }

    /// A socket on one of its hosts.
    pub(crate) fn udp(&self, host: Host, address: &str) -> UdpSocket {
        let address: SocketAddr = address.parse().unwrap();
        let socket = real::inside(&self.name, host, || UdpSocket::bind(address)).unwrap().unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        socket
    }

    /// Whatever the lab still has on this machine.
    fn leftovers(&self) -> Vec<String> {
        let name = self.name.to_string();
        let files = [format!("/run/talkie-lab/{name}")];
        let mut left: Vec<String> =
            files.into_iter().filter(|file| std::path::Path::new(file).exists()).collect();
        for entry in std::fs::read_dir("/run/netns").into_iter().flatten().flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            left.extend(file.contains(&format!(".{name}.")).then_some(file));
        }
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            left.extend(line.contains(&format!("lab box {name} ")).then_some(line));
        }
        let links = Command::new("ip").args(["-o", "link"]).output().unwrap();
        let links = String::from_utf8_lossy(&links.stdout).into_owned();
        for device in ["inside", "outside", "lan", "wan"] {
            left.extend(links.contains(&format!(" {device}:")).then(|| device.to_owned()));
        }
        left
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.talkie("down", &[]).output();
    }
}

/// What a command said, on both streams.
fn all(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
