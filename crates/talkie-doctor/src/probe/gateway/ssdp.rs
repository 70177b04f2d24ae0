//! Finding a UPnP gateway: a search by SSDP (UPnP Device Architecture 1.1, §1.3).

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use talkie_traversal::portmap::ssdp::{self, GROUP, KINDS};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

/// §1.3.2: the standard's default.
const HOPS: u32 = 2;
/// Sent again once: the search is as lossy as UDP.
const AGAIN: Duration = Duration::from_millis(300);
/// With MX: 1 a device answers within a second (§1.3.3).
const PATIENCE: Duration = Duration::from_millis(1400);

/// Where the gateway's description lies, and its path.
pub(super) struct Found {
    pub(super) address: SocketAddr,
    pub(super) path: String,
    pub(super) rtt: Duration,
}

pub(super) async fn search(gateway: Ipv4Addr, source: Ipv4Addr) -> Option<Found> {
    let socket = open(source).ok()?;
    timeout(PATIENCE, converse(&socket, gateway)).await.ok()?
}

fn open(source: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_multicast_if_v4(&source)?;
    socket.set_multicast_ttl_v4(HOPS)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    UdpSocket::from_std(socket.into())
}

async fn converse(socket: &UdpSocket, gateway: Ipv4Addr) -> Option<Found> {
    let began = Instant::now();
    let asked = async {
        for round in 0..2 {
            if round > 0 {
                sleep(AGAIN).await;
            }
            for kind in KINDS {
                let search = ssdp::search(kind);
                for to in [GROUP, SocketAddrV4::new(gateway, GROUP.port())] {
                    // A host without multicast still reaches the gateway itself.
                    let _ = socket.send_to(&search, to).await;
                }
            }
        }
        std::future::pending().await
    };
    let answered = async {
        let mut buffer = [0; 2048];
        loop {
            // An ICMP error for one of the sent ones says nothing of the others.
            let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
            if from.ip() != IpAddr::V4(gateway) {
                continue;
            }
            if let Some((address, path)) = ssdp::location(&buffer[..length], gateway) {
                return Some(Found { address, path, rtt: began.elapsed() });
            }
        }
    };
    tokio::select! {
        found = answered => found,
        found = asked => found,
    }
}
