//! Text that is drawn: a grid of characters, each with a tone, and what it becomes on a terminal.
//!
//! Drawings are made once, in Unicode. What the terminal can't do is taken away at the end: without
//! colour no escape sequence is written, without Unicode each character has a stand-in of one column.

use std::fmt::Write as _;

/// How a character looks. Only colours that follow the terminal's own theme are used, so that they
/// can be read on dark and on light ground, and none of them says what the text doesn't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// A heading, a name.
    Strong,
    /// Less important.
    Faint,
    /// It got through.
    Good,
    /// It got through, at a price.
    Caution,
    /// It was lost.
    Bad,
    /// The left side of a pair.
    Left,
    /// The right side of a pair.
    Right,
    /// As [`Good`](Self::Good), as a coloured field.
    GoodBlock,
    /// Good at times, as a coloured field.
    SomeBlock,
    /// As [`Caution`](Self::Caution), as a coloured field.
    CautionBlock,
    /// As [`Bad`](Self::Bad), as a coloured field.
    BadBlock,
}

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ink {
    /// Whether escape sequences for colour are written.
    pub colour: bool,
    /// Whether it shows more than ASCII.
    pub unicode: bool,
}

/// A grid that grows as it is written on.
#[derive(Clone, Debug, Default)]
pub struct Canvas {
    rows: Vec<Vec<(char, Tone)>>,
}

impl Tone {
    fn codes(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Good => Some("32"),
            Self::Caution => Some("33"),
            Self::Bad => Some("31"),
            Self::Left => Some("36"),
            Self::Right => Some("35"),
            Self::GoodBlock => Some("30;42"),
            Self::SomeBlock => Some("30;46"),
            Self::CautionBlock => Some("30;43"),
            Self::BadBlock => Some("97;41"),
        }
    }

    /// Whether spaces show it.
    fn fills(self) -> bool {
        matches!(self, Self::GoodBlock | Self::SomeBlock | Self::CautionBlock | Self::BadBlock)
    }
}

impl Ink {
    /// For files and pipes.
    pub const PLAIN: Self = Self { colour: false, unicode: true };
}

impl Canvas {
    /// How many rows there are.
    #[must_use]
    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// Writes `text` from `column` on, over what is there; answers with the column after it.
    pub fn put(&mut self, row: usize, column: usize, tone: Tone, text: &str) -> usize {
        if self.rows.len() <= row {
            self.rows.resize(row + 1, Vec::new());
        }
        let cells = &mut self.rows[row];
        let mut at = column;
        for character in text.chars() {
            if cells.len() <= at {
                cells.resize(at + 1, (' ', Tone::Plain));
            }
            cells[at] = (character, tone);
            at += 1;
        }
        at
    }

    /// Writes `text` on a new row; answers with its number.
    pub fn line(&mut self, column: usize, tone: Tone, text: &str) -> usize {
        let row = self.rows.len();
        self.put(row, column, tone, text);
        row
    }

    /// Writes `text`, broken at spaces, on new rows between two columns.
    pub fn paragraph(&mut self, column: usize, end: usize, tone: Tone, text: &str) {
        for line in wrap(text, end.saturating_sub(column)) {
            self.line(column, tone, &line);
        }
    }

    /// Adds the rows of `other` below.
    pub fn append(&mut self, other: Self) {
        self.rows.extend(other.rows);
    }

    /// What is at a place.
    #[must_use]
    pub fn at(&self, row: usize, column: usize) -> char {
        self.rows.get(row).and_then(|row| row.get(column)).map_or(' ', |(character, _)| *character)
    }

    /// The rows as the terminal gets them, without line ends.
    #[must_use]
    pub fn lines(&self, ink: Ink) -> Vec<String> {
        self.rows.iter().map(|row| line(row, ink)).collect()
    }

    /// All rows, with line ends.
    #[must_use]
    pub fn text(&self, ink: Ink) -> String {
        self.lines(ink).into_iter().map(|line| line + "\n").collect()
    }
}

fn line(row: &[(char, Tone)], ink: Ink) -> String {
    let shows = |(character, tone): &(char, Tone)| *character != ' ' || ink.colour && tone.fills();
    let end = row.iter().rposition(shows).map_or(0, |last| last + 1);
    let mut out = String::new();
    let mut current = Tone::Plain;
    for &(character, tone) in &row[..end] {
        // A space goes with what is before it where neither is a field.
        let differs = tone != current && (character != ' ' || tone.fills() || current.fills());
        if ink.colour && differs {
            if current != Tone::Plain {
                out.push_str("\x1b[0m");
            }
            if let Some(codes) = tone.codes() {
                write!(out, "\x1b[{codes}m").expect("a String takes any text");
            }
            current = tone;
        }
        out.push(if ink.unicode { character } else { stand_in(character) });
    }
    if current != Tone::Plain {
        out.push_str("\x1b[0m");
    }
    out
}

/// What stands for a character where there is only ASCII.
fn stand_in(character: char) -> char {
    match character {
        '─' | '━' | '╌' | '–' | '—' | '═' => '-',
        '│' | '┃' | '╎' => '|',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╭' | '╮' | '╰' | '╯' | '╪' => {
            '+'
        }
        '▶' | '▷' | '→' => '>',
        '◀' | '◁' | '←' => '<',
        '✗' | '×' => 'x',
        '✓' | '↓' => 'v',
        '●' => 'o',
        '○' | '·' | '•' => '.',
        '…' => '~',
        '’' => '\'',
        'µ' => 'u',
        '▁' | '▂' => '.',
        '▃' | '▄' => ':',
        '▅' | '▆' | '▇' | '█' => '#',
        character if character.is_ascii() => character,
        _ => '?',
    }
}

/// `text` broken at spaces into lines of at most `columns`. A longer word has a line of its own.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let columns_of_word = word.chars().count();
        if width > 0 && width + 1 + columns_of_word > columns {
            lines.push(std::mem::take(&mut current));
            width = 0;
        }
        if width > 0 {
            current.push(' ');
            width += 1;
        }
        current.push_str(word);
        width += columns_of_word;
    }
    if width > 0 {
        lines.push(current);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing() -> Canvas {
        let mut canvas = Canvas::default();
        let end = canvas.put(1, 2, Tone::Good, "──▶");
        canvas.put(1, end + 1, Tone::Plain, "A");
        canvas.put(0, 3, Tone::Plain, "x  ");
        canvas
    }

    #[test]
    fn what_is_drawn_keeps_its_place() {
        assert_eq!(drawing().text(Ink::PLAIN), "   x\n  ──▶ A\n");
        assert_eq!((drawing().at(1, 4), drawing().at(7, 7)), ('▶', ' '));
    }

    #[test]
    fn colour_is_written_once_for_each_stretch() {
        let text = drawing().text(Ink { colour: true, unicode: true });
        assert_eq!(text, "   x\n  \x1b[32m──▶ \x1b[0mA\n");
    }

    #[test]
    fn ascii_has_a_stand_in_of_one_column_for_each_character() {
        let ink = Ink { colour: false, unicode: false };
        assert_eq!(drawing().text(ink), "   x\n  --> A\n");
        assert_eq!(['↓', '✓', '→'].map(stand_in), ['v', 'v', '>']);
        assert!("┼●✗✓…★".chars().all(|character| stand_in(character).is_ascii()));
    }

    #[test]
    fn words_wrap_and_long_words_stand_alone() {
        assert_eq!(wrap("one two incomprehensible six", 8), ["one two", "incomprehensible", "six"]);
        assert!(wrap("  ", 8).is_empty());
    }
}
