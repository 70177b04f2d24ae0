//! One server that was named, with all that it leads to.

use std::net::IpAddr;

use futures_util::future::join_all;
use talkie_traversal::stun::credential::LongTerm;

use super::path::Mouths;
use crate::probe::leg::legs;
use crate::probe::signaling::welcome;
use crate::probe::{portal, resolve, web};
use crate::progress::{Mark, Progress, Step, Stop};
use crate::report::{Clock, Credentials, Leg, Portal, Server, Trust, Web};
use crate::target::{Origin, Target};

/// A server's report, and what it tells beside it.
pub(super) struct Examined {
    pub(super) server: Server,
    pub(super) clock: Option<Clock>,
    pub(super) portal: Portal,
    /// Each address that was tried, and whether anything came back.
    pub(super) tried: Vec<(IpAddr, bool)>,
}

pub(super) async fn examine(
    target: &Target,
    credential: Option<LongTerm>,
    heard: Mouths,
    stop: Stop,
    tell: &(impl Fn(Progress) + Sync),
) -> Examined {
    let step = Step::Server(target.to_string());
    tell(Progress::Began(step.clone()));
    let mut examined = match target {
        Target::Web(origin) => of_web(origin, heard, stop).await,
        Target::Ice(url) => {
            let given = if credential.is_some() { Credentials::Given } else { Credentials::None };
            let legs = legs(url.clone(), credential, heard, stop).await;
            let server =
                Server { url: url.to_string(), web: None, credentials: given, legs, failure: None };
            Examined { server, clock: None, portal: Portal::Unknown, tried: Vec::new() }
        }
    };
    let answered = |leg: &Leg| leg.rtt.is_some() || leg.mapped.is_some();
    let of_leg = |leg: &Leg| Some((leg.address?.ip(), answered(leg)));
    examined.tried.extend(examined.server.legs.iter().filter_map(of_leg));
    let (mark, words) = words(&examined.server);
    tell(Progress::Ended(step, mark, words));
    examined
}

async fn of_web(origin: &Origin, heard: Mouths, stop: Stop) -> Examined {
    let mut server = Server {
        url: origin.to_string(),
        web: None,
        credentials: Credentials::None,
        legs: Vec::new(),
        failure: None,
    };
    let addresses = match resolve(&origin.host, origin.port).await {
        Ok(addresses) => addresses,
        Err(failure) => {
            server.failure = Some(failure);
            let tried = Vec::new();
            return Examined { server, clock: None, portal: Portal::Unknown, tried };
        }
    };
    let relays = async {
        let welcomed = welcome(origin).await;
        let Ok(welcome) = &welcomed else { return (welcomed, Vec::new()) };
        let heard = heard.of_server(welcome.second_port);
        let each = welcome.servers.iter().map(|(url, credential)| {
            legs(url.clone(), credential.clone(), heard.clone(), stop.clone())
        });
        let legs: Vec<Leg> = join_all(each).await.into_iter().flatten().collect();
        (welcomed, legs)
    };
    let plain = async {
        // A login portal stands between here and elsewhere.
        if origin.host.is_local() { Portal::None } else { portal::of_server(origin).await }
    };
    let (visit, (welcomed, legs), plain) =
        tokio::join!(web::visit(origin, &addresses), relays, plain);
    let mut found: Web = visit.web;
    match &welcomed {
        Ok(welcome) => {
            found.signaling = Some(welcome.took);
            if welcome.servers.iter().any(|(_, credential)| credential.is_some()) {
                server.credentials = Credentials::Issued;
            }
        }
        Err(failure) => found.failure = found.failure.or_else(|| Some(failure.clone())),
    }
    let away = visit.led_away.filter(|_| welcomed.is_err()).map(|to| {
        portal::suspected(format_args!("{origin} leads to {to} instead of its own page"))
    });
    let own = if welcomed.is_ok() { Portal::None } else { Portal::Unknown };
    server.legs = legs;
    server.web = Some(found);
    Examined {
        server,
        clock: visit.clock,
        portal: portal::worst([plain, own, away.unwrap_or(Portal::Unknown)]),
        tried: visit.tried,
    }
}

/// A server in a few words.
fn words(server: &Server) -> (Mark, String) {
    let failure = server.failure.as_ref().or_else(|| server.web.as_ref()?.failure.as_ref());
    if let Some(failure) = failure {
        return (Mark::Bad, failure.to_string());
    }
    let works = server.legs.iter().filter(|leg| leg.works()).count();
    let all = server.legs.len();
    let best = server.legs.iter().filter_map(|leg| leg.rtt).min();
    let rtt = best.map(|rtt| format!(", {rtt}")).unwrap_or_default();
    let self_signed = server
        .web
        .as_ref()
        .and_then(|web| web.certificate.as_ref())
        .is_some_and(|it| it.trust != Trust::Trusted);
    let mark = match works {
        0 => Mark::Bad,
        _ if works < all || self_signed => Mark::Caution,
        _ => Mark::Good,
    };
    match server.legs.first() {
        Some(leg) if all == 1 => match &leg.failure {
            Some(failure) => (mark, failure.to_string()),
            None => (mark, format!("answers{rtt}")),
        },
        _ => (mark, format!("{works} of {all} ways work{rtt}")),
    }
}
