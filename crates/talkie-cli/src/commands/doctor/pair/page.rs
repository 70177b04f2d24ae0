//! The answer for people: how it came out, the two sides beside each other, why, and what to change.

use talkie_doctor::advice::nat_in_short;
use talkie_doctor::pair::{Outcome, Pairing, Side, Tried};
use talkie_doctor::report::Millis;

use super::super::page::Look;
use crate::block::paint::{Line, Painter, Style};

/// Longer lines than this are hard to read.
const WIDEST: usize = 100;
/// The columns left of what belongs to a heading.
const INDENT: usize = 2;
/// Where values start behind their names.
const VALUES: usize = 18;

/// The answer, line ends included.
pub(super) fn text(pairing: &Pairing, look: Look) -> String {
    let width = look.columns.clamp(40, WIDEST);
    let page = Page { painter: Painter { colour: look.colour }, width };
    let mut out = String::new();
    for line in page.lines(pairing) {
        out.push_str(line.as_str().trim_end());
        out.push('\n');
    }
    out
}

struct Page {
    painter: Painter,
    width: usize,
}

impl Page {
    fn lines(&self, pairing: &Pairing) -> Vec<Line> {
        let verdict = &pairing.verdict;
        let (sign, style) = match verdict.outcome {
            Outcome::Direct => ("✓", Style::Good),
            Outcome::Relayed => ("!", Style::Caution),
            Outcome::Failed => ("✗", Style::Bad),
        };
        let mut lines = self.behind(sign, style, style, &verdict.headline, 0);
        lines.push(Line::default());
        for (name, value) in facts(pairing) {
            let name = self.painter.line(Style::Faint, name);
            let first = Line::default().join_at(INDENT, &name);
            let wrapped = self.painter.wrap(Style::Plain, &value, self.width - VALUES);
            lines.extend(beside(first, wrapped, VALUES));
        }
        let sections = [("Why", "·", &verdict.why), ("What to change", "→", &verdict.advice)];
        for (title, sign, texts) in sections {
            if texts.is_empty() {
                continue;
            }
            lines.push(Line::default());
            lines.push(self.painter.line(Style::Strong, title));
            for text in texts {
                lines.extend(self.behind(sign, Style::Faint, Style::Plain, text, INDENT));
            }
        }
        lines
    }

    /// Text behind a sign, its later lines below the first's text.
    fn behind(
        &self,
        sign: &str,
        of_sign: Style,
        of_text: Style,
        text: &str,
        at: usize,
    ) -> Vec<Line> {
        let first = Line::default().join_at(at, &self.painter.line(of_sign, sign));
        let wrapped = self.painter.wrap(of_text, text, self.width - at - 2);
        beside(first, wrapped, at + 2)
    }
}

fn beside(first: Line, text: Vec<Line>, at: usize) -> Vec<Line> {
    let mut left = Some(first);
    text.into_iter().map(|line| left.take().unwrap_or_default().join_at(at, &line)).collect()
}

/// What was seen, a name and a value each.
fn facts(pairing: &Pairing) -> Vec<(&'static str, String)> {
    let tried = &pairing.tried;
    let mut facts = vec![
        ("this side", side_words(&pairing.ours)),
        ("the other side", side_words(&pairing.theirs)),
    ];
    if let Some(found) = &tried.path {
        // Each side names its own end; what the other calls it is how it looks from there.
        let theirs = pairing.theirs_tried.as_ref().and_then(|tried| tried.path);
        let remote = theirs.map_or(found.remote, |theirs| theirs.local);
        facts.push((
            "path",
            format!(
                "{} {} to {} {}, found after {}",
                found.local.as_str(),
                found.local_address,
                remote.as_str(),
                found.remote_address,
                found.after
            ),
        ));
    }
    facts.push(("round trip", round_trips(tried)));
    facts
}

fn side_words(side: &Side) -> String {
    if side.udp == Some(false) {
        return "UDP is blocked".to_owned();
    }
    if side.nats.is_empty() {
        return "its NAT could not be found out".to_owned();
    }
    let each = |nat| {
        let family = if side.nats.len() > 1 { format!("{}: ", family(nat)) } else { String::new() };
        format!("{family}{}", nat_in_short(nat))
    };
    side.nats.iter().map(each).collect::<Vec<_>>().join("; ")
}

fn family(nat: &talkie_doctor::report::Nat) -> String {
    nat.family.to_string()
}

fn round_trips(tried: &Tried) -> String {
    let words = |time: Option<Millis>, without: &str| {
        time.map_or_else(|| without.to_owned(), |time| time.to_string())
    };
    format!(
        "direct {}, relayed {}",
        words(tried.direct, "—"),
        words(tried.relayed, if tried.had_relay { "—" } else { "— (no relay)" })
    )
}

#[cfg(test)]
mod tests {
    use talkie_doctor::pair::{CandidateType, Found, Verdict};

    use super::*;

    fn pairing() -> Pairing {
        let found = Found {
            direct: false,
            local: CandidateType::Relay,
            remote: CandidateType::Prflx,
            local_address: "[2001:db8:1234:5678:9abc:def0:1234:5678]:50000".parse().unwrap(),
            remote_address: "192.0.2.10:50001".parse().unwrap(),
            after: Millis(std::time::Duration::from_millis(1600)),
        };
        let relayed = Some(Millis(std::time::Duration::from_millis(21)));
        let tried = Tried { path: Some(found), relayed, had_relay: true, ..Tried::default() };
        let theirs = Found { local: CandidateType::Host, ..found };
        Pairing {
            schema: 1,
            verdict: Verdict {
                outcome: Outcome::Relayed,
                headline: "Relayed: it works.".to_owned(),
                why: vec!["Both NATs are in the way, which takes more than one line ".repeat(3)],
                advice: vec!["Change one.".to_owned()],
            },
            theirs_tried: Some(Tried { path: Some(theirs), ..tried.clone() }),
            tried,
            ours: Side { udp: Some(false), ..Side::default() },
            theirs: Side::default(),
        }
    }

    #[test]
    fn the_answer_names_everything_and_fits() {
        for columns in [40, 80, 200] {
            let text = text(&pairing(), Look { colour: false, columns });
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            // An address is not broken.
            assert!(widest <= columns.clamp(70, WIDEST), "{columns}: {text}");
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for words in [
                "! Relayed: it works.",
                "this side UDP is blocked",
                "the other side its NAT could not be found out",
                // As the other side calls its own end.
                "to host 192.0.2.10:50001, found after 1600 ms",
                "direct —, relayed 21 ms",
                "What to change → Change one.",
            ] {
                assert!(flat.contains(words), "{words}: {text}");
            }
        }
    }

    #[test]
    fn without_advice_there_is_no_heading_for_it() {
        let mut pairing = pairing();
        pairing.verdict.advice.clear();
        let text = text(&pairing, Look { colour: false, columns: 80 });
        assert!(text.contains("Why") && !text.contains("What to change"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
