//! `talkie completions SHELL`: a script that completes the command line.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

const SHELL: &str = "shell";

pub(super) fn command() -> Command {
    Command::new("completions")
        .about("Print a completion script for your shell")
        .after_help(
            "Examples:\n  talkie completions bash > ~/.local/share/bash-completion/completions/talkie\n  \
             talkie completions zsh > \"${fpath[1]}/_talkie\"\n  \
             talkie completions fish > ~/.config/fish/completions/talkie.fish",
        )
        .arg(
            Arg::new(SHELL)
                .value_name("SHELL")
                .required(true)
                .value_parser(value_parser!(Shell))
                .help("The shell"),
        )
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let shell: Shell = *matches.get_one(SHELL).expect("clap requires it");
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "talkie", &mut script);
    match io::stdout().write_all(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(super::FAILURE),
    }
}
