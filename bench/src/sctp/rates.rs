//! Million bytes of messages in a second of CPU time, both ends together.

use std::time::Duration;

use anyhow::Result;

use super::case::{Case, Load, Setting, Stack};
use super::line::{End, Line};
use super::{dcsctp, ours, sctp_proto};

/// What a measurement takes, in CPU time.
const LEAST: Duration = Duration::from_millis(300);
/// What is sent and not yet received: of these each stack has the one that it likes best.
const WAITING: [usize; 3] = [64 << 10, 256 << 10, 1 << 20];
/// Bytes carried between two looks at the clock.
const STRETCH: usize = 1 << 20;

struct Row {
    name: &'static str,
    setting: Setting,
    load: Load,
}

fn rows() -> Vec<Row> {
    let crc = Setting::default();
    let zero = Setting { zero_checksum: true, ..crc };
    let interleaved = Setting { interleaving: true, ..zero };
    let long = Setting { packet: Some(9000), ..zero };
    let of = Load::of;
    let many = Load { streams: 1000, ..of(1024) };
    let unordered = Load { unordered: true, ..of(16 << 10) };
    let unreliable = Load { unreliable: true, ..of(16 << 10) };
    [
        ("16 KiB, CRC32c", crc, of(16 << 10)),
        ("256 KiB, CRC32c", crc, of(256 << 10)),
        ("1 KiB, CRC32c", crc, of(1024)),
        ("100 bytes, CRC32c", crc, of(100)),
        ("1 KiB on 1,000 streams, CRC32c", crc, many),
        ("16 KiB, unordered, CRC32c", crc, unordered),
        ("16 KiB, never sent twice, CRC32c", crc, unreliable),
        ("16 KiB, zero checksum", zero, of(16 << 10)),
        ("256 KiB, zero checksum", zero, of(256 << 10)),
        ("1 KiB, zero checksum", zero, of(1024)),
        ("100 bytes, zero checksum", zero, of(100)),
        ("16 KiB, zero, I-DATA", interleaved, of(16 << 10)),
        ("1 KiB on 1,000 streams, zero, I-DATA", interleaved, many),
        ("16 KiB, zero, packets of 9,000 bytes", long, of(16 << 10)),
    ]
    .map(|(name, setting, load)| Row { name, setting, load })
    .into()
}

pub(super) fn run(rounds: usize, only: &str) -> Result<()> {
    println!(
        "million bytes of messages per CPU-second, both ends together, median of {rounds} rounds,\n\
         each stack with the amount under way that it likes best"
    );
    print!("{:<38}", "");
    Stack::ALL.iter().for_each(|stack| print!(" {:>12}", stack.name()));
    println!(" {:>16}", "ratio to others");
    for row in rows().iter().filter(|row| row.name.contains(only)) {
        let stacks = Stack::ALL.into_iter().filter(|stack| stack.can(&row.setting));
        let stacks: Vec<Stack> = stacks.collect();
        let mut rates = vec![Vec::new(); stacks.len()];
        for round in 0..rounds {
            for turn in 0..stacks.len() {
                let which = (round + turn) % stacks.len();
                rates[which].push(best(stacks[which], row)?);
            }
        }
        let rates: Vec<f64> = rates.into_iter().map(median).collect();
        print!("{:<38}", row.name);
        for stack in Stack::ALL {
            match stacks.iter().position(|other| *other == stack) {
                Some(at) => print!(" {:>12.0}", rates[at]),
                None => print!(" {:>12}", "–"),
            }
        }
        let ratios = rates[1..].iter().map(|rate| format!("{:.1}", rates[0] / rate));
        println!(" {:>16}", ratios.collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

fn best(stack: Stack, row: &Row) -> Result<f64> {
    let mut best = 0.0_f64;
    for waiting in WAITING {
        // A receiver has room for a message more than waits for it.
        let waiting = waiting.max(row.load.message);
        let setting = Setting { window: waiting + (512 << 10), waiting, ..row.setting };
        best = best.max(rate(&Case { stack, setting, load: row.load })?);
    }
    Ok(best)
}

/// Million bytes in a CPU-second.
pub(super) fn rate(case: &Case) -> Result<f64> {
    match case.stack {
        Stack::Talkie => measured(Line::new(ours::pair(&case.setting)), case),
        Stack::SctpProto => measured(Line::new(sctp_proto::pair(&case.setting)), case),
        Stack::Dcsctp => measured(Line::new(dcsctp::pair(&case.setting)), case),
    }
}

fn measured<E: End>(mut line: Line<E>, case: &Case) -> Result<f64> {
    line.connect()?;
    line.settle(case)?;
    let stretch = case.messages(STRETCH.max(case.setting.waiting));
    let mut messages = 0;
    line.meter.start();
    while line.meter.spent() < LEAST {
        line.carry(case, stretch)?;
        messages += stretch;
    }
    Ok((messages * case.load.message as u64) as f64 / 1e6 / line.meter.spent().as_secs_f64())
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
