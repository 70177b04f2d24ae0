//! The story told from a trace.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use talkie_sim::nat::{Preset, Reason, Row};
use talkie_sim::trace::{Cause, Entry, Side, Way, What};

use super::names::{Named, name};
use super::{End, Hop, Item, Mapping, Note, Scene, Step, Story, pairs, why};
use crate::stage::{self, Run, Setting};

const SERVER: usize = 2;

/// Plays one pair. `now` is the time at which the virtual clock begins; it changes nothing.
#[must_use]
pub fn play(left: Preset, right: Preset, setting: &Setting, now: Instant) -> (Story, Run) {
    let run = stage::run([left, right], setting, now);
    let mut teller = Teller::new(&run);
    for entry in run.trace().entries() {
        teller.hear(entry);
    }
    let told = teller.finish();
    let table = |rows: &[Row], at: Instant| -> Vec<Mapping> {
        rows.iter().map(|row| mapping(row, at)).collect()
    };
    let story = Story {
        kinds: [left, right],
        setting: *setting,
        addresses: run.addresses(),
        before: [0, 1].map(|side| table(&run.before[side].0, run.before[side].1)),
        after: [0, 1].map(|side| table(&run.after[side], run.ended)),
        outcome: run.outcome,
        relay_over: [0, 1].map(|side| run.relay_over(side)),
        pairs: [0, 1].map(|side| pairs::of(&run, &told, side)),
        why: why::explain(&told, &run, [left, right]),
        scenes: scenes(told, &run),
        left_out: 0,
    };
    (story, run)
}

fn mapping(row: &Row, now: Instant) -> Mapping {
    Mapping {
        inside: row.inside,
        outside: row.outside,
        protocol: row.protocol.to_string(),
        to: row.to.to_string(),
        from: row.from.to_string(),
        age: now.saturating_duration_since(row.used),
    }
}

struct Teller<'a> {
    run: &'a Run,
    /// The lane from which each packet was sent, and what it is.
    sent: BTreeMap<u64, (usize, Named, Hop)>,
    /// Packets as they are counted here, from 1.
    numbers: BTreeMap<u64, usize>,
    told: Vec<(u64, Step)>,
}

impl<'a> Teller<'a> {
    fn new(run: &'a Run) -> Self {
        Self { run, sent: BTreeMap::new(), numbers: BTreeMap::new(), told: Vec::new() }
    }

    fn hear(&mut self, entry: &Entry) {
        let lane = self.run.lane(entry.node);
        let hop = Hop { source: entry.source, destination: entry.destination };
        match (entry.what, lane) {
            (What::Sent, Some(lane)) => {
                self.sent.insert(entry.packet, (lane, name(entry.content, &entry.payload), hop));
            }
            (What::Duplicated { copy }, _) => {
                if let Some(sent) = self.sent.get(&entry.packet).cloned() {
                    self.sent.insert(copy, sent);
                }
            }
            (What::Translated { way, source, destination }, Some(lane)) => {
                let after = Hop { source, destination };
                self.cross(entry, lane, way, [hop, after]);
            }
            // A firewall changes nothing.
            (What::Forwarded, Some(lane)) => {
                let way = if entry.side == Side::Inside { Way::Out } else { Way::In };
                self.cross(entry, lane, way, [hop, hop]);
            }
            (What::Dropped(Cause::Nat(reason)), Some(lane)) => {
                let outwards = entry.side == Side::Inside;
                let from = match (outwards, lane) {
                    (false, _) => SERVER,
                    (true, lane) => host_beside(lane),
                };
                let why = self.reason(reason, hop, lane, outwards);
                self.tell(entry, (from, lane), vec![hop], End::Dropped { why });
            }
            (What::Dropped(cause), _) => self.lose(entry, hop, cause),
            _ => {}
        }
    }

    fn cross(&mut self, entry: &Entry, lane: usize, way: Way, hops: [Hop; 2]) {
        match way {
            Way::Out => {
                let to_server = stage::is_server(hops[1].destination.ip());
                let end = if to_server { End::Arrives } else { End::Flies };
                self.tell(entry, (host_beside(lane), SERVER), hops.to_vec(), end);
            }
            Way::In | Way::Hairpin => {
                self.tell(entry, (SERVER, host_beside(lane)), hops.to_vec(), End::Arrives);
            }
        }
    }

    fn tell(&mut self, entry: &Entry, (from, to): (usize, usize), mut hops: Vec<Hop>, end: End) {
        let continues = self.numbers.contains_key(&entry.packet);
        let next = self.numbers.len() + 1;
        let packet = *self.numbers.entry(entry.packet).or_insert(next);
        let Some((_, named, _)) = self.sent.get(&entry.packet) else { return };
        let Named { what, purpose, transaction } = named.clone();
        // Nothing was decided in between: the packet's two ways through NATs are one arrow.
        if from == SERVER
            && let Some((last, before)) = self.told.last_mut()
            && *last == entry.packet
            && before.end == End::Flies
        {
            before.hops.append(&mut hops);
            (before.to, before.end) = (to, end);
            return;
        }
        let at = entry.at;
        let times = 1;
        let step =
            Step { at, packet, what, purpose, transaction, continues, times, from, to, hops, end };
        self.told.push((entry.packet, step));
    }

    /// A packet that died elsewhere than at a NAT's rules.
    fn lose(&mut self, entry: &Entry, hop: Hop, cause: Cause) {
        let why = match cause {
            Cause::PrivateAddress | Cause::NoRoute if is_private(hop.destination.ip()) => {
                format!("{} is private: no way there", hop.destination.ip())
            }
            Cause::Loss => "lost on the way".to_owned(),
            other => other.to_string(),
        };
        let known = self.told.iter_mut().rev().find(|(packet, _)| *packet == entry.packet);
        if let Some((_, step)) = known {
            step.end = End::Dropped { why };
            return;
        }
        let Some((sender, ..)) = self.sent.get(&entry.packet) else { return };
        let (from, to) = match (*sender, self.run.side_of(hop.destination.ip())) {
            (0, _) => (0, 1),
            (4, _) => (4, 3),
            (_, Some(1)) => (SERVER, 3),
            _ => (SERVER, 1),
        };
        self.tell(entry, (from, to), vec![hop], End::Dropped { why });
    }

    /// Why a NAT dropped a packet, in words.
    fn reason(&self, reason: Reason, hop: Hop, lane: usize, outwards: bool) -> String {
        let side = if lane < SERVER { "left" } else { "right" };
        match reason {
            Reason::Filtered => {
                let asked = match self.run.filters_ports(lane) {
                    true => hop.source.to_string(),
                    false => hop.source.ip().to_string(),
                };
                format!("filtered: :{} has sent nothing to {asked}", hop.destination.port())
            }
            // The port is somebody's, but only towards the remotes of its flows.
            Reason::NoMapping if self.is_in_use(hop.destination) => {
                format!(
                    "no mapping: :{} has sent nothing to {}",
                    hop.destination.port(),
                    hop.source
                )
            }
            Reason::NoMapping => {
                format!("no mapping: nobody inside has :{}", hop.destination.port())
            }
            Reason::Blocked if outwards => "UDP is blocked".to_owned(),
            other => format!("{side} NAT: {}", Cause::Nat(other)),
        }
    }

    /// Whether packets had this source after a NAT.
    fn is_in_use(&self, outside: SocketAddr) -> bool {
        let seen = |step: &Step| step.hops.iter().skip(1).any(|hop| hop.source == outside);
        self.told.iter().any(|(_, step)| seen(step))
    }

    fn finish(self) -> Vec<Step> {
        self.told.into_iter().map(|(_, step)| step).collect()
    }
}

const fn host_beside(lane: usize) -> usize {
    if lane < SERVER { 0 } else { 4 }
}

fn is_private(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_private())
}

/// Cuts the story where the sides have told each other of themselves, and where it is over.
fn scenes(told: Vec<Step>, run: &Run) -> Vec<Scene> {
    let mut items: Vec<(Duration, Item)> =
        told.into_iter().map(|step| (step.at, Item::Step(step))).collect();
    let first_note = run.notes.iter().map(|note| note.at).min().unwrap_or(Duration::MAX);
    items.extend(run.notes.iter().map(|note| (note.at, Item::Note(note.clone()))));
    // What is told at a time comes before what is sent because of it.
    items.sort_by_key(|(at, item)| (*at, matches!(item, Item::Step(_))));
    let over = run.notes.iter().rev().find(|note| note.ends).map_or(Duration::MAX, |note| note.at);
    let titles = [
        "1  Each side asks the server how it is seen from outside",
        "2  They tell each other by signaling, and send to each other",
        "3  Afterwards: the way is checked and kept open",
    ];
    let mut scenes = titles.map(|title| Scene { title: title.to_owned(), items: Vec::new() });
    for (at, item) in items {
        let scene = match at {
            at if at < first_note => 0,
            at if at <= over => 1,
            _ => 2,
        };
        scenes[scene].items.push(item);
    }
    scenes.into_iter().filter(|scene| !scene.items.is_empty()).collect()
}

impl Note {
    /// Something that is no packet.
    pub(crate) fn new(at: Duration, lane: usize, text: String) -> Self {
        Self { at, lane, text, ends: false }
    }
}

/// The outside address that a host's packets to `remote` had.
pub(super) fn seen_by(told: &[Step], host: usize, remote: SocketAddr) -> Option<SocketAddr> {
    told.iter()
        .filter(|step| step.from == host)
        .filter_map(|step| step.hops.get(1))
        .find(|hop| hop.destination == remote)
        .map(|hop| hop.source)
}
