//! A line that is being typed: what keys make of it, and how it is shown.
//!
//! The terminal's own line editing knows nothing of what is printed meanwhile, which then stands in the middle of
//! what is typed. So keys are read one by one, and the line is drawn again below whatever was printed. It can do
//! what one is used to: letters of UTF-8, Backspace, Delete, the arrows, Home and End, Ctrl-A, -E, -U, -K, -W.

use super::super::lines::{LONGEST, Typed};

/// The longest line that is kept while it is typed, in bytes; more is only counted.
const MOST: usize = 4 * LONGEST;
/// Bytes of an escape sequence or a letter that is not complete.
const MOST_PENDING: usize = 16;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Editor {
    text: Vec<char>,
    /// Letters before the cursor.
    at: usize,
    /// What was typed of a key that takes several bytes.
    pending: Vec<u8>,
    /// Bytes that were left out.
    left_out: usize,
}

impl Editor {
    /// Takes what was typed; returns the lines that it completes.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let mut all = Vec::new();
        for byte in bytes {
            all.extend(self.key(*byte));
        }
        all
    }

    fn key(&mut self, byte: u8) -> Option<Typed> {
        if !self.pending.is_empty() {
            self.go_on(byte);
            return None;
        }
        match byte {
            b'\n' | b'\r' => return Some(self.enter()),
            // Ctrl-D ends the input where the line is empty, as terminals have it.
            4 if self.text.is_empty() => return Some(Typed::End),
            1 => self.at = 0,
            5 => self.at = self.text.len(),
            8 | 0x7f if self.at > 0 => {
                self.at -= 1;
                self.text.remove(self.at);
            }
            4 => self.delete(),
            11 => self.text.truncate(self.at),
            21 => drop(self.text.drain(..std::mem::take(&mut self.at))),
            23 => self.delete_word(),
            0x1b | 0xc2..=0xf4 => self.pending.push(byte),
            b'\t' | b' '..=b'~' => self.insert(char::from(byte)),
            _ => {}
        }
        None
    }

    /// Another byte of a key that takes several.
    fn go_on(&mut self, byte: u8) {
        self.pending.push(byte);
        let is_over = match &self.pending[..] {
            [0x1b, b'[' | b'O'] => false,
            [0x1b, b'[', .., last] => (0x40..=0x7e).contains(last),
            [0x1b, ..] => true,
            letter => match std::str::from_utf8(letter) {
                Ok(text) => {
                    let letter = text.chars().next().filter(|letter| !letter.is_control());
                    letter.into_iter().for_each(|letter| self.insert(letter));
                    true
                }
                Err(error) => error.error_len().is_some(),
            },
        };
        if !is_over && self.pending.len() < MOST_PENDING {
            return;
        }
        match &std::mem::take(&mut self.pending)[..] {
            b"\x1b[D" | b"\x1bOD" => self.at = self.at.saturating_sub(1),
            b"\x1b[C" | b"\x1bOC" => self.at = (self.at + 1).min(self.text.len()),
            b"\x1b[H" | b"\x1bOH" | b"\x1b[1~" => self.at = 0,
            b"\x1b[F" | b"\x1bOF" | b"\x1b[4~" => self.at = self.text.len(),
            b"\x1b[3~" => self.delete(),
            _ => {}
        }
    }

    fn insert(&mut self, letter: char) {
        if self.text.len() >= MOST {
            self.left_out += letter.len_utf8();
            return;
        }
        self.text.insert(self.at, letter);
        self.at += 1;
    }

    fn delete(&mut self) {
        if self.at < self.text.len() {
            self.text.remove(self.at);
        }
    }

    fn delete_word(&mut self) {
        let before = &self.text[..self.at];
        let end = before.iter().rposition(|letter| *letter != ' ').map_or(0, |last| last + 1);
        let start =
            before[..end].iter().rposition(|letter| *letter == ' ').map_or(0, |gap| gap + 1);
        self.text.drain(start..self.at);
        self.at = start;
    }

    fn enter(&mut self) -> Typed {
        let line: String = std::mem::take(&mut self.text).into_iter().collect();
        self.at = 0;
        let length = line.len() + std::mem::take(&mut self.left_out);
        if length > LONGEST { Typed::TooLong(length) } else { Typed::Line(line.into_bytes()) }
    }

    /// Whether nothing has been typed.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The line on `columns` columns at most, of which it leaves the last free, and how many of them are behind
    /// the cursor. Of a longer one what is before the cursor is shown.
    pub(super) fn shown(&self, columns: usize) -> (String, usize) {
        let room = columns.saturating_sub(1);
        let (mut start, mut width) = (self.at, 0);
        while start > 0 && width + wide(self.text[start - 1]) <= room {
            start -= 1;
            width += wide(self.text[start]);
        }
        let (mut end, mut behind) = (self.at, 0);
        while end < self.text.len() && width + behind + wide(self.text[end]) <= room {
            behind += wide(self.text[end]);
            end += 1;
        }
        let text = self.text[start..end].iter();
        (text.map(|letter| if *letter == '\t' { ' ' } else { *letter }).collect(), behind)
    }
}

/// The columns of a letter: two for those of East Asia and for pictures, none for accents that combine.
fn wide(letter: char) -> usize {
    match u32::from(letter) {
        0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe6f | 0xff00..=0xff60 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(keys: &str) -> Typed {
        let mut typed = Editor::default().take(keys.as_bytes());
        assert_eq!(typed.len(), 1, "{keys:?}");
        typed.remove(0)
    }

    #[test]
    fn keys_do_what_one_is_used_to() {
        for (keys, text) in [
            ("grüße 中\n", "grüße 中"),
            ("ax\x7fb\r", "ab"),
            ("\x7f\x1b[Dab\n", "ab"),
            ("bc\x01a\x05d\n", "abcd"),
            ("ac\x1b[Db\x1b[C\x1bOCd\n", "abcd"),
            ("abX\x1b[D\x1b[3~\n", "ab"),
            ("one two  \x17three\n", "one three"),
            ("rest\x1b[D\x1b[D\x15\x1b[Fx\n", "stx"),
            ("rest\x1b[H\x0b\n", ""),
            ("a\x1b[200~\x1bxb\x1b[15;5~\x00\n", "ab"),
        ] {
            assert_eq!(line(keys), Typed::Line(text.into()), "{keys:?}");
        }
    }

    #[test]
    fn the_input_ends_where_the_line_is_empty() {
        let mut editor = Editor::default();
        assert_eq!(editor.take(b"a\x04"), []);
        assert_eq!(editor.take(b"\x7f\x04"), [Typed::End]);
    }

    #[test]
    fn what_is_pasted_is_many_lines_and_a_letter_may_come_in_two_parts() {
        let mut editor = Editor::default();
        let lines = ["one", "two"].map(|text| Typed::Line(text.into()));
        assert_eq!(editor.take(b"one\rtwo\r\xc3"), lines);
        assert_eq!(editor.take(b"\xbc\n"), [Typed::Line("ü".into())]);
        // What is no letter is none.
        assert_eq!(editor.take(b"\xc3\x28\xff\n"), [Typed::Line(Vec::new())]);
    }

    #[test]
    fn a_line_that_is_too_long_is_not_kept_whole() {
        let mut editor = Editor::default();
        editor.take("x".repeat(100_000).as_bytes());
        assert!(editor.text.len() <= MOST);
        assert_eq!(editor.take(b"\n"), [Typed::TooLong(100_000)]);
        assert_eq!(editor.take(b"y\n"), [Typed::Line(b"y".to_vec())]);
    }

    #[test]
    fn of_a_long_line_the_part_before_the_cursor_is_shown() {
        let mut editor = Editor::default();
        editor.take(b"0123456789");
        assert_eq!(editor.shown(20), ("0123456789".to_owned(), 0));
        assert_eq!(editor.shown(5), ("6789".to_owned(), 0));
        editor.take(b"\x1b[H");
        assert_eq!(editor.shown(5), ("0123".to_owned(), 4));
        let mut editor = Editor::default();
        editor.take("中中中".as_bytes());
        assert_eq!(editor.shown(6), ("中中".to_owned(), 0));
    }
}
