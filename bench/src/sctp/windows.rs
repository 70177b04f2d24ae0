//! What it costs that much is under way: a long fat path needs megabytes in flight, and a stack that looks at
//! all of them again and again gets slower with each.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::case::{Case, Load, Setting, Stack};
use super::chart;
use super::rates::{median, rate};

const MESSAGE: usize = 16 << 10;
/// The powers of two of bytes under way.
const AMOUNTS: [u32; 6] = [16, 18, 20, 22, 24, 26];
/// What gets slower than this with an amount is not asked for more.
const SLOWEST: f64 = 40.0;

/// One stack's line in the picture.
pub(super) struct Curve {
    pub(super) stack: Stack,
    pub(super) zero_checksum: bool,
    /// Bytes under way, and million bytes in a CPU-second.
    pub(super) points: Vec<(usize, f64)>,
}

impl Curve {
    pub(super) fn name(&self) -> String {
        let sum = if self.zero_checksum { "zero checksum" } else { "CRC32c" };
        format!("{}, {sum}", self.stack.name())
    }
}

pub(super) fn run(rounds: usize, svg: Option<&Path>) -> Result<()> {
    let kinds = [
        (Stack::Talkie, true),
        (Stack::Talkie, false),
        (Stack::Dcsctp, true),
        (Stack::Dcsctp, false),
        (Stack::SctpProto, false),
    ];
    let mut curves =
        kinds.map(|(stack, zero_checksum)| Curve { stack, zero_checksum, points: Vec::new() });
    for amount in AMOUNTS.map(|power| 1 << power) {
        let mut rates = vec![Vec::new(); curves.len()];
        for _ in 0..rounds {
            for (curve, rates) in curves.iter().zip(&mut rates) {
                if curve.points.last().is_none_or(|(_, rate)| *rate > SLOWEST) {
                    rates.push(rate(&case(curve, amount))?);
                }
            }
        }
        for (curve, rates) in curves.iter_mut().zip(rates) {
            if !rates.is_empty() {
                curve.points.push((amount, median(rates)));
            }
        }
    }
    print(&curves);
    if let Some(file) = svg {
        fs::write(file, chart::draw(&curves))?;
    }
    Ok(())
}

fn case(curve: &Curve, amount: usize) -> Case {
    let setting = Setting {
        zero_checksum: curve.zero_checksum,
        // With DATA fewer packets may be in flight than fit into the largest window.
        interleaving: curve.stack != Stack::SctpProto,
        window: amount + (512 << 10),
        waiting: amount,
        ..Setting::default()
    };
    Case { stack: curve.stack, setting, load: Load::of(MESSAGE) }
}

fn print(curves: &[Curve]) {
    println!("the same with messages of 16 KiB, by what is sent and not yet received");
    print!("{:<26}", "KiB");
    AMOUNTS.iter().for_each(|power| print!(" {:>8}", (1_u64 << power) >> 10));
    println!(" {:>16}", "last to 1 MiB");
    for curve in curves {
        print!("{:<26}", curve.name());
        for power in AMOUNTS {
            match curve.points.iter().find(|(amount, _)| *amount == 1 << power) {
                Some((_, rate)) => print!(" {rate:>8.0}"),
                None => print!(" {:>8}", "–"),
            }
        }
        let middle = curve.points.iter().find(|(amount, _)| *amount == 1 << 20);
        match (middle, curve.points.last()) {
            // CPU per byte, so that more is worse.
            (Some((_, middle)), Some((_, last))) => println!(" {:>16.2}", middle / last),
            _ => println!(),
        }
    }
}
