//! `talkie lab up`: NATs of two types between network namespaces of this host.

use std::io;
use std::process::{Command as Process, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use talkie_lab::real::{self, Addresses, Host, Kind, Line, Name, Plan, PlanError, Type, UpError};
use tokio::sync::oneshot;

use super::super::super::{FAILURE, USAGE};
use super::carrier;
use crate::signals::Signals;
use crate::terminal;

const LEFT: &str = "left";
const RIGHT: &str = "right";
const KIND: &str = "kind";
const DELAY: &str = "delay";
const JITTER: &str = "jitter";
const LOSS: &str = "loss";
const RATE: &str = "rate";
const IPV6: &str = "ipv6";
pub(super) const NAME: &str = "name";
/// What a lab is called that nobody gave a name.
const DEFAULT_NAME: &str = "lab";

const EXAMPLES: &str = "\
Examples:
  sudo talkie lab up --left port-restricted --right symmetric
      Then `sudo talkie lab exec left -- COMMAND` runs a program behind the left NAT.
  sudo talkie lab up --delay 40ms --jitter 5ms --loss 1% --rate 10mbit
      With lines like a home's between the NATs and the Internet.
  sudo talkie lab up --name second --kind kernel --left linux-masquerade
      Beside the first one, with the NAT of this Linux kernel.";

const MORE: &str = "
A lab is six network namespaces:

  left -- left-nat --+               +-- right-nat -- right
                     +-- internet ---+
                     +--- server     +

The server has two addresses, 198.51.100.1 and 198.51.100.2, and runs what you start on it.
Nothing is connected to the network of this host, and none of its addresses can clash. Delay,
jitter, loss and rate are those of the line between each NAT and the Internet, each way: a packet
from left to right passes two lines. `talkie lab list` explains the types.

Exit codes:
  0    it is up
  1    it could not be built (no root, the name is taken, a program is missing);
       nothing is left
  2    wrong flag or value
  130  interrupted while it was built; nothing is left (143: SIGTERM)";

pub(super) fn command() -> Command {
    Command::new("up")
        .about("Put two hosts of this machine behind NATs of your choice (Linux, root)")
        .after_help(EXAMPLES)
        .after_long_help(format!("{EXAMPLES}\n{MORE}"))
        .arg(nat(LEFT, "The NAT before the left host"))
        .arg(nat(RIGHT, "The NAT before the right host"))
        .arg(
            Arg::new(KIND)
                .long(KIND)
                .value_name("KIND")
                .default_value("tun")
                .value_parser(["tun", "kernel"])
                .help(
                    "Who translates: talkie's NAT between TUN devices, or the kernel's (nftables)",
                ),
        )
        .arg(
            Arg::new(DELAY)
                .long(DELAY)
                .value_name("TIME")
                .value_parser(time)
                .help("How long a packet is on each line, such as 20ms"),
        )
        .arg(
            Arg::new(JITTER)
                .long(JITTER)
                .value_name("TIME")
                .value_parser(time)
                .help("By how much the delay differs at the most; packets stay in order"),
        )
        .arg(
            Arg::new(LOSS)
                .long(LOSS)
                .value_name("PERCENT")
                .value_parser(percentage)
                .help("The part of the packets that each line loses, such as 1%"),
        )
        .arg(
            Arg::new(RATE)
                .long(RATE)
                .value_name("RATE")
                .value_parser(rate)
                .help("What each line carries in a second, such as 10mbit, with a queue of 200 ms"),
        )
        .arg(
            Arg::new(IPV6)
                .long(IPV6)
                .action(ArgAction::SetTrue)
                .help("Give all hosts IPv6 addresses, too; NATs then only filter IPv6"),
        )
        .arg(name_arg())
}

/// `--name`, for all commands of real labs.
pub(super) fn name_arg() -> Arg {
    Arg::new(NAME)
        .long(NAME)
        .value_name("NAME")
        .default_value(DEFAULT_NAME)
        .value_parser(value_parser!(Name))
        .help("Which lab, where there are several")
}

fn nat(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("TYPE")
        .default_value("port-restricted")
        .value_parser(PossibleValuesParser::new(Type::all().map(Type::name)))
        .help(help)
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let name: &Name = matches.get_one(NAME).expect("it has a default");
    let plan = plan(matches);
    match build(name, &plan) {
        Ok(()) => {
            // Whoever needed sudo for this will need it for what follows.
            let sudo = if std::env::var_os("SUDO_USER").is_some() { "sudo " } else { "" };
            terminal::say(&words(name, &plan, sudo));
            ExitCode::SUCCESS
        }
        Err((error, signal)) => {
            terminal::complain(&error);
            ExitCode::from(match error {
                UpError::Interrupted(_) => signal.unwrap_or(FAILURE),
                UpError::Plan(
                    PlanError::Kernel(_) | PlanError::KernelLine | PlanError::Jitter { .. },
                ) => USAGE,
                _ => FAILURE,
            })
        }
    }
}

fn plan(matches: &ArgMatches) -> Plan {
    let kind = |side| {
        let name: &String = matches.get_one(side).expect("it has a default");
        name.parse().expect("clap lets only these names pass")
    };
    let tun = matches.get_one::<String>(KIND).is_some_and(|kind| kind == "tun");
    let time = |flag| matches.get_one::<Duration>(flag).copied().unwrap_or_default();
    Plan {
        kind: if tun { Kind::Tun } else { Kind::Kernel },
        left: kind(LEFT),
        right: kind(RIGHT),
        line: Line {
            delay: time(DELAY),
            jitter: time(JITTER),
            loss: matches.get_one::<f64>(LOSS).copied().unwrap_or_default(),
            rate: matches.get_one::<u64>(RATE).copied().unwrap_or_default(),
        },
        ipv6: matches.get_flag(IPV6),
    }
}

/// Builds it, and takes it down again where a signal comes meanwhile; the code of that signal then.
fn build(name: &Name, plan: &Plan) -> Result<(), (UpError, Option<u8>)> {
    let system = |error: io::Error| (UpError::System(error), None);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(system)?;
        let interrupted = Arc::new(AtomicBool::new(false));
        let (told, mut outcome) = oneshot::channel();
        let (name, plan, stop) = (name.clone(), plan.clone(), Arc::clone(&interrupted));
        thread::spawn(move || {
            let stopped = || stop.load(Ordering::Relaxed);
            // Nobody listens any more only if this program ends.
            let _ = told.send(real::up(&name, &plan, box_command, stopped));
        });
        let mut code = None;
        loop {
            tokio::select! {
                built = &mut outcome => {
                    let built = built.expect("the thread does not panic");
                    return built.map_err(|error| (error, code));
                }
                signal = signals.next() => {
                    code = Some(signal.exit_code());
                    interrupted.store(true, Ordering::Relaxed);
                }
            }
        }
    })
}

/// This program, as the box of a NAT.
fn box_command() -> Process {
    let mut command = Process::new("/proc/self/exe");
    command.args(["lab", carrier::COMMAND]);
    command
}

fn words(name: &Name, plan: &Plan, sudo: &str) -> String {
    let flag =
        if name.to_string() == DEFAULT_NAME { String::new() } else { format!(" --name {name}") };
    let side = |host, nat| {
        let at = Addresses::of(plan, nat);
        let seen = at.seen();
        let own = at.host;
        if at.outside.is_empty() {
            format!("  {host:<6} {own}, {}, keeps its address", plan.type_of(nat))
        } else {
            format!("  {host:<6} {own}, behind {}, seen as {seen}", plan.type_of(nat))
        }
    };
    format!(
        "lab {name} is up ({kind})\n{}\n{}\n  server 198.51.100.1 and 198.51.100.2\n\n\
         run a command behind a NAT, or on the server:\n  \
         {sudo}talkie lab exec{flag} left -- COMMAND\n  \
         {sudo}talkie lab exec{flag} right -- COMMAND\n  \
         {sudo}talkie lab exec{flag} server -- COMMAND\n\
         see the mapping tables:  {sudo}talkie lab status{flag}\n\
         take it down:            {sudo}talkie lab down{flag}\n",
        side(Host::Left, Host::LeftNat),
        side(Host::Right, Host::RightNat),
        kind = match plan.kind {
            Kind::Tun => "talkie's NAT between TUN devices",
            Kind::Kernel => "the kernel's NAT",
        },
    )
}

/// A time with its unit.
fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return Err("a time needs a unit: us, ms or s, as in 20ms".to_owned()),
    };
    let time = number.parse::<f64>().ok().map(|number| number * seconds);
    match time {
        Some(time) if (0.0..=10.0).contains(&time) => Ok(Duration::from_secs_f64(time)),
        _ => Err("not a time from 0s to 10s".to_owned()),
    }
}

/// A percentage, with or without its sign, as a part of one.
fn percentage(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("not a percentage from 0% to 100%".to_owned()),
    }
}

/// Bits in a second.
fn rate(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let bits = match unit {
        "kbit" => 1e3,
        "mbit" => 1e6,
        "gbit" => 1e9,
        _ => return Err("a rate needs a unit: kbit, mbit or gbit, as in 10mbit".to_owned()),
    };
    match number.parse::<f64>().map(|number| number * bits) {
        Ok(rate) if (1e3..=1e11).contains(&rate) => Ok(rate as u64),
        _ => Err("not a rate from 1kbit to 100gbit".to_owned()),
    }
}

fn split(text: &str) -> (&str, &str) {
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    text.split_at(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_next_can_be_copied() {
        let matches = command().get_matches_from(["up", "--left", "symmetric"]);
        let (name, plan) = ("second".parse().unwrap(), plan(&matches));
        let said = words(&name, &plan, "sudo ");
        assert!(
            said.contains("\n  sudo talkie lab exec --name second left -- COMMAND\n"),
            "{said}"
        );
        assert!(said.ends_with("sudo talkie lab down --name second\n"), "{said}");
        assert!(!words(&name, &plan, "").contains("sudo"));
    }

    #[test]
    fn what_a_line_does_is_written_with_units() {
        assert_eq!(time("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(time("0.5s"), Ok(Duration::from_millis(500)));
        assert!(time("20").is_err() && time("-1ms").is_err() && time("NaNs").is_err());
        assert_eq!(percentage("1%"), Ok(0.01));
        assert_eq!(percentage("50"), Ok(0.5));
        assert!(percentage("101%").is_err() && percentage("x").is_err());
        assert_eq!(rate("10mbit"), Ok(10_000_000));
        assert!(rate("10").is_err() && rate("10MB").is_err() && rate("0mbit").is_err());
    }
}
