use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{Family, Millis};

/// What translates or filters between this host and a STUN server. `None` means: could not be
/// found out; [`Nat::unknown`] tells why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nat {
    /// The IP version.
    pub family: Family,
    /// The STUN server that was asked.
    pub server: SocketAddr,
    /// Our address on this side.
    pub local: SocketAddr,
    /// Our address on the other side.
    pub mapped: Option<SocketAddr>,
    /// Whether the address is changed on the way.
    pub translates: Option<bool>,
    /// RFC 4787 §4.1: on what the outside port depends.
    pub mapping: Option<Behaviour>,
    /// Whether it depends on the remote port. A server with one address can tell that much.
    pub port_dependent: Option<bool>,
    /// RFC 4787 §5: who may send in.
    pub filtering: Option<Behaviour>,
    /// The classic name.
    #[serde(rename = "type")]
    pub nat_type: Option<NatType>,
    /// How outside ports are chosen (RFC 4787 §4.2).
    pub allocation: Option<Allocation>,
    /// Whether all ports are on one outside address (RFC 4787 §4.1, REQ-2).
    pub pooled: Option<bool>,
    /// Whether two hosts behind it reach each other by its outside addresses (RFC 4787 §6).
    pub hairpin: Option<bool>,
    /// Whether fragmented packets come through.
    pub fragments: Option<bool>,
    /// Whether something rewrites addresses inside of packets.
    pub alg: Option<bool>,
    /// How long an idle mapping lives, if that was asked for.
    pub lifetime: Option<PortLifetime>,
    /// Why something is not known, by the name of its field.
    pub unknown: BTreeMap<String, String>,
}

/// On what a NAT's behaviour depends, RFC 4787.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Behaviour {
    /// On nothing but the inside address.
    EndpointIndependent,
    /// On the remote address.
    AddressDependent,
    /// On the remote address and port.
    AddressAndPortDependent,
}

/// The classic names of RFC 3489, and the two cases without translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NatType {
    /// No NAT and no filter.
    Open,
    /// No NAT, but a firewall that lets in only answers.
    Firewall,
    /// Anybody may send to an outside address once it is there.
    FullCone,
    /// Only hosts that were sent to.
    AddressRestricted,
    /// Only hosts and ports that were sent to.
    PortRestricted,
    /// Another outside port for each remote one, for that one only.
    Symmetric,
}

/// How outside ports are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Allocation {
    /// The inside port's number.
    Preserved,
    /// One after the other: the next one can be guessed.
    Sequential,
    /// Without an order that could be seen.
    Random,
}

/// How long an idle mapping lives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortLifetime {
    /// It was there after so long.
    #[serde(rename = "atLeastMs")]
    pub at_least: Millis,
    /// It was gone after so long; `None` if it was never seen to go.
    #[serde(rename = "lessThanMs")]
    pub less_than: Option<Millis>,
}
