//! The commands of the program, a file each.

mod completions;
mod doctor;
mod ice;
mod lab;
mod login;
mod meeting;
mod serve;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

use crate::terminal;

/// Failed while running.
pub(crate) const FAILURE: u8 = 1;
/// Told something wrong on the command line, in the environment or in the file; `clap` ends with
/// the same code.
pub(crate) const USAGE: u8 = 2;

/// The program's command line.
pub(crate) fn command() -> Command {
    Command::new("talkie")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Video calls and file drops through any NAT, from your own host")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(serve::command())
        .subcommand(doctor::command())
        .subcommand(ice::command())
        .subcommand(lab::command())
        .subcommand(completions::command())
}

/// Does what the command line asks for.
pub(crate) fn run(matches: &ArgMatches) -> ExitCode {
    match matches.subcommand() {
        Some(("serve", matches)) => serve::run(matches),
        Some(("doctor", matches)) => doctor::run(matches),
        Some(("ice", matches)) => ice::run(matches),
        Some(("lab", matches)) => lab::run(matches),
        Some(("completions", matches)) => completions::run(matches),
        _ => unreachable!("clap requires one of the commands above"),
    }
}

/// Does a command's work on all cores. What is left of it is not waited for: neither looking up a name nor
/// reading standard input can be cancelled, and connections that still run have been told to end.
fn block_on(work: impl Future<Output: Into<ExitCode>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::complain(&format_args!("cannot start the runtime: {error}"));
            return ExitCode::from(FAILURE);
        }
    };
    let code = runtime.block_on(work);
    runtime.shutdown_background();
    code.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        command().debug_assert();
    }
}
