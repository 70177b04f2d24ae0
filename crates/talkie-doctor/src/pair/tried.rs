//! What one side saw of an attempt.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use talkie_traversal::ice;

use crate::report::Millis;

/// What one side saw of the attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// The path that was found.
    pub path: Option<Found>,
    /// The shortest round trip of the best direct path.
    #[serde(rename = "directMs")]
    pub direct: Option<Millis>,
    /// The shortest round trip of the best path over a relay.
    #[serde(rename = "relayedMs")]
    pub relayed: Option<Millis>,
    /// Why there is no path.
    pub failure: Option<Failure>,
    /// Whether this side had an address on a relay.
    pub had_relay: bool,
}

/// A path that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Whether no relay is on the way.
    pub direct: bool,
    /// What this side's end is.
    pub local: CandidateType,
    /// What the other's end is.
    pub remote: CandidateType,
    /// This side's address of that kind; its socket's, where a name hides it.
    pub local_address: SocketAddr,
    /// The other's address, as this side reaches it.
    pub remote_address: SocketAddr,
    /// How long it took from knowing of the other side.
    #[serde(rename = "afterMs")]
    pub after: Millis,
}

/// What an address is to its owner, in the words of RFC 8839.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CandidateType {
    /// Its own.
    Host,
    /// As a STUN server sees it.
    Srflx,
    /// As the other side sees it.
    Prflx,
    /// On a relay.
    Relay,
}

/// Why there is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Failure {
    /// Nothing of the other side arrived.
    Silence,
    /// Something arrived, nothing of ours did.
    OneWay,
    /// It did not come to an end in time, or was lost again.
    Lost,
}

impl CandidateType {
    /// As it stands in candidates.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Srflx => "srflx",
            Self::Prflx => "prflx",
            Self::Relay => "relay",
        }
    }
}

impl From<ice::CandidateType> for CandidateType {
    fn from(kind: ice::CandidateType) -> Self {
        match kind {
            ice::CandidateType::Host => Self::Host,
            ice::CandidateType::ServerReflexive => Self::Srflx,
            ice::CandidateType::PeerReflexive => Self::Prflx,
            ice::CandidateType::Relayed => Self::Relay,
        }
    }
}
