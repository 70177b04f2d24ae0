//! Instructions by valgrind's callgrind: the same however busy the machine is. Only those inside of a stack's
//! own functions count, and only once all has settled.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::case::{Case, Load, Setting, Stack};
use super::line::{End, Line};
use super::{dcsctp, ours, sctp_proto};

/// Bytes that are carried while somebody counts.
const COUNTED: usize = 20 << 20;

pub(crate) fn run() -> Result<()> {
    let is_there = Command::new("valgrind").arg("--version").output().is_ok();
    ensure!(is_there, "valgrind is missing; on Debian or Ubuntu: `apt-get install valgrind`");
    per_packet()?;
    per_window()?;
    per_waiting()
}

/// Of each stack, with 256 KiB under way.
fn per_packet() -> Result<()> {
    println!("instructions per packet with data: both ends, acknowledgments included");
    for message in [16 << 10, 256 << 10] {
        for zero_checksum in [false, true] {
            let setting = Setting { zero_checksum, waiting: 256 << 10, ..Setting::default() };
            for stack in Stack::ALL.into_iter().filter(|stack| stack.can(&setting)) {
                let case = Case { stack, setting, load: Load::of(message) };
                let sum = if zero_checksum { "zero checksum" } else { "CRC32c" };
                let name = format!("{} KiB, {sum}", message >> 10);
                let run = counted(&case)?;
                println!("{name:<34} {:<12} {:>10.0}", stack.name(), run.per_packet());
            }
        }
    }
    Ok(())
}

/// Whether a packet costs more because many others are in flight.
fn per_window() -> Result<()> {
    println!("instructions per packet by what is in flight, talkie, 16 KiB, I-DATA, zero checksum");
    let mut first = None;
    for window in [1 << 20, 8 << 20, 64 << 20] {
        let setting = Setting {
            zero_checksum: true,
            interleaving: true,
            window: window + (512 << 10),
            waiting: window,
            ..Setting::default()
        };
        let case = Case { stack: Stack::Talkie, setting, load: Load::of(16 << 10) };
        let each = counted(&case)?.per_packet();
        let first = *first.get_or_insert(each);
        println!("{:>4} MiB {:>38} {each:>10.0} {:>8.2}", window >> 20, "", each / first);
    }
    Ok(())
}

/// Whether a message costs more because many others wait to be sent.
fn per_waiting() -> Result<()> {
    println!("instructions per message of 100 bytes by how many wait, talkie, I-DATA");
    for streams in [1, 1000] {
        let mut first = None;
        for waiting in [1_000, 10_000, 100_000] {
            let load = Load { streams, ..Load::of(100) };
            let setting = Setting {
                zero_checksum: true,
                interleaving: true,
                waiting: 100 * waiting,
                ..Setting::default()
            };
            let case = Case { stack: Stack::Talkie, setting, load };
            let each = counted(&case)?.per_message();
            let first = *first.get_or_insert(each);
            let name = format!("{waiting} messages on {streams} streams");
            println!("{name:<47} {each:>10.0} {:>8.2}", each / first);
        }
    }
    Ok(())
}

/// What one run has told.
struct Run {
    instructions: u64,
    packets: u64,
    messages: u64,
}

impl Run {
    fn per_packet(&self) -> f64 {
        self.instructions as f64 / self.packets as f64
    }

    fn per_message(&self) -> f64 {
        self.instructions as f64 / self.messages as f64
    }
}

fn counted(case: &Case) -> Result<Run> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=*sctp*meter*measured*")
        .arg(std::env::current_exe()?)
        .arg("sctp-carry")
        .args(case.to_string().split(' '));
    let output = valgrind.output().context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind: {}", said.trim());
    let collected = said.lines().find_map(|line| line.split("Collected :").nth(1));
    let instructions = collected.context("valgrind has counted nothing")?.trim().parse()?;
    let told = String::from_utf8(output.stdout)?;
    let figures: Vec<u64> = told.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    match figures[..] {
        [packets, messages] if packets > 0 && messages > 0 && instructions > 0 => {
            Ok(Run { instructions, packets, messages })
        }
        _ => bail!("a run has told {told:?}"),
    }
}

/// Carries messages and prints how many packets and messages valgrind has seen.
pub(crate) fn carry_for_counting(words: &[&str]) -> Result<()> {
    let case = Case::read(words.iter().copied())?;
    match case.stack {
        Stack::Talkie => carry(Line::new(ours::pair(&case.setting)), &case),
        Stack::SctpProto => carry(Line::new(sctp_proto::pair(&case.setting)), &case),
        Stack::Dcsctp => carry(Line::new(dcsctp::pair(&case.setting)), &case),
    }
}

fn carry<E: End>(mut line: Line<E>, case: &Case) -> Result<()> {
    line.connect()?;
    line.settle(case)?;
    let (packets, messages) = (line.packets, case.messages(COUNTED.max(case.setting.waiting)));
    line.meter.start_for_callgrind();
    line.carry(case, messages)?;
    println!("{} {messages}", line.packets - packets);
    Ok(())
}
