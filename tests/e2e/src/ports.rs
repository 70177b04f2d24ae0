use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use anyhow::{Context as _, Result};

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
        // All are held until all are picked, so that none is picked twice.
        let held: Vec<(TcpListener, UdpSocket)> =
            (0..6).map(|_| both_free()).collect::<Result<_>>()?;
        let mut ports = held.iter().map(|(tcp, _)| tcp.local_addr().map(|local| local.port()));
        let mut next = || ports.next().expect("six were picked").context("local address");
        Ok(Self {
            http: next()?,
            https: next()?,
            turn: next()?,
            stun: next()?,
            turns: next()?,
            admin: next()?,
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

/// A port that neither a TCP listener nor a UDP socket has.
fn both_free() -> Result<(TcpListener, UdpSocket)> {
    let mut attempts = 0;
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free TCP port")?;
        match UdpSocket::bind(tcp.local_addr()?) {
            Ok(udp) => return Ok((tcp, udp)),
            Err(error) if attempts == 100 => return Err(error).context("no free UDP port"),
            Err(_) => attempts += 1,
        }
    }
}
