//! What the two sides tell each other, sealed, over the server.

use serde::{Deserialize, Serialize};

use super::tried::Tried;
use crate::report::{Family, Nat};

/// The version of what is said after the greeting. It changes when an older version could not follow any more.
pub(super) const PROTOCOL: u32 = 2;
/// NATs that are taken of the other side: one for each IP version.
const MAX_NATS: usize = 2;
/// Characters of a version.
const MAX_VERSION: usize = 40;

/// A message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum Message {
    /// What this side found about its network, and where it may be reached.
    Ready { side: Side, attributes: Vec<String> },
    /// What came of the attempt, as this side saw it.
    Tried { tried: Tried },
    /// Of a later version.
    #[serde(other)]
    Later,
}

/// What one side knows of its network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// The program's version.
    pub version: String,
    /// Whether UDP passes; `None` if that could not be found out.
    pub udp: Option<bool>,
    /// Whether a relay works; `None` if none could be tried.
    pub relay: Option<bool>,
    /// The NAT before each IP version.
    pub nats: Vec<Nat>,
}

impl Side {
    /// The NAT in front of this IP version.
    #[must_use]
    pub fn nat(&self, family: Family) -> Option<&Nat> {
        self.nats.iter().find(|nat| nat.family == family)
    }

    /// The same without what the other side does not need or should not have to believe: texts are
    /// for one's own eyes.
    pub(super) fn bounded(mut self) -> Self {
        self.nats.truncate(MAX_NATS);
        for nat in &mut self.nats {
            nat.unknown.clear();
        }
        self.version = version(&self.version);
        self
    }
}

/// A version of somebody else, fit to be shown.
fn version(text: &str) -> String {
    let fits = |letter: &char| letter.is_ascii_graphic();
    text.chars().filter(fits).take(MAX_VERSION).collect()
}
