//! The relay against coturn: packets per CPU-second, CPU per allocation, memory per idle allocation.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::process::Server;
use crate::traffic::{Ends, Load, allocate};

const PLAIN: Load =
    Load { name: "", payload: 172, allocations: 1, window: 64, echo: false, offload: false };

/// 172 bytes are 20 ms of Opus with RTP and SRTP around them; 1,200 are a full packet of video.
const LOADS: [Load; 11] = [
    Load { name: "172 B, one way", ..PLAIN },
    Load { name: "1200 B, one way", payload: 1200, ..PLAIN },
    Load { name: "172 B, echo", echo: true, ..PLAIN },
    // 64 would not fit into the receive buffer that coturn gives its relay sockets.
    Load { name: "1200 B, echo", payload: 1200, echo: true, window: 32, ..PLAIN },
    Load { name: "172 B, one way, 100 allocations", allocations: 100, window: 100, ..PLAIN },
    Load {
        name: "1200 B, one way, 100 allocations",
        payload: 1200,
        allocations: 100,
        window: 100,
        ..PLAIN
    },
    Load {
        name: "172 B, echo, 100 allocations",
        echo: true,
        allocations: 100,
        window: 100,
        ..PLAIN
    },
    Load {
        name: "1200 B, echo, 100 allocations",
        payload: 1200,
        echo: true,
        allocations: 100,
        window: 100,
        ..PLAIN
    },
    Load { name: "172 B, one at a time", echo: true, window: 1, ..PLAIN },
    Load { name: "172 B, one way, GSO and GRO", offload: true, ..PLAIN },
    Load {
        name: "1200 B, one way, GSO and GRO",
        payload: 1200,
        offload: true,
        window: 32,
        ..PLAIN
    },
];

struct Options {
    rounds: usize,
    packets: usize,
    only: String,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { rounds: 5, packets: 40_000, only: String::new() };
        for pair in words.chunks(2) {
            match pair {
                ["--rounds", count] => options.rounds = count.parse()?,
                ["--packets", count] => options.packets = count.parse()?,
                ["--only", text] => (*text).clone_into(&mut options.only),
                other => bail!("unknown option {other:?}"),
            }
        }
        Ok(options)
    }
}

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let options = Options::parse(words)?;
    // Thousands of sockets, inherited by the servers.
    talkie_net::raise_descriptor_limit()?;
    let servers = [Server::talkie()?, Server::coturn()?];
    let mut rows = Vec::new();
    println!("{:<36} {:>10} {:>10} {:>7}", "", "talkie", "coturn", "ratio");
    println!("thousand packets per CPU-second of the server");
    for load in LOADS.into_iter().filter(|load| load.name.contains(&options.only)) {
        let (rates, lost) = measure(&servers, load, &options)?;
        rows.push(report(load.name, rates, true));
        if lost > [0, 0] {
            println!("    lost: talkie {}, coturn {}", lost[0], lost[1]);
        }
    }
    drop(servers);
    if "allocation".contains(&options.only) {
        println!("CPU-µs per allocation");
        rows.push(report("allocation", allocations(&options)?, false));
        println!("bytes of memory per idle allocation");
        rows.push(report("idle allocation", memory()?, false));
    }
    save(&rows)
}

/// Median thousand packets per CPU-second of each server, and what each lost.
fn measure(servers: &[Server; 2], load: Load, options: &Options) -> Result<([f64; 2], [u64; 2])> {
    let mut ends = [Ends::new(&servers[0], load)?, Ends::new(&servers[1], load)?];
    let (mut rates, mut lost) = ([Vec::new(), Vec::new()], [0; 2]);
    let packets = if load.window == 1 { options.packets / 4 } else { options.packets };
    for round in 0..options.rounds {
        // Whoever goes first changes, so that a machine that slows down favours nobody.
        for side in [round % 2, 1 - round % 2] {
            let cost = ends[side].run(packets)?;
            rates[side].push(cost.packets as f64 / cost.cpu.as_secs_f64() / 1000.0);
            lost[side] += cost.lost;
        }
    }
    Ok((rates.map(median), lost))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn allocations(options: &Options) -> Result<[f64; 2]> {
    let servers = [Server::talkie()?, Server::coturn()?];
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..options.rounds {
        for (server, costs) in servers.iter().zip(&mut costs) {
            let before = server.cpu()?;
            let made = allocate(server.address, 300)?;
            let cpu: Duration = server.cpu()? - before;
            costs.push(cpu.as_secs_f64() * 1e6 / made.len() as f64);
        }
    }
    Ok(costs.map(median))
}

fn memory() -> Result<[f64; 2]> {
    let mut bytes = [0.0; 2];
    for (server, bytes) in [Server::talkie()?, Server::coturn()?].iter().zip(&mut bytes) {
        let _first = allocate(server.address, 1)?;
        let before = server.memory()?;
        let made = allocate(server.address, 2000)?;
        *bytes = server.memory()?.saturating_sub(before) as f64 / made.len() as f64;
    }
    Ok(bytes)
}

/// Prints one line; a ratio above one is to talkie's favour.
fn report(name: &str, [ours, theirs]: [f64; 2], more_is_better: bool) -> Value {
    let ratio = if more_is_better { ours / theirs } else { theirs / ours };
    println!("{name:<36} {ours:>10.1} {theirs:>10.1} {ratio:>7.2}");
    json!({ "name": name, "talkie": ours, "coturn": theirs, "ratio": ratio })
}

fn save(rows: &[Value]) -> Result<()> {
    let folder = Path::new("target/bench");
    fs::create_dir_all(folder)?;
    let file = folder.join("relay.json");
    fs::write(&file, serde_json::to_string_pretty(rows)?).context("cannot save the figures")?;
    println!("saved to {}", file.display());
    Ok(())
}
