//! Two agents that look for a way to each other, and the letters between them.

use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use talkie_sansio::Genesis;
use talkie_sim::nat::{Preset, Row};
use talkie_sim::net::{Host, Link, Loss, NatBox, Network, NodeId};
use talkie_traversal::ice::{
    Agent, Candidate, CandidateType, ConnectionState, Event, GatheringState, Pair, Parameters,
    Story,
};

use super::ground::{HOSTS, add_server, agent_config, config, host};
use super::{Run, Setting, is_guess};
use crate::outcome::Outcome;
use crate::story::Note;

/// Nobody tries for longer: a check takes 39.5 s at least, and the last one may begin at the end of the
/// patience, which is as long.
const LONGEST: Duration = Duration::from_secs(180);
/// 2026-01-01, for the time-stamps of captures.
const UNIX: Duration = Duration::from_secs(1_767_225_600);
/// How long it is looked on when both sides have agreed on the relay: longer than a lost check takes to be
/// sent again.
const SECOND_THOUGHTS: Duration = Duration::from_secs(2);
const NAMES: [&str; 2] = ["left", "right"];

/// What signaling carries.
struct Letter {
    at: Instant,
    to: usize,
    /// In the first one.
    parameters: Option<Parameters>,
    candidates: Vec<Candidate>,
    /// Of whose candidates these are the last.
    end_of: Option<String>,
}

/// One side of it.
struct Side {
    host: Host<Agent>,
    nat: NatBox,
    /// What may be told to the other side, and how much of it was.
    found: Vec<Candidate>,
    told: usize,
    /// How much of it a note was made of, since there was one.
    noted: Option<usize>,
    gathered: bool,
    has_written: bool,
    has_ended: bool,
    /// Whether it knows of the other one.
    knows: bool,
    /// When the last letter to it comes.
    post_at: Instant,
    /// What data takes, and the pair that was agreed on, since when.
    selected: Option<Pair>,
    agreed: Option<(Instant, Pair)>,
    failed: Option<Instant>,
    chapters: Vec<(Duration, Story)>,
}

pub(super) struct Stage {
    network: Network,
    began: Instant,
    setting: Setting,
    rng: ChaCha8Rng,
    server: NodeId,
    sides: [Side; 2],
    letters: Vec<Letter>,
    first_check: Option<Instant>,
    notes: Vec<Note>,
    before: Option<[(Vec<Row>, Instant); 2]>,
}

impl Stage {
    pub(super) fn new(kinds: [Preset; 2], setting: &Setting, now: Instant) -> Self {
        let mut rng = ChaCha8Rng::from_seed(pair_seed(setting.seed, kinds));
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let mut network = Network::new(&Genesis { now, unix: UNIX, seed });
        let internet = network.add_internet("internet");
        let server = add_server(&mut network, internet, setting);
        // Two such links are between the hosts.
        let loss = Loss::Random(1.0 - (1.0 - setting.loss).sqrt());
        let far = Link { loss, ..Link::with_delay(setting.delay * 3 / 8) };
        let names = [("left host", "left NAT"), ("right host", "right NAT")];
        let sides = [0, 1].map(|side| {
            let config = config(side, kinds[side]);
            let local = host(side, &config);
            let agent_config = agent_config(side, &config, setting);
            let nat = network.add_nat(names[side].1, internet, far.clone(), config);
            let agent = Agent::new(&network.genesis(), agent_config);
            let host = network.add_hosted(names[side].0, agent);
            network.attach(host, nat, Link::with_delay(setting.delay / 8), [local.ip()]);
            Side::new(host, nat, network.now())
        });
        Self {
            began: network.now(),
            network,
            setting: *setting,
            rng,
            server: server.into(),
            sides,
            letters: Vec::new(),
            first_check: None,
            notes: Vec::new(),
            before: None,
        }
    }

    /// Remembers every packet.
    pub(super) fn record(&mut self) {
        self.network.record(1 << 20);
    }

    /// Until both sides know how it ended, and a little longer: one of them may think again.
    pub(super) fn perform(&mut self) {
        for side in &self.sides {
            self.network.call(side.host, Agent::gather);
        }
        loop {
            for side in 0..2 {
                while let Some(event) = self.network.poll_event(self.sides[side].host) {
                    self.hear(side, event);
                }
                self.write(side);
            }
            let until = self.ends_at();
            self.letters.sort_by_key(|letter| letter.at);
            let letter = self.letters.first().map(|letter| letter.at);
            let packet = self.network.next_at();
            let Some(next) = letter.into_iter().chain(packet).min() else { break };
            if next > until {
                break;
            }
            if letter == Some(next) {
                self.network.run_until(next);
                let letter = self.letters.remove(0);
                self.deliver(letter);
            } else {
                self.network.step();
            }
        }
    }

    /// When it is over, as things stand.
    fn ends_at(&self) -> Instant {
        let delay = self.setting.delay;
        let limit = self.began + LONGEST;
        match &self.sides {
            [Side { agreed: Some((left, one)), .. }, Side { agreed: Some((right, other)), .. }]
                if one.is_direct() == other.is_direct() =>
            {
                let direct = one.is_direct();
                let more = if direct { delay * 3 } else { delay * 6 + SECOND_THOUGHTS };
                (*left).max(*right) + more
            }
            [Side { failed: Some(left), .. }, Side { failed: Some(right), .. }] => {
                (*left).max(*right) + delay * 3
            }
            _ => limit,
        }
        .min(limit)
    }

    fn hear(&mut self, side: usize, event: Event) {
        let (now, elapsed) = (self.network.now(), self.network.elapsed());
        let one = &mut self.sides[side];
        match event {
            Event::Candidate(candidate) => {
                let is_private = candidate.socket_address().is_some_and(|it| HOSTS.contains(&it));
                // RFC 8838 §13: after the end there are no more; what is guessed later comes too late.
                if !is_private && !one.has_ended {
                    one.found.push(candidate);
                }
            }
            Event::GatheringState(GatheringState::Complete) => one.gathered = true,
            Event::Story(story) => one.chapters.push((elapsed, story)),
            Event::Selected(pair) => {
                let way = if pair.is_direct() { "directly" } else { "by the relay" };
                let remote = pair.remote_address;
                let is_news = one.selected.is_none();
                if pair.is_nominated {
                    one.agreed = Some((now, (*pair).clone()));
                    self.note(side, format!("has a way: {way}, to {remote}"), true);
                } else if is_news {
                    self.note(side, format!("gets through: {way}, to {remote}"), false);
                }
                self.sides[side].selected = Some(*pair);
            }
            Event::ConnectionState(ConnectionState::Connected | ConnectionState::Completed) => {
                one.failed = None;
            }
            Event::ConnectionState(ConnectionState::Failed) => {
                one.failed = Some(now);
                self.note(side, "gives up: no pair of addresses works".to_owned(), true);
            }
            _ => {}
        }
    }

    /// Tells the other side what it does not know yet. The left side writes as soon as it has its relay, or
    /// knows that it will have none; the right one when it has the left one's letter.
    fn write(&mut self, side: usize) {
        self.note_candidates(side);
        let now = self.network.now();
        // Host to server and server to host, and up to a quarter more for whoever carries it.
        let trip = self.setting.delay * 5 / 4;
        let one = &self.sides[side];
        if !one.is_ready() || (side == 1 && !one.knows) {
            return;
        }
        let is_last = one.gathered && !one.has_ended;
        if one.has_written && one.told == one.found.len() && !is_last {
            return;
        }
        let agent = self.network.machine(one.host);
        let fragment = agent.local_parameters().username_fragment.clone();
        let parameters = (!one.has_written).then(|| agent.local_parameters().clone());
        let candidates = one.found[one.told..].to_vec();
        let more = f64::from(self.rng.next_u32()) / f64::from(u32::MAX) / 4.0;
        let to = 1 - side;
        let at = (now + trip + trip.mul_f64(more)).max(self.sides[to].post_at);
        self.sides[to].post_at = at;
        let one = &mut self.sides[side];
        (one.told, one.has_written) = (one.found.len(), true);
        one.has_ended |= is_last;
        let end_of = is_last.then_some(fragment);
        self.letters.push(Letter { at, to, parameters, candidates, end_of });
    }

    fn deliver(&mut self, letter: Letter) {
        let Letter { to, parameters, candidates, end_of, .. } = letter;
        let now = self.network.now();
        if self.before.is_none() {
            let nats = [0, 1].map(|side| self.sides[side].nat);
            self.before = Some(nats.map(|nat| (self.network.rows(nat), now)));
        }
        self.first_check.get_or_insert(now);
        let other = NAMES[1 - to];
        match candidates.len() {
            _ if parameters.is_some() => {
                self.note(
                    to,
                    format!("is told the {other} side's addresses, and sends there"),
                    false,
                );
            }
            0 => {}
            1 => self.note(to, format!("is told one more address of the {other} side"), false),
            more => {
                self.note(to, format!("is told {more} more addresses of the {other} side"), false);
            }
        }
        self.sides[to].knows = true;
        self.network.call(self.sides[to].host, |agent, now| {
            if let Some(parameters) = parameters {
                agent.set_remote_parameters(now, parameters);
            }
            for candidate in candidates {
                let taken = agent.add_remote_candidate(now, candidate);
                debug_assert!(taken.is_ok(), "what an agent tells another one takes: {taken:?}");
            }
            if let Some(fragment) = end_of {
                agent.end_of_remote_candidates_of(now, &fragment);
            }
        });
    }

    /// Says what a side has found since the last time.
    fn note_candidates(&mut self, side: usize) {
        let one = &mut self.sides[side];
        if !one.is_ready() {
            return;
        }
        let before = one.noted.replace(one.found.len());
        let new = one.found[before.unwrap_or(0)..].to_vec();
        let (guesses, known): (Vec<_>, Vec<_>) = new.iter().partition(|it| is_guess(it));
        let words: Vec<_> = known.iter().map(|it| address_words(it)).collect();
        match before {
            None if new.is_empty() => {
                self.note(side, "knows no address to tell the other side".to_owned(), false);
            }
            _ if words.is_empty() => {}
            None => self.note(side, format!("knows: {}", words.join(", ")), false),
            Some(_) => self.note(side, format!("also knows: {}", words.join(", ")), false),
        }
        if let Some(words) = guess_words(&guesses) {
            self.note(side, words, false);
        }
    }

    fn note(&mut self, side: usize, text: String, ends: bool) {
        let at = self.network.elapsed();
        let note = Note::new(at, side * 4, format!("{} host {text}", NAMES[side]));
        self.notes.push(Note { ends, ..note });
    }

    pub(super) fn outcome(&self) -> Outcome {
        let [left, right] = &self.sides;
        let (Some(left), Some(right)) = (&left.agreed, &right.agreed) else {
            return Outcome::Failed;
        };
        let Some(first) = self.first_check else { return Outcome::Failed };
        if self.sides.iter().any(|side| side.failed.is_some()) {
            return Outcome::Failed;
        }
        let after = left.0.max(right.0).saturating_duration_since(first);
        match left.1.is_direct() && right.1.is_direct() {
            true => Outcome::Direct { after },
            false => Outcome::Relayed { after },
        }
    }

    pub(super) fn into_run(mut self, kinds: [Preset; 2], now: Instant) -> Run {
        let outcome = self.outcome();
        let [left, right] = self.sides;
        Run {
            nodes: [
                left.host.into(),
                left.nat.into(),
                self.server,
                right.nat.into(),
                right.host.into(),
            ],
            configs: [0, 1].map(|side| config(side, kinds[side])),
            found: [left.found, right.found],
            chapters: [left.chapters, right.chapters],
            notes: self.notes,
            before: self.before.unwrap_or_else(|| [(Vec::new(), now), (Vec::new(), now)]),
            after: [left.nat, right.nat].map(|nat| self.network.rows(nat)),
            ended: self.network.now(),
            outcome,
            network: self.network,
        }
    }
}

impl Side {
    fn new(host: Host<Agent>, nat: NatBox, now: Instant) -> Self {
        Self {
            host,
            nat,
            found: Vec::new(),
            told: 0,
            noted: None,
            gathered: false,
            has_written: false,
            has_ended: false,
            knows: false,
            post_at: now,
            selected: None,
            agreed: None,
            failed: None,
            chapters: Vec::new(),
        }
    }

    /// Whether it has what takes longest, a relay, or will get no more.
    fn is_ready(&self) -> bool {
        self.gathered || self.found.iter().any(|it| it.kind == CandidateType::Relayed)
    }
}

fn address_words(candidate: &Candidate) -> String {
    let word = match candidate.kind {
        CandidateType::Host => "own address",
        CandidateType::Relayed => "relay",
        CandidateType::ServerReflexive | CandidateType::PeerReflexive => "outside",
    };
    match candidate.socket_address() {
        Some(address) => format!("{word} {address}"),
        None => word.to_owned(),
    }
}

fn guess_words(guesses: &[&Candidate]) -> Option<String> {
    let mut all = guesses.iter().filter_map(|it| it.socket_address());
    let first = all.next()?;
    let others: Vec<_> = all.map(|it| format!(":{}", it.port())).collect();
    let others = if others.is_empty() { String::new() } else { format!(", {}", others.join(", ")) };
    Some(format!("guesses that its next port is {first}{others}"))
}

/// Each pair has chances of its own, and the same ones in the matrix as alone.
fn pair_seed(seed: u64, kinds: [Preset; 2]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    for (byte, kind) in bytes[8..].iter_mut().zip(kinds) {
        let place = Preset::all().position(|known| known == kind).unwrap_or_default();
        *byte = u8::try_from(place).unwrap_or(u8::MAX);
    }
    bytes
}
