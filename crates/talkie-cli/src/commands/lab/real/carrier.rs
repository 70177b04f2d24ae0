//! The box of a NAT: what `talkie lab up` starts, and no person.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use talkie_lab::real::{Host, Name, carrier};

use super::super::super::FAILURE;
use crate::terminal;

pub(super) const COMMAND: &str = "box";
const LAB: &str = "lab";
const NAT: &str = "nat";

pub(super) fn command() -> Command {
    Command::new(COMMAND)
        .about("Carry packets between the two TUN devices of a NAT")
        .hide(true)
        .arg(Arg::new(LAB).required(true).value_parser(value_parser!(Name)))
        .arg(
            Arg::new(NAT)
                .required(true)
                .value_parser([Host::LeftNat, Host::RightNat].map(Host::name)),
        )
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let name: &Name = matches.get_one(LAB).expect("clap requires it");
    let nat: &String = matches.get_one(NAT).expect("clap requires it");
    let nat: Host = nat.parse().expect("clap lets only these names pass");
    // It outlives the terminal that it was started from.
    let _ = rustix::process::setsid();
    match carrier::carry(name, nat, || terminal::say("ready\n")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&error);
            ExitCode::from(FAILURE)
        }
    }
}
