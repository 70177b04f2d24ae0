//! The findings in plain words.

use std::fmt;

use super::report::{
    Allocation, Filtering, Finding, Fragments, Hairpinning, Kind, Lifetime, Mapping, Pooling,
    Reason, Report,
};

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAnswer => "the server does not answer",
            Self::OneAddress => "the server has no second address to test from",
            Self::NotThePort => {
                "it does not depend on the remote's port; whether on its address, a server with one \
                 address cannot tell"
            }
            Self::OtherSilent => "the server's second address does not answer",
            Self::Refused(code) => return write!(f, "the server refuses with code {code}"),
            Self::Ignored => "the server does not do what the test asks of it",
            Self::Unshown => {
                "nothing came, and behind such a NAT this server does not show whether it is the \
                 one who keeps it back"
            }
            Self::Throttled => "the server answers in short only, since it was asked too often",
            Self::Lossy => "so many packets are lost that silence proves nothing",
            Self::Sockets => "the test needs more local sockets",
            Self::NotTranslated => "no address is translated",
            Self::Filtered => "a NAT with this mapping filters such packets in any case",
            Self::NotAsked => "not tested",
        })
    }
}

impl<T: fmt::Display> fmt::Display for Finding<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::Unknown(reason @ (Reason::NotAsked | Reason::NotTranslated)) => reason.fmt(f),
            Self::Unknown(reason) => write!(f, "unknown: {reason}"),
        }
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndpointIndependent => "endpoint-independent",
            Self::AddressDependent => "address-dependent",
            Self::AddressAndPortDependent => "address-and-port-dependent",
        })
    }
}

impl fmt::Display for Filtering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndpointIndependent => "endpoint-independent",
            Self::AddressDependent => "address-dependent",
            Self::AddressAndPortDependent => "address-and-port-dependent",
        })
    }
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preserving => f.write_str("the inside port's number is kept"),
            Self::Sequential(step) => write!(f, "one after the other, {step:+} each time"),
            Self::Random => f.write_str("random"),
        }
    }
}

impl fmt::Display for Pooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paired => "one outside address for all ports",
            Self::Arbitrary => "several outside addresses, mixed",
        })
    }
}

impl fmt::Display for Hairpinning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExternalSource => "works",
            Self::InternalSource => "works, but shows the sender's inside address",
            Self::Unsupported => "does not work",
        })
    }
}

impl fmt::Display for Fragments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::PassOut => "pass outwards; inwards not tested",
            Self::Lost => "are lost",
        })
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.below {
            Some(below) => {
                let below = below.as_secs_f64().ceil();
                write!(f, "between {} s and {below} s", self.at_least.as_secs())?;
            }
            None => write!(f, "{} s or more", self.at_least.as_secs())?,
        }
        f.write_str(match self.inbound_refresh {
            Some(true) => ", packets from outside renew it",
            Some(false) => ", only packets from inside renew it",
            None => "",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocked => "UDP blocked",
            Self::Open => "no NAT and no filter",
            Self::Firewall => "no NAT, but a firewall",
            Self::FullCone => "full cone",
            Self::AddressRestrictedCone => "address-restricted cone",
            Self::PortRestrictedCone => "port-restricted cone",
            Self::Cone => "a cone, of which kind is unknown",
            Self::Symmetric => "symmetric",
            Self::Other(mapping, filtering) => {
                return write!(f, "none of the four: {mapping} mapping with {filtering} filtering");
            }
            Self::Unclear => "unclear",
        })
    }
}

/// Whether addresses within packets are rewritten.
pub(super) struct Rewriting(pub(super) Finding<bool>);

impl fmt::Display for Rewriting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Finding::Known(true) => {
                "something on the way changes addresses within packets (an ALG)"
            }
            Finding::Known(false) => "nothing changes addresses within packets",
            Finding::Unknown(Reason::Ignored) => {
                "unknown: the server sends no address in plain form"
            }
            Finding::Unknown(reason) => return write!(f, "unknown: {reason}"),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mapped = match self.mapped {
            Finding::Known(mapped) => mapped,
            Finding::Unknown(Reason::NoAnswer) => {
                let server = self.server;
                return writeln!(
                    f,
                    "UDP: nothing came back from {server}: UDP is blocked, or the server is down"
                );
            }
            Finding::Unknown(reason) => return writeln!(f, "NAT: unknown: {reason}"),
        };
        writeln!(f, "NAT: {}", self.kind())?;
        writeln!(f, "Seen as: {mapped} (here it is {})", self.local)?;
        writeln!(f, "Mapping: {}", self.mapping)?;
        writeln!(f, "Filtering: {}", self.filtering)?;
        writeln!(f, "Ports: {}", self.allocation)?;
        writeln!(f, "Addresses: {}", self.pooling)?;
        writeln!(f, "Hairpinning: {}", self.hairpinning)?;
        writeln!(f, "Fragments: {}", self.fragments)?;
        writeln!(f, "Interference: {}", Rewriting(self.rewritten))?;
        writeln!(f, "Lifetime: {}", self.lifetime)?;
        if let Some(round_trip) = self.round_trip {
            writeln!(f, "Round trip: {:.1} ms", round_trip.as_secs_f64() * 1e3)?;
        }
        Ok(())
    }
}
