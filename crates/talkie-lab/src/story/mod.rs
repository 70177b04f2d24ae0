//! One pair, step by step: a model of what happened that any renderer can draw.
//!
//! Five lanes stand side by side: a host, its NAT, the server, the other NAT, the other host. What moves
//! between them is told from the NATs' point of view, since that is where hole punching happens: a packet
//! from peer to peer is two steps, its way out through one NAT and its way in through the other, each at
//! the moment at which that NAT decided. If nothing happened in between they are one.

mod digest;
mod names;
mod pairs;
mod picture;
mod sequence;
#[cfg(test)]
mod tests;
mod told;
mod why;

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Serialize, Serializer};
use talkie_sansio::Transport;
use talkie_sim::nat::Preset;

use crate::outcome::{Outcome, milliseconds};
use crate::stage::Setting;

pub use names::Purpose;
pub use pairs::{Pair, Standing, Told};
pub use told::play;

/// The names of the lanes.
pub const LANES: [&str; 5] = ["left host", "left NAT", "server", "right NAT", "right host"];

/// One pair, played.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Story {
    /// Whose NAT is of which type: left, right.
    #[serde(serialize_with = "as_names")]
    pub kinds: [Preset; 2],
    /// How it was played.
    pub setting: Setting,
    /// An address for each lane, the most telling one.
    pub addresses: [String; 5],
    /// What happened, in order.
    pub scenes: Vec<Scene>,
    /// The mapping tables of the left and the right NAT before the first check.
    pub before: [Vec<Mapping>; 2],
    /// And at the end.
    pub after: [Vec<Mapping>; 2],
    /// How it ended.
    #[serde(serialize_with = "as_words")]
    pub outcome: Outcome,
    /// By what each side reaches the relay.
    #[serde(serialize_with = "as_transports")]
    pub relay_over: [Transport; 2],
    /// What became of the pairs of addresses that each side tried.
    pub pairs: [Vec<Pair>; 2],
    /// Why it ended so, a paragraph each.
    pub why: Vec<String>,
    /// How many packets are left out of a digest.
    pub left_out: usize,
}

/// What belongs together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scene {
    /// What it is about.
    pub title: String,
    /// What happens.
    pub items: Vec<Item>,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Item {
    /// Something that is no packet.
    Note(Note),
    /// A packet's way, or a part of it.
    Step(Step),
}

/// Something that is no packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// When.
    #[serde(serialize_with = "as_milliseconds", rename = "ms")]
    pub at: Duration,
    /// At which lane.
    pub lane: usize,
    /// What.
    pub text: String,
    /// Whether it is how a side's search ends.
    #[serde(skip)]
    pub ends: bool,
}

/// A packet on its way from lane to lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When the first NAT on the way had it.
    #[serde(serialize_with = "as_milliseconds", rename = "ms")]
    pub at: Duration,
    /// Packets are counted from 1.
    pub packet: usize,
    /// What it is.
    pub what: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The STUN transaction, also in a relay's envelope: the same in a request and its answer.
    pub transaction: Option<String>,
    /// Whether it is the rest of a way whose beginning is an earlier step.
    pub continues: bool,
    /// How many packets like it there are, where the others are left out.
    pub times: usize,
    /// The lanes it goes between; if it is dropped, `to` is where.
    pub from: usize,
    /// See `from`.
    pub to: usize,
    /// Its source and destination between each two lanes, from `from` on.
    pub hops: Vec<Hop>,
    /// How this step ends.
    pub end: End,
}

/// A packet's addresses between two lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// From where it seems to be.
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
}

/// How a step ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// It is there.
    Arrives,
    /// It is under way; its arrival is a later step.
    Flies,
    /// It goes no further.
    Dropped {
        /// Why, in words that follow an "✗".
        why: String,
    },
}

/// A line of a NAT's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// The host's own address and port.
    pub inside: SocketAddr,
    /// What the world sees in its place.
    pub outside: SocketAddr,
    /// Of which protocol: "udp" or "tcp".
    pub protocol: String,
    /// For packets to whom: "any" or an address.
    pub to: String,
    /// From whom packets are let in: "any" or an address.
    pub from: String,
    /// How long it has not been used.
    #[serde(serialize_with = "as_milliseconds", rename = "age_ms")]
    pub age: Duration,
}

impl Step {
    /// The words beside the arrow.
    fn label(&self) -> String {
        let begin = if self.continues { "… " } else { "" };
        let end = if self.end == End::Flies { " …" } else { "" };
        let times = match self.times {
            1 => String::new(),
            times => format!(" ({times} times)"),
        };
        format!("{begin}{} {}{times}{end}", self.packet, self.what)
    }

    /// Whether it asks the other side, be it in a relay's envelope.
    fn is_request(&self) -> bool {
        self.what.contains("check")
    }

    /// Beside the host that it comes from, or else the one that it goes to.
    fn lane_of_words(&self) -> usize {
        let end = if self.from == 2 { self.to } else { self.from };
        if end < 2 { 0 } else { 4 }
    }

    /// Whose host sent it; `None` for the server.
    fn sender_side(&self) -> Option<usize> {
        match (self.from, self.to) {
            _ if self.continues => Some(usize::from(self.to < 2)),
            (0 | 1, _) => Some(0),
            (3 | 4, _) => Some(1),
            _ => None,
        }
    }
}

impl Story {
    /// For programs. The names of the fields are part of the interface.
    ///
    /// # Panics
    /// Never: the value has no map with keys that are no text.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain values") + "\n"
    }

    fn title(&self) -> String {
        let [left, right] = self.kinds;
        format!("{left} calls {right}")
    }

    /// The outcome in a sentence.
    fn ending(&self) -> String {
        match self.outcome {
            Outcome::Direct { after } => {
                format!("Connected directly, {} ms after the first check.", milliseconds(after))
            }
            Outcome::Relayed { after } => format!(
                "Connected by the relay only{}, {} ms after the first check.",
                self.over_tcp(),
                milliseconds(after)
            ),
            Outcome::Failed => "Not connected at all.".to_owned(),
        }
    }

    /// Who reaches the relay by TCP, in words that follow it.
    fn over_tcp(&self) -> &'static str {
        match self.relay_over.map(Transport::is_reliable) {
            [true, true] => " (TCP on both sides)",
            [true, false] => " (TCP on the left)",
            [false, true] => " (TCP on the right)",
            [false, false] => "",
        }
    }
}

fn as_milliseconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_micros() as f64 / 1000.0)
}

fn as_names<S: Serializer>(kinds: &[Preset; 2], serializer: S) -> Result<S::Ok, S::Error> {
    kinds.map(Preset::name).serialize(serializer)
}

fn as_transports<S: Serializer>(both: &[Transport; 2], serializer: S) -> Result<S::Ok, S::Error> {
    both.map(|one| one.to_string()).serialize(serializer)
}

fn as_words<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Words {
        result: &'static str,
        after_ms: Option<f64>,
    }
    let (result, after) = match outcome {
        Outcome::Direct { after } => ("direct", Some(after)),
        Outcome::Relayed { after } => ("relay", Some(after)),
        Outcome::Failed => ("none", None),
    };
    let after_ms = after.map(|after| after.as_micros() as f64 / 1000.0);
    Words { result, after_ms }.serialize(serializer)
}
