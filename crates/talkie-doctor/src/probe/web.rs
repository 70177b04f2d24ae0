//! The pages of a `talkie serve`: is it there, what certificate does it show, what time is it there?

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, UNIX_EPOCH};

use hyper::StatusCode;
use hyper::header::{DATE, LOCATION};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::http::{self, Ask};
use super::{PATIENCE, connect, silent, tls, within};
use crate::report::{Certificate, Clock, Failure, FailureKind, Millis, Web};
use crate::target::Origin;

/// What was found, and what is for other parts of the report.
pub(crate) struct Visit {
    pub(crate) web: Web,
    pub(crate) clock: Option<Clock>,
    /// Each address that was tried, and whether a connection came about.
    pub(crate) tried: Vec<(IpAddr, bool)>,
    /// Where a redirection to another host led.
    pub(crate) led_away: Option<String>,
}

/// Visits `origin` at the address that answers first.
pub(crate) async fn visit(origin: &Origin, addresses: &[SocketAddr]) -> Visit {
    let mut visit = Visit {
        web: Web {
            address: None,
            rtt: None,
            status: None,
            certificate: None,
            signaling: None,
            failure: None,
        },
        clock: None,
        tried: Vec::new(),
        led_away: None,
    };
    let mut connections = JoinSet::new();
    for address in addresses.iter().copied() {
        connections.spawn(async move { (address, connect(address).await) });
    }
    let Some((address, stream)) = visit.first(&mut connections).await else { return visit };
    let asked = within(PATIENCE, || silent(address, "HTTP"), async {
        if origin.secure {
            let (stream, certificate) = tls::handshake(stream, &origin.host).await?;
            page(origin, stream).await.map(|page| (page, certificate))
        } else {
            page(origin, stream).await.map(|page| (page, None))
        }
    });
    // The other IP version may take its time meanwhile.
    let (outcome, others) = tokio::join!(asked, connections.join_all());
    let of = |(address, outcome): &Connection| (address.ip(), outcome.is_ok());
    visit.tried.extend(others.iter().map(of));
    match outcome {
        Ok((page, certificate)) => visit.note(origin, page, certificate),
        Err(failure) => visit.web.failure = Some(failure),
    }
    visit
}

type Connection = (SocketAddr, Result<(TcpStream, Millis), Failure>);

/// The head of the start page.
struct Page {
    status: StatusCode,
    location: Option<String>,
    /// What the server's clock said, and what ours said meanwhile.
    times: Option<(Duration, Duration)>,
}

async fn page(origin: &Origin, stream: impl talkie_net::driver::Stream) -> Result<Page, Failure> {
    let before = talkie_net::unix_time();
    let answer = http::exchange(stream, Ask::get(origin.authority(), "/"), 0).await;
    let answer = answer.map_err(|error| {
        Failure::new(FailureKind::Unexpected, format_args!("{origin} is no web server: {error}"))
    })?;
    let after = talkie_net::unix_time();
    let date = http::field(&answer, DATE)
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    let location = http::field(&answer, LOCATION).map(str::to_owned);
    let times = date.map(|date| (date, (before + after) / 2));
    Ok(Page { status: answer.status(), location, times })
}

impl Visit {
    /// The first connection that comes about.
    async fn first(&mut self, all: &mut JoinSet<Connection>) -> Option<(SocketAddr, TcpStream)> {
        while let Some(joined) = all.join_next().await {
            let Ok((address, outcome)) = joined else { continue };
            self.tried.push((address.ip(), outcome.is_ok()));
            match outcome {
                Ok((stream, rtt)) => {
                    self.web.address = Some(address);
                    self.web.rtt = Some(rtt);
                    self.web.failure = None;
                    return Some((address, stream));
                }
                Err(failure) => self.web.failure = Some(failure),
            }
        }
        None
    }

    fn note(&mut self, origin: &Origin, page: Page, certificate: Option<Certificate>) {
        self.web.status = Some(page.status.as_u16());
        self.web.certificate = certificate;
        self.clock = page.times.map(|(theirs, ours)| Clock {
            server: origin.to_string(),
            ahead_seconds: ahead(ours, theirs),
        });
        if page.status.is_redirection() {
            self.led_away = page.location.filter(|it| leads_away(origin, it));
        }
        // RFC 6585 §6: what a portal is to answer.
        if page.status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED {
            self.led_away = Some("a login page".to_owned());
        }
    }
}

/// By how much `ours` is ahead. The server cut its time to whole seconds, half of which is the
/// likeliest rest; what lies within it is no difference.
fn ahead(ours: Duration, theirs: Duration) -> f64 {
    let difference = ours.as_secs_f64() - theirs.as_secs_f64() - 0.5;
    if difference.abs() <= 1.0 { 0.0 } else { difference.round() }
}

/// Whether a redirection leads to another host. To HTTPS, to another port or path of the same host
/// the server may well send its guests.
pub(crate) fn leads_away(origin: &Origin, location: &str) -> bool {
    let Some((_, rest)) = location.split_once("://") else {
        return location.starts_with("//");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let ours = origin.host.to_string();
    let same = host.get(..ours.len()).is_some_and(|start| start.eq_ignore_ascii_case(&ours))
        && matches!(host.as_bytes().get(ours.len()), None | Some(b':'));
    !same
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Target;

    fn origin(text: &str) -> Origin {
        let Ok(Target::Web(origin)) = text.parse() else { panic!("{text}") };
        origin
    }

    #[test]
    fn only_another_host_is_away() {
        let ours = origin("http://talk.example.org");
        for (location, away) in [
            ("/login", false),
            ("https://talk.example.org/", false),
            ("https://Talk.Example.org:8443/r", false),
            ("http://portal.example/login?to=talk.example.org", true),
            ("https://talk.example.org.evil.example/", true),
            ("https://talk.example.org@evil.example/", true),
            ("//evil.example/", true),
        ] {
            assert_eq!(leads_away(&ours, location), away, "{location}");
        }
    }

    #[test]
    fn a_cut_second_is_no_skew() {
        let at = Duration::from_millis;
        assert!(ahead(at(10_900), at(10_000)).abs() < f64::EPSILON);
        assert!((ahead(at(190_500), at(10_000)) - 180.0).abs() < f64::EPSILON);
        assert!((ahead(at(10_500), at(190_000)) + 180.0).abs() < f64::EPSILON);
    }
}
