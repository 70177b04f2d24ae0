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
    /// number, unless that very flow is there already. Then it gets another port, which is also the first
    /// choice for flows to come of the same inside port. So it looks endpoint-independent but for the
    /// moment when ports clash, and packets that come uninvited make them clash.
    #[must_use]
    pub fn linux_masquerade(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self {
            mapping: Mapping::AddressAndPortDependent,
            ports: Ports::PreservingOrRandom,
            overloading: true,
            unsolicited: Unsolicited::Tracked,
            // The kernel's defaults: nf_conntrack_udp_timeout and _udp_timeout_stream, _icmp_timeout,
            // _tcp_timeout_established and _syn_sent. A stream is what is still used after 2 s.
            lifetime: Duration::from_secs(30),
            lifetime_answered: Some(Duration::from_secs(120)),
            answered_from: Duration::from_secs(2),
            icmp_lifetime: Duration::from_secs(30),
            tcp_established: Duration::from_secs(5 * 24 * 3600),
            tcp_transitory: Duration::from_secs(120),
            inbound_refresh: true,
            ..Self::port_restricted_cone(outside)
        }
    }

    /// Linux with `masquerade random,fully-random`, which `iptables` calls `--random-fully`.
    #[must_use]
    pub fn linux_random_fully(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self { ports: Ports::Random, ..Self::linux_masquerade(outside) }
    }

    /// Linux with `masquerade` and a firewall that drops what comes uninvited, as home routers built
    /// on it have. A flow whose first packet is dropped is never confirmed, so it takes no port.
    #[must_use]
    pub fn linux_firewalled(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self { unsolicited: Unsolicited::Forgotten, ..Self::linux_masquerade(outside) }
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

    /// A home router that forgets after 30 s of silence from inside, whatever comes in.
    #[must_use]
    pub fn home_forgetful(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self { lifetime: Duration::from_secs(30), ..Self::port_restricted_cone(outside) }
    }

    /// A home router that gives each remote the next port in turn: symmetric, and predictable.
    #[must_use]
    pub fn home_sequential(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self {
            ports: Ports::Sequential { step: 1 },
            lifetime: Duration::from_secs(60),
            inbound_refresh: true,
            ..Self::symmetric(outside)
        }
    }

    /// A router with another outside port for each remote address, whatever the port there.
    #[must_use]
    pub fn address_dependent(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self {
            mapping: Mapping::AddressDependent,
            ports: Ports::Random,
            ..Self::address_restricted_cone(outside)
        }
    }

    /// A provider's NAT for many customers (RFC 6888): endpoint-independent, several addresses, paired.
    /// It lets in who was sent to only, where REQ-7 recommends to let in all.
    #[must_use]
    pub fn carrier_grade(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self {
            ports: Ports::Random,
            hairpinning: Hairpinning::ExternalSource,
            most_mappings: 1 << 20,
            ..Self::port_restricted_cone(outside)
        }
    }

    /// A mobile operator's NAT that heeds no RFC: another address and port for each remote.
    #[must_use]
    pub fn carrier_grade_symmetric(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self {
            pooling: Pooling::Arbitrary,
            lifetime: Duration::from_secs(60),
            inbound_refresh: true,
            most_mappings: 1 << 20,
            ..Self::symmetric(outside)
        }
    }

    /// No translation: only what was asked for comes in. IPv6 at home.
    #[must_use]
    pub fn firewall() -> Self {
        Self { inbound_refresh: true, ..Self::port_restricted_cone([]) }
    }

    /// A network that lets only TCP out.
    #[must_use]
    pub fn udp_blocked(outside: impl IntoIterator<Item = IpAddr>) -> Self {
        Self { udp: false, ..Self::port_restricted_cone(outside) }
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
            lifetime_answered: None,
            answered_from: Duration::ZERO,
            icmp_lifetime: Duration::from_secs(60),
            tcp_established: Duration::from_secs(2 * 3600 + 4 * 60),
            tcp_transitory: Duration::from_secs(4 * 60),
            inbound_refresh: false,
            udp: true,
            most_mappings: 1 << 16,
            most_remotes: 1024,
            // Some 100 MB at worst.
            most_remotes_in_all: 1 << 20,
        }
    }
}
