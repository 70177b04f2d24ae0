//! The recording on a terminal: four plots below each other over the same time, and the sums.
//!
//! A single curve is an area of eighths of a row. Several are marked by their flows' numbers, `*` where
//! they meet, so that they can be told apart without colour; as that is coarser, the plots are higher then.

use super::panels::{Panel, Unit, span};
use super::{Fate, Outcome, Recording};
use crate::ink::{Canvas, Tone, wrap};

/// A figure, a space and the axis.
const LEFT: usize = 12;
/// Of the plots themselves; wider ones would have columns without a state.
const WIDTHS: std::ops::RangeInclusive<usize> = 20..=200;
/// Of the table of sums; where there is less, it is said in words.
const TABLE: usize = 63;
const ROWS_OF_ONE: usize = 5;
const ROWS_OF_MANY: usize = 8;
/// Filled by so many eighths.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const TONES: [Tone; 5] = [Tone::Left, Tone::Right, Tone::Good, Tone::Caution, Tone::Bad];

impl Recording {
    /// The drawing, for a terminal of `columns`.
    #[must_use]
    pub fn plot(&self, columns: usize) -> Canvas {
        let width = columns.saturating_sub(LEFT).clamp(*WIDTHS.start(), *WIDTHS.end());
        let mut canvas = Canvas::default();
        canvas.paragraph(0, LEFT + width, Tone::Faint, &format!("({})", self.plan.conditions()));
        for panel in self.panels() {
            draw(&mut canvas, &panel, width);
        }
        self.time_axis(&mut canvas, width);
        canvas.line(0, Tone::Plain, "");
        self.sums(&mut canvas, LEFT + width);
        canvas
    }

    fn time_axis(&self, canvas: &mut Canvas, width: usize) {
        let row = canvas.line(LEFT - 1, Tone::Faint, &format!("└{}", "─".repeat(width)));
        let end = span(self.plan.span);
        let middle = span(self.plan.span / 2);
        canvas.put(row + 1, LEFT, Tone::Faint, "0");
        let centred = LEFT + (width - middle.chars().count()) / 2;
        canvas.put(row + 1, centred, Tone::Faint, &middle);
        canvas.put(row + 1, LEFT + width - end.chars().count(), Tone::Faint, &end);
    }

    fn sums(&self, canvas: &mut Canvas, columns: usize) {
        if columns < TABLE {
            self.sums_in_words(canvas, columns);
        } else {
            self.table(canvas);
        }
        let book = self.queue();
        let mut words = format!(
            "The line was used to {:.1}%. The queue: {} on average, {} at most; it dropped {} packets",
            self.line_used() * 100.0,
            span(book.mean_wait()),
            span(book.longest),
            book.dropped,
        );
        if self.plan.queue.marks() {
            words += &format!(" and marked {}", book.marked);
        }
        words += &format!(", the line lost {}.", book.lost);
        if let Some(index) = self.fairness() {
            words += &format!(" Jain's index of the flows: {index:.3}.");
        }
        let from = self.plan.counted_from();
        if !from.is_zero() {
            let from = from.as_secs_f64();
            words += &format!(" Counted from {from} s on, when all had begun.");
        }
        canvas.paragraph(0, columns, Tone::Plain, &words);
    }

    fn table(&self, canvas: &mut Canvas) {
        let head = format!(
            "{:<6}{:<12}{:>13}{:>10}{:>9}{:>13}",
            "flow", "controller", "goodput", "of line", "lost", "round trip"
        );
        canvas.line(0, Tone::Faint, &head);
        for (number, outcome) in self.outcomes().iter().enumerate() {
            let row = canvas.line(0, tone(number), &format!("{}", number + 1));
            canvas.put(row, 6, Tone::Plain, &self.sum(outcome));
        }
    }

    fn sums_in_words(&self, canvas: &mut Canvas, columns: usize) {
        for (number, outcome) in self.outcomes().iter().enumerate() {
            let mut words = format!(
                "{}: goodput {}, {:.1}% of the line, {:.2}% lost",
                outcome.controller,
                Unit::BitsPerSecond.say(outcome.goodput),
                outcome.goodput / self.plan.rate as f64 * 100.0,
                outcome.lost * 100.0,
            );
            if let Some(rtt) = outcome.rtt {
                words += &format!(", round trip {}", span(rtt));
            }
            match outcome.fate {
                Fate::Connected => {}
                Fate::NeverConnected => words = format!("{}: never connected", outcome.controller),
                Fate::GaveUp => words += ", gave up",
                Fate::Broke => words += ", broke off",
            }
            let first = canvas.height();
            canvas.paragraph(2, columns, Tone::Plain, &words);
            canvas.put(first, 0, tone(number), &format!("{}", number + 1));
        }
    }

    fn sum(&self, outcome: &Outcome) -> String {
        let figures = format!(
            "{:<12}{:>13}{:>9.1}%{:>8.2}%{:>13}",
            outcome.controller,
            Unit::BitsPerSecond.say(outcome.goodput),
            outcome.goodput / self.plan.rate as f64 * 100.0,
            outcome.lost * 100.0,
            outcome.rtt.map_or_else(|| "–".to_owned(), span),
        );
        match outcome.fate {
            Fate::Connected => figures,
            Fate::NeverConnected => format!("{:<12} never connected", outcome.controller),
            Fate::GaveUp => figures + "  gave up",
            Fate::Broke => figures + "  broke off",
        }
    }
}

fn tone(flow: usize) -> Tone {
    TONES[flow % TONES.len()]
}

fn draw(canvas: &mut Canvas, panel: &Panel, width: usize) {
    let title = canvas.line(0, Tone::Strong, panel.title);
    // What does not fit is left out.
    let words = if panel.words.chars().count() > width {
        panel.words.split(';').next().unwrap_or_default()
    } else {
        panel.words
    };
    for line in wrap(words, width).iter().take(1) {
        canvas.put(title, LEFT, Tone::Faint, line);
    }
    let rows = if panel.curves.len() == 1 { ROWS_OF_ONE } else { ROWS_OF_MANY };
    let top = title + 1;
    for row in 0..rows {
        let (label, mark) = match row {
            0 => (panel.unit.say(panel.most), "┤"),
            _ if row + 1 == rows => ("0".to_owned(), "┤"),
            _ => (String::new(), "│"),
        };
        canvas.put(top + row, 0, Tone::Faint, &format!("{label:>10} {mark}"));
    }
    for (flow, curve) in panel.curves.iter().enumerate() {
        for column in 0..width {
            let Some(value) = mean(curve, column, width) else { continue };
            let share = (value / panel.most).clamp(0.0, 1.0);
            if panel.curves.len() == 1 {
                area(canvas, (top, rows), LEFT + column, share);
            } else {
                let up = ((share * rows as f64) as usize).min(rows - 1);
                let row = top + rows - 1 - up;
                let is_free = canvas.at(row, LEFT + column) == ' ';
                let (mark, tone) = if is_free {
                    ((flow + 1).to_string(), tone(flow))
                } else {
                    ("*".into(), Tone::Plain)
                };
                canvas.put(row, LEFT + column, tone, &mark);
            }
        }
    }
}

/// A column that is filled up to a share of its height.
fn area(canvas: &mut Canvas, (top, rows): (usize, usize), column: usize, share: f64) {
    let mut eighths = (share * rows as f64 * 8.0).round() as usize;
    if share > 0.0 {
        eighths = eighths.max(1);
    }
    for up in 0..rows {
        let filled = eighths.saturating_sub(up * 8).min(8);
        if filled > 0 {
            canvas.put(top + rows - 1 - up, column, Tone::Left, EIGHTHS[filled]);
        }
    }
}

/// The mean of the states that a column of so many stands for.
fn mean(curve: &[Option<f64>], column: usize, columns: usize) -> Option<f64> {
    let first = column * curve.len() / columns;
    let after = ((column + 1) * curve.len() / columns).max(first + 1);
    let known: Vec<f64> = curve.get(first..after)?.iter().copied().flatten().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}
