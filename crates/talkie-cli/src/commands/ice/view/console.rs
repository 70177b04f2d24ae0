//! A terminal on both ends: people type below what was said, and the pairs stand at the foot of the screen.

use std::io;

use talkie_traversal::ice::ConnectionState;

use super::panel::Panel;
use super::plain;
use super::table::Table;
use super::{News, View};
use crate::block::paint::{Line, Painter, Style};
use crate::commands::ice::board::Board;
use crate::commands::ice::words;
use crate::terminal;

/// Columns and rows of a terminal that does not tell.
const SIZE: (usize, usize) = (80, 24);
/// More pairs than this are only counted when it is over.
const ROWS: usize = 20;

pub(super) struct Console {
    painter: Painter,
    verbose: bool,
    panel: Panel,
    state: ConnectionState,
    /// By which way data goes.
    way: Option<&'static str>,
}

impl Console {
    pub(super) fn new(colour: bool, verbose: bool) -> Self {
        let painter = Painter { colour };
        Self { painter, verbose, panel: Panel::default(), state: ConnectionState::New, way: None }
    }

    /// Prints a line in place of what is being typed, which the terminal still has.
    fn say(&self, line: &Line) {
        terminal::say(&format!("\r\x1b[K{}\n", line.as_str()));
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

    fn title(&self, board: &Board, columns: usize) -> Line {
        let state = words::state(self.state);
        let way = self.way.map(|way| format!(", {way}")).unwrap_or_default();
        let (sent, received) = (board.packets_sent, board.packets_received);
        let words = format!("── talkie ice: {state}{way}; {sent} sent, {received} received ");
        let rule = "─".repeat(columns.saturating_sub(words.chars().count()));
        self.painter.line(Style::Faint, &(words + &rule))
    }
}

impl View for Console {
    fn is_console(&self) -> bool {
        true
    }

    fn show(&mut self, news: News<'_>) {
        self.received(&news);
        match &news {
            News::State(state) => self.state = *state,
            News::Selected { pair, .. } => self.way = Some(words::directness(pair)),
            News::Over(_) => self.panel.remove(),
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
        let height = Panel::height(rows);
        if height == 0 {
            return self.panel.remove();
        }
        let table = Table { painter: self.painter, columns };
        let mut lines = vec![self.title(board, columns)];
        lines.extend(table.lines(board, height - 2));
        self.panel.draw(rows, &lines);
    }

    fn close(&mut self) {
        self.panel.remove();
    }
}

fn size() -> (usize, usize) {
    terminal_size::terminal_size_of(io::stdout())
        .map_or(SIZE, |(width, height)| (usize::from(width.0), usize::from(height.0)))
}
