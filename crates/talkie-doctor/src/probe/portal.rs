//! Does something ask for a login first? Portals answer plain HTTP in the place of others, and send
//! to a page of their own.
//!
//! Asked is the server itself, on plain HTTP, where it may send to HTTPS but never to another host;
//! and a page that is known to answer 204, if one was named. Nobody else is contacted.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::LOCATION;

use super::http::{self, Ask};
use super::web::leads_away;
use super::{clean, connect, resolve, silent, within};
use crate::report::{Failure, FailureKind, Portal};
use crate::target::Origin;

/// The port of plain HTTP, which portals watch.
const PLAIN: u16 = 80;
/// A portal is near, and many servers have a firewall before that port.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Asks `origin`'s host on port 80.
pub(crate) async fn of_server(origin: &Origin) -> Portal {
    let plain = Origin { secure: false, port: PLAIN, host: origin.host.clone() };
    match ask(&plain, "/").await {
        Ok((status, location)) => {
            let away = location.filter(|it| status.is_redirection() && leads_away(&plain, it));
            match away {
                Some(location) => suspected(format_args!("{plain} is redirected to {location}")),
                None if status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED => {
                    suspected(format_args!("{plain} is answered with status 511"))
                }
                None => Portal::None,
            }
        }
        // Most servers have nothing there.
        Err(_) => Portal::Unknown,
    }
}

/// Asks a page that answers 204 where nothing interferes.
pub(crate) async fn of_page(origin: &Origin, path: &str) -> Portal {
    match ask(origin, path).await {
        Ok((StatusCode::NO_CONTENT, _)) => Portal::None,
        Ok((status, location)) => {
            let to = location.map(|it| format!(" and sends to {it}")).unwrap_or_default();
            suspected(format_args!("{origin}{path} answers {} instead of 204{to}", status.as_u16()))
        }
        Err(_) => Portal::Unknown,
    }
}

/// Of several answers the worst.
pub(crate) fn worst(answers: impl IntoIterator<Item = Portal>) -> Portal {
    let rank = |it: &Portal| match it {
        Portal::Unknown => 0,
        Portal::None => 1,
        Portal::Suspected { .. } => 2,
    };
    answers.into_iter().max_by_key(rank).unwrap_or(Portal::Unknown)
}

pub(crate) fn suspected(evidence: impl std::fmt::Display) -> Portal {
    Portal::Suspected { evidence: clean(&evidence.to_string()) }
}

async fn ask(origin: &Origin, path: &str) -> Result<(StatusCode, Option<String>), Failure> {
    let addresses = resolve(&origin.host, origin.port).await?;
    let nothing = || Failure::new(FailureKind::Name, "no address");
    let address = *addresses.first().ok_or_else(nothing)?;
    within(PATIENCE, || silent(address, "HTTP"), async {
        let (stream, _) = connect(address).await?;
        let answer = http::exchange(stream, Ask::get(origin.authority(), path), 0).await;
        let answer = answer.map_err(|error| Failure::new(FailureKind::Unexpected, error))?;
        Ok((answer.status(), http::field(&answer, LOCATION).map(str::to_owned)))
    })
    .await
}
