//! The tables of docs/sctp.md:
//! `cargo test --release -p talkie-proto --test congestion -- --ignored --nocapture tables`.

use std::time::Duration;

use crate::stage::{
    ADAPTIVE, BBR, CUBIC, EACH_WAY, MEGABIT, Order, RENO, alone, alone_with, among,
    among_by_chance, bursts, line, random, secs,
};

#[test]
#[ignore = "prints tables, with tens of millions of packets"]
fn tables_of_one_flow_alone() {
    println!(
        "| line | buffer | loss | NewReno | CUBIC | BBR | default |\n|---|---|---|---|---|---|---|"
    );
    for (rate, span) in [(10, 60), (200, 60), (2000, 20)] {
        for buffer in [0.1, 1.0] {
            for percent in [0.0, 1.0, 2.0, 5.0] {
                let line = line(rate * MEGABIT, EACH_WAY, buffer).losing(random(percent));
                let cells = [RENO, CUBIC, BBR, ADAPTIVE].map(|algorithm| {
                    let (share, stage) = alone(algorithm, line.clone(), EACH_WAY, secs(span));
                    let wait = stage.run.queue().mean_wait().as_secs_f64() * 1e3;
                    format!("{:.1} % ({wait:.1} ms)", share * 100.0)
                });
                println!("| {rate} Mbit/s | {buffer} | {percent} % | {} |", cells.join(" | "));
            }
        }
    }
}

#[test]
#[ignore = "prints tables, with tens of millions of packets"]
fn tables_of_other_paths() {
    let far = Duration::from_millis(300);
    let paths = [
        ("bursts", line(200 * MEGABIT, EACH_WAY, 1.0).losing(bursts()), EACH_WAY),
        ("satellite", line(20 * MEGABIT, far, 1.0), far),
        ("satellite, 1 %", line(20 * MEGABIT, far, 1.0).losing(random(1.0)), far),
        ("1 Mbit/s, 64 KiB", talkie_sim::flow::Bottleneck::new(MEGABIT, 64 << 10), EACH_WAY),
    ];
    println!("| path | NewReno | CUBIC | BBR | default |\n|---|---|---|---|---|");
    for (name, line, each_way) in paths {
        let cells = [RENO, CUBIC, BBR, ADAPTIVE].map(|algorithm| {
            let (share, stage) = alone(algorithm, line.clone(), each_way, secs(60));
            let wait = stage.run.queue().mean_wait().as_secs_f64() * 1e3;
            format!("{:.1} % ({wait:.1} ms)", share * 100.0)
        });
        println!("| {name} | {} |", cells.join(" | "));
    }
}

#[test]
#[ignore = "prints tables, with tens of millions of packets"]
fn tables_of_shares() {
    println!(
        "| line | buffer | CUBIC flows | order | Jain | share | wait | CUBIC in its place | BBR |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for rate in [20, 100] {
        for buffer in [0.25, 0.5, 1.0, 2.0, 4.0] {
            for others in [1, 2, 4] {
                for order in [Order::Together, Order::First, Order::Last] {
                    let line = line(rate * MEGABIT, EACH_WAY, buffer);
                    let (share, index, stage) =
                        among(ADAPTIVE, (others, CUBIC), line.clone(), order);
                    let wait = stage.run.queue().mean_wait().as_secs_f64() * 1e3;
                    let (_, cubic, _) = among(CUBIC, (others, CUBIC), line.clone(), order);
                    let (_, bbr, _) = among(BBR, (others, CUBIC), line, order);
                    println!(
                        "| {rate} Mbit/s | {buffer} | {others} | {order:?} | {index:.3} | \
                         {share:.2} | {wait:.1} ms | {cubic:.3} | {bbr:.3} |"
                    );
                }
            }
        }
    }
}

/// Seeds that no constant was chosen by.
const UNSEEN: [u64; 3] = [1001, 2002, 3003];

/// The worst of three seeds, on lines that no constant was chosen by.
#[test]
#[ignore = "prints tables, with tens of millions of packets"]
fn tables_of_unseen_paths() {
    println!("| line | round trip | buffer | 0 % | 1 % | 2 % | 5 % | bursts |");
    println!("|---|---|---|---|---|---|---|---|");
    let paths = [
        (3, 26, 2.0),
        (7, 90, 0.6),
        (35, 14, 1.6),
        (60, 170, 0.3),
        (60, 170, 2.5),
        (150, 56, 0.7),
        (400, 24, 0.4),
        (400, 120, 1.3),
    ];
    for (rate, rtt, buffer) in paths {
        let each_way = Duration::from_millis(rtt / 2);
        let losses = [random(0.0), random(1.0), random(2.0), random(5.0), bursts()];
        let cells = losses.map(|loss| {
            let (mut least, mut most) = (f64::MAX, 0.0_f64);
            for seed in UNSEEN {
                let line = line(rate * MEGABIT, each_way, buffer).losing(loss);
                let (share, stage) = alone_with(seed, ADAPTIVE, line, each_way, secs(40));
                least = least.min(share);
                most = most.max(stage.run.queue().mean_wait().as_secs_f64() * 1e3);
            }
            format!("{:.1} % ({most:.1} ms)", least * 100.0)
        });
        println!("| {rate} Mbit/s | {rtt} ms | {buffer} | {} |", cells.join(" | "));
    }
}

/// Beginnings, lines and round trips that no constant was chosen by.
#[test]
#[ignore = "prints tables, with tens of millions of packets"]
fn tables_of_unseen_shares() {
    println!(
        "| line | round trip | buffer | CUBIC flows | Jain | share | wait | CUBIC in its place |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (rate, rtt) in [(8, 24), (33, 64), (70, 30), (140, 50)] {
        for buffer in [0.35, 0.8, 1.5, 3.5] {
            for others in [1, 2, 3, 4] {
                let each_way = Duration::from_millis(rtt / 2);
                let line = || line(rate * MEGABIT, each_way, buffer);
                for seed in &UNSEEN[..2] {
                    let (share, index, stage) =
                        among_by_chance(*seed, ADAPTIVE, others, line(), each_way);
                    let wait = stage.run.queue().mean_wait().as_secs_f64() * 1e3;
                    let (same, cubic, _) = among_by_chance(*seed, CUBIC, others, line(), each_way);
                    println!(
                        "| {rate} Mbit/s | {rtt} ms | {buffer} | {others} | {index:.3} | {share:.2} | \
                         {wait:.1} ms | {cubic:.3} ({same:.2}) |"
                    );
                }
            }
        }
    }
}
