//! `talkie lab matrix`: who reaches whom.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use talkie_lab::kinds::{self, Preset};
use talkie_lab::matrix::Plan;

use super::look::{self, Look};
use super::setting;
use crate::commands::{FAILURE, USAGE};
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  talkie lab matrix
      All pairs of NAT types: direct, by the relay, or not at all.
  talkie lab matrix --types full-cone,address-restricted,port-restricted,symmetric
      The four classic types only.
  talkie lab matrix --seeds 20 --loss 10
      Each pair 20 times on a bad network: how often is it direct?
  talkie lab matrix --svg matrix.svg
      A picture, for light and dark pages.

The left side calls, the right side answers: with some types it matters who does which.
Exit codes: 0 done, 1 a file can't be written, 2 wrong flag or type.";

pub(super) fn command() -> Command {
    Command::new("matrix")
        .about("Try hole punching between all pairs of NAT types")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("types")
                .long("types")
                .value_name("TYPE,...")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("Only these types, in this order [default: all]"),
        )
        .args(setting::args())
        .arg(
            Arg::new("seeds")
                .long("seeds")
                .value_name("N")
                .value_parser(value_parser!(u32).range(1..=10_000))
                .default_value("1")
                .help("Try each pair so often: with --seed and those after it"),
        )
        .arg(
            Arg::new("svg")
                .long("svg")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Write a picture"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Print JSON instead of a table"),
        )
        .arg(look::arg())
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let (kinds, setting) = match (types(matches), setting::of(matches)) {
        (Ok(kinds), Ok(setting)) => (kinds, setting),
        (Err(error), _) | (_, Err(error)) => {
            terminal::complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    let seeds = *matches.get_one::<u32>("seeds").expect("it has a default");
    let matrix = Plan { kinds, seeds, setting }.run(Instant::now(), Progress::new().on_pair());
    if matches.get_flag("json") {
        terminal::say(&matrix.json());
    } else {
        let look = Look::of(matches);
        terminal::say(&matrix.table(look.columns).text(look.ink));
    }
    let written = match matches.get_one::<PathBuf>("svg") {
        Some(file) => super::write(file, matrix.svg().as_bytes()),
        None => Ok(()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::from(FAILURE),
    }
}

fn types(matches: &ArgMatches) -> Result<Vec<Preset>, String> {
    let Some(names) = matches.get_many::<String>("types") else {
        return Ok(Preset::all().collect());
    };
    let mut kinds = Vec::new();
    for name in names.map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let kind = kinds::find(name).map_err(|error| error.to_string())?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    match kinds.is_empty() {
        true => Err("--types names no type; `talkie lab list --names` has them".to_owned()),
        false => Ok(kinds),
    }
}

/// Tells on a terminal how far it is, if it takes long.
struct Progress {
    began: Instant,
    told: Option<Instant>,
    is_terminal: bool,
}

impl Progress {
    fn new() -> Self {
        let is_terminal = io::stderr().is_terminal() && io::stdout().is_terminal();
        Self { began: Instant::now(), told: None, is_terminal }
    }

    fn on_pair(mut self) -> impl FnMut(usize, usize) {
        move |done, of| {
            let now = Instant::now();
            let is_due = self.told.is_none_or(|told| now - told > Duration::from_millis(100));
            if self.is_terminal && now - self.began > Duration::from_secs(1) && is_due {
                self.told = Some(now);
                let _ = write!(io::stderr(), "\r\x1b[K{done} of {of} pairs");
            }
            if done == of && self.told.is_some() {
                let _ = write!(io::stderr(), "\r\x1b[K");
            }
        }
    }
}
