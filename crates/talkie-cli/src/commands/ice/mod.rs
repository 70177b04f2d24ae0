//! `talkie ice`: a netcat over ICE, for trying by hand what connects and what does not.
//!
//! Two sides meet by a code on a `talkie serve`, or by one block of text that each pastes from the other.
//! Then what one types the other sees, a datagram a line, and both see the pairs of candidates at work.
//! The protocol is [`talkie_traversal::ice`]'s and the sockets are [`talkie_net::host`]'s; here are the
//! command line ([`settings`]), how two meet ([`mod@meet`]), what goes between terminal and agent
//! ([`session`]), and how it looks ([`view`]).

mod attributes;
mod board;
mod farewell;
mod lines;
mod meet;
mod session;
mod settings;
mod tally;
mod view;
mod words;

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use talkie_signaling::ServerUrl;

use self::settings::Settings;
use super::{FAILURE, USAGE, block_on, login, meeting};
use crate::settings::value;
use crate::signals::Signals;
use crate::terminal;

/// No pair of addresses works.
const UNCONNECTED: u8 = 4;
/// There was a connection, and it broke.
const BROKEN: u8 = 5;

const EXAMPLES: &str = "\
Examples:
  talkie ice --server https://talk.example.org
      Prints the command for the other machine. Once both run, type: each line
      is a datagram.
  talkie ice --echo
      Answers everything, so that the other side sees how long there and back
      takes. With the talkie serve on this machine, http://localhost:8080.
  talkie ice --copy-paste --stun stun.example.org
      Without a server in between: each side pastes the block of the other,
      within --wait minutes.
  talkie ice --relay-only --turn turn.example.org --user me --password-file FILE
      By this relay alone.
  date | talkie ice CODE >answer
      For scripts: only what the other side sends goes to standard output. Lines
      are datagrams, which may be lost: in the end it says how many were.";

const MORE: &str = "
What is sent is not encrypted: ICE finds a path and no more. What both sides
tell each other over the server is, with a key from the code.

Exit codes:
  0    there was a connection, and one of the sides ended it
  1    it could not run: nobody is there with the code, the server does not
       answer, the other side left before there was a connection, ...
  2    wrong flag, address or code
  4    no connection: no pair of addresses works
  5    the connection broke
  130  stopped by SIGINT (143: SIGTERM)

docs/ice.md tells what the table shows, and the events of --json.";

pub(super) fn command() -> Command {
    Command::new("ice")
        .about("Connect two terminals by ICE, and see which paths work and why")
        .after_help(EXAMPLES)
        .after_long_help(format!("{EXAMPLES}\n{MORE}"))
        .args(meeting_args())
        .args(server_args())
        .args(login::args().map(|arg| match arg.get_id() == "user" {
            true => arg.requires("turn"),
            false => arg,
        }))
        .args(path_args())
        .args(output_args())
}

fn flag(name: &'static str) -> Arg {
    Arg::new(name).long(name)
}

fn switch(name: &'static str) -> Arg {
    flag(name).action(ArgAction::SetTrue)
}

fn meeting_args() -> Vec<Arg> {
    vec![
        meeting::code_arg().conflicts_with("copy-paste").help("What the other side has printed"),
        flag("server")
            .value_name("URL")
            .default_value(meeting::DEFAULT)
            .conflicts_with("copy-paste")
            .value_parser(|text: &str| text.parse::<ServerUrl>())
            .help("The talkie serve where both meet, which gives STUN and TURN servers as well"),
        meeting::wait_arg().conflicts_with("code").help("How long to wait for the other side"),
        switch("copy-paste").help("Meet without a server: a block of text to paste, each way"),
    ]
}

fn server_args() -> Vec<Arg> {
    vec![
        flag("stun")
            .value_name("URI")
            .action(ArgAction::Append)
            .value_parser(|text: &str| settings::stun(text))
            .help("STUN server, instead of those that the server gives; may be repeated"),
        flag("turn")
            .value_name("URI")
            .action(ArgAction::Append)
            .requires("user")
            .value_parser(|text: &str| settings::turn(text))
            .help("TURN server (turn: or turns:), instead of those; may be repeated"),
    ]
}

fn path_args() -> Vec<Arg> {
    vec![
        switch("relay-only").help("Use relays alone, and tell no other address"),
        switch("tcp").help("Offer and try TCP as well (RFC 6544)"),
        flag("predict")
            .value_name("COUNT")
            .default_value("8")
            .value_parser(value_parser!(u8).range(0..=12))
            .help("Most ports to guess where a NAT gives them in an order; 0: none"),
        flag("port-range")
            .value_name("FIRST-LAST")
            .value_parser(|text: &str| value::ports(text))
            .help("The ports that sockets may have"),
    ]
}

fn output_args() -> Vec<Arg> {
    vec![
        switch("echo").help("Send back whatever comes"),
        switch("json").help("Print events, an object a line"),
        switch("verbose").short('v').help("Tell all that happens to each pair"),
        flag("color")
            .value_name("WHEN")
            .default_value("auto")
            .value_parser(["auto", "always", "never"])
            .help("When to use colour"),
    ]
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let settings = match Settings::of(matches) {
        Ok(settings) => settings,
        Err(error) => {
            terminal::complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    block_on(connected(&settings))
}

async fn connected(settings: &Settings) -> u8 {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            terminal::complain(&format_args!("cannot listen for signals: {error}"));
            return FAILURE;
        }
    };
    let mut view = view::of(settings);
    let ended = meet::run(settings, &mut *view, &mut signals).await;
    view.close();
    match ended {
        Ok(end) => {
            if let Some(words) = end.words() {
                terminal::complain(&words);
            }
            end.exit_code()
        }
        Err(error) => {
            match settings.what_to_do(&error) {
                Some(words) => terminal::complain(&format_args!("{error}; {words}")),
                None => terminal::complain(&error),
            }
            FAILURE
        }
    }
}
