//! `talkie serve`: web app, signaling, STUN and TURN on this host.
//!
//! Start, say what listens where, wait for a signal. The first one to stop drains: no new rooms,
//! and open ones have some time to end. The second one stops at once.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{ArgMatches, Command};
use talkie_server::Server;

use super::{FAILURE, USAGE, block_on};
use crate::block::{self, Look};
use crate::settings::resolve::{Environment, resolve};
use crate::settings::{Effective, Options, flags, print};
use crate::signals::{Signal, Signals};
use crate::{logging, terminal};

const EXAMPLES: &str = "\
Examples:
  talkie serve
      Calls on this machine and in the local network; the certificate is self-signed.
  talkie serve --https 443 --tls-cert fullchain.pem --tls-key privkey.pem
      On a host with a name in the Internet.
  talkie serve --external-ip 203.0.113.7 --relay-ports 50000-50999
      On a cloud machine whose public address is not on its interface.
  talkie serve --config /etc/talkie.toml --print-config
      What would be in effect, and where each value comes from.";

const MORE: &str = "
A flag wins over its environment variable, that over the file, that over the default. A list is
replaced as a whole. Lists take commas and repetition, and `none` for an empty one.

Signals:
  SIGTERM, SIGINT  drain: no new rooms, open ones have --drain-timeout to end; again: stop at once
  SIGHUP           the same on a terminal; a service goes on (changed certificate files are
                   noticed without a signal)

Exit codes:
  0    stopped after draining
  1    failed: a port is taken, a certificate cannot be read, ...
  2    wrong flag, variable or file
  130  stopped at once by a second SIGINT (143: SIGTERM)";

pub(super) fn command() -> Command {
    Command::new("serve")
        .about("Serve calls: web app, signaling, STUN and TURN in one process")
        .after_help(EXAMPLES)
        .after_long_help(format!("{EXAMPLES}\n{MORE}"))
        .args(flags::args())
}

pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let effective = match resolve(matches, &Environment::of_process()) {
        Ok(effective) => effective,
        Err(error) => {
            terminal::complain(&error);
            return ExitCode::from(USAGE);
        }
    };
    if matches.get_flag(flags::PRINT_CONFIG) {
        terminal::say(&print::print(&effective));
        return ExitCode::SUCCESS;
    }
    logging::start(&effective.options);
    warn_of_strangers(&effective);
    block_on(serve(&effective.options))
}

fn warn_of_strangers(effective: &Effective) {
    for stranger in &effective.strangers {
        let variable = &stranger.name;
        match &stranger.nearest {
            Some(nearest) => {
                tracing::warn!(%variable, "not a setting; did you mean {nearest}?");
            }
            None => tracing::warn!(%variable, "not a setting"),
        }
    }
}

async fn serve(options: &Options) -> ExitCode {
    let service = is_service();
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            terminal::complain(&format_args!("cannot listen for signals: {error}"));
            return ExitCode::from(FAILURE);
        }
    };
    let started = tokio::select! {
        // Once it has started, a signal drains it.
        biased;
        started = Server::start(options.server.clone()) => started,
        signal = next_stop(&mut signals, service) => return ExitCode::from(signal.exit_code()),
    };
    let server = match started {
        Ok(server) => server,
        Err(error) => {
            terminal::complain(&error);
            return ExitCode::from(FAILURE);
        }
    };
    announce(&server, options);
    run_until_stopped(&server, &mut signals, options, service).await
}

/// The next signal that ends a server which has not begun yet.
async fn next_stop(signals: &mut Signals, service: bool) -> Signal {
    loop {
        let signal = signals.next().await;
        if signal != Signal::Hangup || !service {
            return signal;
        }
    }
}

fn announce(server: &Server, options: &Options) {
    let text = match terminal::columns() {
        Some(columns) => {
            let look = Look {
                colour: terminal::colour(options.color, io::stdout().is_terminal()),
                columns,
                qr: options.qr,
                drain_timeout: options.server.drain_timeout,
                now: SystemTime::now(),
            };
            block::human(server.report(), &look)
        }
        None => block::plain::text(server.report()),
    };
    terminal::say(&text);
}

/// Obeys signals until the server has stopped.
async fn run_until_stopped(
    server: &Server,
    signals: &mut Signals,
    options: &Options,
    service: bool,
) -> ExitCode {
    let mut draining = false;
    loop {
        let signal = tokio::select! {
            () = server.stopped() => return ended(draining),
            signal = signals.next() => signal,
        };
        if signal == Signal::Hangup && service {
            tracing::info!("nothing to reload: changed certificate files are noticed as they are");
        } else if draining {
            server.stop();
            // Well under two seconds: clients are told, and who doesn't listen is not waited for.
            tokio::select! {
                () = server.stopped() => {}
                _ = signals.next() => {}
            }
            terminal::say("stopped at once\n");
            return ExitCode::from(signal.exit_code());
        } else {
            draining = true;
            terminal::say(&drain_words(options.server.drain_timeout));
            server.drain();
        }
    }
}

fn ended(asked: bool) -> ExitCode {
    if asked {
        terminal::say("stopped\n");
        return ExitCode::SUCCESS;
    }
    terminal::complain(&"the server stopped by itself");
    ExitCode::from(FAILURE)
}

/// Whether nobody's terminal is attached. SIGHUP then is a request from a service manager, and
/// not the end of the terminal, after which nobody could stop the server any more. To be asked at
/// the start: a terminal that is gone is none.
fn is_service() -> bool {
    !io::stdin().is_terminal() && !io::stdout().is_terminal() && !io::stderr().is_terminal()
}

fn drain_words(timeout: Duration) -> String {
    let timeout = block::seconds(timeout);
    format!("draining: no new rooms, waiting up to {timeout} for open ones; again stops at once\n")
}
