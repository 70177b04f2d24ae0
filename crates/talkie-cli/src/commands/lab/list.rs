//! `talkie lab list`: the types of NAT, explained.

use std::process::ExitCode;
use std::time::Instant;

use clap::{Arg, ArgMatches, Command};
use talkie_lab::ink::{Canvas, Tone};
use talkie_lab::kinds::{self, Preset, UnknownKind};

use super::files;
use super::look::{self, Look};
use crate::commands::{FAILURE, USAGE};
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
    let text = match text(matches) {
        Ok(text) => text,
        Err(error) => {
            terminal::complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    match files::show(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::from(FAILURE),
    }
}

fn text(matches: &ArgMatches) -> Result<String, UnknownKind> {
    if matches.get_flag("names") {
        return Ok(Preset::all().map(|preset| format!("{preset}\n")).collect());
    }
    let asked = matches.get_one::<String>(TYPE).map(|name| kinds::find(name)).transpose()?;
    if matches.get_flag("json") {
        return Ok(match asked {
            None => kinds::json(Preset::all()),
            Some(preset) => kinds::json([preset]),
        });
    }
    let look = Look::of(matches);
    let drawing = match asked {
        None => all(look.columns),
        Some(preset) => one(preset, look.columns),
    };
    Ok(drawing.text(look.ink))
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
