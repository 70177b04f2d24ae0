//! `talkie lab matrix`: who reaches whom.

use std::process::ExitCode;
use std::time::Instant;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use talkie_lab::kinds::{self, Preset};
use talkie_lab::matrix::Plan;

use super::look::{self, Look};
use super::{files, patience, setting};
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
  talkie lab matrix --predict
      Which pairs become direct if ports are guessed?
  talkie lab matrix --svg matrix.svg
      A picture, for light and dark pages; - is standard output.

The left side calls, the right side answers: with some types it matters who does which.
Exit codes: 0 done, 1 a file can't be written, 2 wrong flag or type,
130 stopped by Ctrl-C.";

pub(super) fn command() -> Command {
    Command::new("matrix")
        .about("Let ICE agents meet behind all pairs of NAT types")
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
        .arg(files::arg("svg", "Write a picture"))
        .arg(files::json())
        .arg(look::arg())
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let (plan, printed) = match asked(matches) {
        Ok(asked) => asked,
        Err(error) => {
            terminal::complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    if files::check(matches, &["svg", "json"]).is_err() {
        return ExitCode::from(FAILURE);
    }
    let played = patience::wait_for(move |tell| {
        plan.run(Instant::now(), |done, of| tell(format!("{done} of {of} pairs")))
    });
    let matrix = match played {
        Ok(matrix) => matrix,
        Err(code) => return ExitCode::from(code),
    };
    let shown = if printed.is_none() {
        let look = Look::of(matches);
        files::show(&matrix.table(look.columns).text(look.ink))
    } else {
        Ok(())
    };
    let written = files::write(matches, "json", || matrix.json().into_bytes())
        .and_then(|()| files::write(matches, "svg", || matrix.svg().into_bytes()));
    match written.and(shown) {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::from(FAILURE),
    }
}

fn asked(matches: &ArgMatches) -> Result<(Plan, Option<&'static str>), String> {
    let seeds = *matches.get_one::<u32>("seeds").expect("it has a default");
    let plan = Plan { kinds: types(matches)?, seeds, setting: setting::of(matches)? };
    Ok((plan, files::printed(matches, &["svg", "json"])?))
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
