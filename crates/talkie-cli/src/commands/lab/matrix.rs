//! `talkie lab matrix`: who reaches whom.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use talkie_lab::kinds::{self, Preset};
use talkie_lab::matrix::{Matrix, Plan};
use tokio::sync::{oneshot, watch};

use super::look::{self, Look};
use super::{files, setting};
use crate::commands::{FAILURE, USAGE};
use crate::signals::Signals;
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
    let matrix = match played(plan) {
        Ok(matrix) => matrix,
        Err(code) => return ExitCode::from(code),
    };
    if printed.is_none() {
        let look = Look::of(matches);
        terminal::say(&matrix.table(look.columns).text(look.ink));
    }
    let written = files::write(matches, "json", || matrix.json().into_bytes())
        .and_then(|()| files::write(matches, "svg", || matrix.svg().into_bytes()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::from(FAILURE),
    }
}

fn asked(matches: &ArgMatches) -> Result<(Plan, Option<&'static str>), String> {
    let seeds = *matches.get_one::<u32>("seeds").expect("it has a default");
    let plan = Plan { kinds: types(matches)?, seeds, setting: setting::of(matches)? };
    Ok((plan, files::printed(matches, &["svg", "json"])?))
}

/// Plays all pairs, and tells meanwhile how far it is; the exit code if a signal ends it.
fn played(plan: Plan) -> Result<Matrix, u8> {
    let failed = |error: io::Error| {
        terminal::complain(&format_args!("cannot play the pairs: {error}"));
        FAILURE
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(failed)?;
        let (told, mut outcome) = oneshot::channel();
        let (tell, mut far) = watch::channel((0, 0));
        thread::spawn(move || {
            let matrix = plan.run(Instant::now(), |done, of| {
                tell.send_replace((done, of));
            });
            // Nobody listens any more only if this program ends.
            let _ = told.send(matrix);
        });
        let is_seen = io::stderr().is_terminal() && io::stdout().is_terminal();
        let mut progress = Progress::new(Instant::now(), is_seen.then(io::stderr));
        loop {
            tokio::select! {
                matrix = &mut outcome => {
                    progress.clear();
                    return Ok(matrix.expect("the thread does not panic"));
                }
                signal = signals.next() => {
                    progress.wipe();
                    return Err(signal.exit_code());
                }
                Ok(()) = far.changed() => {
                    let (done, of) = *far.borrow_and_update();
                    progress.show(Instant::now(), done, of);
                }
            }
        }
    })
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
struct Progress<W> {
    began: Instant,
    told: Option<Instant>,
    /// `None` where nobody sees it.
    to: Option<W>,
}

impl<W: io::Write> Progress<W> {
    fn new(began: Instant, to: Option<W>) -> Self {
        Self { began, told: None, to }
    }

    fn show(&mut self, now: Instant, done: usize, of: usize) {
        let Some(to) = &mut self.to else { return };
        let is_due = self.told.is_none_or(|told| now - told > Duration::from_millis(100));
        if now - self.began > Duration::from_secs(1) && is_due {
            self.told = Some(now);
            let _ = write!(to, "\r\x1b[K{done} of {of} pairs");
        }
    }

    /// Takes the line away.
    fn clear(&mut self) {
        if self.told.take().is_some() {
            self.wipe();
        }
    }

    /// The same with what the terminal has written for Ctrl-C, be there a line or not.
    fn wipe(&mut self) {
        if let Some(to) = &mut self.to {
            let _ = write!(to, "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_is_told_how_far_it_is_and_nothing_stays() {
        let began = Instant::now();
        let mut progress = Progress::new(began, Some(Vec::new()));
        progress.show(began + Duration::from_millis(900), 1, 9);
        progress.clear();
        assert_eq!(progress.to.as_deref(), Some(&b""[..]), "it was not long");
        progress.show(began + Duration::from_millis(1100), 2, 9);
        progress.show(began + Duration::from_millis(1150), 3, 9);
        progress.clear();
        progress.clear();
        assert_eq!(progress.to.as_deref(), Some(&b"\r\x1b[K2 of 9 pairs\r\x1b[K"[..]));
        progress.to = Some(Vec::new());
        progress.wipe();
        assert_eq!(progress.to.as_deref(), Some(&b"\r\x1b[K"[..]), "Ctrl-C has left its mark");
    }
}
