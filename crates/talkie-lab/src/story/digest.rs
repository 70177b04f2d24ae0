//! The story without what repeats itself and what leads nowhere.
//!
//! In a call each side tries everything at once, the relay too, and again until something works: a
//! hundred packets for one lesson. The digest keeps what the lesson is about: the questions to the STUN
//! server, the connection to a relay over TCP, the checks from NAT to NAT, each kind of them once, and,
//! where it comes to that, the exchange by which a way over a relay was agreed on. What is left out is
//! counted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::names::{Purpose, names_the_way};
use super::{End, Hop, Item, Pair, Scene, Step, Story};
use crate::outcome::Outcome;
use crate::stage;

/// A packet's addresses along its whole way, how it ended, and what the packet is.
type Way = (Vec<Hop>, End, String);

/// The lane.
const SERVER: usize = 2;

impl Story {
    /// What matters of it.
    #[must_use]
    pub fn digest(&self) -> Self {
        let by_the_relay = match self.outcome {
            Outcome::Relayed { .. } => self.relayed_exchange(),
            _ => BTreeSet::new(),
        };
        let all: BTreeSet<usize> = self.steps().map(|step| step.packet).collect();
        let before_the_end = self.scenes.iter().take(2).flat_map(Scene::steps);
        let wanted: BTreeSet<usize> = before_the_end
            .filter(|step| is_lesson(step) || by_the_relay.contains(&step.packet))
            .map(|step| step.packet)
            .collect();
        let times = self.repetitions(&wanted);
        let shown = |step: &Step| times.get(&step.packet).copied();
        let mut scenes: Vec<Scene> = self.scenes.iter().take(2).cloned().collect();
        for scene in &mut scenes {
            scene.items = std::mem::take(&mut scene.items)
                .into_iter()
                .filter_map(|item| match item {
                    Item::Step(step) => {
                        let times = shown(&step)?;
                        Some(Item::Step(Step { times, ..step }))
                    }
                    Item::Note(note) => Some(Item::Note(note)),
                })
                .collect();
            join_halves(&mut scene.items);
        }
        let told: usize = times.values().sum();
        let mut digest = Self { scenes, left_out: all.len() - told, ..self.clone() };
        for pairs in &mut digest.pairs {
            pairs.retain(Pair::was_tried);
        }
        digest
    }

    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.scenes.iter().flat_map(Scene::steps)
    }

    /// For the first packet of each kind how many there are of it.
    fn repetitions(&self, wanted: &BTreeSet<usize>) -> BTreeMap<usize, usize> {
        let mut ways: BTreeMap<usize, Way> = BTreeMap::new();
        for step in self.steps().filter(|step| wanted.contains(&step.packet)) {
            let way = ways
                .entry(step.packet)
                .or_insert_with(|| (Vec::new(), End::Arrives, step.what.clone()));
            // The two halves of a way have the hop in the middle in common.
            for hop in &step.hops {
                if way.0.last() != Some(hop) {
                    way.0.push(*hop);
                }
            }
            way.1 = step.end.clone();
        }
        let mut first: Vec<(&Way, usize)> = Vec::new();
        let mut times = BTreeMap::new();
        for (packet, way) in &ways {
            let known = first.iter().find(|(other, _)| *other == way).map(|(_, packet)| *packet);
            let packet = known.unwrap_or_else(|| {
                first.push((way, *packet));
                *packet
            });
            *times.entry(packet).or_default() += 1;
        }
        times
    }

    /// The packets of the check that chose a way by the relay and was answered by it. A side may have
    /// thought again: the last one counts. Checks that are answered before are of ways that work as well,
    /// maybe over the other side's relay.
    fn relayed_exchange(&self) -> BTreeSet<usize> {
        let relayed = || {
            self.scenes.iter().take(2).flat_map(Scene::steps).filter(|step| {
                step.purpose == Purpose::Relaying && step.transaction.is_some()
                    || step.purpose == Purpose::Checking && touches_server(step)
            })
        };
        let choices: BTreeSet<&str> = relayed()
            .filter(|step| names_the_way(&step.what))
            .filter_map(|step| step.transaction.as_deref())
            .collect();
        let chosen = relayed().filter_map(|step| {
            let answers = step.what.contains("binding success");
            let is_there = answers && step.from == SERVER && step.end == End::Arrives;
            step.transaction.as_deref().filter(|it| is_there && choices.contains(it))
        });
        let Some(chosen) = chosen.last() else { return BTreeSet::new() };
        relayed()
            .filter(|step| step.transaction.as_deref() == Some(chosen))
            .map(|step| step.packet)
            .collect()
    }
}

/// Between the hosts, a question to the STUN server, or a connection to the relay.
fn is_lesson(step: &Step) -> bool {
    match step.purpose {
        Purpose::Asking | Purpose::Connecting => true,
        Purpose::Checking => !touches_server(step),
        Purpose::Allocating | Purpose::Relaying | Purpose::Acknowledging => false,
    }
}

fn touches_server(step: &Step) -> bool {
    let at_server = |at: SocketAddr| stage::is_server(at.ip());
    step.hops.iter().any(|hop| at_server(hop.source) || at_server(hop.destination))
}

/// Two halves of a packet's way between which nothing is shown any more are one arrow.
fn join_halves(items: &mut Vec<Item>) {
    let mut at = 1;
    while at < items.len() {
        let joined = match (&items[at - 1], &items[at]) {
            (Item::Step(out), Item::Step(back))
                if out.packet == back.packet && out.end == End::Flies =>
            {
                let mut whole = out.clone();
                // The hop in the middle is the same in both, and lies on both sides of the server.
                whole.hops.extend(back.hops.iter().copied());
                (whole.to, whole.end) = (back.to, back.end.clone());
                Some(whole)
            }
            _ => None,
        };
        match joined {
            Some(whole) => {
                items[at - 1] = Item::Step(whole);
                items.remove(at);
            }
            None => at += 1,
        }
    }
}
