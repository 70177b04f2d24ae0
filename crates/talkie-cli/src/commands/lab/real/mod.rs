//! The commands that put real programs behind NATs. Linux only: elsewhere there are no network
//! namespaces.

mod carrier;
mod down;
mod exec;
mod status;
mod up;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

pub(super) fn commands() -> [Command; 5] {
    [up::command(), exec::command(), status::command(), down::command(), carrier::command()]
}

pub(super) fn run(name: &str, matches: &ArgMatches) -> ExitCode {
    match name {
        "up" => up::run(matches),
        "exec" => exec::run(matches),
        "status" => status::run(matches),
        "down" => down::run(matches),
        carrier::COMMAND => carrier::run(matches),
        _ => unreachable!("clap requires one of the commands above"),
    }
}
