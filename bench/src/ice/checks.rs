//! How many checks are answered in a second of CPU time: by talkie's agent, aioice and libnice, each asked
//! over a real socket on its own host; and by talkie's machine alone, beside what reading and signing
//! would take by themselves.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use talkie_lab::real::{Host, Type};
use talkie_traversal::stun::auth::Key;
use talkie_traversal::stun::{Message, TransactionId};

use super::crowd::{Input, Story, address};
use super::flood::{Flood, answer, check};
use super::lab::Lab;
use super::median;
use super::stack::{Peer, Servers, Stack};
use crate::process::{cpu_of, cpu_of_thread};

/// Of each stack in a round; the slowest takes seconds for them.
const ASKED: usize = 6_400;
/// Of the machine alone.
const TOLD: usize = 200_000;

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let rounds: usize = match words {
        [] => 3,
        ["--rounds", count] => count.parse()?,
        other => bail!("unknown option {other:?}"),
    };
    println!("thousand checks answered per CPU-second, median of {rounds} rounds");
    println!("{:<34} {:>10} {:>14}", "over a socket", "", "talkie's ratio");
    let rates = over_sockets(rounds)?;
    for (stack, rate) in Stack::ALL.iter().zip(rates) {
        println!("{:<34} {rate:>10.1} {:>14.1}", stack.name(), rates[0] / rate);
    }
    println!("{:<34} {:>10} {:>14}", "in memory", "", "of bare signing");
    for count in [1, 10_000] {
        let mut found = Vec::new();
        for _ in 0..rounds {
            found.push(in_memory(count)?);
        }
        let rate = median(found.iter().map(|(machine, _)| *machine));
        let bare = median(found.iter().map(|(_, bare)| *bare));
        let name = format!("a mux of {count} agents");
        println!("{name:<34} {rate:>10.1} {:>14.2}", rate / bare);
    }
    Ok(())
}

fn over_sockets(rounds: usize) -> Result<[f64; 3]> {
    let lab = Lab::up("bench-checks", [Type::None; 2], Duration::ZERO)?;
    let mut rates = [const { Vec::new() }; 3];
    for round in 0..rounds {
        for turn in 0..3 {
            let which = (round + turn) % 3;
            let stack = Stack::ALL[which];
            let mut peer = Peer::start(&lab, Host::Left, stack, false, Servers::None)?;
            let rate = asked(&lab, &mut peer).with_context(|| stack.name())?;
            rates[which].push(rate);
        }
    }
    Ok(rates.map(|rates| median(rates.into_iter())))
}

fn asked(lab: &Lab, peer: &mut Peer) -> Result<f64> {
    let mut flood = Flood::new(lab, peer)?;
    flood.run(ASKED / 10)?;
    let before = cpu_of(peer.process())?;
    let answered = flood.run(ASKED)?;
    Ok(rate(answered, cpu_of(peer.process())? - before))
}

/// Thousand per second.
fn rate(count: usize, cpu: Duration) -> f64 {
    count as f64 / cpu.as_secs_f64() / 1e3
}

/// By a mux of so many agents, asked in turn; and by reading and signing alone.
fn in_memory(count: usize) -> Result<(f64, f64)> {
    let mut story = Story::of(count, Duration::from_secs(1))?;
    let fragments: Vec<String> =
        (0..count).map(|index| story.theirs(index).username_fragment.clone()).collect();
    let now = story.end();
    let (mut crowd, _) = story.idle()?;
    crowd.tell(now, &mut Input::Timeout, |_, _| ())?;
    let mut checks: Vec<(SocketAddr, Vec<u8>, Key)> = Vec::new();
    for number in 0..TOLD {
        let index = number % count;
        let agent = crowd.mux.agent(crowd.ids[index]).context("it was added")?;
        let ours = agent.local_parameters();
        let mut id = [0x55; 12];
        id[4..].copy_from_slice(&(number as u64).to_be_bytes());
        let bytes = check(ours, &fragments[index], TransactionId(id), false)?;
        checks.push((address(index), bytes, Key::short_term(&ours.password)));
    }
    let mut answered = 0;
    let before = cpu_of_thread()?;
    for (from, bytes, _) in &mut checks {
        let mut input = Input::Datagram(*from, std::mem::take(bytes));
        crowd.tell(now, &mut input, |_, _| answered += 1)?;
        if let Input::Datagram(_, taken) = input {
            *bytes = taken;
        }
    }
    let machine = rate(answered, cpu_of_thread()? - before);
    let before = cpu_of_thread()?;
    for (from, bytes, key) in &checks {
        let message = Message::parse(bytes)?;
        anyhow::ensure!(message.check_integrity(key) == Some(true), "it is signed");
        black_box(answer(message.transaction_id(), *from, key));
    }
    Ok((machine, rate(TOLD, cpu_of_thread()? - before)))
}
