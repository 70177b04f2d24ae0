//! All that is worth saying about a report, what has the most effect first.

use serde::Serialize;

use super::{Sight, network, servers};
use crate::report::Report;

/// One thing that is worth saying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is about, for programs.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub title: String,
    /// What it does to connections, or where it was seen.
    pub detail: String,
    /// What to do; `None` where there is nothing to be done.
    pub action: Option<String>,
}

impl Finding {
    pub(super) fn new(
        code: Code,
        severity: Severity,
        title: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { code, severity, title: title.into(), detail: detail.into(), action: None }
    }

    /// With something to do.
    #[must_use]
    pub(super) fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Connections fail.
    Bad,
    /// Some connections fail or are worse than need be.
    Caution,
    /// Good to know.
    Hint,
    /// It helps.
    Good,
}

/// What a finding is about. Within a severity what stands first here has the most effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// There is no way to the Internet.
    NoNetwork,
    /// Something asks for a login first.
    LoginPortal,
    /// A server does not answer at all.
    ServerUnreachable,
    /// This host's clock is wrong.
    ClockSkew,
    /// UDP does not pass.
    UdpBlocked,
    /// Only TLS passes.
    TlsOnly,
    /// A relay does not accept the credentials.
    CredentialsRefused,
    /// A relay gives no address or relays nothing.
    RelayBroken,
    /// A relay could not be tried, or none was named.
    RelayUntried,
    /// One way to a server fails while others work.
    WayFails,
    /// A certificate proves nothing.
    Certificate,
    /// All traffic goes through a tunnel.
    Vpn,
    /// The outside port depends on the destination.
    SymmetricNat,
    /// A carrier's NAT stands before the router.
    CarrierNat,
    /// Two routers translate one after the other.
    DoubleNat,
    /// Packets are smaller than usual.
    SmallMtu,
    /// Something rewrites addresses inside of packets.
    AddressRewriting,
    /// Idle mappings go soon.
    ShortLifetime,
    /// Outside ports lie on several addresses.
    SeveralAddresses,
    /// Fragments are lost.
    Fragments,
    /// Two hosts behind the same router don't meet by its outside address.
    NoHairpin,
    /// The router can open ports.
    PortMapping,
    /// The router cannot be asked to open ports.
    NoPortMapping,
    /// There is no IPv6, or it leads nowhere.
    Ipv6,
    /// There is only IPv6.
    Ipv6Only,
    /// An HTTP proxy is set.
    Proxy,
    /// The server is too near to see the NAT.
    ServerNear,
    /// The server cannot tell all about the NAT.
    ServerLimited,
}

/// Everything, in order.
pub(super) fn all(report: &Report, sight: &Sight) -> Vec<Finding> {
    let mut found = servers::findings(report, sight);
    found.extend(network::findings(report, sight));
    // Stable: several servers stay in the order in which they were named.
    found.sort_by_key(|finding| (finding.severity, finding.code));
    found
}
