//! What `talkie serve` prints once it listens: on a terminal a block for people, elsewhere plain
//! lines for scripts ([`plain`]).
//!
//! The block answers in this order: where do I click, where does somebody else, what listens
//! where, does it work, why does my browser warn, what is missing for the Internet, how do I stop
//! it. A QR code of the network's URL stands on the left when there is room.

pub(crate) mod paint;
pub(crate) mod plain;
mod qr;
mod sections;

use std::time::{Duration, SystemTime};

use talkie_server::Report;

use self::paint::{Line, Painter, Style, beside};
pub(crate) use self::sections::seconds;

/// The least columns that the text beside a QR code needs.
const BESIDE: usize = 46;
/// The columns left of everything.
const INDENT: usize = 2;
/// The columns between the QR code and the text beside it.
const GAP: usize = 3;
/// Longer lines than this are hard to read.
const WIDEST: usize = 100;

/// How the block is to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Whether to use colour.
    pub(crate) colour: bool,
    /// The terminal's width.
    pub(crate) columns: usize,
    /// Whether a QR code is wanted.
    pub(crate) qr: bool,
    /// How long rooms may go on after the signal to stop.
    pub(crate) drain_timeout: Duration,
    /// The wall clock, for the certificate's remaining days.
    pub(crate) now: SystemTime,
}

/// The block, line ends included.
pub(crate) fn human(report: &Report, look: &Look) -> String {
    let page = Page { painter: Painter { colour: look.colour }, report, look };
    let mut out = String::from("\n");
    for line in page.lines() {
        if line.columns() > 0 {
            out.extend(std::iter::repeat_n(' ', INDENT));
            out.push_str(line.as_str());
        }
        out.push('\n');
    }
    out.push('\n');
    out
}

struct Page<'a> {
    painter: Painter,
    report: &'a Report,
    look: &'a Look,
}

impl Page<'_> {
    fn lines(&self) -> Vec<Line> {
        let mut lines = vec![self.title(), Line::default()];
        lines.extend(self.urls());
        lines.push(Line::default());
        lines.extend(self.middle());
        for section in [self.certificate(), self.warnings(), self.internet(), self.stop()] {
            if !section.is_empty() {
                lines.push(Line::default());
                lines.extend(section);
            }
        }
        lines
    }

    fn width(&self) -> usize {
        self.look.columns.clamp(20, WIDEST) - INDENT
    }

    /// What listens where and whether it works, beside or below the QR code.
    fn middle(&self) -> Vec<Line> {
        let Some(code) = self.qr() else {
            return self.status(self.width());
        };
        let at = code[0].columns() + GAP;
        if at + BESIDE <= self.width() {
            let text = self.status(self.width() - at);
            return beside(code, &text, at);
        }
        let mut lines = code;
        lines.push(Line::default());
        lines.extend(self.status(self.width()));
        lines
    }

    /// The code of the URL that a phone would open, unless the terminal is too narrow for it.
    fn qr(&self) -> Option<Vec<Line>> {
        let url = self.report.lan_urls.first().filter(|_| self.look.qr)?;
        let code = qr::lines(url, self.look.colour)?;
        (code[0].columns() <= self.width()).then_some(code)
    }

    fn status(&self, width: usize) -> Vec<Line> {
        let mut lines = self.listening(width);
        let tests = self.self_test(width);
        if !tests.is_empty() {
            lines.push(Line::default());
            lines.extend(tests);
        }
        lines
    }

    fn title(&self) -> Line {
        let line = self.painter.line(Style::Strong, "talkie");
        self.painter.add(line, Style::Faint, concat!(" ", env!("CARGO_PKG_VERSION")))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
