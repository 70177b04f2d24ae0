//! Packets through the NAT box in memory, without a kernel around it, beside two sums over the same
//! bytes: what a box would spend that wrote checksums anew instead of changing them.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use talkie_sim::gateway::{Config, Gateway, Outcome, Side};
use talkie_sim::nat::{Flags, Kind, Preset};
use talkie_sim::packet::build::{self, Segment};
use talkie_sim::packet::{Packet, checksum};

use crate::process::cpu_of_thread;

/// As many bytes as a voice packet with all its headers.
const LENGTH: usize = 200;
const ROUNDS: usize = 5;
const PACKETS: usize = 1_000_000;

/// One flow's packet in each direction, as it comes to the box.
struct Flow {
    outbound: Vec<u8>,
    inbound: Vec<u8>,
}

pub(crate) fn run() -> Result<()> {
    println!("million packets of {LENGTH} B per CPU-second, median of {ROUNDS} rounds");
    println!("{:<44}{:>8}{:>10}{:>8}", "", "gateway", "two sums", "ratio");
    for (preset, is_tcp, flows) in [
        (Preset::PortRestricted, false, 1),
        (Preset::PortRestricted, false, 100),
        (Preset::PortRestricted, false, 10_000),
        (Preset::FullCone, false, 100),
        (Preset::Symmetric, false, 100),
        (Preset::Symmetric, false, 10_000),
        (Preset::LinuxMasquerade, false, 100),
        (Preset::Firewall, false, 100),
        (Preset::PortRestricted, true, 100),
        (Preset::PortRestricted, true, 10_000),
    ] {
        let mut box_rates = Vec::new();
        let mut sum_rates = Vec::new();
        for _ in 0..ROUNDS {
            let (through_box, by_sums) = measure(preset, is_tcp, flows)?;
            box_rates.push(through_box);
            sum_rates.push(by_sums);
        }
        let (through_box, by_sums) = (median(box_rates), median(sum_rates));
        let name = format!("{preset}, {}, {flows} flows", if is_tcp { "TCP" } else { "UDP" });
        println!("{name:<44}{through_box:>8.2}{by_sums:>10.2}{:>8.2}", through_box / by_sums);
    }
    Ok(())
}

/// Packets per microsecond of CPU, through the box and by sums.
fn measure(preset: Preset, is_tcp: bool, count: usize) -> Result<(f64, f64)> {
    let now = Instant::now();
    let outside = SocketAddr::from(([192, 0, 2, 1], 0)).ip();
    let mut gateway = Gateway::new(now, Config::new(preset.config([outside])), [7; 32]);
    let flows =
        (0..count).map(|n| open(&mut gateway, now, is_tcp, n)).collect::<Result<Vec<_>>>()?;
    let mut packet = [0; LENGTH];
    let before = cpu_of_thread()?;
    for n in 0..PACKETS / 2 {
        let flow = &flows[n % count];
        packet.copy_from_slice(&flow.outbound);
        ensure!(gateway.handle_outbound(now, &mut packet) == Outcome::Forwarded(Side::Outside));
        packet.copy_from_slice(&flow.inbound);
        ensure!(gateway.handle_inbound(now, &mut packet) == Outcome::Forwarded(Side::Inside));
    }
    let through_box = cpu_of_thread()? - before;
    let before = cpu_of_thread()?;
    for n in 0..PACKETS {
        let flow = &flows[n % count];
        packet.copy_from_slice(if n % 2 == 0 { &flow.outbound } else { &flow.inbound });
        for _ in 0..2 {
            black_box(checksum::fold(checksum::sum(black_box(&packet))));
        }
    }
    let by_sums = cpu_of_thread()? - before;
    let rate = |cpu: Duration| PACKETS as f64 / cpu.as_secs_f64() / 1e6;
    Ok((rate(through_box), rate(by_sums)))
}

/// Opens a flow, so that its packets pass in both directions.
fn open(gateway: &mut Gateway, now: Instant, is_tcp: bool, n: usize) -> Result<Flow> {
    let [.., high, low] = (n / 50_000).to_be_bytes();
    let inside = SocketAddr::from(([10, 0, high, low.wrapping_add(2)], 5000 + (n % 50_000) as u16));
    let remote = SocketAddr::from(([198, 51, 100, (n % 200) as u8 + 1], 3478));
    let packet = |source, destination, flags| {
        let mut bytes = Vec::new();
        if is_tcp {
            let segment = Segment { flags, ..Segment::default() };
            build::tcp(&mut bytes, source, destination, segment, &[1; LENGTH - 40]);
        } else {
            build::udp(&mut bytes, source, destination, &[1; LENGTH - 28]);
        }
        bytes
    };
    let mut first = packet(inside, remote, Flags::SYN);
    ensure!(gateway.handle_outbound(now, &mut first) == Outcome::Forwarded(Side::Outside));
    let kind = if is_tcp { Kind::Tcp } else { Kind::Udp };
    let outside = gateway.nat().outside_of(now, kind, inside, remote).context("no mapping")?;
    let mut answer = packet(remote, outside, Flags::SYN | Flags::ACK);
    ensure!(gateway.handle_inbound(now, &mut answer) == Outcome::Forwarded(Side::Inside));
    ensure!(Packet::parse(&answer).is_ok_and(|packet| packet.destination() == inside.ip()));
    Ok(Flow {
        outbound: packet(inside, remote, Flags::ACK),
        inbound: packet(remote, outside, Flags::ACK),
    })
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
