//! What a side of an ICE session stands behind, and what theory says of two that meet.

use std::net::IpAddr;
use std::time::Duration;

use talkie_sim::nat::{self, Filtering, Hairpinning, Mapping, Ports, Prefix, Preset};
use talkie_sim::net::{Duplex, Link, NatBox, Network, Place, Router};

use crate::discover_world::ip;

/// What stands between a side and the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    /// Nothing.
    Open,
    /// A NAT with a name; IPv4 only.
    Preset(Preset),
    /// A NAT that gives any port, so that nothing can be guessed; IPv4 only.
    Kind(Mapping, Filtering),
    /// The first before the second; IPv4 only.
    TwoLevels(Preset, Preset),
    /// IPv6 only, behind a firewall.
    V6,
    /// IPv4 behind a port-restricted cone, IPv6 behind a firewall.
    Dual,
    /// IPv6 only, and a NAT64 with this filtering.
    Nat64(Filtering),
    /// The same with IPv4 on top of it (RFC 6877, 464XLAT). What turns the host's IPv4 packets into IPv6 ones
    /// keeps their ports, so that outside only the NAT64 is seen.
    Xlat(Filtering),
}

/// Where a side is to be attached, and with which addresses.
pub(crate) struct Ground {
    pub(crate) place: Place,
    pub(crate) link: Duplex,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) nats: Vec<NatBox>,
}

/// What one side of a pair is called by: its addresses.
pub(crate) struct Lot {
    /// In the world; the first one is all that most have.
    pub(crate) outside: [&'static str; 2],
    pub(crate) inside: &'static str,
    pub(crate) v6: &'static str,
}

pub(crate) const LOTS: [Lot; 2] = [
    Lot { outside: ["198.51.100.1", "198.51.100.2"], inside: "10.0.0.2", v6: "2001:db8:a::2" },
    Lot { outside: ["203.0.113.1", "203.0.113.2"], inside: "10.1.0.2", v6: "2001:db8:b::2" },
];

/// How long a packet takes from a host to its NAT.
pub(crate) const NEAR: Duration = Duration::from_millis(1);

impl Spot {
    /// Builds it below the internet, behind a link `far`.
    pub(crate) fn build(
        self,
        network: &mut Network,
        internet: Router,
        far: Duplex,
        lot: &Lot,
    ) -> Ground {
        let near: Duplex = Link::with_delay(NEAR).into();
        let outside = ip(lot.outside[0]);
        let (inside, v6) = (ip(lot.inside), ip(lot.v6));
        let behind = |nats: Vec<NatBox>, addresses: Vec<IpAddr>| Ground {
            place: nats[nats.len() - 1].into(),
            link: near.clone(),
            addresses,
            nats,
        };
        match self {
            Self::Open => {
                Ground { place: internet.into(), link: far, addresses: vec![outside], nats: vec![] }
            }
            Self::Preset(preset) => {
                let nat = network.add_nat("nat", internet, far, preset.config([outside]));
                let is_firewall = preset == Preset::Firewall;
                behind(vec![nat], vec![if is_firewall { outside } else { inside }])
            }
            Self::Kind(mapping, filtering) => {
                let config = nat::Config {
                    mapping,
                    filtering,
                    ports: Ports::Random,
                    ..nat::Config::full_cone([outside])
                };
                behind(vec![network.add_nat("nat", internet, far, config)], vec![inside])
            }
            Self::TwoLevels(outer, inner) => {
                let outer = network.add_nat("outer", internet, far, outer.config([outside]));
                let inner = inner.config([ip("100.64.0.2")]);
                let inner = network.add_nat("inner", outer, near.clone(), inner);
                behind(vec![outer, inner], vec![inside])
            }
            Self::V6 => {
                let nat = network.add_nat("firewall", internet, far, nat::Config::firewall());
                behind(vec![nat], vec![v6])
            }
            Self::Dual => {
                let config = nat::Config::port_restricted_cone([outside]);
                behind(vec![network.add_nat("nat", internet, far, config)], vec![inside, v6])
            }
            Self::Nat64(filtering) | Self::Xlat(filtering) => {
                let config = nat::Config {
                    filtering,
                    hairpinning: Hairpinning::ExternalSource,
                    ..nat::Config::carrier_grade([outside])
                };
                let prefix = Prefix::WELL_KNOWN;
                let nat = network.add_nat64("nat64", internet, far, config, prefix);
                // RFC 7335: the address that a host has where nobody has given it one.
                let legacy = matches!(self, Self::Xlat(_)).then(|| ip("192.0.0.1"));
                behind(vec![nat], legacy.into_iter().chain([v6]).collect())
            }
        }
    }

    /// The kind of NAT that IPv4 packets see, `None` if no UDP passes.
    pub(crate) fn kind(self) -> Option<(Mapping, Filtering)> {
        use Filtering::{AddressAndPortDependent as Both, EndpointIndependent as Any};
        let open = (Mapping::EndpointIndependent, Any);
        match self {
            Self::Kind(mapping, filtering) => Some((mapping, filtering)),
            Self::Preset(preset) => preset_kind(preset),
            // The narrower of both: what passes must pass each.
            Self::TwoLevels(outer, inner) => {
                let (outer, inner) = (preset_kind(outer)?, preset_kind(inner)?);
                Some((wider(outer.0, inner.0), narrower(outer.1, inner.1)))
            }
            Self::Dual => Some((Mapping::EndpointIndependent, Both)),
            Self::Open | Self::V6 | Self::Nat64(_) | Self::Xlat(_) => Some(open),
        }
    }
}

/// Presets as RFC 4787 sees them, if both sides begin at once: Linux' connection tracking looks
/// endpoint-independent as long as no packet comes before the first that goes.
fn preset_kind(preset: Preset) -> Option<(Mapping, Filtering)> {
    use Filtering::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
    let cone = Mapping::EndpointIndependent;
    let symmetric = Mapping::AddressAndPortDependent;
    Some(match preset {
        Preset::FullCone => (cone, EndpointIndependent),
        Preset::AddressRestricted => (cone, AddressDependent),
        Preset::AddressDependent => (Mapping::AddressDependent, AddressDependent),
        Preset::Symmetric
        | Preset::LinuxRandomFully
        | Preset::HomeSequential
        | Preset::CgnatSymmetric => (symmetric, AddressAndPortDependent),
        Preset::PortRestricted
        | Preset::LinuxMasquerade
        | Preset::LinuxFirewalled
        | Preset::HomeRouter
        | Preset::HomeForgetful
        | Preset::Cgnat
        | Preset::Firewall => (cone, AddressAndPortDependent),
        Preset::UdpBlocked => return None,
    })
}

fn wider(one: Mapping, other: Mapping) -> Mapping {
    if one == Mapping::EndpointIndependent { other } else { one }
}

fn narrower(one: Filtering, other: Filtering) -> Filtering {
    if one == Filtering::EndpointIndependent { other } else { one }
}

/// Whether two sides that each know the other's server-reflexive address, and send to it at the same
/// time, come to a pair on which both see packets come from where they send to.
///
/// 1. Both mappings are endpoint-independent: each sends from the address that the other sends to,
///    so each has opened its own filter for exactly that.
/// 2. One is (X), the other (Y) is not: Y's packets to X come from a port that X has not sent to. They
///    pass if X asks for no port, and then X answers to it. If X does, no packet of Y ever reaches it;
///    and what Y hears of X through a filter that asks for nothing it can only answer from such a port.
/// 3. None is: nobody sends from the address that the other sends to. A packet gets through only at a
///    filter that asks for nothing (Y's), from a port x of X. Y answers from a port y, which X lets in if
///    it asks for no port. Now one of them must answer from the port it was sent to: X if all of Y's
///    address has x (address-dependent mapping), or else Y if all of X's address has y.
pub(crate) fn is_direct(one: (Mapping, Filtering), other: (Mapping, Filtering)) -> bool {
    let is_cone = |side: (Mapping, Filtering)| side.0 == Mapping::EndpointIndependent;
    let asks_port = |side: (Mapping, Filtering)| side.1 == Filtering::AddressAndPortDependent;
    let asks_nothing = |side: (Mapping, Filtering)| side.1 == Filtering::EndpointIndependent;
    let is_by_address = |side: (Mapping, Filtering)| side.0 == Mapping::AddressDependent;
    match (is_cone(one), is_cone(other)) {
        (true, true) => true,
        (true, false) => !asks_port(one),
        (false, true) => !asks_port(other),
        (false, false) => {
            let meet = |x, y| asks_nothing(y) && !asks_port(x);
            (meet(one, other) || meet(other, one)) && (is_by_address(one) || is_by_address(other))
        }
    }
}
