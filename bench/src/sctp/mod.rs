//! SCTP in memory: both ends on one thread, no sockets, no DTLS, and a clock that only these two have.
//!
//! talkie's association, `sctp-proto` and `dcsctp` carry the same messages over a line that loses nothing and
//! takes a millisecond each way; the stacks take turns, and only CPU time counts. `dcsctp` is taken as it is
//! published: it writes each packet as text before it asks whether anybody wants to read that.

mod counts;
mod dcsctp;
mod idle;
mod line;
mod ours;
mod sctp_proto;

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bytes::Bytes;

pub(crate) use self::counts::{carry_for_counting, run as count};
pub(crate) use self::idle::hold;
use self::line::{Line, Setting};
use crate::process::cpu_of_thread;

/// Which implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stack {
    Talkie,
    SctpProto,
    Dcsctp,
}

impl Stack {
    const ALL: [Self; 3] = [Self::Talkie, Self::SctpProto, Self::Dcsctp];

    fn name(self) -> &'static str {
        match self {
            Self::Talkie => "talkie",
            Self::SctpProto => "sctp-proto",
            Self::Dcsctp => "dcsctp",
        }
    }

    /// Whether it knows RFC 9653.
    fn has_zero_checksum(self) -> bool {
        self != Self::SctpProto
    }

    /// What it carries of what talkie does, so that a round does not last minutes.
    fn share(self) -> u64 {
        if self == Self::Dcsctp { 20 } else { 1 }
    }

    /// Million bytes of messages in a CPU-second.
    fn rate(self, setting: &Setting, message: usize, megabytes: u64) -> Result<f64> {
        let total = megabytes * 1_000_000 / self.share();
        let message = Bytes::from(vec![7; message]);
        let cpu = match self {
            Self::Talkie => carry(Line::new(ours::pair(setting)), &message, total),
            Self::SctpProto => carry(Line::new(sctp_proto::pair(setting)), &message, total),
            Self::Dcsctp => carry(Line::new(dcsctp::pair(setting)), &message, total),
        }?;
        Ok(total as f64 / 1e6 / cpu.as_secs_f64())
    }
}

/// The CPU time that the messages cost, handshake left out.
fn carry<E: line::End>(mut line: Line<E>, message: &Bytes, total: u64) -> Result<Duration> {
    line.connect()?;
    let before = cpu_of_thread()?;
    line.carry(message, total)?;
    Ok(cpu_of_thread()? - before)
}

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let (mut rounds, mut megabytes, mut only) = (3, 1000, String::new());
    for pair in words.chunks(2) {
        match pair {
            ["--rounds", count] => rounds = count.parse()?,
            ["--megabytes", count] => megabytes = count.parse()?,
            ["--only", text] => only = (*text).to_owned(),
            other => bail!("unknown option {other:?}"),
        }
    }
    ensure!(rounds > 0 && megabytes > 0, "nothing would be measured");
    println!(
        "million bytes of messages per CPU-second, both ends together, median of {rounds} rounds"
    );
    println!("{:<34} {:<12} {:>8} {:>16}", "", "", "MB/s", "talkie's ratio");
    for message in [16 << 10, 256 << 10] {
        for zero_checksum in [false, true] {
            let sum = if zero_checksum { "zero checksum" } else { "CRC32c" };
            let name = format!("{} KiB, {sum}", message >> 10);
            if name.contains(&only) {
                let setting = Setting { zero_checksum, window: 2 << 20 };
                compare(&name, &setting, message, (rounds, megabytes))?;
            }
        }
    }
    idle::run()
}

fn compare(
    name: &str,
    setting: &Setting,
    message: usize,
    (rounds, megabytes): (usize, u64),
) -> Result<()> {
    let stacks: Vec<Stack> = Stack::ALL
        .into_iter()
        .filter(|stack| !setting.zero_checksum || stack.has_zero_checksum())
        .collect();
    let mut rates = vec![Vec::new(); stacks.len()];
    for round in 0..rounds {
        for turn in 0..stacks.len() {
            let which = (round + turn) % stacks.len();
            rates[which].push(stacks[which].rate(setting, message, megabytes)?);
        }
    }
    let rates: Vec<f64> = rates.into_iter().map(median).collect();
    for (stack, rate) in stacks.iter().zip(&rates) {
        println!("{name:<34} {:<12} {rate:>8.0} {:>16.1}", stack.name(), rates[0] / rate);
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
