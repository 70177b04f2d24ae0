use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::Millis;

/// What the gateway offers to open ports. It was only asked; nothing was opened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PortMapping {
    /// The gateway that was asked; `None` if there is none to ask.
    pub gateway: Option<IpAddr>,
    /// UPnP Internet Gateway Device.
    pub upnp: Option<Igd>,
    /// NAT-PMP, RFC 6886.
    pub nat_pmp: Option<Gateway>,
    /// Port Control Protocol, RFC 6887.
    pub pcp: Option<Gateway>,
}

impl PortMapping {
    /// Whether any of the three can open a port.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        let usable = |gateway: &Gateway| gateway.answer == Answer::Ready;
        self.upnp.is_some()
            || self.nat_pmp.as_ref().is_some_and(usable)
            || self.pcp.as_ref().is_some_and(usable)
    }

    /// The names of the protocols that answered.
    #[must_use]
    pub fn protocols(&self) -> Vec<&'static str> {
        let found = [
            ("UPnP", self.upnp.is_some()),
            ("NAT-PMP", self.nat_pmp.is_some()),
            ("PCP", self.pcp.is_some()),
        ];
        found.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }

    /// The gateway's outside address, as it says itself.
    #[must_use]
    pub fn external(&self) -> Option<IpAddr> {
        let upnp = self.upnp.as_ref().and_then(|igd| igd.external);
        upnp.or_else(|| self.nat_pmp.as_ref()?.external)
    }
}

/// A UPnP Internet Gateway Device.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Igd {
    /// What it calls itself.
    pub name: Option<String>,
    /// Where it is controlled.
    pub control: SocketAddr,
    /// Its outside address.
    pub external: Option<IpAddr>,
    /// How long the search took.
    #[serde(rename = "rttMs")]
    pub rtt: Millis,
}

/// What answered on the port of NAT-PMP and PCP.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// What it said.
    pub answer: Answer,
    /// Its outside address, where the protocol tells without a mapping.
    pub external: Option<IpAddr>,
    /// How long the answer took.
    #[serde(rename = "rttMs")]
    pub rtt: Millis,
}

/// What a gateway says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// It speaks the protocol and takes requests.
    Ready,
    /// It speaks the protocol and is switched off or refuses this host.
    Refused,
    /// It speaks the protocol and has a trouble of its own.
    Failed,
}

/// How large packets may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathMtu {
    /// Bytes of the largest IP packet that is known to pass.
    pub bytes: u16,
    /// How that is known.
    pub source: MtuSource,
}

/// How a size is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MtuSource {
    /// Packets of this size that must not be fragmented reached a server, larger ones did not.
    Path,
    /// The largest that was tried reached a server: the path may take more.
    PathAtLeast,
    /// Only the interface was asked: the path may take less.
    Interface,
}

/// Whether something asks for a login before it lets traffic through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Portal {
    /// Nothing could be asked.
    Unknown,
    /// The answers were the server's own.
    None,
    /// An answer that the server would not give.
    Suspected {
        /// What was seen, in words.
        evidence: String,
    },
}
