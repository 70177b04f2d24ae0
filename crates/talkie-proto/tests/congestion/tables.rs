//! The tables of docs/sctp.md:
//! `cargo test --release -p talkie-proto --test congestion -- --ignored --nocapture tables`.

use std::time::Duration;

use crate::stage::{
    ADAPTIVE, BBR, CUBIC, EACH_WAY, MEGABIT, Order, RENO, alone, among, bursts, line, random, secs,
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
