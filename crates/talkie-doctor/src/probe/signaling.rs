//! The STUN and TURN servers that a `talkie serve` gives, with fresh credentials.

use std::time::Instant;

use talkie_signaling::{Client, ConnectError, IceServer, Options, Trust};
use talkie_traversal::stun::credential::LongTerm;

use super::PATIENCE;
use crate::report::{Failure, FailureKind, Millis};
use crate::target::{IceUrl, Origin, Target};

/// The most URLs that are tried of a server: browsers warn at five.
const URLS: usize = 8;

/// What a server gave.
#[derive(Debug)]
pub(crate) struct Welcome {
    pub(crate) servers: Vec<(IceUrl, Option<LongTerm>)>,
    /// The second port of its STUN server, which RFC 5780 §7.4 keeps a server with one address from
    /// naming there.
    pub(crate) second_port: Option<u16>,
    pub(crate) took: Millis,
}

/// Opens a session on `origin` and takes what it gives.
pub(crate) async fn welcome(origin: &Origin) -> Result<Welcome, Failure> {
    let began = Instant::now();
    let url = origin
        .to_string()
        .parse()
        .map_err(|error| Failure::new(FailureKind::Local, format_args!("{origin}: {error}")))?;
    // Whether the certificate proves anything is looked at where the pages are.
    let options = Options::default().with_trust(Trust::Anybody).with_timeout(PATIENCE);
    let (client, welcome) = Client::connect(&url, options).await.map_err(|it| failure(&it))?;
    // It says goodbye by itself.
    drop(client);
    let servers = welcome.ice.ice_servers.iter().flat_map(usable).take(URLS).collect();
    let second_port = second_port(&welcome.discovery);
    Ok(Welcome { servers, second_port, took: Millis(began.elapsed()) })
}

fn failure(error: &ConnectError) -> Failure {
    let kind = match error {
        ConnectError::Resolve { .. } => FailureKind::Name,
        ConnectError::Tcp { address, source } => {
            return super::unreachable(*address, "TCP", source);
        }
        ConnectError::Timeout { .. } => FailureKind::Silent,
        ConnectError::Tls(_) | ConnectError::Untrusted { .. } => FailureKind::Tls,
        ConnectError::Refused(_) => FailureKind::Rejected,
        ConnectError::Trust(_) => FailureKind::Local,
        _ => FailureKind::Unexpected,
    };
    Failure::new(kind, format_args!("the signaling: {error}"))
}

/// The port in which the second URL differs from the first.
fn second_port(urls: &[String]) -> Option<u16> {
    let ice = |url: &String| match url.parse() {
        Ok(Target::Ice(url)) => Some(url),
        _ => None,
    };
    let (first, second) = (ice(urls.first()?)?, ice(urls.get(1)?)?);
    (first.host == second.host && first.port != second.port).then_some(second.port)
}

/// What can be tried of an ICE server; a URL or credential that makes no sense is left out.
fn usable(server: &IceServer) -> Vec<(IceUrl, Option<LongTerm>)> {
    let credential = match (&server.username, &server.credential) {
        (Some(user), Some(password)) => LongTerm::new(user, password).ok(),
        _ => None,
    };
    let parsed = server.urls.iter().filter_map(|url| match url.parse() {
        Ok(Target::Ice(url)) => Some(url),
        _ => None,
    });
    parsed.map(|url| (url, credential.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_port_is_that_of_the_same_host() {
        let of =
            |urls: &[&str]| second_port(&urls.iter().map(|it| (*it).into()).collect::<Vec<_>>());
        assert_eq!(of(&["stun:192.0.2.1:3478", "stun:192.0.2.1:3479"]), Some(3479));
        assert_eq!(of(&["stun:192.0.2.1:3478", "stun:198.51.100.1:3479"]), None);
        assert_eq!(of(&["stun:192.0.2.1:3478"]), None);
        assert_eq!(of(&["stun:192.0.2.1:3478", "nonsense"]), None);
    }
}
