//! Standard input, a line at a time. It is read by a thread that nobody waits for: a read of a terminal
//! can't be interrupted.

use std::collections::VecDeque;
use std::future::pending;
use std::io::{self, BufRead, Read as _};
use std::thread;

use tokio::sync::mpsc;

use super::view::{News, View};

/// The longest line that becomes a datagram: less than the least MTU of IPv6 (RFC 8200 §5), with room for
/// the headers of a relay.
pub(super) const LONGEST: usize = 1200;
/// Lines that wait.
const WAITING: usize = 64;
/// Lines that may wait for somebody to hear them.
const MOST_ENTERED: usize = 600;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line without its end.
    Line(Vec<u8>),
    /// A line of so many bytes, which are not kept.
    TooLong(usize),
    /// Whatever a terminal hands over.
    Keys(Vec<u8>),
    /// The end.
    End,
}

/// What comes by standard input. It is listened to from the beginning, so that who types can end it also while
/// nobody else is there.
pub(super) struct Typing {
    input: mpsc::Receiver<Typed>,
    /// What was entered by keys and waits for somebody to hear it; the end behind all else.
    entered: VecDeque<Typed>,
}

impl Typing {
    /// Keys, if the view makes lines of them, else lines.
    pub(super) fn begin(view: &dyn View) -> Self {
        Self::of(if view.takes_keys() { keys() } else { typed() })
    }

    fn of(input: mpsc::Receiver<Typed>) -> Self {
        Self { input, entered: VecDeque::new() }
    }

    /// What comes next.
    pub(super) async fn next(&mut self) -> Option<Typed> {
        self.input.recv().await
    }

    /// What was entered by keys, if somebody hears it; else only the end.
    pub(super) fn entered(&mut self, is_heard: bool) -> Option<Typed> {
        if !is_heard && self.entered.back() != Some(&Typed::End) {
            return None;
        }
        // Nobody knows when the lines before it would be heard.
        if is_heard { self.entered.pop_front() } else { self.entered.pop_back() }
    }

    /// Gives up what waits for somebody to hear it, and says so: who typed it takes it for sent.
    pub(super) fn leave(&mut self, view: &mut dyn View) {
        let lines = self.entered.drain(..).filter(|typed| *typed != Typed::End).count();
        match lines {
            0 => {}
            1 => view.show(News::Unsent { why: "a line that waited for a connection" }),
            _ => {
                let why = format!("{lines} lines that waited for a connection");
                view.show(News::Unsent { why: &why });
            }
        }
    }

    /// Takes keys where the view makes lines of them. They wait until there is somebody to hear them.
    pub(super) fn take(&mut self, keys: &[u8], view: &mut dyn View) {
        for typed in view.type_keys(keys) {
            if self.entered.back() == Some(&Typed::End) {
                return;
            }
            if self.entered.len() < MOST_ENTERED || typed == Typed::End {
                self.entered.push_back(typed);
            } else {
                view.show(News::Unsent { why: "too many lines wait already" });
            }
        }
    }

    /// Until who types at a terminal has ended it. What comes from elsewhere is left where it is: it is for the
    /// other side, and so is its end.
    pub(super) async fn ended(&mut self, view: &mut dyn View) {
        if !view.takes_keys() {
            pending::<()>().await;
        }
        while let Some(typed) = self.next().await {
            if let Typed::Keys(keys) = typed {
                self.take(&keys, view);
            }
            if self.entered(false).is_some() {
                return self.leave(view);
            }
        }
    }
}

/// The lines of standard input; they end with it.
fn typed() -> mpsc::Receiver<Typed> {
    let (sender, receiver) = mpsc::channel(WAITING);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Ok(Some(typed)) = next(&mut input) {
            if sender.blocking_send(typed).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The keys of a terminal that hands them over one by one.
fn keys() -> mpsc::Receiver<Typed> {
    let (sender, receiver) = mpsc::channel(WAITING);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Ok(keys) = input.fill_buf().map(<[u8]>::to_vec)
            && !keys.is_empty()
        {
            input.consume(keys.len());
            if sender.blocking_send(Typed::Keys(keys)).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The next line; `None` at the end.
fn next(input: &mut impl BufRead) -> io::Result<Option<Typed>> {
    let mut line = Vec::new();
    // With room for both characters of a line's end.
    let most = LONGEST as u64 + 2;
    if input.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let mut length = line.len();
    if line.last() != Some(&b'\n') && line.len() as u64 == most {
        length += skip(input)?;
    }
    while let Some(b'\n' | b'\r') = line.last() {
        line.pop();
        length -= 1;
    }
    Ok(Some(if length > LONGEST { Typed::TooLong(length) } else { Typed::Line(line) }))
}

/// Leaves the rest of a line out; returns how much that was, without the line's end.
fn skip(input: &mut impl BufRead) -> io::Result<usize> {
    let mut skipped = 0;
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(buffer.len());
        skipped += length;
        let is_end = end.is_some() || length == 0;
        input.consume(length + usize::from(end.is_some()));
        if is_end {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal whose keys come a line at a time, and what it was told.
    #[derive(Default)]
    struct Keyboard {
        said: Vec<String>,
    }

    impl View for Keyboard {
        fn takes_keys(&self) -> bool {
            true
        }

        fn type_keys(&mut self, keys: &[u8]) -> Vec<Typed> {
            let lines = keys.split_inclusive(|key| [b'\r', 4].contains(key));
            let typed = lines.map(|line| match line {
                [4] => Typed::End,
                line => Typed::Line(line.trim_ascii().to_vec()),
            });
            typed.collect()
        }

        fn show(&mut self, news: News<'_>) {
            if let News::Unsent { why } = news {
                self.said.push(why.to_owned());
            }
        }
    }

    #[tokio::test]
    async fn who_types_can_end_it_while_nobody_is_there_and_what_is_entered_waits() {
        let (sender, receiver) = mpsc::channel(4);
        let mut typing = Typing::of(receiver);
        let mut view = Keyboard::default();
        for keys in ["early\r", "\u{4}", "late\r"] {
            sender.send(Typed::Keys(keys.into())).await.unwrap();
        }
        typing.ended(&mut view).await;
        assert_eq!(typing.next().await, Some(Typed::Keys("late\r".into())));
        // Once somebody is there it is heard.
        typing.take(b"early\r", &mut view);
        assert_eq!(typing.entered(false), None);
        assert_eq!(typing.entered(true), Some(Typed::Line("early".into())));
        assert_eq!(typing.entered(true), None);
    }

    #[test]
    fn lines_that_come_together_with_the_end_come_before_it() {
        let (_sender, receiver) = mpsc::channel(1);
        let mut typing = Typing::of(receiver);
        let mut view = Keyboard::default();
        typing.take(b"one\rtwo\r\x04three\r", &mut view);
        typing.take(b"four\r", &mut view);
        let line = |text: &str| Some(Typed::Line(text.into()));
        assert_eq!([typing.entered(true), typing.entered(true)], [line("one"), line("two")]);
        assert_eq!(typing.entered(true), Some(Typed::End));
        assert_eq!(typing.entered(true), None);
    }

    #[test]
    fn the_end_does_not_wait_for_lines_to_be_heard_and_they_are_counted() {
        let (_sender, receiver) = mpsc::channel(1);
        let mut typing = Typing::of(receiver);
        let mut view = Keyboard::default();
        typing.take(b"one\rtwo\r\x04", &mut view);
        assert_eq!(typing.entered(false), Some(Typed::End));
        typing.leave(&mut view);
        assert_eq!(view.said, ["2 lines that waited for a connection"]);
        // Nor are they told twice, nor is it told where there are none.
        typing.leave(&mut view);
        assert_eq!(view.said.len(), 1);
        typing.take(b"three\r", &mut view);
        typing.leave(&mut view);
        assert_eq!(view.said[1], "a line that waited for a connection");
    }

    #[test]
    fn lines_come_without_their_ends_and_too_long_ones_not_at_all() {
        let fits = "f".repeat(LONGEST);
        let long = "l".repeat(100_000);
        let text = format!("one\r\n\n{fits}\n{fits}!\n{long}\nlast");
        let mut input = io::BufReader::with_capacity(100, text.as_bytes());
        let mut all = Vec::new();
        while let Some(typed) = next(&mut input).unwrap() {
            all.push(typed);
        }
        let line = |text: &str| Typed::Line(text.into());
        let [fits, last] = [line(&fits), line("last")];
        let expected = [
            line("one"),
            line(""),
            fits,
            Typed::TooLong(LONGEST + 1),
            Typed::TooLong(100_000),
            last,
        ];
        assert_eq!(all, expected);
    }
}
