//! Asking the network. Every probe has an end of its own, takes a bounded amount of what comes
//! back, and contacts only what it was given: servers that were named, and the own gateway.

pub(crate) mod gateway;
pub(crate) mod host;
pub(crate) mod http;
pub(crate) mod leg;
pub(crate) mod mtu;
pub(crate) mod nat;
pub(crate) mod portal;
pub(crate) mod signaling;
pub(crate) mod stun;
pub(crate) mod tls;
pub(crate) mod turn;
pub(crate) mod web;
pub(crate) mod wire;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::report::{Failure, FailureKind, Family, Millis};
use crate::target::Host;

/// The most that one probe of a server may take. RFC 8489 §6.2.1 sends a request at 0, 500 and
/// 1500 ms; who has not answered a second later is not there for a call either.
pub(crate) const PATIENCE: Duration = Duration::from_millis(2500);
/// The most that looking up a name may take.
const LOOKUP: Duration = Duration::from_millis(2000);
/// The most characters that are kept of a text from the network.
const LONGEST: usize = 200;

/// Text from the network made fit for a terminal: one line, bounded, without control characters and
/// those that turn the direction of writing.
pub(crate) fn clean(text: &str) -> String {
    let unfit = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(character, '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let fit: String =
        text.chars().take(LONGEST).map(|it| if unfit(it) { ' ' } else { it }).collect();
    fit.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first address of each IP version.
pub(crate) async fn resolve(host: &Host, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let name = match host {
        Host::Ip(address) => return Ok(vec![SocketAddr::new(*address, port)]),
        Host::Name(name) => name.clone(),
    };
    let unknown = |why: &str| {
        Failure::new(FailureKind::Name, format_args!("cannot look up the name {name}: {why}"))
    };
    let found = match timeout(LOOKUP, tokio::net::lookup_host((name.as_str(), port))).await {
        Ok(Ok(found)) => found.collect::<Vec<_>>(),
        Ok(Err(error)) => return Err(unknown(&error.to_string())),
        Err(_) => return Err(unknown("no answer in time")),
    };
    let of = |family| found.iter().copied().find(move |it| Family::of(it.ip()) == family);
    let first: Vec<_> = of(Family::Ipv4).into_iter().chain(of(Family::Ipv6)).collect();
    if first.is_empty() { Err(unknown("it has no address")) } else { Ok(first) }
}

/// A TCP connection and how long it took.
pub(crate) async fn connect(address: SocketAddr) -> Result<(TcpStream, Millis), Failure> {
    let began = Instant::now();
    match timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            // Small requests and answers are all that follows; without it they work as well.
            let _ = stream.set_nodelay(true);
            Ok((stream, Millis(began.elapsed())))
        }
        Ok(Err(error)) => Err(unreachable(address, "TCP", &error)),
        Err(_) => Err(silent(address, "TCP")),
    }
}

/// A system's error while reaching `address`.
pub(crate) fn unreachable(address: SocketAddr, transport: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::new(
            FailureKind::Refused,
            format_args!("nothing listens at {address} over {transport}"),
        ),
        io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::AddrNotAvailable => {
            Failure::new(FailureKind::NoRoute, format_args!("no way to {address} from here"))
        }
        io::ErrorKind::TimedOut => silent(address, transport),
        io::ErrorKind::PermissionDenied => Failure::new(
            FailureKind::Refused,
            format_args!("a firewall forbids {transport} to {address}"),
        ),
        _ => Failure::new(
            FailureKind::Local,
            format_args!("cannot reach {address} over {transport}: {error}"),
        ),
    }
}

/// Nothing came back.
pub(crate) fn silent(address: SocketAddr, transport: &str) -> Failure {
    Failure::new(FailureKind::Silent, format_args!("no answer from {address} over {transport}"))
}

/// Runs `probe` until its end, or the end of `patience`.
pub(crate) async fn within<T>(
    patience: Duration,
    silence: impl FnOnce() -> Failure,
    probe: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match timeout(patience, probe).await {
        Ok(outcome) => outcome,
        Err(_) => Err(silence()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_the_network_cannot_write_on_the_terminal() {
        assert_eq!(clean("a\x1b[31mred\r\nb\u{202e}c"), "a [31mred b c");
        assert_eq!(clean(&"x".repeat(1000)).len(), LONGEST);
    }

    #[tokio::test]
    async fn an_address_needs_no_lookup() {
        let host = Host::Ip([192, 0, 2, 1].into());
        assert_eq!(resolve(&host, 7).await, Ok(vec!["192.0.2.1:7".parse().unwrap()]));
    }
}
