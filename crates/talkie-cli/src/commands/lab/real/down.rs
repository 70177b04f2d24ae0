//! `talkie lab down`: nothing of a lab is left.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use talkie_lab::real::{self, Name, Removed};

use super::super::super::FAILURE;
use super::up::{NAME, name_arg};
use crate::terminal;

const ALL: &str = "all";

const EXAMPLES: &str = "\
Examples:
  sudo talkie lab down
  sudo talkie lab down --name second
  sudo talkie lab down --all

Programs that still run on its hosts are ended, by SIGTERM and two seconds later by SIGKILL. It
cleans up after a crash as well, and where there is nothing it does nothing.

Exit codes:
  0  nothing of it is left
  1  it could not be removed (no root)";

pub(super) fn command() -> Command {
    Command::new("down")
        .about("Take a lab down, and whatever runs in it")
        .after_help(EXAMPLES)
        .arg(name_arg())
        .arg(
            Arg::new(ALL)
                .long(ALL)
                .action(ArgAction::SetTrue)
                .conflicts_with(NAME)
                .help("All labs of this machine"),
        )
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let one: &Name = matches.get_one(NAME).expect("it has a default");
    let names: Vec<Name> =
        if matches.get_flag(ALL) { real::names().into_iter().collect() } else { vec![one.clone()] };
    if names.is_empty() {
        terminal::say("no lab was up\n");
    }
    let mut code = ExitCode::SUCCESS;
    for name in names {
        match real::down(&name) {
            Ok(removed) => terminal::say(&words(&name, removed)),
            Err(error) => {
                terminal::complain(&error);
                code = ExitCode::from(FAILURE);
            }
        }
    }
    code
}

fn words(name: &Name, removed: Removed) -> String {
    let Removed { namespaces, programs } = removed;
    if removed == Removed::default() {
        return format!("nothing of lab {name} was there\n");
    }
    let count = |count: usize, what| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!(
        "lab {name} is down: {} and {} ended\n",
        count(namespaces, "namespace"),
        count(programs, "program")
    )
}
