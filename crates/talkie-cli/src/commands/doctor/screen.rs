//! Where spinners are drawn: standard error, if that is a terminal.
//!
//! `indicatif` leaves the cursor behind the last column. The `^C` that a terminal echoes there begins a
//! new line, so that what is taken away after it is one line further down than what was drawn, and the
//! first line stays. Here the cursor waits at the start of the last line instead.

use indicatif::ProgressDrawTarget;

/// Standard error, or nothing where that is no terminal.
pub(super) fn target() -> ProgressDrawTarget {
    use std::io::IsTerminal as _;

    if !std::io::stderr().is_terminal() {
        return ProgressDrawTarget::hidden();
    }
    #[cfg(unix)]
    return unix::target();
    // Elsewhere terminals echo nothing, and some need more than escape sequences.
    #[cfg(not(unix))]
    ProgressDrawTarget::stderr()
}

#[cfg(unix)]
mod unix {
    use std::fmt::{self, Write as _};
    use std::io::{self, Write};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use indicatif::{ProgressDrawTarget, TermLike};

    /// Often enough for what turns every tenth of a second.
    const FRAMES_PER_SECOND: u8 = 20;
    /// Columns and rows of a terminal that does not tell.
    const SIZE: (u16, u16) = (80, 24);

    pub(super) fn target() -> ProgressDrawTarget {
        let screen = Box::new(Screen::new(io::stderr()));
        ProgressDrawTarget::term_like_with_hz(screen, FRAMES_PER_SECOND)
    }

    /// A terminal that is drawn on by the sequences of ECMA-48.
    pub(super) struct Screen<W> {
        drawn: Mutex<Drawn<W>>,
    }

    struct Drawn<W> {
        /// What goes out with the next flush.
        frame: String,
        to: W,
    }

    impl<W> Screen<W> {
        pub(super) fn new(to: W) -> Self {
            Self { drawn: Mutex::new(Drawn { frame: String::new(), to }) }
        }

        fn drawn(&self) -> MutexGuard<'_, Drawn<W>> {
            self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn write(&self, text: fmt::Arguments<'_>) -> io::Result<()> {
            self.drawn().frame.write_fmt(text).map_err(io::Error::other)
        }

        /// `CSI n` and a letter; without a number it would be 1.
        fn by(&self, n: usize, letter: char) -> io::Result<()> {
            if n == 0 { Ok(()) } else { self.write(format_args!("\x1b[{n}{letter}")) }
        }
    }

    impl<W> fmt::Debug for Screen<W> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Screen(..)")
        }
    }

    fn size() -> (u16, u16) {
        terminal_size::terminal_size_of(io::stderr())
            .map_or(SIZE, |(width, height)| (width.0, height.0))
    }

    impl<W: Write + Send> TermLike for Screen<W> {
        fn width(&self) -> u16 {
            size().0
        }

        fn height(&self) -> u16 {
            size().1
        }

        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            self.by(n, 'A')
        }

        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            self.by(n, 'B')
        }

        fn move_cursor_right(&self, n: usize) -> io::Result<()> {
            self.by(n, 'C')
        }

        fn move_cursor_left(&self, n: usize) -> io::Result<()> {
            self.by(n, 'D')
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write(format_args!("{text}\n"))
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.write(format_args!("{text}"))
        }

        fn clear_line(&self) -> io::Result<()> {
            self.write(format_args!("\r\x1b[2K"))
        }

        fn flush(&self) -> io::Result<()> {
            let mut drawn = self.drawn();
            let Drawn { frame, to } = &mut *drawn;
            if frame.is_empty() {
                return Ok(());
            }
            frame.push('\r');
            let written = to.write_all(frame.as_bytes()).and_then(|()| to.flush());
            frame.clear();
            written
        }
    }

    #[cfg(test)]
    mod tests {
        use std::sync::Arc;

        use indicatif::{MultiProgress, ProgressBar};

        use super::*;

        #[derive(Clone, Default)]
        struct Written(Arc<Mutex<Vec<u8>>>);

        impl Write for Written {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        /// A terminal's lines after `bytes`, as far as spinners use one. At the margin the cursor waits
        /// for the next character, and `\r` goes back within the line.
        fn lines(bytes: &[u8]) -> Vec<String> {
            let (columns, mut row, mut column) = (usize::from(size().0), 0, 0);
            let mut rows = vec![Vec::new(); 24];
            let text = std::str::from_utf8(bytes).unwrap();
            let mut letters = text.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '\r' => column = 0,
                    '\n' => (row, column) = (row + 1, 0),
                    '\x1b' => {
                        let of: String = letters.by_ref().take_while(|it| *it != '[').collect();
                        assert_eq!(of, "");
                        let number: String =
                            letters.clone().take_while(char::is_ascii_digit).collect();
                        let command = letters.by_ref().nth(number.len()).unwrap();
                        let number = number.parse().unwrap_or(1);
                        match command {
                            'A' => row -= number,
                            'B' => row += number,
                            'K' => rows[row].clear(),
                            _ => panic!("{command}"),
                        }
                    }
                    letter => {
                        if column == columns {
                            (row, column) = (row + 1, 0);
                        }
                        rows[row].resize(columns, ' ');
                        rows[row][column] = letter;
                        column += 1;
                    }
                }
            }
            rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned()).collect()
        }

        #[test]
        fn nothing_stays_of_spinners_that_were_interrupted_at_the_keyboard() {
            let written = Written::default();
            let screen = Box::new(Screen::new(written.clone()));
            let all = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(screen));
            let bars = ["one", "two", "three"].map(|words| {
                let bar = all.add(ProgressBar::new_spinner());
                bar.set_style(super::super::super::spinners::style("{wide_msg}"));
                bar.set_message(words);
                bar.tick();
                bar
            });
            let shown = lines(&written.0.lock().unwrap());
            assert_eq!(shown[..4], ["one", "two", "three", ""]);
            // What a terminal echoes.
            written.0.lock().unwrap().extend_from_slice(b"^C");
            bars.iter().for_each(ProgressBar::finish_and_clear);
            all.clear().unwrap();
            let left = lines(&written.0.lock().unwrap());
            assert!(left.iter().all(String::is_empty), "{left:?}");
        }
    }
}
