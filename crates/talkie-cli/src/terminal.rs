//! What the standard streams are connected to.

use std::io::{self, IsTerminal as _, Write as _};

use crate::settings::When;

/// The width assumed for a terminal that does not tell its own.
const COLUMNS: usize = 80;

/// The width of the terminal that standard output is, if it is one.
pub(crate) fn columns() -> Option<usize> {
    io::stdout().is_terminal().then(|| {
        terminal_size::terminal_size_of(io::stdout())
            .map_or(COLUMNS, |(width, _)| usize::from(width.0))
    })
}

/// Whether to colour what goes to a stream.
pub(crate) fn colour(when: When, stream_is_terminal: bool) -> bool {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            stream_is_terminal
                && variable("NO_COLOR").is_none()
                && variable("TERM").is_none_or(|term| term != "dumb")
        }
    }
}

/// Writes to standard output at once. A reader that is gone is no reason to stop serving.
pub(crate) fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    if let Err(error) = written {
        tracing::debug!(%error, "standard output takes nothing");
    }
}

/// Writes an error for people to standard error, in the way of `clap`'s own.
pub(crate) fn complain(error: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr(), "error: {error}");
}
