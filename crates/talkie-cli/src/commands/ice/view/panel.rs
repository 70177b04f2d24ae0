//! A panel at the foot of a terminal that otherwise scrolls as ever.
//!
//! The lines above it are made the scrolling region (DECSTBM, VT100), so that what is typed and printed
//! leaves the panel where it is.
//! Drawing saves the cursor, writes the panel's lines, and puts the cursor back, in one write.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::table::NARROWEST;
use crate::block::paint::Line;

/// Below this there is room for the conversation only.
const LEAST_ROWS: usize = 16;
/// The most lines of a panel.
const MOST_LINES: usize = 10;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Panel {
    /// The terminal's columns and rows when the region was set.
    placed: Option<(usize, usize)>,
    last: String,
}

impl Panel {
    /// How many lines a panel has on a terminal of so many columns and rows; 0 if there is no room. A line that is
    /// wider than the terminal would push the others out of their places.
    pub(super) fn height((columns, rows): (usize, usize)) -> usize {
        if rows < LEAST_ROWS || columns < NARROWEST { 0 } else { (rows / 3).min(MOST_LINES) }
    }

    /// Draws the lines, of which there may be fewer than the panel has; whether there was anything to draw.
    pub(super) fn draw(&mut self, size: (usize, usize), lines: &[Line]) -> bool {
        let text = self.sequence(size, lines);
        write(&text);
        !text.is_empty()
    }

    /// Gives the whole screen back, without the panel.
    pub(super) fn remove(&mut self) {
        if self.placed.take().is_some() {
            // The cursor is above the panel: what is below it goes.
            write("\x1b7\x1b[r\x1b8\x1b[J");
            self.last.clear();
        }
    }

    fn sequence(&mut self, size: (usize, usize), lines: &[Line]) -> String {
        let (height, rows) = (Self::height(size), size.1);
        let mut text = String::new();
        if height == 0 {
            if self.placed.take().is_some() {
                text.push_str("\x1b7\x1b[r\x1b8");
            }
            return text;
        }
        if self.placed != Some(size) {
            self.place(size, height, &mut text);
        }
        let mut drawn = String::new();
        for at in 0..height {
            let line = lines.get(at).map(Line::as_str).unwrap_or_default();
            // Writing to String never fails.
            let _ = write!(drawn, "\x1b[{};1H\x1b[2K{line}", rows - height + 1 + at);
        }
        if drawn != self.last || !text.is_empty() {
            let _ = write!(text, "\x1b7{drawn}\x1b8");
            self.last = drawn;
        }
        text
    }

    /// Makes room: the lines above move up if the cursor is where the panel shall be.
    fn place(&mut self, size: (usize, usize), height: usize, text: &mut String) {
        if self.placed.is_some() {
            text.push_str("\x1b7\x1b[r\x1b8");
        }
        text.push_str(&"\n".repeat(height));
        // Setting the region moves the cursor to the first row.
        let _ = write!(text, "\x1b[{height}A\x1b7\x1b[1;{}r\x1b8", size.1 - height);
        self.placed = Some(size);
    }
}

fn write(text: &str) {
    if text.is_empty() {
        return;
    }
    let mut output = io::stdout().lock();
    // A terminal that is gone shows nothing anyway.
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::paint::{Painter, Style};

    fn lines(texts: &[&str]) -> Vec<Line> {
        let painter = Painter { colour: false };
        texts.iter().map(|text| painter.line(Style::Plain, text)).collect()
    }

    #[test]
    fn the_region_ends_above_the_panel_and_the_cursor_returns() {
        let mut panel = Panel::default();
        let text = panel.sequence((80, 24), &lines(&["one", "two"]));
        // Eight lines of 24: 17 to 24.
        assert!(text.contains("\x1b[1;16r"), "{text:?}");
        assert!(text.contains("\x1b[17;1H\x1b[2Kone\x1b[18;1H\x1b[2Ktwo\x1b[19;1H\x1b[2K\x1b["));
        assert_eq!(text.matches("\x1b7").count(), text.matches("\x1b8").count());
        assert!(text.ends_with("\x1b8"));
    }

    #[test]
    fn what_has_not_changed_is_not_drawn_again() {
        let mut panel = Panel::default();
        panel.sequence((80, 24), &lines(&["one"]));
        assert_eq!(panel.sequence((80, 24), &lines(&["one"])), "");
        let text = panel.sequence((80, 24), &lines(&["two"]));
        assert!(text.contains("two") && !text.contains("\x1b[1;16r"), "{text:?}");
    }

    #[test]
    fn another_size_is_another_region_and_a_small_one_none() {
        let mut panel = Panel::default();
        panel.sequence((80, 24), &[]);
        assert!(panel.sequence((80, 60), &[]).contains("\x1b[1;50r"));
        assert!(panel.sequence((80, 10), &[]).contains("\x1b[r"));
        assert_eq!(panel.sequence((80, 10), &[]), "");
        assert!(!panel.sequence((60, 24), &[]).is_empty());
        assert!(panel.sequence((59, 24), &[]).contains("\x1b[r"));
        assert_eq!(panel.sequence((59, 24), &[]), "");
    }
}
