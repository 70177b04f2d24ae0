//! The matrix on a terminal: a line for each left type, a column for each right one. In 80 columns
//! there is room for all types if the columns have letters for names and cells are three wide.

use super::Matrix;
use crate::ink::{Canvas, Tone};
use crate::outcome::Kind;

/// A letter, a space and the longest name. Each cell begins with a space.
const LABEL: usize = 20;
/// Cells are no wider than this: the eye must find its line.
const WIDEST: usize = 13;

impl Matrix {
    /// The drawing, for a terminal of `columns`.
    #[must_use]
    pub fn table(&self, columns: usize) -> Canvas {
        let kinds = &self.plan.kinds;
        let room = columns.saturating_sub(LABEL) / kinds.len().max(1);
        let width = room.clamp(4, WIDEST);
        let mut canvas = Canvas::default();
        self.head(&mut canvas, width);
        for (row, kind) in kinds.iter().enumerate() {
            let line = canvas.line(0, Tone::Faint, &letter(row));
            canvas.put(line, 2, Tone::Plain, kind.name());
            for column in 0..kinds.len() {
                let verdict = self.verdict(row, column);
                let label = verdict.label(width - 1);
                let cell = format!("{label:^0$}", width - 1);
                canvas.put(line, LABEL + 1 + column * width, tone(verdict.kind()), &cell);
            }
        }
        canvas.line(0, Tone::Plain, "");
        self.legend(&mut canvas, width);
        canvas
    }

    /// Names above the columns where they fit, else letters.
    fn head(&self, canvas: &mut Canvas, width: usize) {
        let words: Vec<Vec<&str>> =
            self.plan.kinds.iter().map(|kind| kind.name().split('-').collect()).collect();
        let fits = words.iter().flatten().all(|word| word.len() < width);
        let height = if fits { words.iter().map(Vec::len).max().unwrap_or(1) } else { 1 };
        let first = canvas.height();
        for row in 0..height {
            canvas.put(first + row, 0, Tone::Plain, "");
        }
        canvas.put(first + height - 1, 0, Tone::Faint, "left ↓   right →");
        for (column, words) in words.iter().enumerate() {
            let at = LABEL + 1 + column * width;
            if !fits {
                let name = format!("{:^1$}", letter(column), width - 1);
                canvas.put(first, at, Tone::Faint, &name);
                continue;
            }
            // The last words stand above the cells.
            for (row, word) in words.iter().enumerate() {
                let name = format!("{word:^0$}", width - 1);
                canvas.put(first + height - words.len() + row, at, Tone::Faint, &name);
            }
        }
    }

    fn legend(&self, canvas: &mut Canvas, width: usize) {
        let [direct, sometimes, relay, none] = self.counts();
        let (relay_mark, none_mark) = if width > 5 { ("relay", "none") } else { (" R ", " × ") };
        let sample = if width > 7 { "85 ms" } else { " 85" };
        let entries = [
            (Kind::Direct, sample, direct, "direct, after so many milliseconds"),
            (Kind::Sometimes, "50%", sometimes, "direct in so many of the runs, else by the relay"),
            (Kind::Relay, relay_mark, relay, self.relay_words()),
            (Kind::None, none_mark, none, "no way before the hosts gave up, nor by the relay"),
        ];
        let pairs = direct + sometimes + relay + none;
        for (kind, mark, count, words) in entries {
            if count > 0 {
                let row = canvas.line(2, tone(kind), &format!("{mark:^5}"));
                canvas.put(row, 9, Tone::Plain, &format!("{words}: {count} of {pairs} pairs"));
            }
        }
        canvas.line(2, Tone::Faint, &format!("({})", self.conditions()));
    }
}

fn letter(at: usize) -> String {
    u8::try_from(at)
        .ok()
        .filter(|at| *at < 26)
        .map_or_else(|| (at + 1).to_string(), |at| char::from(b'a' + at).to_string())
}

fn tone(kind: Kind) -> Tone {
    match kind {
        Kind::Direct => Tone::GoodBlock,
        Kind::Sometimes => Tone::SomeBlock,
        Kind::Relay => Tone::CautionBlock,
        Kind::None => Tone::BadBlock,
    }
}
