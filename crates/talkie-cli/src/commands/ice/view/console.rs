//! A terminal on both ends: people type below what was said, and the pairs stand at the foot of the screen.

use std::io;

use talkie_traversal::ice::ConnectionState;

use super::editor::Editor;
use super::keys::Keys;
use super::panel::Panel;
use super::plain;
use super::table::Table;
use super::{News, View};
use crate::block::paint::{Line, Painter, Style};
use crate::commands::ice::board::Board;
use crate::commands::ice::lines::Typed;
use crate::commands::ice::words;
use crate::terminal;

/// Columns and rows of a terminal that does not tell.
const SIZE: (usize, usize) = (80, 24);
/// What stands before what is typed.
const PROMPT: &str = "> ";
/// More pairs than this are only counted when it is over.
const ROWS: usize = 20;

pub(super) struct Console {
    painter: Painter,
    verbose: bool,
    panel: Panel,
    state: ConnectionState,
    /// By which way data goes.
    way: Option<&'static str>,
    /// While the terminal hands over its keys.
    keys: Option<Keys>,
    editor: Editor,
    /// Whether something is wanted from who types.
    asks: bool,
}

impl Console {
    pub(super) fn new(colour: bool, verbose: bool) -> Self {
        let painter = Painter { colour };
        Self {
            painter,
            verbose,
            panel: Panel::default(),
            state: ConnectionState::New,
            way: None,
            keys: Keys::take(),
            editor: Editor::default(),
            asks: false,
        }
    }

    /// Prints a line above what is being typed.
    fn say(&self, line: &Line) {
        terminal::say(&format!("\r\x1b[K{}\n{}", line.as_str(), self.prompt()));
    }

    /// What is being typed.
    fn prompt(&self) -> String {
        if self.keys.is_none() || !self.asks && self.editor.is_empty() {
            return String::new();
        }
        let (text, behind) = self.editor.shown(size().0.saturating_sub(PROMPT.len()));
        let back = if behind > 0 { format!("\x1b[{behind}D") } else { String::new() };
        format!("\r\x1b[K{}{text}{back}", self.painter.line(Style::Strong, PROMPT).as_str())
    }

    fn sent(&self, news: &News<'_>) {
        let News::Sent { payload } = news else { return };
        // Else the terminal has shown it already.
        if self.keys.is_some() {
            let line = self.painter.line(Style::Strong, PROMPT);
            let text = words::readable(words::line(payload));
            self.say(&self.painter.add(line, Style::Plain, &text));
        }
    }

    fn received(&self, news: &News<'_>) {
        let News::Received { payload, there_and_back, path } = news else { return };
        let how = match (there_and_back, path) {
            (Some(span), _) => format!("back after {}", words::millis(*span)),
            (None, Some(span)) => format!("path {}", words::millis(*span)),
            (None, None) => "path unknown".to_owned(),
        };
        let clock = words::clock(talkie_net::unix_time());
        let line = self.painter.line(Style::Faint, &format!("{clock} ({how}) "));
        self.say(&self.painter.add(line, Style::Plain, &words::readable(words::line(payload))));
    }

    /// Takes no more keys.
    fn leave_prompt(&mut self) {
        if !self.prompt().is_empty() {
            terminal::say("\r\x1b[K");
        }
        self.asks = false;
        self.editor = Editor::default();
    }

    fn title(&self, board: &Board, columns: usize) -> Line {
        let state = self.state.word();
        let way = self.way.map(|way| format!(", {way}")).unwrap_or_default();
        let (sent, received) = (board.packets_sent, board.packets_received);
        let words = format!("── talkie ice: {state}{way}; {sent} sent, {received} received ");
        self.painter.line(Style::Faint, &ruled(&words, columns))
    }
}

impl View for Console {
    fn is_console(&self) -> bool {
        true
    }

    fn takes_keys(&self) -> bool {
        self.keys.is_some()
    }

    fn type_keys(&mut self, keys: &[u8]) -> Vec<Typed> {
        let typed = self.editor.take(keys);
        let prompt = self.prompt();
        terminal::say(if prompt.is_empty() { "\r\x1b[K" } else { &prompt });
        typed
    }

    fn show(&mut self, news: News<'_>) {
        self.sent(&news);
        self.received(&news);
        match &news {
            News::Paste => self.asks = true,
            News::State(state) => {
                self.state = *state;
                self.asks = matches!(
                    state,
                    ConnectionState::Connected
                        | ConnectionState::Completed
                        | ConnectionState::Disconnected
                );
                terminal::say(&self.prompt());
            }
            News::Selected { pair, .. } => self.way = Some(words::directness(pair)),
            News::Over(_) => {
                self.leave_prompt();
                self.panel.remove();
            }
            _ => {}
        }
        for text in plain::lines(&news, self.verbose) {
            let style = match text.chars().next() {
                Some('!') => Style::Caution,
                Some('✗') => Style::Bad,
                // What is to be copied stays as it is.
                _ if matches!(news, News::Waiting { .. } | News::Block(_)) => Style::Plain,
                _ => Style::Faint,
            };
            self.say(&self.painter.line(style, &text));
        }
        if let News::Over(summary) = news {
            let table = Table { painter: self.painter, columns: size().0 };
            for line in table.last(&summary.board, ROWS) {
                self.say(&line);
            }
        }
    }

    fn board(&mut self, board: &Board) {
        let (columns, rows) = size();
        let height = Panel::height((columns, rows));
        if height == 0 {
            return self.panel.remove();
        }
        let table = Table { painter: self.painter, columns };
        let mut lines = vec![self.title(board, columns)];
        lines.extend(table.lines(board, height - 2));
        if self.panel.draw((columns, rows), &lines) {
            terminal::say(&self.prompt());
        }
    }

    fn close(&mut self) {
        self.leave_prompt();
        self.panel.remove();
        self.keys = None;
    }
}

/// Words with a line behind them that is as long as there is room, neither more nor less.
fn ruled(words: &str, columns: usize) -> String {
    words.chars().chain(std::iter::repeat('─')).take(columns).collect()
}

fn size() -> (usize, usize) {
    terminal_size::terminal_size_of(io::stdout())
        .map_or(SIZE, |(width, height)| (usize::from(width.0), usize::from(height.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_as_wide_as_the_terminal() {
        for words in ["── talkie ice ", "── talkie ice: disconnected, by a relay; 1234567 sent "]
        {
            assert_eq!(ruled(words, 40).chars().count(), 40);
        }
        assert_eq!(ruled("ab ", 5), "ab ──");
    }
}
