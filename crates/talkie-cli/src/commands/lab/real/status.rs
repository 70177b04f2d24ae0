//! `talkie lab status`: which labs are up, and the tables of their NATs.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use talkie_lab::real::carrier::{Counters, Report, TableRow};
use talkie_lab::real::{self, Host, Name, Plan, Status};

use super::super::super::FAILURE;
use super::up::NAME;
use crate::terminal;

/// More rows than anybody reads.
const MOST_ROWS: usize = 40;

const EXAMPLES: &str = "\
Examples:
  sudo talkie lab status
  watch -n1 sudo talkie lab status --name second

Exit codes:
  0  told
  1  there is no lab of that name";

pub(super) fn command() -> Command {
    Command::new("status")
        .about("Show which labs are up, and the tables of their NATs")
        .after_help(EXAMPLES)
        .arg(
            Arg::new(NAME)
                .long(NAME)
                .value_name("NAME")
                .value_parser(value_parser!(Name))
                .help("Only this lab"),
        )
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let asked = matches.get_one::<Name>(NAME);
    let names =
        asked.map_or_else(|| real::names().into_iter().collect(), |name| vec![name.clone()]);
    let all: Vec<Status> = names.iter().filter_map(real::status).collect();
    match (asked, all.is_empty()) {
        (Some(name), true) => {
            terminal::complain(&format_args!("no lab named {name} is up"));
            return ExitCode::from(FAILURE);
        }
        (None, true) => terminal::say("no lab is up\n"),
        _ => {}
    }
    let texts: Vec<String> = all.iter().map(text).collect();
    terminal::say(&texts.join("\n"));
    ExitCode::SUCCESS
}

fn text(status: &Status) -> String {
    let name = &status.name;
    let mut text = match &status.plan {
        Some(plan) if status.missing.is_empty() => {
            let programs = status.programs.map(|count| format!(", programs: {count}"));
            let programs = programs.unwrap_or_default();
            format!("lab {name} ({}): {}{programs}\n", plan.kind, line(plan))
        }
        _ => format!(
            "lab {name}: remains of a crash; `talkie lab down --name {name}` removes them\n"
        ),
    };
    for one in &status.boxes {
        let kind = status.plan.as_ref().map_or("", |plan| plan.type_of(one.nat).name());
        let process = one.report.as_ref().ok().and_then(|report| report.process);
        let process = process.map_or_else(String::new, |process| format!(", process {process}"));
        let _ = writeln!(text, "\n  {}: {kind}{process}", one.nat);
        match &one.report {
            Ok(report) => table(report, &mut text),
            Err(error) => {
                let _ = writeln!(text, "    {error}");
            }
        }
    }
    text
}

fn line(plan: &Plan) -> String {
    let line = &plan.line;
    let mut words = format!("{} | {}", plan.type_of(Host::Left), plan.type_of(Host::Right));
    let parts = [
        (!line.delay.is_zero()).then(|| format!("delay {:?}", line.delay)),
        (!line.jitter.is_zero()).then(|| format!("jitter {:?}", line.jitter)),
        (line.loss > 0.0).then(|| format!("loss {}%", line.loss * 100.0)),
        (line.rate > 0).then(|| format!("rate {} kbit/s", line.rate / 1000)),
        plan.ipv6.then(|| "IPv6".to_owned()),
    ];
    for part in parts.into_iter().flatten() {
        let _ = write!(words, ", {part}");
    }
    words
}

fn table(report: &Report, text: &mut String) {
    let Report { rows, counters, drops, .. } = report;
    if rows.is_empty() {
        text.push_str("    no mapping\n");
    } else {
        let head = ["", "inside", "outside", "to", "lets in", "idle"].map(str::to_owned);
        let mut lines = vec![head];
        lines.extend(rows.iter().take(MOST_ROWS).map(cells));
        let widths: Vec<usize> = (0..6)
            .map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or_default())
            .collect();
        for line in &lines {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let joined = cells.collect::<Vec<_>>().join("  ");
            let _ = writeln!(text, "    {}", joined.trim_end());
        }
        if rows.len() > MOST_ROWS {
            let _ = writeln!(text, "    and {} more", rows.len() - MOST_ROWS);
        }
    }
    if *counters != Counters::default() {
        let Counters { from_inside, from_outside, lost, overflowed, .. } = counters;
        let _ = write!(text, "    packets: {from_inside} out, {from_outside} in");
        for (count, what) in [(lost, "lost"), (overflowed, "over the rate")] {
            if *count > 0 {
                let _ = write!(text, ", {count} {what}");
            }
        }
        text.push('\n');
    }
    if !drops.is_empty() {
        let drops: Vec<String> =
            drops.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let _ = writeln!(text, "    not let pass: {}", drops.join(", "));
    }
}

fn cells(row: &TableRow) -> [String; 6] {
    [
        row.protocol.clone(),
        row.inside.clone(),
        row.outside.clone(),
        row.to.clone(),
        row.from.clone(),
        row.idle.map_or_else(String::new, |idle| format!("{idle:.0} s")),
    ]
}
