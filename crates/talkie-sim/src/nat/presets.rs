//! NATs with names: the four of RFC 3489 §5, and what stands in real places.

use std::net::IpAddr;
use std::time::Duration;

use super::behavior::{Config, Filtering, Hairpinning, Mapping, Pooling, Ports, Unsolicited};

impl Config {
    /// Lets anybody in who learns of a mapping.
    #[must_use]
    pub fn full_cone(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self::cone(outside, Filtering::EndpointIndependent)
    }

    /// Lets in who is at an address that was sent to.
    #[must_use]
    pub fn address_restricted_cone(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self::cone(outside, Filtering::AddressDependent)
    }

    /// Lets in an address and port that was sent to. Most homes.
    #[must_use]
    pub fn port_restricted_cone(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self::cone(outside, Filtering::AddressAndPortDependent)
    }

    /// Another outside port for each remote, and nobody else is let in by it. Offices, and mobile
    /// networks of some operators.
    #[must_use]
    pub fn symmetric(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self {
            mapping: Mapping::AddressAndPortDependent,
            ports: Ports::Random,
            ..Self::port_restricted_cone(outside)
        }
    }

    /// Linux with `masquerade` and nothing else: each flow is tracked by itself and keeps its port's
    /// number, unless that very flow is there already. So it looks endpoint-independent until ports
    /// clash, and packets that come uninvited make them clash.
    #[must_use]
    pub fn linux_masquerade(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self {
            mapping: Mapping::AddressAndPortDependent,
            overloading: true,
            unsolicited: Unsolicited::Tracked,
            // nf_conntrack_udp_timeout is 30 s, and 120 s once there was an answer.
            lifetime: Duration::from_secs(30),
            inbound_refresh: true,
            ..Self::port_restricted_cone(outside)
        }
    }

    /// Linux with `masquerade random,fully-random`.
    #[must_use]
    pub fn linux_random_fully(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self { ports: Ports::Random, ..Self::linux_masquerade(outside) }
    }

    /// A home router as RFC 7857 wants it: endpoint-independent, hairpins, lets in who was sent to.
    #[must_use]
    pub fn home_router(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self {
            hairpinning: Hairpinning::ExternalSource,
            inbound_refresh: true,
            ..Self::port_restricted_cone(outside)
        }
    }

    /// A provider's NAT for many customers (RFC 6888): endpoint-independent, several addresses, paired.
    #[must_use]
    pub fn carrier_grade(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self {
            ports: Ports::Random,
            hairpinning: Hairpinning::ExternalSource,
            most_mappings: 1 << 20,
            ..Self::port_restricted_cone(outside)
        }
    }

    /// No translation: only what was asked for comes in. IPv6 at home.
    #[must_use]
    pub fn firewall() -> Self {
        Self::port_restricted_cone([])
    }

    fn cone(outside: impl IntoIterator<Item = IpAddr>, filtering: Filtering) -> Self {
        Self {
            outside: outside.into_iter().collect(),
            mapping: Mapping::EndpointIndependent,
            filtering,
            ports: Ports::Preserving,
            overloading: false,
            parity: false,
            contiguous: false,
            pooling: Pooling::Paired,
            hairpinning: Hairpinning::Unsupported,
            unsolicited: Unsolicited::Forgotten,
            lifetime: Duration::from_secs(120),
            inbound_refresh: false,
            udp: true,
            most_mappings: 1 << 16,
            most_remotes: 1024,
        }
    }
}
