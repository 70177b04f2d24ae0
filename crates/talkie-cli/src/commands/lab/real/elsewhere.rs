//! The commands that put real programs behind NATs, where there are no network namespaces: they say so.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use super::super::FAILURE;
use crate::terminal;

pub(super) fn commands() -> [Command; 4] {
    ["up", "exec", "status", "down"].map(|name| {
        let anything =
            Arg::new("anything").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
        Command::new(name).about("Needs Linux").arg(anything)
    })
}

pub(super) fn run(name: &str, _: &ArgMatches) -> ExitCode {
    terminal::complain(&format_args!(
        "`talkie lab {name}` needs Linux, for network namespaces and TUN devices; `talkie lab matrix` and \
         `talkie lab show` run everywhere"
    ));
    ExitCode::from(FAILURE)
}
