use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// The first and how many: below those that Linux, macOS and Windows give out by themselves.
const PORTS: (u16, u16) = (10_000, 20_000);

/// Ports for one server, free when they were picked. Tests run side by side, so the defaults won't
/// do.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// The web app without TLS.
    pub http: u16,
    /// The web app and TURN over TLS.
    pub https: u16,
    /// STUN and TURN over UDP and TCP.
    pub turn: u16,
    /// The second port of STUN.
    pub stun: u16,
    /// TURN over TLS alone.
    pub turns: u16,
    /// Health and metrics.
    pub admin: u16,
}

impl Ports {
    /// Picks six ports.
    ///
    /// # Errors
    /// If the system has none left.
    pub fn pick() -> Result<Self> {
        Ok(Self {
            http: free()?,
            https: free()?,
            turn: free()?,
            stun: free()?,
            turns: free()?,
            admin: free()?,
        })
    }

    /// The flags that make the program use these ports, on loopback only.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        let flags = [
            ("http", self.http),
            ("https", self.https),
            ("turn", self.turn),
            ("turns", self.turns),
            ("admin", self.admin),
        ];
        let listeners = flags.iter().map(|(flag, port)| format!("--{flag}=127.0.0.1:{port}"));
        listeners.chain([format!("--alternate-port={}", self.stun)]).collect()
    }
}

/// A port that neither a TCP listener nor a UDP socket has. It is not one that the system gives to whoever asks for
/// any, and within this process none is picked twice: between picking and listening nobody else takes it.
fn free() -> Result<u16> {
    static PICKED: AtomicU16 = AtomicU16::new(0);
    // Another process of tests begins elsewhere.
    let start = u16::try_from(std::process::id() % u32::from(PORTS.1)).unwrap_or(0);
    for _ in 0..PORTS.1 {
        let picked = PICKED.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.0 + start.wrapping_add(picked) % PORTS.1;
        let place = (Ipv4Addr::LOCALHOST, port);
        if TcpListener::bind(place).is_ok() && UdpSocket::bind(place).is_ok() {
            return Ok(port);
        }
    }
    bail!("none of {} ports from {} on is free", PORTS.1, PORTS.0)
}
