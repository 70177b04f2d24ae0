//! A NAT as a box: talkie's between two TUN devices beside the kernel's, beside a mere router, and beside
//! a loop that copies packets between two such devices one by one ([`crate::naive`]).
//!
//! Four labs are up at once. A socket on the left host of each sends to one on its server, a window
//! at a time. What forwarding costs is the CPU time of this process, in whose name the kernel forwards,
//! and of the box; what it costs without any NAT is measured, too, and taken off.

use std::io::{BufRead as _, BufReader, IoSliceMut};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::SockRef;
use talkie_lab::real::{self, Host, Kind, Line, Name, Plan, Type, carrier};
use talkie_sim::nat::Preset;

const PATIENCE: Duration = Duration::from_millis(500);
/// Windows that may end with a loss before a run is given up: each one waits.
const LOSSES: usize = 20;

struct Load {
    name: &'static str,
    payload: usize,
    window: usize,
    /// Whether the sender hands the kernel its window as one run.
    run: bool,
}

const LOADS: [Load; 4] = [
    Load { name: "200 B", payload: 200, window: 64, run: false },
    Load { name: "1200 B", payload: 1200, window: 64, run: false },
    Load { name: "200 B, runs of 64", payload: 200, window: 64, run: true },
    Load { name: "1200 B, runs of 48", payload: 1200, window: 48, run: true },
];

/// A lab with a socket at each end.
struct Way {
    name: Name,
    sender: UdpSocket,
    receiver: UdpSocket,
    process: Option<u32>,
}

/// CPU time for so many packets.
#[derive(Clone, Copy, Default)]
struct Cost {
    packets: u64,
    here: Duration,
    in_the_box: Duration,
}

pub(crate) fn be_the_box(lab: &str, nat: &str) -> Result<()> {
    let nat: Host = nat.parse().ok().context("no such NAT")?;
    carrier::carry(&lab.parse()?, nat, || println!("ready"))?;
    Ok(())
}

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let (mut rounds, mut packets) = (5, 40_000);
    for pair in words.chunks(2) {
        match pair {
            ["--rounds", count] => rounds = count.parse()?,
            ["--packets", count] => packets = count.parse()?,
            other => bail!("unknown option {other:?}"),
        }
    }
    let nat = Type::Nat(Preset::PortRestricted);
    let ways = [
        Way::open("bench-route", Kind::Kernel, Type::None)?,
        Way::open("bench-kernel", Kind::Kernel, nat)?,
        Way::open("bench-tun", Kind::Tun, nat)?,
        Way::open("bench-loop", Kind::Kernel, Type::None)?.through_a_loop()?,
    ];
    println!("thousand packets per CPU-second, median of {rounds} rounds");
    println!(
        "{:<20} {:>8} {:>8} {:>8} {:>8} {:>12} {:>10} {:>8} {:>7}",
        "all CPU:", "route", "kernel", "tun", "loop", "kernel NAT*", "tun box**", "loop**", "ratio"
    );
    for load in &LOADS {
        let mut costs = [const { Vec::new() }; 4];
        for round in 0..rounds {
            for turn in 0..4 {
                let which = (round + turn) % 4;
                costs[which].push(ways[which].run(load, packets)?);
            }
        }
        let all = costs.each_ref().map(|costs| median(costs, |cost| cost.here + cost.in_the_box));
        let [in_the_box, in_the_loop] = [2, 3].map(|way| median(&costs[way], |it| it.in_the_box));
        // The difference of two rates, as a rate.
        let kernel_alone = 1.0 / (1.0 / all[1] - 1.0 / all[0]);
        println!(
            "{:<20} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>12.0} {:>10.0} {:>8.0} {:>7.1}",
            load.name,
            all[0],
            all[1],
            all[2],
            all[3],
            kernel_alone,
            in_the_box,
            in_the_loop,
            in_the_box / in_the_loop,
        );
    }
    println!("* what it costs more than the route  ** the CPU time of its process");
    Ok(())
}

/// The median of thousand packets per CPU-second.
fn median(costs: &[Cost], cpu: impl Fn(&Cost) -> Duration) -> f64 {
    let rate = |cost: &Cost| cost.packets as f64 / cpu(cost).as_secs_f64() / 1000.0;
    let mut rates: Vec<f64> = costs.iter().map(rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Way {
    fn open(name: &str, kind: Kind, left: Type) -> Result<Self> {
        let name: Name = name.parse()?;
        // What an interrupted run has left.
        real::down(&name)?;
        let plan = Plan { kind, left, right: left, line: Line::default(), ipv6: false };
        let program = std::env::current_exe()?;
        let the_box = || {
            let mut command = Command::new(&program);
            command.arg("box");
            command
        };
        real::up(&name, &plan, the_box, || false)?;
        let receiver = real::inside(&name, Host::Server, || UdpSocket::bind("198.51.100.1:0"))??;
        let sender = real::inside(&name, Host::Left, || UdpSocket::bind("0.0.0.0:0"))??;
        sender.connect(receiver.local_addr()?)?;
        // May be granted less; the window is small.
        let _ = SockRef::from(&receiver).set_recv_buffer_size(4 << 20);
        let status = real::status(&name).context("the lab is gone")?;
        let report = status.boxes.first().and_then(|it| it.report.as_ref().ok());
        let process = report.context("the box is silent")?.process;
        Ok(Self { name, sender, receiver, process })
    }

    /// Puts the naive box where the router was.
    fn through_a_loop(mut self) -> Result<Self> {
        let lab = self.name.to_string();
        let mut command = Command::new(std::env::current_exe()?);
        let child = command.args(["loop", &lab]).stdout(Stdio::piped()).spawn();
        // It ends with the lab.
        let mut child = child?;
        let mut said = String::new();
        BufReader::new(child.stdout.take().context("piped")?).read_line(&mut said)?;
        ensure!(said == "ready\n", "the loop does not work");
        self.process = Some(child.id());
        Ok(self)
    }

    fn run(&self, load: &Load, packets: usize) -> Result<Cost> {
        self.transfer(load, packets / 10)?;
        let before = self.cpu()?;
        let packets = self.transfer(load, packets)?;
        let after = self.cpu()?;
        Ok(Cost { packets, here: after.0 - before.0, in_the_box: after.1 - before.1 })
    }

    /// The CPU time of this process, and of the box.
    fn cpu(&self) -> Result<(Duration, Duration)> {
        let here = crate::process::cpu_of(std::process::id())?;
        let there = self.process.map(crate::process::cpu_of).transpose()?;
        Ok((here, there.unwrap_or_default()))
    }

    fn transfer(&self, load: &Load, packets: usize) -> Result<u64> {
        let payload = vec![0xab; load.payload];
        let run = payload.repeat(load.window);
        let states = [blocking(&self.sender)?, blocking(&self.receiver)?];
        self.receiver.set_read_timeout(Some(PATIENCE))?;
        let (mut arrived, mut losses) = (0, 0);
        for _ in 0..packets.div_ceil(load.window) {
            if load.run {
                self.send_run(&states[0], &run, load.payload)?;
            } else {
                for _ in 0..load.window {
                    self.sender.send(&payload)?;
                }
            }
            let window = self.receive(&states[1], load.window);
            arrived += window as u64;
            losses += usize::from(window < load.window);
            ensure!(losses < LOSSES, "{} loses too much at {}", self.name, load.name);
        }
        Ok(arrived)
    }

    fn send_run(&self, state: &UdpSocketState, run: &[u8], segment: usize) -> Result<()> {
        let destination = self.sender.peer_addr()?;
        let segment_size = Some(segment);
        let transmit =
            Transmit { destination, ecn: None, contents: run, segment_size, src_ip: None };
        state.try_send((&self.sender).into(), &transmit).context("no segmentation offload")
    }

    fn receive(&self, state: &UdpSocketState, count: usize) -> usize {
        let mut buffer = vec![0; 1 << 16];
        let mut arrived = 0;
        while arrived < count {
            let mut meta = [RecvMeta::default()];
            let mut slices = [IoSliceMut::new(&mut buffer)];
            if state.recv((&self.receiver).into(), &mut slices, &mut meta).is_err() {
                break;
            }
            arrived += meta[0].len.div_ceil(meta[0].stride.max(1));
        }
        arrived
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        if let Err(error) = real::down(&self.name) {
            eprintln!("{error}");
        }
    }
}

/// Prepares a socket for offload; quinn-udp makes it non-blocking, which a window does not want.
fn blocking(socket: &UdpSocket) -> Result<UdpSocketState> {
    let state = UdpSocketState::new(socket.into())?;
    socket.set_nonblocking(false)?;
    Ok(state)
}
