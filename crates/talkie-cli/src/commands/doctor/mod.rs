//! `talkie doctor`: what stands between this machine and others, and what to do about it.
//!
//! All probing and judging is [`talkie_doctor`]'s; here are the command line, the spinners, and how
//! the answer looks.

mod changes;
mod page;
mod pair;
mod screen;
mod spinners;
mod watch;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use talkie_doctor::advice::Verdict;
use talkie_doctor::{Config, Document, PlainPage, Report, Stop, Target, diagnose, examine};
use talkie_traversal::stun::credential::LongTerm;

use self::page::Look;
use self::spinners::Spinners;
use super::login;
use super::meeting::DEFAULT;
use super::{FAILURE, USAGE, block_on};
use crate::settings::When;
use crate::signals::{Signal, Signals};
use crate::terminal;

/// Most connections need a relay.
const RELAY: u8 = 3;
/// No network, no server that can be used, or no relay where one is needed.
const OFFLINE: u8 = 4;
/// A server that was named does not do its part, and direct connections work or could not be judged.
const IMPAIRED: u8 = 5;

const EXAMPLES: &str = "\
Examples:
  talkie doctor --server https://talk.example.org
      Everything, with a talkie serve, which gives credentials for its relay.
  talkie doctor
      The same with the one on this machine, http://localhost:8080.
  talkie doctor --server stun:stun.example.org --server stun:stun.example.net
      The NAT only; two servers on different hosts tell more than one.
  talkie doctor --server 'turn:turn.example.org?transport=tcp' --user me --password-file FILE
      A TURN server of any make, to the end: a packet through the relay and back.
  talkie doctor --pair --server https://talk.example.org
      With another machine: prints the command for it, then both try to reach each other.
  talkie doctor --server https://talk.example.org --json
      For programs; docs/doctor.md describes every field.";

const MORE: &str = "
Contacts the servers that are named, the gateway of this network and nobody
else. The gateway is only asked what it offers; no port is opened.

Servers:
  https://HOST[:PORT], http://…     a talkie serve
  stun:HOST[:PORT][?transport=tcp]
  turn:HOST[:PORT][?transport=tcp]  relay; with --user and --password it is
                                    tried to the end
  turns:HOST[:PORT]                 relay over TLS

Exit codes:
  0    direct connections work with most others; or, where the server is too
       near to see that, all that could be tried works
  1    it could not run: no server to ask, nobody is there with the code, ...
  2    wrong flag or address
  3    most connections need a relay: symmetric NAT, UDP blocked
  4    no connection: no network, no server that can be used, or no relay where
       one is needed
  5    a server that was named does not do its part, and direct connections work
       or could not be judged
  130  stopped by SIGINT (143: SIGTERM)
With --pair or CODE: 0 direct, 3 through the relay, 4 neither; the others as
above. With --watch: that of the last examination.";

pub(super) fn command() -> Command {
    Command::new("doctor")
        .about("Find out why connections fail: NAT, firewall, relay, and what to change")
        .after_help(EXAMPLES)
        .after_long_help(format!("{EXAMPLES}\n{MORE}"))
        .arg(
            Arg::new("server")
                .long("server")
                .value_name("URL")
                .action(ArgAction::Append)
                .value_parser(|text: &str| text.parse::<Target>())
                .help("Server to examine the network with; may be repeated"),
        )
        .args(login::args())
        .args(args())
        .args(pair::args())
}

fn args() -> Vec<Arg> {
    let flag = |name: &'static str| Arg::new(name).long(name);
    vec![
        flag("probe-url")
            .value_name("URL")
            .value_parser(|text: &str| text.parse::<PlainPage>())
            .help("Page over plain HTTP that answers 204, to notice login portals"),
        flag("lifetime")
            .action(ArgAction::SetTrue)
            .help("Measure how long an idle mapping lives, too; takes minutes"),
        flag("json").action(ArgAction::SetTrue).help("Print JSON; with --watch an object a line"),
        flag("watch")
            .value_name("SECONDS")
            .num_args(0..=1)
            .default_missing_value("10")
            .value_parser(value_parser!(u64).range(1..=86_400))
            .conflicts_with("lifetime")
            .help("Repeat every so many seconds, 10 if none are given, and tell what changes"),
        flag("color")
            .value_name("WHEN")
            .default_value("auto")
            .value_parser(["auto", "always", "never"])
            .help("When to use colour"),
    ]
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    if let Some(code) = pair::run(matches) {
        return code;
    }
    let mut config = match config(matches) {
        Ok(config) => config,
        Err(error) => {
            terminal::complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    block_on(async {
        if config.targets.is_empty() {
            match nearby().await {
                Ok(target) => config.targets.push(target),
                Err(code) => return code,
            }
        }
        match matches.get_one::<u64>("watch") {
            Some(seconds) => {
                watch::run(&config, Duration::from_secs(*seconds), &Output::of(matches)).await
            }
            None => once(&config, &Output::of(matches)).await,
        }
    })
}

/// Why the command line makes no sense.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error(transparent)]
    Password(#[from] login::PasswordError),
    #[error("--user and --password: {0}")]
    Credential(#[from] talkie_traversal::stun::credential::CredentialError),
    #[error(
        "--user and --password are for stun:, turn: and turns: servers; a talkie serve gives its own"
    )]
    NobodyForPassword,
}

fn config(matches: &ArgMatches) -> Result<Config, UsageError> {
    let targets: Vec<Target> =
        matches.get_many("server").map(|targets| targets.cloned().collect()).unwrap_or_default();
    let mut config = Config::new(targets);
    if let Some(user) = matches.get_one::<String>("user") {
        if !config.targets.iter().any(|target| matches!(target, Target::Ice(_))) {
            return Err(UsageError::NobodyForPassword);
        }
        config.credential = Some(LongTerm::new(user, &login::password(matches)?)?);
    }
    config.plain_page = matches.get_one("probe-url").cloned();
    config.lifetime = matches.get_flag("lifetime");
    Ok(config)
}

/// The server of this machine, when none is named.
async fn nearby() -> Result<Target, u8> {
    let target: Target = DEFAULT.parse().expect("the default is a server");
    if talkie_doctor::answers(&target).await {
        return Ok(target);
    }
    if !talkie_doctor::has_network() {
        terminal::complain(&"this machine has no network: no route leads out; connect it first");
        return Err(OFFLINE);
    }
    terminal::complain(&format_args!(
        "there is no server to ask: none was named, and none runs at {DEFAULT}; name one with \
         --server https://HOST (a talkie serve), stun:HOST or turn:HOST"
    ));
    Err(FAILURE)
}

/// How the answer is to look.
struct Output {
    json: bool,
    look: Look,
}

impl Output {
    fn of(matches: &ArgMatches) -> Self {
        let when = match matches.get_one::<String>("color").map(String::as_str) {
            Some("always") => When::Always,
            Some("never") => When::Never,
            _ => When::Auto,
        };
        let colour = terminal::colour(when, std::io::stdout().is_terminal());
        Self {
            json: matches.get_flag("json"),
            look: Look { colour, columns: terminal::columns().unwrap_or(page::COLUMNS) },
        }
    }
}

async fn once(config: &Config, output: &Output) -> u8 {
    let mut signals = match listen() {
        Ok(signals) => signals,
        Err(code) => return code,
    };
    let report = match examined(config, &Spinners::new(), &mut signals).await {
        Ok(report) => report,
        Err(signal) => {
            terminal::complain(&"stopped before the end");
            return signal.exit_code();
        }
    };
    let diagnosis = diagnose(&report);
    if output.json {
        let document = Document { report: &report, diagnosis: &diagnosis };
        match serde_json::to_string_pretty(&document) {
            Ok(text) => terminal::say(&(text + "\n")),
            Err(error) => {
                terminal::complain(&error);
                return FAILURE;
            }
        }
    } else {
        terminal::say(&page::text(&report, &diagnosis, output.look));
    }
    exit_code(diagnosis.verdict)
}

fn listen() -> Result<Signals, u8> {
    Signals::listen().map_err(|error| {
        terminal::complain(&format_args!("cannot listen for signals: {error}"));
        FAILURE
    })
}

/// One examination, unless a signal ends it; then everything has been given back.
async fn examined(
    config: &Config,
    spinners: &Spinners,
    signals: &mut Signals,
) -> Result<Report, Signal> {
    let (handle, stop) = Stop::new();
    let examination = examine(config, &stop, |progress| spinners.show(progress));
    tokio::pin!(examination);
    let signal = tokio::select! {
        report = &mut examination => {
            spinners.clear();
            return Ok(report.expect("it was not stopped"));
        }
        signal = signals.next() => signal,
    };
    handle.stop();
    // Relayed addresses are given back; that has a bound of its own.
    examination.await;
    spinners.clear();
    Err(signal)
}

fn exit_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Direct | Verdict::Unclear => 0,
        Verdict::Relay => RELAY,
        Verdict::Offline => OFFLINE,
        Verdict::Impaired => IMPAIRED,
    }
}
