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
    Ok(Welcome { servers, took: Millis(began.elapsed()) })
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
