//! `talkie lab exec`: a program behind a NAT.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command as Process, ExitCode};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use talkie_lab::real::{self, Host, Name};

use super::super::super::FAILURE;
use super::up::{NAME, name_arg};
use crate::terminal;

const HOST: &str = "host";
const WORDS: &str = "command";
/// What a shell ends with where there is no such program, and where it can't be run.
const NO_SUCH_COMMAND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

const EXAMPLES: &str = "\
Examples:
  sudo talkie lab exec left -- ping -c 3 server
  sudo talkie lab exec server -- talkie serve
  sudo talkie lab exec right -- sudo -u \"$USER\" chromium https://198.51.100.1:8443
  sudo talkie lab exec internet -- tcpdump -ni any udp

Exit codes:
  that of the command; 127 if there is no such command, 126 if it cannot be run;
  1 if there is no such lab or it may not be entered, 2 for a wrong flag";

pub(super) fn command() -> Command {
    Command::new("exec")
        .about("Run a command on a host of a lab")
        .after_help(EXAMPLES)
        .arg(name_arg())
        .arg(
            Arg::new(HOST)
                .value_name("HOST")
                .required(true)
                .value_parser(PossibleValuesParser::new(Host::all().map(Host::name)))
                .help("Where"),
        )
        .arg(
            Arg::new(WORDS)
                .value_name("COMMAND")
                .required(true)
                .num_args(1..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_parser(value_parser!(OsString))
                .help("The command and its arguments"),
        )
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let name: &Name = matches.get_one(NAME).expect("it has a default");
    let host: &String = matches.get_one(HOST).expect("clap requires it");
    let host: Host = host.parse().expect("clap lets only these names pass");
    let mut words = matches.get_many::<OsString>(WORDS).expect("clap requires it");
    let program = words.next().expect("clap requires one at least");
    if let Err(error) = real::enter(name, host) {
        terminal::complain(&error);
        return ExitCode::from(FAILURE);
    }
    // The program takes the place of this one: its exit code is ours, and signals reach it.
    let error = Process::new(program).args(words).exec();
    let program = program.to_string_lossy();
    if error.kind() == io::ErrorKind::NotFound {
        terminal::complain(&format_args!("there is no command `{program}`"));
        return ExitCode::from(NO_SUCH_COMMAND);
    }
    terminal::complain(&format_args!("cannot run `{program}`: {error}"));
    ExitCode::from(NOT_EXECUTABLE)
}
