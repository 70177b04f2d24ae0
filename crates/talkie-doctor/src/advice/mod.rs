//! What a report means, in plain words: a pure function of the report.
//!
//! Three questions are answered in this order. What stands between this host and others
//! ([`Diagnosis::nat`])? With whom will a direct connection work ([`Diagnosis::peers`])? What should
//! be changed, the most effective first ([`Diagnosis::findings`])?

mod findings;
mod network;
mod peers;
mod servers;
mod words;

use serde::Serialize;

pub use findings::{Code, Finding, Severity};
pub use peers::{Outcome, Peer, PeerKind, between};
pub use words::nat_in_short;

pub(crate) use peers::likely;

use crate::report::{FailureKind, Report, Scope};

/// What a report means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The whole in one word.
    pub verdict: Verdict,
    /// The whole in one sentence.
    pub headline: String,
    /// What NAT it is and what that means; `None` if it is not known.
    pub nat: Option<String>,
    /// With whom a direct connection will work; empty if that is not known.
    pub peers: Vec<Peer>,
    /// All that is worth saying, what has the most effect first.
    pub findings: Vec<Finding>,
}

/// What `talkie doctor --json` prints: the report, and what it means.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Document<'a> {
    /// The report; its fields stand beside `diagnosis`.
    #[serde(flatten)]
    pub report: &'a Report,
    /// What it means.
    pub diagnosis: &'a Diagnosis,
}

/// The whole in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Direct connections work with most others.
    Direct,
    /// They do, or that could not be judged, and a server that was named does not do its part.
    Impaired,
    /// Most connections need a relay, and there is one or none was tried.
    Relay,
    /// There is no network, no server can be used, or the relay that is needed is not there.
    Offline,
    /// The servers answer, and from where they are the NAT cannot be seen.
    Unclear,
}

/// Says what `report` means.
#[must_use]
pub fn diagnose(report: &Report) -> Diagnosis {
    let sight = Sight::of(report);
    let peers = peers::table(report, &sight);
    let verdict = verdict(report, &sight, &peers);
    Diagnosis {
        verdict,
        headline: words::headline(report, &sight, verdict, !peers.is_empty()),
        nat: words::nat(report, &sight),
        findings: findings::all(report, &sight),
        peers,
    }
}

/// What several parts of the advice need to know of a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight {
    /// Any server answered anything.
    pub(crate) answered: bool,
    /// Any STUN or TURN server did.
    pub(crate) served: bool,
    /// Servers were asked over UDP, none answered there, and one did over TCP or TLS.
    pub(crate) udp_blocked: bool,
    /// Plain TCP is blocked, too, and TLS is not.
    pub(crate) tls_only: bool,
    /// A relay works: `None` if none could be tried to the end.
    pub(crate) relay: Option<bool>,
    /// The server that the NAT was seen from is on this host or in this network, with no
    /// translation in between: what stands before the Internet cannot be seen.
    pub(crate) local: bool,
}

impl Sight {
    pub(crate) fn of(report: &Report) -> Self {
        let answered = |leg: &&crate::report::Leg| leg.rtt.is_some() || leg.mapped.is_some();
        let over = |transport| report.legs().filter(move |leg| leg.transport == transport);
        // Without a way of that IP version nothing is blocked.
        let routed = |leg: &&crate::report::Leg| !matches!(&leg.failure, Some(it) if matches!(it.kind, FailureKind::NoRoute | FailureKind::Name));
        let tried_udp = over("udp").filter(routed).count() > 0;
        let udp = over("udp").any(|leg| answered(&leg));
        let opened = |transport| over(transport).any(|leg| leg.rtt.is_some() && leg.works());
        let tcp = opened("tcp");
        let tls = opened("tls");
        let web =
            report.servers.iter().any(|it| it.web.as_ref().is_some_and(|it| it.rtt.is_some()));
        let relays: Vec<_> =
            report.legs().filter(|leg| leg.scheme != "stun").filter(routed).collect();
        let relay = if relays.iter().any(|leg| leg.relays()) {
            Some(true)
        } else if relays.is_empty() || relays.iter().any(|leg| leg.works()) {
            // None was named, or it asked for credentials that nobody has.
            None
        } else {
            Some(false)
        };
        let served = report.legs().any(|leg| answered(&leg));
        Self {
            answered: web || served,
            served,
            udp_blocked: tried_udp && !udp && (web || tcp || tls),
            tls_only: tried_udp && !udp && tls && !tcp && over("tcp").filter(routed).count() > 0,
            relay,
            local: is_local(report),
        }
    }
}

fn is_local(report: &Report) -> bool {
    match report.nat() {
        Some(nat) => nat.translates == Some(false) && Scope::of(nat.server.ip()) < Scope::Global,
        // Without an answer over UDP the addresses of the servers tell.
        None => {
            let mut addresses = report.legs().filter_map(|leg| leg.address).peekable();
            addresses.peek().is_some() && addresses.all(|it| Scope::of(it.ip()) == Scope::Loopback)
        }
    }
}

fn verdict(report: &Report, sight: &Sight, peers: &[Peer]) -> Verdict {
    if !sight.answered {
        return Verdict::Offline;
    }
    let troubled = servers::troubled(report);
    if peers.is_empty() {
        return match troubled {
            // Something answers, such as a login page, and it is of no use.
            true if !sight.served => Verdict::Offline,
            true => Verdict::Impaired,
            false => Verdict::Unclear,
        };
    }
    // Port-restricted is what most routers are, so that it stands for most others.
    let most = peers.iter().find(|peer| peer.kind == PeerKind::PortRestricted);
    match most.map(|peer| peer.outcome) {
        Some(Outcome::Direct | Outcome::LikelyDirect) if troubled => Verdict::Impaired,
        Some(Outcome::Direct | Outcome::LikelyDirect) => Verdict::Direct,
        Some(Outcome::None) => Verdict::Offline,
        _ => Verdict::Relay,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
