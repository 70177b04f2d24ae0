//! Where events go: standard error, for people on a terminal and as JSON lines elsewhere.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, Options};
use crate::terminal;

/// Starts logging.
pub(crate) fn start(options: &Options) {
    let is_terminal = io::stderr().is_terminal();
    // The filter was parsed when the setting was read.
    let filter = EnvFilter::builder().parse_lossy(&options.log);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .log_internal_errors(false);
    let json = match options.log_format {
        LogFormat::Auto => !is_terminal,
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    if json {
        subscriber.json().flatten_event(true).with_current_span(false).init();
    } else {
        let colour = terminal::colour(options.color, is_terminal);
        subscriber.compact().with_ansi(colour).init();
    }
}
