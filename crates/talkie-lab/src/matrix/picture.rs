//! The matrix as a picture.

use talkie_sim::nat::Preset;

use super::Matrix;
use crate::outcome::{Kind, Verdict, milliseconds};
use crate::svg::{Escaped, Picture};

const CELL: (i32, i32) = (50, 26);
const GAP: i32 = 2;
/// Where the cells begin: right of the names, below the slanted ones.
const LEFT: i32 = 168;
const TOP: i32 = 208;

impl Matrix {
    /// SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        let kinds = &self.plan.kinds;
        let side = i32::try_from(kinds.len()).unwrap_or(i32::MAX);
        let mut picture = Picture::default();
        picture.text(24, 38, "h big", "Who reaches whom through two NATs");
        picture.text(
            24,
            60,
            "f",
            "ICE over UDP: hole punching with STUN, and TURN as the last resort.",
        );
        picture.text(24, 78, "f", &format!("Simulated: {}.", self.conditions()));
        picture.text(LEFT - 14, TOP - 10, "f small e", "left ↓   right →");
        for (at, kind) in (0..).zip(kinds) {
            let y = TOP + at * CELL.1 + 17;
            picture.text(LEFT - 14, y, "t e", kind.name());
            let (x, y) = (LEFT + at * CELL.0 + CELL.0 / 2 - 2, TOP - 10);
            picture.add(format_args!(
                r#"<text transform="translate({x} {y}) rotate(-45)" class="t">{}</text>"#,
                Escaped(kind.name())
            ));
        }
        for (row, left) in (0..).zip(kinds) {
            for (column, right) in (0..).zip(kinds) {
                let verdict = self.verdict(row as usize, column as usize);
                cell(&mut picture, (row, column), (*left, *right), verdict);
            }
        }
        let bottom = TOP + side * CELL.1;
        let legend_end = self.draw_legend(&mut picture, bottom + 28);
        let width = (LEFT + side * CELL.0 + 100).max(600);
        let title = "Who reaches whom through two NATs";
        picture.finish((width, legend_end + 16), title, &self.description())
    }

    fn draw_legend(&self, picture: &mut Picture, top: i32) -> i32 {
        let [direct, sometimes, relay, none] = self.counts();
        let entries = [
            (Kind::Direct, direct, "85", "direct, after so many milliseconds"),
            (Kind::Sometimes, sometimes, "50%", "direct in so many of the runs, else by the relay"),
            (Kind::Relay, relay, "relay", self.relay_words()),
            (Kind::None, none, "none", "no way before the hosts gave up, nor by the relay"),
        ];
        let mut y = top;
        for (kind, count, sample, words) in entries {
            if count > 0 {
                let (fill, text) = classes(kind);
                picture.rect((LEFT, y - 17), (CELL.0 - GAP, CELL.1 - GAP), fill);
                picture.text(LEFT + CELL.0 / 2 - 1, y, &format!("num m {text}"), sample);
                picture.text(LEFT + CELL.0 + 8, y, "t", &format!("{words} ({count} pairs)"));
                y += CELL.1;
            }
        }
        y
    }

    /// The same in sentences, for those who don't see it.
    fn description(&self) -> String {
        let kinds = &self.plan.kinds;
        let mut text = format!("How pairs of NAT types connect, {}.", self.conditions());
        for (row, left) in kinds.iter().enumerate() {
            text += &format!(" {left} with");
            let mut separator = "";
            for (column, right) in kinds.iter().enumerate() {
                text += &format!("{separator} {right}: {}", self.verdict(row, column));
                separator = ",";
            }
            text += ".";
        }
        text
    }
}

fn cell(
    picture: &mut Picture,
    (row, column): (i32, i32),
    (left, right): (Preset, Preset),
    verdict: Verdict,
) {
    let (x, y) = (LEFT + column * CELL.0, TOP + row * CELL.1);
    let (fill, text) = classes(verdict.kind());
    let label = match verdict {
        Verdict::Direct { after } => milliseconds(after).to_string(),
        other => other.label(6),
    };
    picture.add(format_args!("<g><title>{left} with {right}: {verdict}</title>"));
    picture.rect((x, y), (CELL.0 - GAP, CELL.1 - GAP), fill);
    picture.text(x + CELL.0 / 2 - 1, y + 17, &format!("num m {text}"), &label);
    picture.add(format_args!("</g>"));
}

fn classes(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Direct => ("good", "good-t"),
        Kind::Sometimes => ("some", "some-t"),
        Kind::Relay => ("relay", "relay-t"),
        Kind::None => ("none", "none-t"),
    }
}
