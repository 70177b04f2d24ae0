//! Where pairs are played: two hosts, a NAT before each, and a server on the Internet that is STUN
//! server and relay, all of them talkie's own machines on a simulated network; on the hosts it is the ICE
//! agent.
//!
//! ```text
//!  left host ── left NAT ──┐                      ┌── right NAT ── right host
//!  192.168.1.2             ├─────── Internet ─────┤                10.0.0.2
//!                198.51.100.10          │         203.0.113.20
//!                                  192.0.2.1:3478
//! ```
//!
//! A host uses the relay over UDP, and over TCP where its network lets no UDP out.
//!
//! The left side calls: it gathers, and its first letter goes to the right side by signaling when it has its
//! relay, or knows that it gets none. The right side begins to check as soon as it has that letter; its own is
//! back at the left side one trip later. So the right side's first packets are at the left NAT before the left
//! host has sent any, as in real calls. Candidates that are found later have letters of their own. How long the
//! trips take is chosen by the seed.
//!
//! Private addresses are left out of the letters: the other side is never in the same network here,
//! and checks to them say nothing about NATs.

mod ground;
mod play;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use serde::Serialize;
use talkie_sansio::Transport;
use talkie_sim::nat::{Config, Filtering, Preset, Row};
use talkie_sim::net::{Network, NodeId};
use talkie_sim::trace::Trace;
use talkie_traversal::ice::{Candidate, CandidateType, Story};

use self::ground::{HOSTS, host, outside, relay_over};
use self::play::Stage;
use crate::outcome::{Outcome, milliseconds};
use crate::story::Note;

pub(crate) use self::ground::{SERVER, is_server, relay_of};

/// How a pair is played.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// From which all chance follows.
    pub seed: u64,
    /// From host to host, one way.
    #[serde(serialize_with = "as_milliseconds", rename = "delay_ms")]
    pub delay: Duration,
    /// The share of packets that are lost between the hosts, 0 to 1.
    pub loss: f64,
    /// Whether the hosts guess the ports that a NAT which maps by destination will give them.
    pub predict: bool,
}

impl Default for Setting {
    /// Across a continent, nothing lost.
    fn default() -> Self {
        Self { seed: 1, delay: Duration::from_millis(40), loss: 0.0, predict: false }
    }
}

impl Setting {
    pub(crate) fn words(&self) -> String {
        let loss = match self.loss {
            0.0 => "nothing lost".to_owned(),
            loss => format!("{}% lost", (loss * 1000.0).round() / 10.0),
        };
        let delay = milliseconds(self.delay);
        let guesses = if self.predict { ", ports are guessed" } else { "" };
        format!("{delay} ms from host to host, {loss}{guesses}, seed {}", self.seed)
    }
}

/// What happened.
pub struct Run {
    network: Network,
    nodes: [NodeId; 5],
    configs: [Config; 2],
    /// What each side found and told the other one.
    found: [Vec<Candidate>; 2],
    /// What happened to each side's pairs of addresses, and when.
    pub(crate) chapters: [Vec<(Duration, Story)>; 2],
    /// Everything but packets.
    pub(crate) notes: Vec<Note>,
    /// The tables when the first letter arrived, and when that was.
    pub(crate) before: [(Vec<Row>, Instant); 2],
    /// The tables at the end.
    pub(crate) after: [Vec<Row>; 2],
    /// When it was over.
    pub(crate) ended: Instant,
    pub(crate) outcome: Outcome,
}

/// How a pair ends.
pub(crate) fn outcome(left: Preset, right: Preset, setting: &Setting, now: Instant) -> Outcome {
    let mut stage = Stage::new([left, right], setting, now);
    stage.perform();
    stage.outcome()
}

/// Plays a pair and remembers all of it.
pub(crate) fn run(kinds: [Preset; 2], setting: &Setting, now: Instant) -> Run {
    let mut stage = Stage::new(kinds, setting, now);
    stage.record();
    stage.perform();
    stage.into_run(kinds, now)
}

impl Run {
    /// Every packet at every box.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        self.network.trace()
    }

    /// In which lane a box stands; `None` for the Internet.
    pub(crate) fn lane(&self, node: NodeId) -> Option<usize> {
        self.nodes.iter().position(|known| *known == node)
    }

    /// On whose side an address is; `None` for the server's.
    pub(crate) fn side_of(&self, address: IpAddr) -> Option<usize> {
        (0..2).find(|side| {
            HOSTS[*side].ip() == address || outside(*side, 4).any(|own| own == address)
        })
    }

    /// How the server saw a side's host, if it said so.
    pub(crate) fn learned(&self, side: usize) -> Option<SocketAddr> {
        let found = &self.found[side];
        let measured = found.iter().find(|it| is_reflexive(it) && !is_guess(it));
        // Where nothing is translated, the server sees the host's own address.
        let has_relay = found.iter().any(|it| it.kind == CandidateType::Relayed);
        let own = found.iter().find(|it| it.kind == CandidateType::Host && has_relay);
        measured.or(own).and_then(Candidate::socket_address)
    }

    /// Under which addresses a side expected to be seen without having been.
    pub(crate) fn guessed(&self, side: usize) -> Vec<SocketAddr> {
        let guesses = self.found[side].iter().filter(|it| is_guess(it));
        guesses.filter_map(Candidate::socket_address).collect()
    }

    /// What one of a side's addresses is to the other side.
    pub(crate) fn word_for(&self, side: usize, address: SocketAddr) -> &'static str {
        let told = self.found[side].iter().find(|it| it.socket_address() == Some(address));
        match told {
            Some(guess) if is_guess(guess) => "guess",
            Some(told) => told.kind.word(),
            None => CandidateType::PeerReflexive.word(),
        }
    }

    pub(crate) fn config(&self, side: usize) -> &Config {
        &self.configs[side]
    }

    /// How that side's host reaches the relay.
    pub(crate) fn relay_over(&self, side: usize) -> Transport {
        relay_over(&self.configs[side])
    }

    pub(crate) fn is_translated(&self, side: usize) -> bool {
        !self.configs[side].outside.is_empty()
    }

    /// Whether the NAT of that lane tells the ports of a remote apart.
    pub(crate) fn filters_ports(&self, lane: usize) -> bool {
        self.configs[lane / 2].filtering == Filtering::AddressAndPortDependent
    }

    /// What to write above each lane.
    pub(crate) fn addresses(&self) -> [String; 5] {
        let nat = |side: usize| {
            let config = &self.configs[side];
            match config.outside.as_slice() {
                [] => "no translation".to_owned(),
                [one] => one.to_string(),
                [first, .., last] => match last {
                    IpAddr::V4(last) => format!("{first}–{}", last.octets()[3]),
                    IpAddr::V6(_) => first.to_string(),
                },
            }
        };
        let host = |side: usize| host(side, &self.configs[side]).ip().to_string();
        [host(0), nat(0), SERVER.ip().to_string(), nat(1), host(1)]
    }
}

fn is_reflexive(candidate: &Candidate) -> bool {
    candidate.kind == CandidateType::ServerReflexive
}

/// What no server has told.
fn is_guess(candidate: &Candidate) -> bool {
    is_reflexive(candidate) && candidate.url.is_none()
}

fn as_milliseconds<S: serde::Serializer>(
    span: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_micros() as f64 / 1000.0)
}
