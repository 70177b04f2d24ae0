//! Lines without a terminal: standard output has what the other side sends and nothing else, a line each;
//! all that is to be known about it goes to standard error.

use std::io::{self, Write as _};

use talkie_traversal::ice::{ConnectionState, GatheringState};

use super::super::words;
use super::table::Table;
use super::{News, Summary, View};
use crate::block::paint::Painter;
use crate::commands::meeting;
use crate::terminal;

/// The width of tables in logs.
const COLUMNS: usize = 100;
/// More pairs than this are only counted.
const ROWS: usize = 40;

pub(super) struct Plain {
    /// Whether standard output is a terminal after all, which is not to be given what it would obey.
    to_terminal: bool,
    verbose: bool,
    is_unread: bool,
}

impl Plain {
    pub(super) fn new(to_terminal: bool, verbose: bool) -> Self {
        Self { to_terminal, verbose, is_unread: false }
    }
}

impl View for Plain {
    fn is_unread(&self) -> bool {
        self.is_unread
    }

    fn show(&mut self, news: News<'_>) {
        if let News::Received { payload, .. } = news {
            let payload = words::line(payload);
            let line = match self.to_terminal {
                true => words::readable(payload).into_bytes(),
                false => payload.to_vec(),
            };
            self.is_unread |= terminal::offer(&[&line[..], b"\n"].concat()).is_err();
        }
        for line in lines(&news, self.verbose) {
            let _ = writeln!(io::stderr(), "{line}");
        }
        if let News::Over(summary) = news {
            let table = Table { painter: Painter { colour: false }, columns: COLUMNS };
            for line in table.last(&summary.board, ROWS) {
                let _ = writeln!(io::stderr(), "{}", line.as_str().trim_end());
            }
        }
    }
}

/// What there is to say, a line each, without the datagrams themselves. Servers, and what the other side does,
/// may have put words into it.
pub(super) fn lines(news: &News<'_>, verbose: bool) -> Vec<String> {
    said(news, verbose).iter().map(|line| terminal::readable(line)).collect()
}

fn said(news: &News<'_>, verbose: bool) -> Vec<String> {
    let one = |text: String| vec![text];
    match news {
        News::Unvouched(fingerprint) => {
            meeting::unvouched(fingerprint).lines().map(str::to_owned).collect()
        }
        News::Waiting { code, server, patience } => vec![
            "Run this on the other machine:".to_owned(),
            String::new(),
            format!("  {}", meeting::invitation("talkie ice", code, server)),
            String::new(),
            format!("waiting for it, {} at most", minutes(patience.as_secs() / 60)),
        ],
        News::Met { version } => one(format!("the other machine is there (talkie {version})")),
        News::Block(block) => {
            let mut lines =
                vec!["Give this to the other side, all of it:".to_owned(), String::new()];
            lines.extend(block.iter().cloned());
            lines.push(String::new());
            lines
        }
        News::Paste => {
            one("Paste the other side's block here (there are minutes for it):".to_owned())
        }
        News::Candidate { is_ours, candidate } if verbose => {
            let whose = if *is_ours { "ours" } else { "theirs" };
            one(format!("{whose}: {}", words::candidate(candidate)))
        }
        News::Problem(problem) => one(format!("! {problem}")),
        News::Unguessed { base, why } if verbose => {
            one(format!("no port is guessed for {base}: {why}"))
        }
        News::Stranded { why } => one(format!("! {why}")),
        News::Useless(why) => one(format!("! of no use: {why}")),
        News::Gathering(GatheringState::Complete) if verbose => one("all gathered".to_owned()),
        News::State(state) => one_of(state_words(*state)),
        // The way has a line of its own, as it is as wide as a terminal.
        News::Selected { pair, after, is_new } => {
            let (how, after) = (words::directness(pair), words::duration(*after));
            let first = match is_new {
                true => format!("connected {how} after {after}"),
                false => format!("agreed on, {how}"),
            };
            vec![first, format!("  {}", words::way(pair))]
        }
        News::Renewed { is_ours: true } => one("looking for a way anew".to_owned()),
        News::Renewed { is_ours: false } => one("the other side looks for a way anew".to_owned()),
        News::Story(story) if verbose => one(story.to_string()),
        News::Unsent { why } => one(format!("! not sent: {why}")),
        News::Finished => one("the other side has no more to say".to_owned()),
        News::Left => one("the other side has left".to_owned()),
        News::Unsignaled { why } => one(format!("! {why}; the connection goes on")),
        News::Over(summary) => summary_lines(summary),
        _ => Vec::new(),
    }
}

fn one_of(text: Option<&str>) -> Vec<String> {
    text.map(str::to_owned).into_iter().collect()
}

fn state_words(state: ConnectionState) -> Option<&'static str> {
    match state {
        ConnectionState::Checking => Some("trying to reach the other side"),
        ConnectionState::Disconnected => Some("! nothing comes back any more"),
        ConnectionState::Failed => Some("✗ no pair of addresses works"),
        _ => None,
    }
}

fn minutes(count: u64) -> String {
    if count == 1 { "a minute".to_owned() } else { format!("{count} minutes") }
}

fn summary_lines(summary: &Summary) -> Vec<String> {
    let mut lines = vec![format!(
        "{} sent ({} bytes), {} received ({} bytes)",
        summary.sent, summary.bytes_sent, summary.received, summary.bytes_received
    )];
    if let Some(lost) = summary.lost.filter(|lost| *lost > 0) {
        lines.push(format!("! {lost} that the other side sent have not arrived"));
    }
    if let Some(spans) = summary.there_and_back {
        let [least, mean, most] = spans.map(words::millis);
        lines.push(format!(
            "{} of {} came back: at least {least}, on average {mean}, at most {most}",
            summary.echoes, summary.sent
        ));
    }
    if let Some(pair) = &summary.pair {
        lines.push(format!("it went {}", words::directness(pair)));
        lines.push(format!("  {}", words::way(pair)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_moves_no_cursor() {
        let why = "gone: \u{1b}[2J\u{9b}31m\nerror: none";
        for news in [News::Unsignaled { why }, News::Useless(why), News::Stranded { why }] {
            let lines = lines(&news, true);
            assert!(!lines.join("").contains(char::is_control), "{lines:?}");
            assert!(lines[0].contains("gone: "), "{lines:?}");
        }
    }
}
