//! `talkie doctor --pair` and `talkie doctor CODE`: two machines try it with each other.
//!
//! All trying and judging is [`talkie_doctor::pair`]'s; here are the command line, what is shown
//! meanwhile, and how the answer looks.

mod page;
mod progress;

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches};
use talkie_doctor::pair::{Config, Outcome, PairError, Role, pair};
use talkie_doctor::{ServerUrl, Stop, Target};

use self::progress::Watcher;
use super::{OFFLINE, Output, RELAY};
use crate::commands::meeting::{self, DEFAULT};
use crate::commands::{FAILURE, USAGE, block_on};
use crate::signals::Signals;
use crate::terminal;

/// What cannot be asked for together with a pair.
const OTHERS: [&str; 6] = ["user", "password", "password-file", "probe-url", "lifetime", "watch"];

/// The arguments that ask for it.
pub(super) fn args() -> Vec<Arg> {
    vec![
        Arg::new("pair")
            .long("pair")
            .action(ArgAction::SetTrue)
            .conflicts_with_all(OTHERS)
            .help("Try it with another machine: prints a code for `talkie doctor CODE` there"),
        meeting::code_arg()
            .conflicts_with("pair")
            .conflicts_with_all(OTHERS)
            .help("Try it with the machine that printed this code"),
        meeting::wait_arg()
            .requires("pair")
            .help("With --pair: how long to wait for the other machine"),
    ]
}

/// Does it, if the command line asks for it.
pub(super) fn run(matches: &ArgMatches) -> Option<ExitCode> {
    let role = match meeting::code(matches) {
        Ok(Some(code)) => Role::Second(code),
        Err(error) => return Some(wrong(&error)),
        Ok(None) if matches.get_flag("pair") => Role::First,
        Ok(None) => return None,
    };
    let config = match server(matches) {
        Ok(server) => match server.parse() {
            Ok(server) => Config { server, patience: meeting::patience(matches) },
            Err(error) => return Some(wrong(&error)),
        },
        Err(error) => return Some(wrong(&error)),
    };
    Some(block_on(watched(&config, role, &Output::of(matches))))
}

fn wrong(error: &dyn std::fmt::Display) -> ExitCode {
    terminal::complain(error);
    ExitCode::from(USAGE)
}

/// Why the command line makes no sense.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error("two meet on one server: give --server once")]
    Several,
    #[error("two meet on a talkie serve, which `{0}` is not: give --server https://HOST")]
    NoPlace(Target),
}

/// Where to meet.
fn server(matches: &ArgMatches) -> Result<String, UsageError> {
    let mut named = matches.get_many::<Target>("server").into_iter().flatten();
    match (named.next(), named.next()) {
        (None, _) => Ok(DEFAULT.to_owned()),
        (Some(target @ Target::Web(_)), None) => Ok(target.to_string()),
        (Some(target), None) => Err(UsageError::NoPlace(target.clone())),
        (Some(_), Some(_)) => Err(UsageError::Several),
    }
}

async fn watched(config: &Config, role: Role, output: &Output) -> u8 {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            terminal::complain(&format_args!("cannot listen for signals: {error}"));
            return FAILURE;
        }
    };
    let (handle, stop) = Stop::new();
    let watcher = Watcher::new(config, output.json);
    let trying = pair(config, role, &stop, |happening| watcher.show(happening));
    tokio::pin!(trying);
    let signal = tokio::select! {
        outcome = &mut trying => {
            watcher.clear();
            return match outcome {
                Ok(pairing) => {
                    watcher.part();
                    told(&pairing, output)
                }
                Err(error) => failed(&error, &config.server),
            };
        }
        signal = signals.next() => signal,
    };
    handle.stop();
    // What is held on the server is given back; that has a bound of its own.
    let _ = trying.await;
    watcher.clear();
    terminal::complain(&"stopped before the end");
    signal.exit_code()
}

fn told(pairing: &talkie_doctor::pair::Pairing, output: &Output) -> u8 {
    let text = if output.json {
        match serde_json::to_string_pretty(pairing) {
            Ok(text) => text + "\n",
            Err(error) => {
                terminal::complain(&error);
                return FAILURE;
            }
        }
    } else {
        page::text(pairing, output.look)
    };
    terminal::say(&text);
    match pairing.verdict.outcome {
        Outcome::Direct => 0,
        Outcome::Relayed => RELAY,
        Outcome::Failed => OFFLINE,
    }
}

fn failed(error: &PairError, server: &ServerUrl) -> u8 {
    match what_to_do(error, server) {
        Some(words) => terminal::complain(&format_args!("{error}; {words}")),
        None => terminal::complain(error),
    }
    FAILURE
}

fn what_to_do(error: &PairError, server: &ServerUrl) -> Option<String> {
    match error {
        PairError::Meet(error) => meeting::what_to_do(error, server, "talkie doctor --pair"),
        _ => None,
    }
}
