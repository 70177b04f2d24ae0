//! Finding a UPnP gateway: a search by SSDP (UPnP Device Architecture 1.1, §1.3).
//!
//! It goes to the group that gateways listen on and to the gateway itself (§1.3.2 allows that).
//! Anybody on the link may answer, so only the gateway is listened to, and what it names has to be
//! on itself: an answer must not make us fetch from another host.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 255, 255, 250), 1900);
/// §1.3.2: the standard's default.
const HOPS: u32 = 2;
/// Sent again once: the search is as lossy as UDP.
const AGAIN: Duration = Duration::from_millis(300);
/// With MX: 1 a device answers within a second (§1.3.3).
const PATIENCE: Duration = Duration::from_millis(1400);
/// The kinds of gateway: an answer to either will do.
const KINDS: [&str; 2] = [
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
];

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
                let search = format!(
                    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\
                     MAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {kind}\r\n\r\n"
                );
                for to in [GROUP, SocketAddrV4::new(gateway, GROUP.port())] {
                    // A host without multicast still reaches the gateway itself.
                    let _ = socket.send_to(search.as_bytes(), to).await;
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
            if let Some((address, path)) = location(&buffer[..length], gateway) {
                return Some(Found { address, path, rtt: began.elapsed() });
            }
        }
    };
    tokio::select! {
        found = answered => found,
        found = asked => found,
    }
}

/// Where an answer says that the description lies, if that is on the gateway.
fn location(answer: &[u8], gateway: Ipv4Addr) -> Option<(SocketAddr, String)> {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut fields);
    response.parse(answer).ok()?;
    if response.code != Some(200) {
        return None;
    }
    let field = |name: &str| {
        let field = response.headers.iter().find(|it| it.name.eq_ignore_ascii_case(name))?;
        str::from_utf8(field.value).ok()
    };
    if !KINDS.contains(&field("ST")?) {
        return None;
    }
    on_gateway(field("LOCATION")?, gateway)
}

/// Address and path of an `http` URL on the gateway, by its address.
pub(super) fn on_gateway(url: &str, gateway: Ipv4Addr) -> Option<(SocketAddr, String)> {
    let rest = url.trim().strip_prefix("http://")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let address = match authority.parse::<SocketAddrV4>() {
        Ok(address) => address,
        Err(_) => SocketAddrV4::new(authority.parse().ok()?, 80),
    };
    let ours = *address.ip() == gateway && address.port() != 0;
    ours.then(|| (SocketAddr::V4(address), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

    fn answer(location: &str) -> Vec<u8> {
        format!(
            "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nSt: {}\r\nLocation: {location}\r\n\
             EXT:\r\n\r\n",
            KINDS[0]
        )
        .into_bytes()
    }

    #[test]
    fn a_description_on_the_gateway_is_taken() {
        let found = location(&answer("http://192.168.1.1:5000/root.xml"), GATEWAY);
        assert_eq!(found, Some(("192.168.1.1:5000".parse().unwrap(), "/root.xml".to_owned())));
        let found = location(&answer("http://192.168.1.1"), GATEWAY);
        assert_eq!(found, Some(("192.168.1.1:80".parse().unwrap(), "/".to_owned())));
    }

    #[test]
    fn a_description_elsewhere_is_not() {
        for elsewhere in [
            "http://127.0.0.1:8080/",
            "http://192.168.1.2:5000/root.xml",
            "http://192.168.1.1@10.0.0.1/",
            "http://192.168.1.1:0/",
            "http://router.example/root.xml",
            "https://192.168.1.1/",
            "file:///etc/passwd",
            "",
        ] {
            assert_eq!(location(&answer(elsewhere), GATEWAY), None, "{elsewhere}");
        }
        assert_eq!(location(b"HTTP/1.1 404 Not Found\r\n\r\n", GATEWAY), None);
        assert_eq!(location(&[0xff; 100], GATEWAY), None);
    }
}
