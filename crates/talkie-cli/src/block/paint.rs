//! Colour, and lines that know how wide they are.
//!
//! A [`Line`] collects styled pieces and counts the columns they take on the screen, so that a
//! layout can pad them although escape sequences take bytes and no columns. Without colour the
//! pieces are plain text.

/// How a piece of text looks. Only the sixteen colours that follow the terminal's own theme are
/// used, so that they can be read on dark and on light backgrounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// A heading or the program's name.
    Strong,
    /// A link to open.
    Link,
    /// Less important words.
    Faint,
    /// It worked.
    Good,
    /// It works, but something should be done.
    Caution,
    /// It failed.
    Bad,
}

impl Style {
    fn codes(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Link => Some("1;36"),
            Self::Faint => Some("2"),
            Self::Good => Some("32"),
            Self::Caution => Some("33"),
            Self::Bad => Some("1;31"),
        }
    }
}

/// One line of the block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    text: String,
    columns: usize,
}

impl Line {
    /// The columns that the line takes on the screen.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// What to write to the terminal, without a line end.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Appends `other` at column `column`, padding with spaces up to it.
    pub(crate) fn join_at(mut self, column: usize, other: &Self) -> Self {
        if other.columns > 0 {
            self.pad(column);
            self.text.push_str(&other.text);
            self.columns += other.columns;
        }
        self
    }

    fn pad(&mut self, column: usize) {
        let missing = column.saturating_sub(self.columns);
        self.text.extend(std::iter::repeat_n(' ', missing));
        self.columns += missing;
    }

    /// Appends text that brings its own escape sequences and takes `columns` columns.
    pub(crate) fn raw(text: String, columns: usize) -> Self {
        Self { text, columns }
    }
}

/// Turns styled text into lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Painter {
    /// Whether escape sequences are written.
    pub(crate) colour: bool,
}

impl Painter {
    /// A line of one piece.
    pub(crate) fn line(self, style: Style, text: &str) -> Line {
        self.add(Line::default(), style, text)
    }

    /// `line` with one piece more.
    pub(crate) fn add(self, mut line: Line, style: Style, text: &str) -> Line {
        match style.codes().filter(|_| self.colour && !text.is_empty()) {
            Some(codes) => {
                line.text.push_str("\x1b[");
                line.text.push_str(codes);
                line.text.push('m');
                line.text.push_str(text);
                line.text.push_str("\x1b[0m");
            }
            None => line.text.push_str(text),
        }
        line.columns += text.chars().count();
        line
    }

    /// `text` broken at spaces into lines of at most `columns` columns. A word that is longer
    /// than that gets a line of its own.
    pub(crate) fn wrap(self, style: Style, text: &str, columns: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut current = String::new();
        for word in text.split_whitespace() {
            let width = current.chars().count();
            if width > 0 && width + 1 + word.chars().count() > columns {
                lines.push(self.line(style, &current));
                current.clear();
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(self.line(style, &current));
        lines
    }
}

/// Two columns of lines, the right one starting at column `at`.
pub(crate) fn beside(left: Vec<Line>, right: &[Line], at: usize) -> Vec<Line> {
    let rows = left.len().max(right.len());
    let mut left = left.into_iter();
    (0..rows)
        .map(|row| {
            let line = left.next().unwrap_or_default();
            match right.get(row) {
                Some(other) => line.join_at(at, other),
                None => line,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Painter = Painter { colour: false };
    const COLOURED: Painter = Painter { colour: true };

    #[test]
    fn escape_sequences_take_no_column() {
        let line = COLOURED.line(Style::Good, "✓ ok");
        assert_eq!(line.columns(), 4);
        assert_eq!(line.as_str(), "\x1b[32m✓ ok\x1b[0m");
        assert_eq!(PLAIN.line(Style::Good, "✓ ok").as_str(), "✓ ok");
    }

    #[test]
    fn words_wrap_and_long_words_stand_alone() {
        let lines = PLAIN.wrap(Style::Plain, "one two incomprehensible six", 8);
        let lines: Vec<_> = lines.iter().map(Line::as_str).collect();
        assert_eq!(lines, ["one two", "incomprehensible", "six"]);
    }

    #[test]
    fn columns_stand_beside_each_other_without_trailing_space() {
        let left = vec![PLAIN.line(Style::Plain, "ab"), PLAIN.line(Style::Plain, "c")];
        let right = [PLAIN.line(Style::Plain, "x"), Line::default(), PLAIN.line(Style::Plain, "z")];
        let lines = beside(left, &right, 4);
        let lines: Vec<_> = lines.iter().map(Line::as_str).collect();
        assert_eq!(lines, ["ab  x", "c", "    z"]);
    }
}
