//! The answers in sentences.

use super::{Sight, Verdict};
use crate::report::{Behaviour, Nat, NatType, Portal, Report};

/// A NAT in a few words, as a step of the examination ends with.
#[must_use]
pub fn nat_in_short(nat: &Nat) -> String {
    let seen = match (nat.translates, nat.mapped) {
        (Some(false), _) | (_, None) => String::new(),
        (_, Some(mapped)) => format!(", seen as {mapped}"),
    };
    format!("{}{seen}", name(nat))
}

/// What it is called.
fn name(nat: &Nat) -> &'static str {
    match nat.nat_type {
        Some(NatType::Open) => "no NAT, no filter",
        Some(NatType::Firewall) => "no NAT, a firewall",
        Some(NatType::FullCone) => "full cone NAT",
        Some(NatType::AddressRestricted) => "address-restricted cone NAT",
        Some(NatType::PortRestricted) => "port-restricted cone NAT",
        Some(NatType::Symmetric) => "symmetric NAT",
        None if nat.translates == Some(false) => "no NAT",
        None => match (nat.mapping, nat.port_dependent) {
            (Some(Behaviour::EndpointIndependent), _) => "cone NAT",
            (Some(Behaviour::AddressDependent), _) => "NAT with ports by address",
            (Some(Behaviour::AddressAndPortDependent), _) | (None, Some(true)) => {
                "NAT with another port for each destination"
            }
            (None, Some(false)) => "NAT, most likely of the cone kinds",
            (None, None) => "NAT of unknown kind",
        },
    }
}

/// The whole in one sentence. `judged` is whether it is known with whom direct connections work.
pub(super) fn headline(report: &Report, sight: &Sight, verdict: Verdict, judged: bool) -> String {
    let text = match verdict {
        Verdict::Offline if report.host.routes.is_empty() && !sight.answered => {
            "This machine has no network: there is no way to the Internet."
        }
        Verdict::Offline if matches!(report.portal, Portal::Suspected { .. }) => {
            "The network wants a login before it lets anything through."
        }
        Verdict::Offline if !sight.answered => match report.servers.as_slice() {
            [server] => return format!("{} does not answer.", server.url),
            _ => "None of the servers answers.",
        },
        Verdict::Offline if !sight.served => match report.servers.as_slice() {
            [server] => return format!("{} answers, and cannot be used.", server.url),
            _ => "None of the servers can be used.",
        },
        Verdict::Offline => {
            "Most connections would need a relay from here, and none of those named works."
        }
        Verdict::Relay if sight.udp_blocked => {
            "UDP is blocked here: connections work through a relay only."
        }
        Verdict::Relay if sight.relay.is_none() => {
            "Most direct connections fail from here: a relay is needed, and none was tried."
        }
        Verdict::Relay => "Most direct connections fail from here: they go through a relay.",
        Verdict::Direct => "Direct connections work from here with most others.",
        Verdict::Impaired if !judged => "A server that was named does not do its part.",
        Verdict::Impaired => {
            "Direct connections work from here, but a server does not do its part."
        }
        Verdict::Unclear if sight.local => {
            "The server works. It is too near to see the NAT before the Internet."
        }
        Verdict::Unclear => "The server works. What NAT there is could not be found out.",
    };
    text.to_owned()
}

/// What NAT it is and what that means.
pub(super) fn nat(report: &Report, sight: &Sight) -> Option<String> {
    let nat = report.nat()?;
    if sight.local {
        return Some(format!(
            "Between this machine and {} there is no NAT. That says nothing of the Internet: name a \
             server there.",
            nat.server
        ));
    }
    let mut text = match nat.nat_type {
        Some(kind) => of_type(kind).to_owned(),
        None => of_parts(nat),
    };
    if let (Some(true), Some(mapped)) = (nat.translates, nat.mapped) {
        text.push_str(&format!(" Others see you as {}.", mapped.ip()));
    }
    Some(text)
}

fn of_type(kind: NatType) -> &'static str {
    match kind {
        NatType::Open => {
            "No NAT: this machine has its own address on the Internet, and nothing filters what \
             comes in."
        }
        NatType::Firewall => {
            "No NAT, but a firewall: this machine has its own address on the Internet, and only \
             answers come in."
        }
        NatType::FullCone => {
            "A full cone NAT: one outside port for everybody, and anybody may send to it."
        }
        NatType::AddressRestricted => {
            "An address-restricted cone NAT: one outside port for everybody, and only hosts that \
             were sent to may answer."
        }
        NatType::PortRestricted => {
            "A port-restricted cone NAT, as most home routers have: one outside port for \
             everybody, and only a host and port that was sent to may answer."
        }
        NatType::Symmetric => {
            "A symmetric NAT: another outside port for each destination, so that nobody can be \
             told beforehand where to send."
        }
    }
}

fn of_parts(nat: &Nat) -> String {
    if nat.translates == Some(false) {
        return "No NAT: this machine has its own address on the Internet. Whether a firewall \
                filters what comes in could not be found out."
            .to_owned();
    }
    let mapping = match (nat.mapping, nat.port_dependent) {
        (Some(Behaviour::EndpointIndependent), _) => "one outside port for everybody",
        (Some(Behaviour::AddressDependent), _) => "another outside port for each host",
        (Some(Behaviour::AddressAndPortDependent), _) | (None, Some(true)) => {
            "another outside port for each destination"
        }
        (None, Some(false)) => "most likely one outside port for everybody",
        (None, None) => "it is not known how it chooses outside ports",
    };
    let filtering = match nat.filtering {
        Some(Behaviour::EndpointIndependent) => "anybody may send to it",
        Some(Behaviour::AddressDependent) => "only hosts that were sent to may answer",
        Some(Behaviour::AddressAndPortDependent) => {
            "only a host and port that was sent to may answer"
        }
        None => "it is not known who may send in",
    };
    format!("A NAT: {mapping}, and {filtering}.")
}
