//! `talkie lab show`: one pair, step by step.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Arg, ArgAction, ArgMatches, Command};
use talkie_lab::ink::Canvas;
use talkie_lab::kinds::{self, Preset};
use talkie_lab::stage::{Run, Setting};
use talkie_lab::story::{self, Story};

use super::look::{self, Look};
use super::{files, setting};
use crate::commands::{FAILURE, USAGE};
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  talkie lab show --left port-restricted --right port-restricted
      Hole punching as it should be.
  talkie lab show --left symmetric --right port-restricted --step
      Why it fails, one packet for each press of Enter.
  talkie lab show --left home-sequential --right port-restricted --predict
      How a port is guessed that no server has seen.
  talkie lab show --left linux-masquerade --right home-router --svg story.svg
      As a picture.
  talkie lab show --left cgnat --right full-cone --pcap packets.pcapng --json
      Every packet at every box for Wireshark, and the story for programs.
  talkie lab show --left cgnat --right cgnat --pcap - | tcpdump -nr -
      A FILE can be -, which is standard output; the diagram is left out then.

The left side calls, the right side answers. `talkie lab list` explains the types.
Exit codes: 0 done (whether or not they connected), 1 a file can't be written,
2 wrong flag or type.";

pub(super) fn command() -> Command {
    let side = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("TYPE").required(true).help(help)
    };
    Command::new("show")
        .about("Play one pair of NATs step by step")
        .after_help(EXAMPLES)
        .arg(side("left", "The NAT of the side that calls"))
        .arg(side("right", "The NAT of the side that answers"))
        .args(setting::args())
        .arg(flag("step", "Wait for Enter after each step").conflicts_with("json"))
        .arg(flag("all", "Show every packet, repetitions and the relay's too"))
        .arg(files::arg("svg", "Write a picture"))
        .arg(files::arg("pcap", "Write every packet at every box as pcapng, which Wireshark opens"))
        .arg(files::json())
        .arg(look::arg())
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let (kinds, setting, printed) = match asked(matches) {
        Ok(asked) => asked,
        Err(error) => {
            terminal::complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    let (whole, run) = story::play(kinds[0], kinds[1], &setting, Instant::now());
    let shown = match matches.get_flag("all") {
        true => whole.clone(),
        false => whole.digest(),
    };
    let printing = if printed.is_none() {
        let look = Look::of(matches);
        show(&shown.pages(look.columns), &look, matches.get_flag("step"))
    } else {
        Ok(())
    };
    match write_files(matches, &shown, &whole, &run).and(printing) {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::from(FAILURE),
    }
}

fn asked(matches: &ArgMatches) -> Result<([Preset; 2], Setting, Option<&'static str>), String> {
    let kind = |name| {
        let text = matches.get_one::<String>(name).expect("clap requires it");
        kinds::find(text).map_err(|error| error.to_string())
    };
    let printed = files::printed(matches, &["svg", "pcap", "json"])?;
    Ok(([kind("left")?, kind("right")?], setting::of(matches)?, printed))
}

fn write_files(matches: &ArgMatches, shown: &Story, whole: &Story, run: &Run) -> Result<(), ()> {
    files::write(matches, "svg", || shown.svg().into_bytes())?;
    files::write(matches, "pcap", || run.trace().pcapng())?;
    files::write(matches, "json", || whole.json().into_bytes())
}

/// All of it, or page after page with a key in between where somebody can press one.
fn show(pages: &[Canvas], look: &Look, step: bool) -> Result<(), ()> {
    let waits = step && io::stdin().is_terminal() && io::stdout().is_terminal();
    for page in pages {
        files::show(&page.text(look.ink))?;
        if waits && !is_told_to_go_on() {
            break;
        }
    }
    Ok(())
}

/// Waits for Enter; `q` or the end of the input stops.
fn is_told_to_go_on() -> bool {
    let prompt = "-- Enter: go on, q: stop --";
    terminal::say(prompt);
    let _ = io::stdout().flush();
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    // Enter has moved on by a line: back to the prompt, and away with it.
    terminal::say("\x1b[A\x1b[2K\r");
    matches!(read, Ok(count) if count > 0) && !line.trim().eq_ignore_ascii_case("q")
}
