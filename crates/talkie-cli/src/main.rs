//! The program `talkie`.
//!
//! One file for each command in [`commands`]; the settings of `serve` are one table in
//! [`settings`], and what it prints is made in [`block`].
//!
//! Exit codes: 0 done, 1 it failed while running, 2 it was told something wrong, 130 and 143
//! stopped at once by SIGINT or SIGTERM.

mod block;
mod commands;
mod logging;
mod settings;
mod signals;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(&commands::command().get_matches())
}
