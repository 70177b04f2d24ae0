//! `talkie lab list`: the types of NAT, explained.

use std::process::ExitCode;
use std::time::Instant;

use clap::{Arg, ArgMatches, Command};
use talkie_lab::ink::{Canvas, Tone};
use talkie_lab::kinds::{self, Preset};

use super::look::{self, Look};
use crate::commands::USAGE;
use crate::terminal;

const TYPE: &str = "type";

const EXAMPLES: &str = "\
Examples:
  talkie lab list
      All types, each with three sentences and a drawing.
  talkie lab list symmetric
      One of them, with all of its behaviours.
  talkie lab list --names
      Their names, one a line.
  talkie lab list --json
      For programs.";

const READING: &str = "\
A host inside has sent one packet from its port 5000 to A:1000. In the box is the outside port
that the NAT chose for it. Who can send back in to that port, and what do others see?";

pub(super) fn command() -> Command {
    Command::new("list")
        .about("Explain the types of NAT")
        .after_help(EXAMPLES)
        .arg(Arg::new(TYPE).value_name("TYPE").help("Only this type, in detail"))
        .arg(
            Arg::new("names")
                .long("names")
                .action(clap::ArgAction::SetTrue)
                .conflicts_with(TYPE)
                .help("Only their names, one a line"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(clap::ArgAction::SetTrue)
                .conflicts_with("names")
                .help("Print JSON"),
        )
        .arg(look::arg())
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let look = Look::of(matches);
    if matches.get_flag("names") {
        terminal::say(&Preset::all().map(|preset| format!("{preset}\n")).collect::<String>());
        return ExitCode::SUCCESS;
    }
    let asked = match matches.get_one::<String>(TYPE).map(|name| kinds::find(name)).transpose() {
        Ok(asked) => asked,
        Err(error) => {
            terminal::complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    if matches.get_flag("json") {
        let json = asked.map_or_else(|| kinds::json(Preset::all()), |preset| kinds::json([preset]));
        terminal::say(&json);
        return ExitCode::SUCCESS;
    }
    let drawing = match asked {
        None => all(look.columns),
        Some(preset) => one(preset, look.columns),
    };
    terminal::say(&drawing.text(look.ink));
    ExitCode::SUCCESS
}

fn all(columns: usize) -> Canvas {
    let mut canvas = Canvas::default();
    canvas.paragraph(0, columns.min(88), Tone::Faint, READING);
    for preset in Preset::all() {
        canvas.line(0, Tone::Plain, "");
        canvas.append(kinds::card(preset, columns, Instant::now()));
    }
    canvas
}

fn one(preset: Preset, columns: usize) -> Canvas {
    kinds::detail(preset, columns, Instant::now())
}
