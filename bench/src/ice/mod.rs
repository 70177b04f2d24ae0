//! How soon two hosts of a lab are connected, in round trips, and with how many packets: talkie's agent,
//! aioice and libnice on the same lab, taking turns.
//!
//! Each session is one stack with itself. Both sides gather; then, at one moment, each is told everything of
//! the other. What counts is what passes the two hosts' network cards ([`wire`]), so that no stack's own
//! clock or idea of being connected has a part in it: a side has a pair when the answer to a check of its own
//! has come, and a pair is nominated when the answer to a check with USE-CANDIDATE has.

mod chart;
pub(crate) mod checks;
pub(crate) mod crowd;
mod flood;
mod lab;
pub(crate) mod many;
mod stack;
mod wire;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use talkie_lab::real::{Host, Type};
use talkie_sim::nat::Preset;

use self::lab::Lab;
pub(crate) use self::lab::be_inside;
use self::stack::{Peer, Servers, Stack};
use self::wire::Wire;

/// How long packets are counted after both know each other.
const WINDOW: Duration = Duration::from_secs(5);

/// Two hosts, what stands before each, and the relay they may ask.
struct Topology {
    name: &'static str,
    sides: [Type; 2],
    servers: Servers,
}

const OPEN: Type = Type::None;
const PORT: Type = Type::Nat(Preset::PortRestricted);
const ADDRESS: Type = Type::Nat(Preset::AddressRestricted);
const SYMMETRIC: Type = Type::Nat(Preset::Symmetric);

const TOPOLOGIES: [Topology; 5] = [
    Topology { name: "no NAT", sides: [OPEN, OPEN], servers: Servers::None },
    Topology { name: "port-restricted, both", sides: [PORT, PORT], servers: Servers::Stun },
    Topology {
        name: "symmetric × address-restricted",
        sides: [SYMMETRIC, ADDRESS],
        servers: Servers::Stun,
    },
    Topology {
        name: "symmetric, both, relay over UDP",
        sides: [SYMMETRIC, SYMMETRIC],
        servers: Servers::Relay("udp"),
    },
    Topology {
        name: "symmetric, both, relay over TCP",
        sides: [SYMMETRIC, SYMMETRIC],
        servers: Servers::Relay("tcp"),
    },
];

/// What one session took, from when both knew each other.
#[derive(Clone, Copy, Debug)]
struct Session {
    /// Until the first of both had a pair.
    first: Duration,
    /// Until both had.
    both: Duration,
    /// Until the controlling side's nomination was answered.
    nominated: Duration,
    /// Packets that both hosts have sent, from the start of gathering.
    packets: usize,
}

/// The median of some sessions, times in round trips.
struct Row {
    topology: &'static str,
    stack: Stack,
    first: f64,
    both: f64,
    nominated: f64,
    packets: f64,
}

struct Options {
    rounds: usize,
    delay: Duration,
    only: String,
    svg: Option<PathBuf>,
}

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let mut options =
        Options { rounds: 3, delay: Duration::from_millis(50), only: String::new(), svg: None };
    for pair in words.chunks(2) {
        match pair {
            ["--rounds", count] => options.rounds = count.parse()?,
            ["--delay", milliseconds] => {
                options.delay = Duration::from_millis(milliseconds.parse()?);
            }
            ["--only", text] => options.only = (*text).to_owned(),
            ["--svg", file] => options.svg = Some(file.into()),
            other => bail!("unknown option {other:?}"),
        }
    }
    ensure!(!options.delay.is_zero() && options.rounds > 0, "nothing would be measured");
    // Out over the line of one side, in over that of the other, and back.
    let round_trip = options.delay * 4;
    println!("{} rounds; in round trips of {} ms", options.rounds, round_trip.as_millis());
    println!(
        "{:<34} {:<8} {:>10} {:>10} {:>10} {:>8}",
        "", "", "one side", "both", "nominated", "packets"
    );
    let mut rows = Vec::new();
    for topology in TOPOLOGIES.iter().filter(|it| it.name.contains(&options.only)) {
        let found = topology.play(&options)?;
        for (stack, sessions) in Stack::ALL.into_iter().zip(found) {
            if sessions.is_empty() {
                continue;
            }
            let row = Row::of(topology.name, stack, &sessions, round_trip);
            println!(
                "{:<34} {:<8} {:>10.2} {:>10.2} {:>10.2} {:>8.0}",
                row.topology,
                row.stack.name(),
                row.first,
                row.both,
                row.nominated,
                row.packets
            );
            rows.push(row);
        }
    }
    if let Some(file) = &options.svg {
        std::fs::write(file, chart::draw(&rows))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

impl Topology {
    /// The sessions of each stack.
    fn play(&self, options: &Options) -> Result<[Vec<Session>; 3]> {
        let lab = Lab::up("bench-ice", self.sides, options.delay)?;
        let _relay = match self.servers {
            Servers::None => None,
            _ => Some(lab.relay()?),
        };
        let mut sessions = [const { Vec::new() }; 3];
        for round in 0..options.rounds {
            for turn in 0..3 {
                let which = (round + turn) % 3;
                let stack = Stack::ALL[which];
                match self.session(&lab, stack) {
                    Ok(session) => sessions[which].push(session),
                    // It is left out, and that is said.
                    Err(error) => println!("{}, {}: {error}", self.name, stack.name()),
                }
            }
        }
        Ok(sessions)
    }

    fn session(&self, lab: &Lab, stack: Stack) -> Result<Session> {
        let wires = [Wire::tap(lab, Host::Left)?, Wire::tap(lab, Host::Right)?];
        let mut peers = [
            Peer::start(lab, Host::Left, stack, true, self.servers)?,
            Peer::start(lab, Host::Right, stack, false, self.servers)?,
        ];
        let [left, right] = &mut peers;
        let told = [left.gathered()?, right.gathered()?];
        let known = Instant::now();
        left.hear(&told[1])?;
        right.hear(&told[0])?;
        thread::sleep(WINDOW);
        drop(peers);
        let [left, right] = wires.map(Wire::untap);
        let since = |at: Option<Instant>| at.map(|at| at.saturating_duration_since(known));
        let pairs = [&left, &right].map(|side| since(side.first_pair()));
        let [Some(left_pair), Some(right_pair)] = pairs else { bail!("not connected") };
        // The left side controls, unless the two have seen it otherwise.
        let nominated = since(left.nominated()).or_else(|| since(right.nominated()));
        Ok(Session {
            first: left_pair.min(right_pair),
            both: left_pair.max(right_pair),
            nominated: nominated.context("nothing is nominated")?,
            packets: left.sent + right.sent,
        })
    }
}

impl Row {
    fn of(
        topology: &'static str,
        stack: Stack,
        sessions: &[Session],
        round_trip: Duration,
    ) -> Self {
        let trips = |span: Duration| span.as_secs_f64() / round_trip.as_secs_f64();
        let middle = |of: &dyn Fn(&Session) -> f64| median(sessions.iter().map(of));
        Self {
            topology,
            stack,
            first: middle(&|session| trips(session.first)),
            both: middle(&|session| trips(session.both)),
            nominated: middle(&|session| trips(session.nominated)),
            packets: middle(&|session| session.packets as f64),
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
