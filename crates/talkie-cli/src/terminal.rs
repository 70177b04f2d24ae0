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
    if let Err(error) = offer(text.as_bytes()) {
        tracing::debug!(%error, "standard output takes nothing");
    }
}

/// Writes to standard output at once.
///
/// # Errors
/// If nobody reads it any more, for one.
pub(crate) fn offer(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush())
}

/// Writes an error for people to standard error, in the way of `clap`'s own. Servers and others may have put words
/// into it.
pub(crate) fn complain(error: &dyn std::fmt::Display) {
    let text = error.to_string();
    let lines: Vec<String> = text.lines().map(readable).collect();
    let _ = writeln!(io::stderr(), "error: {}", lines.join("\n"));
}

/// Somebody else's line, as a terminal may show it.
pub(crate) fn readable(text: &str) -> String {
    text.chars().map(|letter| if is_obeyed(letter) { '\u{fffd}' } else { letter }).collect()
}

/// Whether a terminal does something else with the character than to show it: control characters, C1 included,
/// those that turn a line around, and those that are no letter at all.
pub(crate) fn is_obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
