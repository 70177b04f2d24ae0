//! With whom will a direct connection work?
//!
//! Both sides know each other's outside address as a STUN server saw it, and both send there. A
//! packet arrives if the receiver's NAT lets in its source, as it is after the sender's NAT. So:
//!
//! - Two sides whose outside port depends on nothing always meet: each opens its own NAT for exactly
//!   the address that the other sends from.
//! - A side whose outside port depends on the remote sends from a port that the other has not sent
//!   to. That passes only a filter that does not look at ports; then the other answers to where it
//!   came from.

use serde::Serialize;

use super::Sight;
use crate::report::{Behaviour, Nat, NatType, Report};

/// One of those that one may want to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// What stands before them.
    pub kind: PeerKind,
    /// What will come of it.
    pub outcome: Outcome,
}

/// What stands before a peer: nothing, or one of the four classic NATs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PeerKind {
    /// Nothing.
    Open,
    /// Full cone.
    FullCone,
    /// Address-restricted cone.
    AddressRestricted,
    /// Port-restricted cone.
    PortRestricted,
    /// Symmetric.
    Symmetric,
}

/// What comes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// A direct connection.
    Direct,
    /// Most likely a direct one; not everything about the NAT is known.
    LikelyDirect,
    /// Through a relay.
    Relay,
    /// Most likely through a relay; not everything about the NAT is known.
    LikelyRelay,
    /// None: it would take a relay, and there is none that works.
    None,
}

/// Mapping and filtering of one side.
type Side = (Behaviour, Behaviour);

impl PeerKind {
    /// All of them, the easiest first.
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::FullCone,
        Self::AddressRestricted,
        Self::PortRestricted,
        Self::Symmetric,
    ];

    fn side(self) -> Side {
        use Behaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
        match self {
            Self::Open | Self::FullCone => (EndpointIndependent, EndpointIndependent),
            Self::AddressRestricted => (EndpointIndependent, AddressDependent),
            Self::PortRestricted => (EndpointIndependent, AddressAndPortDependent),
            Self::Symmetric => (AddressAndPortDependent, AddressAndPortDependent),
        }
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Open => "no NAT",
            Self::FullCone => "full cone",
            Self::AddressRestricted => "address-restricted",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
        }
    }
}

/// Whether two sides meet without a relay; each is its mapping and its filtering.
#[must_use]
pub fn between(ours: (Behaviour, Behaviour), theirs: (Behaviour, Behaviour)) -> bool {
    let moves = |side: Side| side.0 != Behaviour::EndpointIndependent;
    // Who is sent to from a port that it cannot know lets that in only if it ignores ports.
    let takes = |side: Side| side.1 != Behaviour::AddressAndPortDependent;
    match (moves(ours), moves(theirs)) {
        (false, false) => true,
        (true, false) => takes(theirs),
        (false, true) => takes(ours),
        // The first packet of one goes to the port that a STUN server saw of the other, which only a
        // filter without any condition lets in; the answer goes to where that came from.
        (true, true) => {
            let open = |side: Side| side.1 == Behaviour::EndpointIndependent;
            (open(ours) && takes(theirs)) || (open(theirs) && takes(ours))
        }
    }
}

/// The table for a report; empty if nothing is known that it could follow from.
pub(super) fn table(report: &Report, sight: &Sight) -> Vec<Peer> {
    if !sight.answered || sight.local {
        return Vec::new();
    }
    let relayed = |sure: bool| match sight.relay {
        Some(false) => Outcome::None,
        _ if sure => Outcome::Relay,
        _ => Outcome::LikelyRelay,
    };
    if sight.udp_blocked {
        let outcome = relayed(true);
        return PeerKind::ALL.map(|kind| Peer { kind, outcome }).into();
    }
    let Some(nat) = report.nat() else { return Vec::new() };
    let possible = possible(nat);
    let Some((mapping, filtering)) = likely(nat) else { return Vec::new() };
    let outcome = |kind: PeerKind| {
        let direct = between((mapping, filtering), kind.side());
        let sure = possible.iter().all(|ours| between(*ours, kind.side()) == direct);
        match (direct, sure) {
            (true, true) => Outcome::Direct,
            (true, false) => Outcome::LikelyDirect,
            (false, sure) => relayed(sure),
        }
    };
    PeerKind::ALL.map(|kind| Peer { kind, outcome: outcome(kind) }).into()
}

const ALL: [Behaviour; 3] = [
    Behaviour::EndpointIndependent,
    Behaviour::AddressDependent,
    Behaviour::AddressAndPortDependent,
];

/// All that this host's side may be, given what is known.
fn possible(nat: &Nat) -> Vec<Side> {
    let mappings: &[Behaviour] = match (mapping(nat), nat.port_dependent) {
        (Some(known), _) => &[known],
        (None, Some(false)) => &ALL[..2],
        (None, Some(true)) => &ALL[2..],
        (None, None) => &ALL,
    };
    let filterings: &[Behaviour] = match &nat.filtering {
        Some(known) => std::slice::from_ref(known),
        None => &ALL,
    };
    let both =
        |mapping: &Behaviour| filterings.iter().map(|it| (*mapping, *it)).collect::<Vec<_>>();
    mappings.iter().flat_map(both).collect()
}

/// What it is most likely; `None` if nothing is known of the mapping.
pub(crate) fn likely(nat: &Nat) -> Option<Side> {
    let mapping = match (mapping(nat), nat.port_dependent) {
        (Some(known), _) => known,
        // A mapping by address alone is rare.
        (None, Some(false)) => Behaviour::EndpointIndependent,
        (None, Some(true)) => Behaviour::AddressAndPortDependent,
        (None, None) => return None,
    };
    Some((mapping, nat.filtering.unwrap_or(Behaviour::AddressAndPortDependent)))
}

fn mapping(nat: &Nat) -> Option<Behaviour> {
    let untranslated = matches!(nat.nat_type, Some(NatType::Open | NatType::Firewall))
        || nat.translates == Some(false);
    if untranslated { Some(Behaviour::EndpointIndependent) } else { nat.mapping }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The classic table: each row one kind, its columns in the order of [`PeerKind::ALL`].
    #[test]
    fn the_classic_kinds_meet_as_the_textbooks_say() {
        for (kind, row) in [
            (PeerKind::Open, [true, true, true, true, true]),
            (PeerKind::FullCone, [true, true, true, true, true]),
            (PeerKind::AddressRestricted, [true, true, true, true, true]),
            (PeerKind::PortRestricted, [true, true, true, true, false]),
            (PeerKind::Symmetric, [true, true, true, false, false]),
        ] {
            let meets = PeerKind::ALL.map(|other| between(kind.side(), other.side()));
            assert_eq!(meets, row, "{kind:?}");
        }
    }

    #[test]
    fn who_meets_whom_does_not_depend_on_who_asks() {
        let sides = || ALL.into_iter().flat_map(|m| ALL.into_iter().map(move |f| (m, f)));
        for ours in sides() {
            for theirs in sides() {
                assert_eq!(between(ours, theirs), between(theirs, ours), "{ours:?} {theirs:?}");
            }
        }
    }
}
