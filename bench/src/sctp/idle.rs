//! What an association holds in memory that is connected, has carried a message and has nothing to do. Each
//! stack is asked in a process of its own, so that none uses what another has left.

use std::process::Command;

use anyhow::{Result, bail, ensure};

use super::case::{Case, Load, Setting, Stack};
use super::line::{End, Line};
use super::{dcsctp, ours, sctp_proto};
use crate::process::memory_of;

const PAIRS: u64 = 3000;

pub(super) fn run() -> Result<()> {
    println!(
        "{:<34} {:<12} {:>8} {:>16}",
        "memory of an idle association", "", "bytes", "of talkie's"
    );
    let mut first = None;
    for stack in Stack::ALL {
        let mut command = Command::new(std::env::current_exe()?);
        let output = command.args(["sctp-idle", stack.name()]).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        let bytes: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
        let first = *first.get_or_insert(bytes);
        println!("{:<34} {:<12} {bytes:>8.0} {:>16.1}", "", stack.name(), bytes / first);
    }
    Ok(())
}

/// Holds many associations of a stack and prints how many bytes each has.
pub(crate) fn hold(name: &str) -> Result<()> {
    let bytes = match Stack::named(name)? {
        Stack::Talkie => measure(|| Line::new(ours::default_pair())),
        Stack::SctpProto => measure(|| Line::new(sctp_proto::default_pair())),
        Stack::Dcsctp => measure(|| Line::new(dcsctp::default_pair())),
    }?;
    println!("{bytes}");
    Ok(())
}

fn measure<E: End>(new: impl Fn() -> Line<E>) -> Result<u64> {
    let case = Case { stack: Stack::Talkie, setting: Setting::default(), load: Load::of(5) };
    let connected = || -> Result<[E; 2]> {
        let mut line = new();
        line.connect()?;
        line.carry(&case, 1)?;
        Ok(line.into_ends())
    };
    // What the first one needs once is not counted.
    let warm = connected()?;
    let mut held = Vec::with_capacity(PAIRS as usize);
    let before = memory_of(std::process::id())?;
    for _ in 0..PAIRS {
        held.push(connected()?);
    }
    let after = memory_of(std::process::id())?;
    drop((warm, held));
    match after.checked_sub(before) {
        Some(grown) => Ok(grown / (2 * PAIRS)),
        None => bail!("memory has shrunk"),
    }
}
