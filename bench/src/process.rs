//! A server in a process of its own, and what that process costs.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

pub(crate) const USER: &str = "bench";
pub(crate) const PASSWORD: &str = "bench-password";
pub(crate) const REALM: &str = "talk";
/// Relay ports, outside the kernel's range for clients.
pub(crate) const RELAY_PORTS: std::ops::RangeInclusive<u16> = 20_000..=32_000;

pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Server {
    /// This program's own relay.
    pub(crate) fn talkie() -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve-relay", &address.to_string()]);
        Self::start("talkie", address, command)
    }

    /// This program's own signaling server, over plain HTTP.
    pub(crate) fn signaling() -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve-signaling", &address.to_string()]);
        let server = Self::spawn("talkie", address, command)?;
        server.wait_until(|| TcpStream::connect(address).is_ok())?;
        Ok(server)
    }

    /// The `turnserver` on the path.
    pub(crate) fn coturn() -> Result<Self> {
        let address = free_address()?;
        let scratch = std::env::temp_dir().join(format!("talkie-bench-{}", std::process::id()));
        let mut command = Command::new("turnserver");
        command
            .args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--no-stdout-log", "--simple-log"])
            .args(["--lt-cred-mech", "--allow-loopback-peers", "--listening-ip", "127.0.0.1"])
            .args(["--relay-ip", "127.0.0.1", "--log-file", "/dev/null"])
            .arg(format!("--listening-port={}", address.port()))
            .arg(format!("--min-port={}", RELAY_PORTS.start()))
            .arg(format!("--max-port={}", RELAY_PORTS.end()))
            .arg(format!("--user={USER}:{PASSWORD}"))
            .arg(format!("--realm={REALM}"))
            .arg(format!("--pidfile={}.pid", scratch.display()))
            .arg(format!("--db={}.db", scratch.display()));
        Self::start("coturn", address, command)
    }

    fn start(name: &'static str, address: SocketAddr, command: Command) -> Result<Self> {
        let server = Self::spawn(name, address, command)?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        server.wait_until(|| answers(&socket, address))?;
        Ok(server)
    }

    fn spawn(name: &'static str, address: SocketAddr, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, address, child })
    }

    fn wait_until(&self, answers: impl Fn() -> bool) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            if answers() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        anyhow::bail!("{} does not answer on {}", self.name, self.address)
    }

    /// CPU time of all its threads so far, user and system, to the nanosecond.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        cpu_of(self.child.id())
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        memory_of(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Only its own child; it may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a STUN server is at an address.
pub(crate) fn answers(socket: &UdpSocket, address: SocketAddr) -> bool {
    // A Binding request.
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend([7; 12]);
    socket.send_to(&request, address).is_ok() && socket.recv(&mut [0; 512]).is_ok()
}

/// CPU time of all threads of a process so far, user and system, to the nanosecond.
pub(crate) fn cpu_of(process: u32) -> Result<Duration> {
    let mut total = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().context("schedstat is empty")?;
        total += first.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}

/// CPU time of this thread so far.
pub(crate) fn cpu_of_thread() -> Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split_whitespace().next().context("schedstat is empty")?;
    Ok(Duration::from_nanos(first.parse()?))
}

/// Resident memory of a process in bytes.
pub(crate) fn memory_of(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.split_whitespace().nth(1).context("VmRSS is empty")?.parse()?;
    ensure!(kib > 0, "VmRSS is zero");
    Ok(kib * 1024)
}

pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
