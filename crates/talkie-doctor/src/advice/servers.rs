//! What is to be said about the servers that were named, and the way to them.

use super::Sight;
use super::findings::{Code, Finding, Severity};
use crate::report::{Certificate, Credentials, FailureKind, Leg, Portal, Report, Server, Trust};

/// Beyond this a clock is wrong: certificates are fresh and credentials short for minutes.
const SKEW_BAD: f64 = 300.0;
/// Beyond this it should be set.
const SKEW: f64 = 30.0;

pub(super) fn findings(report: &Report, sight: &Sight) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(portal(report));
    found.extend(clock(report));
    found.extend(blocked(sight));
    for server in &report.servers {
        found.extend(unreachable(report, server, sight));
        found.extend(credentials(server));
        found.extend(relays(server));
        found.extend(ways(server, sight));
        found.extend(certificate(server));
    }
    found.extend(relay_untried(report, sight));
    found
}

/// Whether a server that was named does not do its part. That this host has no IPv6 is not the
/// server's fault, and a certificate of its own making is for the operator to know.
pub(super) fn troubled(report: &Report) -> bool {
    let web = |server: &Server| server.web.as_ref().is_some_and(|web| web.failure.is_some());
    report.servers.iter().any(|server| {
        server.failure.is_some()
            || web(server)
            || server.legs.iter().any(|leg| blame(leg).is_some())
    })
}

/// A leg's failure, if it is one that says something of server or network.
fn blame(leg: &Leg) -> Option<&crate::report::Failure> {
    leg.failure.as_ref().filter(|it| !matches!(it.kind, FailureKind::NoRoute))
}

fn portal(report: &Report) -> Option<Finding> {
    let Portal::Suspected { evidence } = &report.portal else { return None };
    Some(
        Finding::new(
            Code::LoginPortal,
            Severity::Bad,
            "The network seems to want a login",
            format!("Something answers in the place of the server: {evidence}."),
        )
        .action("Open any http:// page in a browser, log in, and run this again."),
    )
}

fn clock(report: &Report) -> Option<Finding> {
    let clock = report.clock.as_ref()?;
    let off = clock.ahead_seconds.abs();
    if off < SKEW {
        return None;
    }
    let severity = if off >= SKEW_BAD { Severity::Bad } else { Severity::Caution };
    let way = if clock.ahead_seconds > 0.0 { "ahead of" } else { "behind" };
    Some(
        Finding::new(
            Code::ClockSkew,
            severity,
            format!("This machine's clock is {} {way} the server's", span(off)),
            "Certificates and the relay's credentials hold for a time only, and fail when the \
             clocks differ.",
        )
        .action("Set the clock: switch on automatic time (NTP), here or on the server."),
    )
}

/// A time that a person can take in.
fn span(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.0} hours", seconds / 3600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

fn blocked(sight: &Sight) -> Option<Finding> {
    if sight.tls_only {
        return Some(
            Finding::new(
                Code::TlsOnly,
                Severity::Bad,
                "Only TLS passes: UDP and plain TCP are blocked",
                "Calls have to go through a relay over TLS, which is slower and stutters when \
                 packets are lost.",
            )
            .action("Ask the network's operator to let UDP out, at least to the relay's port."),
        );
    }
    sight.udp_blocked.then(|| {
        Finding::new(
            Code::UdpBlocked,
            Severity::Bad,
            "UDP is blocked",
            "No direct connection is possible. Calls go through a relay over TCP or TLS, which \
             stutters when packets are lost.",
        )
        .action("Let UDP out in the firewall, at least to the server's STUN and TURN port.")
    })
}

fn unreachable(report: &Report, server: &Server, sight: &Sight) -> Option<Finding> {
    let failure = server
        .failure
        .as_ref()
        .or_else(|| server.web.as_ref()?.failure.as_ref())
        .or_else(|| {
            let all = !server.legs.is_empty() && server.legs.iter().all(|leg| !leg.works());
            let first = || server.legs.iter().find_map(blame).or(server.legs[0].failure.as_ref());
            if server.web.is_none() && all { first() } else { None }
        })?;
    // These have findings of their own.
    if matches!(failure.kind, FailureKind::Credentials | FailureKind::NotRelayed)
        || (failure.kind == FailureKind::Rejected && sight.answered)
    {
        return None;
    }
    let action = match failure.kind {
        FailureKind::Name if report.host.routes.is_empty() => "Connect this machine to a network.",
        FailureKind::Name => "Check the name, and that this machine's DNS works.",
        FailureKind::NoRoute => {
            "Connect this machine to a network that has a way there; see the routes above."
        }
        FailureKind::Refused => "Check the port, and that the server runs.",
        FailureKind::Silent => {
            "Check the address, that the server runs, and that firewalls on both sides let this \
             port through."
        }
        FailureKind::Tls => "Check that the port is one for HTTPS or TLS.",
        FailureKind::Unexpected => "Check the address: this is not what was expected there.",
        _ => "Try again; if it stays so, look at the server's log.",
    };
    let code = if report.host.routes.is_empty() && !sight.answered {
        Code::NoNetwork
    } else {
        Code::ServerUnreachable
    };
    if code == Code::NoNetwork {
        return None;
    }
    Some(
        Finding::new(
            code,
            Severity::Bad,
            format!("{} cannot be used", server.url),
            sentence(&failure.message),
        )
        .action(action),
    )
}

/// A message of the program as a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first: String = letters.next().map(|it| it.to_uppercase().collect()).unwrap_or_default();
    // Names and addresses are written as they are.
    let word = message.split(' ').next().unwrap_or_default();
    let keep = word.contains([':', '/', '.', '[']);
    let start = if keep { message.to_owned() } else { format!("{first}{}", letters.as_str()) };
    if start.ends_with('.') { start } else { format!("{start}.") }
}

fn credentials(server: &Server) -> Option<Finding> {
    let refused =
        |leg: &&Leg| leg.failure.as_ref().is_some_and(|it| it.kind == FailureKind::Credentials);
    let leg = server.legs.iter().find(refused)?;
    let finding = Finding::new(
        Code::CredentialsRefused,
        Severity::Bad,
        format!("{} refuses the credentials", server.url),
        sentence(&leg.failure.as_ref()?.message),
    );
    Some(match server.credentials {
        Credentials::Issued => finding.action(
            "The server gave them itself: check its clock, and that all its processes share one \
             --turn-secret.",
        ),
        _ => finding.action("Check --user and --password; time-limited ones may have expired."),
    })
}

fn relays(server: &Server) -> Option<Finding> {
    let broken = |leg: &&Leg| {
        leg.scheme != "stun"
            && leg.failure.as_ref().is_some_and(|it| {
                matches!(it.kind, FailureKind::NotRelayed | FailureKind::Rejected)
            })
    };
    let leg = server.legs.iter().find(broken)?;
    let failure = leg.failure.as_ref()?;
    let finding = Finding::new(
        Code::RelayBroken,
        Severity::Bad,
        format!("{} does not relay", server.url),
        sentence(&failure.message),
    );
    Some(finding.action(if failure.kind == FailureKind::NotRelayed {
        "On the server: open its relay ports for UDP, and check its --external-ip."
    } else {
        "On the server: check its limits, its relay ports and its log."
    }))
}

/// Ways that fail while others of the same server work.
fn ways(server: &Server, sight: &Sight) -> Option<Finding> {
    let explained = |leg: &&Leg| {
        (sight.udp_blocked && leg.transport == "udp") || (sight.tls_only && leg.transport == "tcp")
    };
    let own = |kind| {
        !matches!(kind, FailureKind::Credentials | FailureKind::NotRelayed | FailureKind::Rejected)
    };
    let fails = |leg: &&Leg| blame(leg).is_some_and(|it| own(it.kind)) && !explained(leg);
    let failing: Vec<_> = server.legs.iter().filter(fails).collect();
    if failing.is_empty() || server.legs.iter().all(|leg| !leg.works()) {
        return None;
    }
    let names: Vec<_> = failing
        .iter()
        .map(|leg| match leg.address {
            Some(address) => format!("{} over {} at {address}", leg.scheme, leg.transport),
            None => format!("{} over {}", leg.scheme, leg.transport),
        })
        .collect();
    let first = failing.first().and_then(|leg| leg.failure.as_ref())?;
    Some(
        Finding::new(
            Code::WayFails,
            Severity::Caution,
            format!("Not every way to {} works", server.url),
            format!("{}. {}", names.join(", "), sentence(&first.message)),
        )
        .action("Open that port on the server and in firewalls, or let the server not offer it."),
    )
}

fn certificate(server: &Server) -> Option<Finding> {
    let of_web = server.web.as_ref().and_then(|web| web.certificate.as_ref());
    // Pages by plain HTTP are for this machine only, and its relay over TLS is for others.
    let of_leg = || server.legs.iter().find_map(|leg| leg.certificate.as_ref());
    let Certificate { trust, sha256 } = if server.web.is_some() { of_web } else { of_leg() }?;
    let (why, action) = match trust {
        Trust::Trusted => return None,
        Trust::UnknownIssuer => (
            "no authority that this machine knows has signed it",
            "Give the server a certificate of its name (--tls-cert), or compare the fingerprint.",
        ),
        Trust::OtherName => (
            "it is for another name",
            "Use the name that the certificate is for, or get one for this name.",
        ),
        Trust::Expired => ("it has expired", "Renew it, or set this machine's clock."),
        Trust::NotYet => ("it is not valid yet", "Set this machine's clock, or the server's."),
        Trust::Refused => ("it cannot be used for this", "Get another certificate."),
    };
    Some(
        Finding::new(
            Code::Certificate,
            Severity::Caution,
            format!("Browsers warn of the certificate of {}", server.url),
            format!("Because {why}. SHA-256 {sha256}."),
        )
        .action(action),
    )
}

fn relay_untried(report: &Report, sight: &Sight) -> Option<Finding> {
    // A talkie serve that did not come to its relay has a finding of its own.
    let missed = |server: &Server| server.web.as_ref().is_some_and(|web| web.failure.is_some());
    if sight.relay.is_some() || !sight.answered || report.servers.iter().any(missed) {
        return None;
    }
    let named = report.legs().any(|leg| leg.scheme != "stun");
    let (title, action) = if named {
        ("The relay could not be tried", "Name its credentials with --user and --password.")
    } else {
        ("No relay was named", "Name one: a talkie serve, or turn:HOST with --user and --password.")
    };
    Some(
        Finding::new(
            Code::RelayUntried,
            Severity::Hint,
            title,
            "Where no direct connection comes about, a relay is the only way.",
        )
        .action(action),
    )
}
