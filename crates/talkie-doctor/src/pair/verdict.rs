//! What an attempt means: why it came out as it did, and what would change it. A pure function of
//! both sides' reports and of the attempt.
//!
//! The rule is that of RFC 4787's words (`advice::between`): a packet arrives if the receiver's NAT
//! lets in its source as it is after the sender's NAT. A side whose outside port depends on the
//! destination sends to the other from a port that nobody could announce; only a filter that does not
//! look at ports lets that in.

use std::net::IpAddr;

use serde::Serialize;

use super::talk::Side;
use super::tried::{CandidateType, Found, Tried};
use crate::advice::{between, likely};
use crate::report::{Allocation, Behaviour, Family, Nat, NatType, Scope};

/// How an attempt came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Without a relay.
    Direct,
    /// Over a relay.
    Relayed,
    /// Not at all.
    Failed,
}

/// What an attempt means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// How it came out.
    pub outcome: Outcome,
    /// The whole in one sentence.
    pub headline: String,
    /// Why, a sentence or two each.
    pub why: Vec<String>,
    /// What to change, what has the most effect first.
    pub advice: Vec<String>,
}

/// Says what an attempt means.
#[must_use]
pub fn judge(ours: &Side, theirs: &Side, tried: &Tried, theirs_tried: Option<&Tried>) -> Verdict {
    let outcome = match &tried.path {
        Some(found) if found.direct => Outcome::Direct,
        Some(_) => Outcome::Relayed,
        None => Outcome::Failed,
    };
    let pair = Pair { ours, theirs, family: family(tried) };
    let (why, advice) = match (outcome, &tried.path) {
        (Outcome::Direct, Some(found)) => (vec![pair.why_direct(found)], Vec::new()),
        _ => {
            let no_relay = outcome == Outcome::Failed
                && !tried.had_relay
                && !theirs_tried.is_some_and(|tried| tried.had_relay);
            pair.why_not(no_relay)
        }
    };
    let headline = match outcome {
        Outcome::Direct => "Direct: the two machines reach each other without a relay.",
        Outcome::Relayed => "Relayed: it works, through the server's relay and not directly.",
        Outcome::Failed => "No connection: neither directly nor through a relay.",
    };
    Verdict { outcome, headline: headline.to_owned(), why, advice }
}

fn family(tried: &Tried) -> Family {
    tried.path.map_or(Family::Ipv4, |found| Family::of(found.remote_address.ip()))
}

#[derive(Clone, Copy)]
struct Pair<'a> {
    ours: &'a Side,
    theirs: &'a Side,
    family: Family,
}

/// What there is to say about one side.
struct View<'a> {
    nat: Option<&'a Nat>,
    blocked: bool,
    /// Mapping and filtering, as far as known, else most likely.
    behaviour: Option<(Behaviour, Behaviour)>,
    /// `your` or `the other`.
    whose: &'static str,
}

impl View<'_> {
    fn moves(&self) -> bool {
        self.behaviour.is_some_and(|it| it.0 != Behaviour::EndpointIndependent)
    }

    /// Whether it may be the kernel's masquerade, which keeps ports and filters by them. An uninvited
    /// packet for the router itself takes the port, and the mapping that was announced becomes another.
    fn may_move_port(&self) -> bool {
        self.nat.is_some_and(|nat| {
            nat.nat_type == Some(NatType::PortRestricted)
                && nat.allocation == Some(Allocation::Preserved)
        })
    }

    fn side(&self) -> String {
        format!("{} side", self.whose)
    }

    /// What it is called.
    fn kind(&self) -> String {
        let word = match (self.nat.and_then(|nat| nat.nat_type), self.behaviour) {
            (Some(NatType::Open), _) => "no NAT",
            (Some(NatType::Firewall), _) => "no NAT but a firewall",
            (Some(NatType::FullCone), _) => "a full cone NAT",
            (Some(NatType::AddressRestricted), _) => "an address-restricted NAT",
            (Some(NatType::PortRestricted), _) => "a port-restricted NAT",
            (Some(NatType::Symmetric), _) => "a symmetric NAT",
            (None, Some(_)) if self.moves() => "a NAT with another port for each destination",
            (None, Some(_)) => "a cone NAT",
            (None, None) => "an unknown NAT",
        };
        format!("{word} on {}", self.side())
    }
}

impl<'a> Pair<'a> {
    fn views(&self) -> [View<'a>; 2] {
        let view = |side: &'a Side, whose| {
            let nat = side.nat(self.family);
            let behaviour = nat.and_then(likely);
            View { nat, blocked: side.udp == Some(false), behaviour, whose }
        };
        [view(self.ours, "your"), view(self.theirs, "the other")]
    }

    fn why_direct(&self, found: &Found) -> String {
        use CandidateType::{Host, Prflx, Srflx};
        let [ours, theirs] = self.views();
        let kinds = format!("{} and {}", ours.kind(), theirs.kind());
        match (found.local, found.remote) {
            (Host, Host) => {
                "Both know each other's own address: there is no NAT between them.".to_owned()
            }
            (Srflx | Prflx, Srflx | Prflx) => format!(
                "Hole punching went through both NATs: each side's packets opened the way for the \
                 other's. There is {kinds}."
            ),
            _ => {
                format!("The packets of one side opened the way for the other's. There is {kinds}.")
            }
        }
    }

    /// Why there is no direct path, and what to change.
    fn why_not(&self, no_relay: bool) -> (Vec<String>, Vec<String>) {
        let views = self.views();
        let [ours, theirs] = &views;
        let mut why = Vec::new();
        let mut advice = Vec::new();
        match (ours.blocked, theirs.blocked) {
            (true, true) => why.push("UDP is blocked on both sides.".to_owned()),
            (true, false) | (false, true) => {
                let view = if ours.blocked { ours } else { theirs };
                why.push(format!(
                    "UDP is blocked on {}: a direct connection needs it, and a relay is then \
                     reached over TCP or TLS.",
                    view.side()
                ));
            }
            (false, false) => why.push(self.why_nats(ours, theirs)),
        }
        for view in views.iter().filter(|view| view.blocked) {
            advice.push(format!(
                "On {}: let UDP out through the firewall, to any port, or let the machine into a \
                 network where that is so.",
                view.side()
            ));
        }
        if !ours.blocked && !theirs.blocked {
            advice.extend(self.advise_nats(ours, theirs));
        }
        if no_relay {
            why.push("Neither side got an address on a relay of this server.".to_owned());
            advice.push(
                "Find out with `talkie doctor --server URL` on both sides why the relay can't be \
                 used; its UDP ports must be open to the Internet."
                    .to_owned(),
            );
        }
        (why, advice)
    }

    fn why_nats(&self, ours: &View<'_>, theirs: &View<'_>) -> String {
        let (Some(a), Some(b)) = (ours.behaviour, theirs.behaviour) else {
            let unknown = [ours, theirs].into_iter().filter(|view| view.behaviour.is_none());
            let sides: Vec<_> = unknown.map(View::side).collect();
            return format!("What NAT there is on {} could not be found out.", sides.join(" and "));
        };
        if between(a, b) {
            return self.why_despite(ours, theirs);
        }
        if ours.moves() && theirs.moves() {
            let symmetric = |view: &View<'_>| {
                view.nat.is_some_and(|nat| nat.nat_type == Some(NatType::Symmetric))
            };
            let both = if symmetric(ours) && symmetric(theirs) {
                "Both NATs are symmetric: they use"
            } else {
                "Both NATs use"
            };
            return format!(
                "{both} another outside port for each destination, so that neither side can be \
                 told where to send."
            );
        }
        let (moving, filtering) = if ours.moves() { (ours, theirs) } else { (theirs, ours) };
        format!(
            "There is {} and {}. The first uses another outside port for each destination, which \
             nobody can know beforehand; the second lets in only ports that were sent to.",
            moving.kind(),
            filtering.kind()
        )
    }

    /// The NATs would let it through.
    fn why_despite(&self, ours: &View<'_>, theirs: &View<'_>) -> String {
        if let (Some(a), Some(b)) = (outside(ours.nat), outside(theirs.nat))
            && a == b
        {
            return format!(
                "Both are behind the same outside address, {a}: it does not send packets for \
                 itself back inside (hairpinning), and inside the two don't reach each other."
            );
        }
        let early = if ours.may_move_port() || theirs.may_move_port() {
            ", or a Linux router without a firewall: it takes another outside port when the other \
             side's first packet came before its own"
        } else {
            ""
        };
        format!(
            "There is {} and {}, which let a direct connection through. Something else keeps it \
             away: a firewall on one of the machines, a second NAT, heavy loss{early}.",
            ours.kind(),
            theirs.kind()
        )
    }

    fn advise_nats(&self, ours: &View<'_>, theirs: &View<'_>) -> Vec<String> {
        let mut advice = Vec::new();
        let works = match (ours.behaviour, theirs.behaviour) {
            (Some(a), Some(b)) => between(a, b),
            _ => return vec!["Name another server that answers STUN, on both sides.".to_owned()],
        };
        if works {
            advice.push(
                "Look at the firewalls of both machines: they must let UDP in that answers what \
                 was sent."
                    .to_owned(),
            );
        }
        for view in [ours, theirs].into_iter().filter(|view| works && view.may_move_port()) {
            advice.push(format!(
                "On {}, if its router is a Linux machine of your own: let it drop what comes in \
                 from outside unasked (`ct state new drop` in nftables).",
                view.side()
            ));
        }
        for view in [ours, theirs].into_iter().filter(|view| !works && view.moves()) {
            let carrier = outside_of_carrier(view.nat);
            advice.push(if carrier {
                format!(
                    "On {}: the provider's NAT is the symmetric one; ask for a public address, or \
                     use another network.",
                    view.side()
                )
            } else {
                format!(
                    "On {}: switch off what the router calls symmetric or strict NAT or random \
                     ports (`masquerade random` on Linux), switch on UPnP or PCP, or forward a UDP \
                     port.",
                    view.side()
                )
            });
        }
        let both = |family| self.ours.nat(family).is_some() && self.theirs.nat(family).is_some();
        if !both(Family::Ipv6) {
            advice.push(
                "IPv6 on both sides needs no NAT: then there is nothing to punch.".to_owned(),
            );
        }
        advice
    }
}

/// The address by which others see it, where that is another.
fn outside(nat: Option<&Nat>) -> Option<IpAddr> {
    let nat = nat.filter(|nat| nat.translates == Some(true))?;
    nat.mapped.map(|mapped| mapped.ip())
}

/// Whether the host's own address is one of a carrier's network (RFC 6598).
fn outside_of_carrier(nat: Option<&Nat>) -> bool {
    nat.is_some_and(|nat| Scope::of(nat.local.ip()) == Scope::Shared)
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
