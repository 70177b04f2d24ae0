//! Instructions per packet, by valgrind's callgrind: the same on every machine, however busy it is.
//!
//! Each window is carried twice, once with more; the difference of the instructions over the difference of
//! the packets is what one costs when all has settled.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;

use super::line::{Line, Setting};
use super::ours;

const MESSAGE: usize = 64 << 10;
/// Million bytes: enough for the window to open, and the same with what is counted.
const MEGABYTES: [u64; 2] = [300, 500];
const WINDOWS: [u32; 2] = [1 << 20, 64 << 20];

/// What one run has told.
struct Run {
    instructions: u64,
    packets: u64,
    most_in_flight: u64,
}

pub(crate) fn run() -> Result<()> {
    let is_there = Command::new("valgrind").arg("--version").output().is_ok();
    ensure!(is_there, "valgrind is missing; on Debian or Ubuntu: `apt-get install valgrind`");
    println!("instructions per packet, both ends and both directions together");
    println!(
        "{:<34} {:>14} {:>14} {:>14}",
        "window", "most in flight", "per packet", "of the first"
    );
    for zero_checksum in [true, false] {
        let mut first = None;
        for window in WINDOWS {
            let [short, long] =
                MEGABYTES.map(|megabytes| counted(window, megabytes, zero_checksum));
            let (short, long) = (short?, long?);
            let packets = (long.packets - short.packets).max(1);
            let each = (long.instructions - short.instructions) as f64 / packets as f64;
            let first = *first.get_or_insert(each);
            let sum = if zero_checksum { "zero checksum" } else { "CRC32c" };
            println!(
                "{:<34} {:>10.1} MiB {each:>14.0} {:>14.2}",
                format!("{} MiB, {sum}", window >> 20),
                long.most_in_flight as f64 / f64::from(1 << 20),
                each / first,
            );
        }
    }
    Ok(())
}

fn counted(window: u32, megabytes: u64, zero_checksum: bool) -> Result<Run> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args([
            "sctp-carry",
            &window.to_string(),
            &megabytes.to_string(),
            &zero_checksum.to_string(),
        ]);
    let output = valgrind.output().context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind: {}", said.trim());
    let collected = said.lines().find_map(|line| line.split("Collected :").nth(1));
    let instructions = collected.context("valgrind has counted nothing")?.trim().parse()?;
    let told = String::from_utf8(output.stdout)?;
    let figures: Vec<u64> = told.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    match figures[..] {
        [packets, most_in_flight] => Ok(Run { instructions, packets, most_in_flight }),
        _ => bail!("a run has told {told:?}"),
    }
}

/// Carries messages and prints the packets that this took, and the most bytes in flight.
pub(crate) fn carry_for_counting(words: &[&str]) -> Result<()> {
    let [window, megabytes, zero_checksum] = words else { bail!("three figures are needed") };
    let setting = Setting { window: window.parse()?, zero_checksum: zero_checksum.parse()? };
    let mut line = Line::new(ours::pair(&setting));
    line.connect()?;
    line.carry(&Bytes::from(vec![7; MESSAGE]), megabytes.parse::<u64>()? * 1_000_000)?;
    println!("{} {}", line.packets, line.most_in_flight);
    Ok(())
}
