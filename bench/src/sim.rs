//! The simulated network: how much faster than time itself it is, and how many things happen in it in a
//! second of CPU time.
//!
//! Nobody else's simulator takes part, so the first figure is a ratio of virtual and CPU time, and the
//! second one is of one machine. One row has a trace, which shows what that costs.

#[path = "../../crates/talkie-sim/tests/it/caller.rs"]
mod caller;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use talkie_sansio::conformance::genesis;
use talkie_sim::nat::Config;
use talkie_sim::net::{Link, Loss, Network, Place};

use self::caller::Caller;
use crate::process::cpu_of;

/// What is played.
#[derive(Clone, Copy)]
struct Scene {
    name: &'static str,
    pairs: u32,
    /// How many packets each sends, one every 20 ms.
    packets: u32,
    /// Whether each is behind a NAT of its own.
    nats: bool,
    trace: bool,
    /// How often it is played in a round.
    times: u32,
}

const CALL: Scene = Scene {
    name: "a call of 30 s through two NATs",
    pairs: 1,
    packets: 1500,
    nats: true,
    trace: false,
    times: 50,
};

const SCENES: [Scene; 4] = [
    CALL,
    Scene { name: "the same with a trace", trace: true, ..CALL },
    Scene {
        name: "10,000 hosts, 1 M packets",
        pairs: 5000,
        packets: 100,
        nats: false,
        times: 1,
        ..CALL
    },
    Scene {
        name: "10,000 hosts behind NATs, 1 M packets",
        pairs: 5000,
        packets: 100,
        times: 1,
        ..CALL
    },
];

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let rounds: usize = match words {
        [] => 5,
        ["--rounds", count] => count.parse()?,
        other => bail!("unknown option {other:?}"),
    };
    println!("{:<40} {:>12} {:>14} {:>18}", "median", "CPU-ms", "× real time", "happenings/CPU-s");
    for scene in &SCENES {
        let mut costs = Vec::new();
        for _ in 0..rounds {
            let before = cpu_of(std::process::id())?;
            let mut played = (0, Duration::ZERO);
            for _ in 0..scene.times {
                let (happenings, virtual_time) = play(scene)?;
                played = (played.0 + happenings, played.1 + virtual_time);
            }
            costs.push((cpu_of(std::process::id())?.saturating_sub(before), played));
        }
        costs.sort_unstable();
        let (cpu, (happenings, virtual_time)) = costs[costs.len() / 2];
        println!(
            "{:<40} {:>12.2} {:>14.0} {:>18.0}",
            scene.name,
            cpu.as_secs_f64() * 1000.0 / f64::from(scene.times),
            virtual_time.as_secs_f64() / cpu.as_secs_f64(),
            happenings as f64 / cpu.as_secs_f64(),
        );
    }
    Ok(())
}

/// How many things happened, and how long it lasted in virtual time.
fn play(scene: &Scene) -> Result<(u64, Duration)> {
    let mut network = Network::new(&genesis());
    if scene.trace {
        network.record(1_000_000);
    }
    let internet = network.add_internet("internet");
    let link = Link {
        delay: Duration::from_millis(17),
        jitter: Duration::from_millis(3),
        loss: Loss::Random(0.01),
        ..Link::default()
    };
    let hosts: Vec<_> = (0..2 * scene.pairs)
        .map(|number| {
            let outside = |number: u32| IpAddr::from((0x0b00_0000 + number).to_be_bytes());
            let remote = SocketAddr::new(outside(number ^ 1), 5000);
            let (place, address): (Place, IpAddr) = if scene.nats {
                let config = Config::port_restricted_cone([outside(number)]);
                let nat = network.add_nat("nat", internet, link.clone(), config);
                (nat.into(), IpAddr::from([10, 0, 0, 2]))
            } else {
                (internet.into(), outside(number))
            };
            let local = SocketAddr::new(address, 5000);
            let caller = Caller::new(network.now(), local, remote, scene.packets);
            let host = network.add_host("host", caller);
            network.attach(host, place, link.clone(), [address]);
            host
        })
        .collect();
    network.run_for(Duration::from_millis(20) * scene.packets + Duration::from_secs(1));
    let seen: u64 = hosts.iter().map(|host| network.machine(*host).seen).sum();
    let sent = u64::from(scene.packets) * hosts.len() as u64;
    ensure!(seen * 10 > sent * 9, "only {seen} of {sent} packets have arrived");
    Ok((network.counters().happenings, network.elapsed()))
}
