//! `talkie lab`: NATs to look at and to try programs behind, and flows on one line, a file for each
//! subcommand.

mod files;
mod flow;
mod list;
mod look;
mod matrix;
mod patience;
#[cfg_attr(not(target_os = "linux"), path = "real/elsewhere.rs")]
mod real;
mod setting;
mod show;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

pub(super) fn command() -> Command {
    Command::new("lab")
        .about("See what NATs do, who reaches whom through them, and how fast")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(list::command())
        .subcommand(matrix::command())
        .subcommand(show::command())
        .subcommand(flow::command())
        .subcommands(real::commands())
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    match matches.subcommand() {
        Some(("flow", matches)) => flow::run(matches),
        Some(("list", matches)) => list::run(matches),
        Some(("matrix", matches)) => matrix::run(matches),
        Some(("show", matches)) => show::run(matches),
        Some((name, matches)) => real::run(name, matches),
        None => unreachable!("clap requires one of the commands above"),
    }
}
