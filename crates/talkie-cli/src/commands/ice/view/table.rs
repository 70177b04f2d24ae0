//! The pairs as a table:
//!
//! ```text
//!  state  nom local                       remote                      RTT
//! >works  yes srflx 198.51.100.7:50123    prflx 203.0.113.9:40000     21 ms
//!  failed     host 192.168.1.2:50123      host 192.168.1.7:40000      no answer
//! ```
//!
//! `>` is the pair that data takes. In the last column stands how long there and back takes, or why the pair
//! failed. 80 columns hold every IPv4 address; what is longer is cut in its middle, since both its ends tell
//! addresses apart.

use talkie_traversal::ice::PairFailure;

use super::super::board::{Board, Row, State};
use super::super::words::millis;
use crate::block::paint::{Line, Painter, Style};

/// The narrowest table.
pub(super) const NARROWEST: usize = 60;
/// State, with what marks the selected pair.
const STATE: usize = 8;
/// Whether it is nominated, with a blank on both sides.
const NOMINATED: usize = 5;
/// Round trip or reason.
const LAST: usize = 12;
/// `relay/tcp [2001:db8:1234:5678:9abc:def0:1234:5678]:65535`.
const WIDEST_END: usize = 57;

/// Turns pairs into lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) painter: Painter,
    pub(super) columns: usize,
}

impl Table {
    /// The heading and at most `rows` lines below it. Pairs that find no room are counted in the last one.
    pub(super) fn lines(&self, board: &Board, rows: usize) -> Vec<Line> {
        let mut lines = vec![self.heading()];
        let all = board.rows.len();
        let shown = if all > rows { rows.saturating_sub(1) } else { all };
        lines.extend(board.rows[..shown].iter().map(|row| self.row(row)));
        if shown < all {
            let failed = board.rows[shown..].iter().filter(|row| row.state == State::Failed);
            let words = format!(" … and {} more, {} failed", all - shown, failed.count());
            lines.push(self.painter.line(Style::Faint, &words));
        }
        lines
    }

    /// The heading and the pairs that have had their turn, at most so many.
    pub(super) fn last(&self, board: &Board, most: usize) -> Vec<Line> {
        self.lines(board, most.min(board.tried() + 1))
    }

    /// The columns of one end.
    fn end(&self) -> usize {
        let rest = self.columns.max(NARROWEST) - STATE - NOMINATED - LAST - 1;
        (rest / 2).min(WIDEST_END)
    }

    /// Where each column starts.
    fn starts(&self) -> [usize; 5] {
        let local = STATE + NOMINATED - 1;
        let remote = local + self.end() + 1;
        [0, STATE, local, remote, remote + self.end() + 1]
    }

    fn heading(&self) -> Line {
        let names = [" state", "nom", "local", "remote", "RTT"];
        let mut line = Line::default();
        for (name, at) in names.iter().zip(self.starts()) {
            line = line.join_at(at, &self.painter.line(Style::Faint, name));
        }
        line
    }

    fn row(&self, row: &Row) -> Line {
        let [state, nominated, local, remote, last] = self.starts();
        let style = match row.state {
            State::Works => Style::Good,
            State::Silent => Style::Caution,
            State::Failed => Style::Faint,
            State::Checked | State::Waiting | State::Frozen => Style::Plain,
        };
        let text = if row.is_selected { Style::Strong } else { style };
        let mark = if row.is_selected { ">" } else { " " };
        let pieces = [
            (state, style, format!("{mark}{}", row.state.word())),
            (nominated, text, if row.is_nominated { "yes" } else { "" }.to_owned()),
            (local, text, shortened(&row.local, self.end())),
            (remote, text, shortened(&row.remote, self.end())),
            (last, style, result(row, self.columns.max(NARROWEST) - last)),
        ];
        let mut line = Line::default();
        for (at, style, text) in pieces {
            line = line.join_at(at, &self.painter.line(style, &text));
        }
        line
    }
}

/// The last column.
fn result(row: &Row, columns: usize) -> String {
    match (row.why, row.round_trip) {
        (Some(why), _) => reason(why, columns),
        (None, Some(span)) if row.state != State::Failed => millis(span),
        _ => String::new(),
    }
}

/// Why a pair failed, in full where there is room.
fn reason(why: PairFailure, columns: usize) -> String {
    let full = why.to_string();
    if full.chars().count() <= columns {
        return full;
    }
    match why {
        PairFailure::Refused(code) => format!("error {code}"),
        PairFailure::Asymmetric => "another way".to_owned(),
        PairFailure::ConsentExpired => "no consent".to_owned(),
        PairFailure::AddressGone => "address gone".to_owned(),
        PairFailure::Forbidden => "forbidden".to_owned(),
        PairFailure::Unsendable => "unsendable".to_owned(),
        _ => shortened(&full, columns),
    }
}

/// At most `columns` characters of `text`, without its middle if it is longer.
fn shortened(text: &str, columns: usize) -> String {
    let length = text.chars().count();
    if length <= columns {
        return text.to_owned();
    }
    let before = columns.saturating_sub(1).div_ceil(2);
    let after = columns.saturating_sub(1 + before);
    let start: String = text.chars().take(before).collect();
    let end: String = text.chars().skip(length - after).collect();
    format!("{start}…{end}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use talkie_traversal::ice::PairId;

    use super::*;

    fn row(state: State, local: &str, remote: &str) -> Row {
        Row {
            id: PairId(0),
            state,
            is_selected: false,
            is_nominated: false,
            local: local.to_owned(),
            remote: remote.to_owned(),
            round_trip: None,
            why: None,
        }
    }

    fn board() -> Board {
        let works = Row {
            is_selected: true,
            is_nominated: true,
            round_trip: Some(Duration::from_micros(21_340)),
            ..row(State::Works, "srflx 198.51.100.111:50123", "prflx 203.0.113.109:40000")
        };
        let failed = Row {
            why: Some(PairFailure::ConsentExpired),
            ..row(State::Failed, "host 192.168.1.2:50123", "host [2001:db8:1:2:3:4:5:6]:40000")
        };
        Board { rows: vec![works, failed], ..Board::default() }
    }

    fn text(columns: usize, rows: usize, colour: bool, board: &Board) -> Vec<String> {
        let table = Table { painter: Painter { colour }, columns };
        table.lines(board, rows).iter().map(|line| line.as_str().trim_end().to_owned()).collect()
    }

    #[test]
    fn eighty_columns_hold_a_pair_and_why_it_failed() {
        let expected = [
            " state  nom local                       remote                      RTT",
            ">works  yes srflx 198.51.100.111:50123  prflx 203.0.113.109:40000   21 ms",
            " failed     host 192.168.1.2:50123      host [2001:db…:4:5:6]:40000 no consent",
        ];
        assert_eq!(text(80, 10, false, &board()), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for columns in [NARROWEST, 80, 100, 200] {
            for line in text(columns, 10, false, &board()) {
                assert!(line.chars().count() <= columns, "{columns}: {line}");
            }
        }
        let wide = text(200, 10, false, &board()).join("\n");
        assert!(wide.contains("host [2001:db8:1:2:3:4:5:6]:40000"), "{wide}");
        assert!(wide.contains("the other side's consent has expired"), "{wide}");
    }

    #[test]
    fn pairs_without_room_are_counted() {
        let mut board = board();
        board.rows.extend(vec![row(State::Failed, "host 10.0.0.1:1", "host 10.0.0.2:2"); 9]);
        let lines = text(80, 4, false, &board);
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[4], " … and 8 more, 8 failed");
    }

    #[test]
    fn colour_is_only_there_if_it_is_wanted() {
        assert!(text(80, 10, true, &board())[1].contains('\u{1b}'));
        assert!(!text(80, 10, false, &board()).join("").contains('\u{1b}'));
    }
}
