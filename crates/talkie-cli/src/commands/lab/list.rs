//! `talkie lab list`: the types of NAT, explained.

use std::process::ExitCode;

use clap::{ArgMatches, Command};

pub(super) fn command() -> Command {
    Command::new("list").about("Explain the types of NAT")
}

pub(super) fn run(_: &ArgMatches) -> ExitCode {
    ExitCode::SUCCESS
}
