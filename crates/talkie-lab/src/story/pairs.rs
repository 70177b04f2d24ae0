//! What became of each pair of addresses, as its side's agent told it and as the packets show.
//!
//! An agent knows that it was not answered; why, it cannot know. Here every box is seen, so the reason of the
//! NAT that dropped the first of a pair's packets is told as well.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use talkie_traversal::ice::{Chapter, PairId};

use super::{End, Step};
use crate::outcome::milliseconds;
use crate::stage::{self, Run};

/// The lane; what is lost on the Internet ends there.
const SERVER: usize = 2;

/// One pair of addresses, seen from one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// How the side's agent counts it.
    pub id: u32,
    /// Where its checks leave: the host's socket, or its relay.
    pub local: SocketAddr,
    /// `host` or `relay`.
    pub local_kind: &'static str,
    /// Where they go.
    pub remote: SocketAddr,
    /// As the other side has told it: `host`, `srflx`, `guess`, `relay`; or `prflx`, if it has not.
    pub remote_kind: &'static str,
    /// How it stands at the end.
    pub end: Standing,
    /// How many of its checks, and of the answers to them, died, and why the first did.
    pub died: Option<String>,
    /// What happened to it, in order.
    pub told: Vec<Told>,
}

/// How a pair stands at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Data takes it.
    Used,
    /// Its checks are answered.
    Works,
    /// Checks were sent, and not answered so far.
    Unanswered,
    /// It was not its turn.
    Waits,
    /// It will not be used.
    Failed,
    /// The agent has dropped it.
    Unneeded,
}

/// Something that happened to a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// When.
    #[serde(serialize_with = "super::as_milliseconds", rename = "ms")]
    pub at: Duration,
    /// What, after the pair's name.
    pub text: String,
    #[serde(skip)]
    chapter: Chapter,
}

impl Standing {
    /// One word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Works => "works",
            Self::Unanswered => "no answer",
            Self::Waits => "waits",
            Self::Failed => "failed",
            Self::Unneeded => "not needed",
        }
    }
}

/// The pairs of one side, the one that is used first, then by how far they came.
pub(super) fn of(run: &Run, told: &[Step], side: usize) -> Vec<Pair> {
    let mut pairs: BTreeMap<PairId, Pair> = BTreeMap::new();
    let mut used = None;
    for (at, story) in &run.chapters[side] {
        let pair = pairs.entry(story.pair).or_insert_with(|| {
            let is_relayed = stage::is_server(story.base.ip());
            Pair {
                id: story.pair.0,
                local: story.base,
                local_kind: if is_relayed { "relay" } else { "host" },
                remote: story.remote,
                remote_kind: run.word_for(1 - side, story.remote),
                end: Standing::Waits,
                died: deaths(told, story.base, story.remote),
                told: Vec::new(),
            }
        });
        if story.chapter == Chapter::Selected {
            used = Some(story.pair);
        }
        pair.end = standing(pair.end, &story.chapter);
        let text = story.chapter.to_string();
        pair.told.push(Told { at: *at, text, chapter: story.chapter.clone() });
    }
    if let Some(pair) = used.and_then(|id| pairs.get_mut(&id))
        && pair.end == Standing::Works
    {
        pair.end = Standing::Used;
    }
    let mut all: Vec<Pair> = pairs.into_values().collect();
    all.sort_by_key(|pair| (pair.end, pair.id));
    all
}

fn standing(before: Standing, chapter: &Chapter) -> Standing {
    match chapter {
        Chapter::Answered { .. } | Chapter::Selected => Standing::Works,
        Chapter::Sent(_) | Chapter::Refused(_) if before != Standing::Works => Standing::Unanswered,
        Chapter::Silent => Standing::Unanswered,
        Chapter::Failed(_) => Standing::Failed,
        Chapter::Removed => Standing::Unneeded,
        _ => before,
    }
}

/// How many of a pair's checks, and of the answers to them, died, and why the first did.
fn deaths(told: &[Step], local: SocketAddr, remote: SocketAddr) -> Option<String> {
    let is_ours = |step: &&Step| {
        let hop = step.hops.first().map(|hop| (hop.source, hop.destination));
        hop == Some((local, remote)) && step.is_request()
    };
    let asked: BTreeSet<&str> =
        told.iter().filter(is_ours).filter_map(|step| step.transaction.as_deref()).collect();
    let mut dead = told.iter().filter_map(|step| match &step.end {
        End::Dropped { why } => {
            step.transaction.as_deref().filter(|it| asked.contains(it)).map(|_| (step, why))
        }
        _ => None,
    });
    let (first, why) = dead.next()?;
    let what = if first.is_request() { "check" } else { "answer" };
    let place = match first.to {
        SERVER => String::new(),
        lane => format!("at the {}, ", super::LANES[lane]),
    };
    Some(match dead.count() {
        0 => format!("the {what} died {place}{why}"),
        others => format!("{} packets died, first a {what}, {place}{why}", others + 1)
            .replace("a answer", "an answer"),
    })
}

impl Pair {
    /// Whether anything was tried with it, by either side.
    pub(super) fn was_tried(&self) -> bool {
        let is_waiting = |told: &Told| {
            matches!(told.chapter, Chapter::Waiting | Chapter::Frozen | Chapter::Removed)
        };
        !self.told.iter().all(is_waiting)
    }

    /// Who speaks to whom.
    pub(super) fn name(&self) -> String {
        format!("{} {} → {} {}", self.local_kind, self.local, self.remote_kind, self.remote)
    }

    /// What happened to it, in a sentence.
    pub(super) fn words(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut sent = self.sent_words();
        for told in &self.told {
            match &told.chapter {
                Chapter::Sent(_) => {
                    let Some(words) = sent.take() else { continue };
                    parts.push(words);
                    parts.extend(self.died.clone());
                }
                chapter => parts.extend(phrase(chapter, told.at)),
            }
        }
        if parts.is_empty() { "it is not its turn".to_owned() } else { parts.join("; ") }
    }

    fn sent_words(&self) -> Option<String> {
        let is_sent = |told: &&Told| matches!(told.chapter, Chapter::Sent(_));
        let sent: Vec<u128> =
            self.told.iter().filter(is_sent).map(|told| milliseconds(told.at)).collect();
        let (first, last) = (sent.first()?, sent.last()?);
        Some(match sent.len() {
            1 => format!("a check is sent at {first}"),
            many if first == last => format!("{many} checks are sent at {first}"),
            many => format!("{many} checks are sent, from {first} to {last}"),
        })
    }
}

/// `None` for what the rest tells as well.
fn phrase(chapter: &Chapter, at: Duration) -> Option<String> {
    let at = milliseconds(at);
    Some(match chapter {
        Chapter::Waiting | Chapter::Frozen | Chapter::Removed | Chapter::Sent(_) => return None,
        Chapter::Heard => format!("a check of theirs comes at {at}"),
        Chapter::Answered { mapped, .. } => format!("answered at {at}, and seen as {mapped}"),
        Chapter::Nominating => format!("proposed at {at}"),
        Chapter::Nominated => format!("agreed on at {at}"),
        Chapter::Selected => format!("carries data from {at} on"),
        Chapter::Failed(why) => format!("failed at {at}: {why}"),
        other => format!("{other} at {at}"),
    })
}
