//! Why it ended as it did, in plain words.
//!
//! Nothing is concluded from the types' names. Each sentence stands on what was seen: which outside
//! address a side's packets really had, and which packets the NATs let in or dropped.

use std::net::SocketAddr;

use talkie_sim::nat::{Filtering, Preset, Unsolicited};

use super::names::Purpose;
use super::told::seen_by;
use super::{End, Step};
use crate::outcome::Outcome;
use crate::stage::Run;

const NAMES: [&str; 2] = ["left", "right"];

/// What was seen of one side.
struct Facts {
    name: &'static str,
    other: &'static str,
    /// How the server saw its host.
    learned: Option<SocketAddr>,
    /// How its packets looked that went to where the server had seen the other host.
    used: Option<SocketAddr>,
    /// The number of its first check that died at the other NAT.
    first_dropped: Option<usize>,
    /// And of the first one that the other NAT let in.
    first_in: Option<usize>,
    /// How many addresses it told without having been seen there, and whether one of them was right.
    guesses: usize,
    was_guessed: bool,
    is_translated: bool,
}

pub(super) fn explain(told: &[Step], run: &Run, kinds: [Preset; 2]) -> Vec<String> {
    let facts = [0, 1].map(|side| Facts::of(told, run, side));
    let [left, right] = &facts;
    if run.outcome == Outcome::Failed || left.learned.is_none() || right.learned.is_none() {
        return blocked(&facts, run);
    }
    let mut words: Vec<String> = facts.iter().filter_map(Facts::about_ports).collect();
    match run.outcome {
        Outcome::Direct { .. } => words.extend(direct(&facts)),
        _ => words.extend(relayed(&facts, run, kinds)),
    }
    words
}

impl Facts {
    fn of(told: &[Step], run: &Run, side: usize) -> Self {
        let (host, other) = (side * 4, 1 - side);
        let learned = [0, 1].map(|side| run.learned(side));
        let used = learned[other].and_then(|there| seen_by(told, host, there));
        let other_nat = 3 - side * 2;
        let checks = || {
            told.iter().filter(move |told| {
                let outer = if told.from == host { 1 } else { 0 };
                let reached = told.hops.get(outer).is_some_and(|hop| {
                    run.side_of(hop.source.ip()) == Some(side)
                        && run.side_of(hop.destination.ip()) == Some(other)
                });
                told.purpose == Purpose::Checking && reached
            })
        };
        let dropped =
            |told: &&Step| told.to == other_nat && matches!(told.end, End::Dropped { .. });
        let arrived = |told: &&Step| told.to == other * 4 && told.end == End::Arrives;
        let guesses = run.guessed(side);
        Self {
            guesses: guesses.len(),
            was_guessed: used.is_some_and(|used| guesses.contains(&used)),
            name: NAMES[side],
            other: NAMES[other],
            learned: learned[side],
            used,
            first_dropped: checks().find(dropped).map(|told| told.packet),
            first_in: checks().find(arrived).map(|told| told.packet),
            is_translated: run.is_translated(side),
        }
    }

    fn keeps_its_port(&self) -> bool {
        self.used.is_none() || self.used == self.learned
    }

    fn about_vain_guesses(&self) -> String {
        let Self { name, other, guesses, was_guessed, .. } = self;
        match was_guessed {
            true => format!(
                "The {name} host told {guesses} guesses of its next port, and one was right; but the {name} \
                 NAT did not let in what came to it from the {other}."
            ),
            false => format!(
                "The {name} host told {guesses} guesses of its next port, and none was right."
            ),
        }
    }

    fn about_ports(&self) -> Option<String> {
        let (name, other, learned) = (self.name, self.other, self.learned?);
        Some(match self.used? {
            _ if !self.is_translated => format!(
                "On the {name} there is no translation: the {name} host is {learned} to everybody."
            ),
            used if used == learned => format!(
                "The {name} NAT showed the {other} side the same address as the server, {used}: what \
                 the server had seen was true."
            ),
            used => format!(
                "The {name} NAT showed the server {learned}, and the {other} side {used}: what the \
                 server had seen was of no use to the {other} side."
            ),
        })
    }
}

fn direct(facts: &[Facts; 2]) -> Vec<String> {
    let mut words = Vec::new();
    for one in facts {
        let Facts { name, other, .. } = one;
        match (one.first_dropped, one.first_in) {
            (Some(dropped), Some(passed)) if dropped < passed => words.push(format!(
                "Packet {dropped} from the {name} died at the {other} NAT, which did not expect it \
                 yet. It was not for nothing: on its way out it opened the {name} NAT for answers. \
                 Packet {passed} was let in."
            )),
            (None, Some(passed)) => words.push(format!(
                "The {other} NAT let in the {name} side's first packet that reached it, packet \
                 {passed}."
            )),
            _ => {}
        }
    }
    words.push(match facts.iter().find(|one| !one.keeps_its_port()) {
        Some(one) if one.was_guessed => format!(
            "The {0} NAT gives its ports in an order. The {0} host had seen it by asking the server at \
             several addresses, and told the {1} side {2} ports that might come next. One of them came: the \
             {1} host had sent there, so that its NAT let in what came from it.",
            one.name, one.other, one.guesses
        ),
        Some(one) => format!(
            "It worked although the {}'s port is another one for each remote: the {} NAT lets in \
             any port of an address that was sent to, or anybody, and its host then answered to \
             where the packet came from.",
            one.name, one.other
        ),
        None => "Each NAT lets in what answers to something that was sent before. Both sent to where \
                 the server had seen the other, so each side's packet was an answer to the other's: \
                 that is all there is to hole punching."
            .to_owned(),
    });
    words
}

fn relayed(facts: &[Facts; 2], run: &Run, kinds: [Preset; 2]) -> Vec<String> {
    let mut words = Vec::new();
    for (side, one) in facts.iter().enumerate() {
        let (Some(used), Some(learned)) = (one.used, one.learned) else { continue };
        let theirs = run.config(1 - side);
        if used == learned {
            continue;
        }
        if one.guesses > 0 {
            words.push(one.about_vain_guesses());
        }
        if one.was_guessed {
            continue;
        }
        if run.config(side).unsolicited == Unsolicited::Tracked && !random_ports(kinds[side]) {
            words.push(format!(
                "Why another port? A packet from the {} came before the {} host had sent anything \
                 there. The {} NAT dropped it but remembered it as a flow of its own, so that port \
                 {} was taken for that remote. A firewall rule that drops what comes uninvited \
                 before it is tracked mends this.",
                one.other,
                one.name,
                one.name,
                learned.port()
            ));
        }
        let lets_in = match theirs.filtering {
            Filtering::AddressAndPortDependent => "address and port",
            _ => "address",
        };
        words.push(format!(
            "The {} host sent to {learned}, so the {} NAT expects answers from that {lets_in}; they \
             came from {used} and were dropped. The other way round, packets to {learned} met a \
             mapping that lets in the server only.",
            one.other, one.other
        ));
    }
    if words.is_empty() {
        words.push(
            "Neither NAT's ports were the matter: the checks were lost or came too late."
                .to_owned(),
        );
    }
    words.push(
        "The relay has an address that is the same for everybody. Each host had sent to it first, \
         so its packets are let in by every NAT; the price is the way around and the server's \
         bandwidth."
            .to_owned(),
    );
    words
}

fn random_ports(kind: Preset) -> bool {
    kind == Preset::LinuxRandomFully
}

fn blocked(facts: &[Facts; 2], run: &Run) -> Vec<String> {
    let mut words: Vec<String> = facts
        .iter()
        .enumerate()
        .filter(|(side, _)| !run.config(*side).udp)
        .map(|(_, one)| {
            format!(
                "The {} network lets no UDP out, so the server cannot tell its host how UDP from there \
                 looks: there is no address to tell the other side, and no hole to punch.",
                one.name
            )
        })
        .collect();
    let is_blocked = !words.is_empty();
    words.push(
        match (is_blocked, run.outcome) {
            (true, Outcome::Failed) => {
                "The relay can be reached over TCP, but too much was lost before the hosts gave \
                 up."
            }
            (true, _) => {
                "TCP is let out, so the relay is reached over TCP: its host opens a connection, and \
                 the server hands on by UDP what comes over it, from the relay's address. The other \
                 side notices nothing of it. Where only web pages are let out, TLS on port 443 looks \
                 like one. The price is the way around, the server's bandwidth, and that TCP holds \
                 back all that comes after a lost packet."
            }
            (false, _) => "A side got no answer in time: too much was lost before the hosts gave up.",
        }
        .to_owned(),
    );
    words
}
