//! The recording as a picture: four plots below each other over the same time.

use std::fmt::Write as _;

use super::Recording;
use super::panels::{Panel, Unit, span};
use crate::svg::{Escaped, Picture};

const WIDTH: i32 = 860;
/// Where time begins and ends.
const LEFT: i32 = 110;
const RIGHT: i32 = 820;
const TOP: i32 = 104;
/// Of a plot, and from one to the next.
const HEIGHT: i32 = 110;
const STEP: i32 = 158;
/// Strokes by flow; from the sixth on they are dashed.
const STROKES: [&str; 5] = ["left-s", "right-s", "good-s", "relay-s", "none-s"];
impl Recording {
    /// SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut picture = Picture::default();
        picture.text(24, 38, "h big", self.title());
        picture.text(24, 60, "f", &format!("SCTP in virtual time: {}.", self.plan.conditions()));
        let panels = self.panels();
        for (at, panel) in (0..).zip(&panels) {
            self.draw(&mut picture, panel, TOP + at * STEP);
        }
        let bottom = TOP + 3 * STEP + HEIGHT;
        for (part, anchor) in [(0, ""), (1, " m"), (2, " e")] {
            let x = LEFT + (RIGHT - LEFT) * part / 2;
            let time = span(self.plan.span * u32::try_from(part).unwrap_or(0) / 2);
            picture.text(x, bottom + 18, &format!("f num{anchor}"), &time);
        }
        let end = self.legend(&mut picture, bottom + 46);
        picture.finish((WIDTH, end + 8), self.title(), &self.description())
    }

    fn title(&self) -> &'static str {
        match self.plan.controllers.len() {
            0 | 1 => "One flow on a line",
            _ => "Flows that share a line",
        }
    }

    fn draw(&self, picture: &mut Picture, panel: &Panel, top: i32) {
        picture.text(24, top - 10, "h", panel.title);
        picture.text(LEFT, top - 10, "f small", panel.words);
        for part in 0..=2 {
            let y = top + HEIGHT * part / 2;
            picture.line((LEFT, y), (RIGHT, y), "line");
            let value = panel.most * f64::from(2 - part) / 2.0;
            picture.text(LEFT - 8, y + 4, "f small num e", &panel.unit.say(value));
        }
        for (flow, curve) in panel.curves.iter().enumerate() {
            let stroke =
                if panel.title == "Queue" { "relay-s" } else { STROKES[flow % STROKES.len()] };
            let mut at = 0;
            for run in curve.split(Option::is_none) {
                polyline(picture, run, (at, curve.len()), (panel.most, top), (stroke, flow));
                at += run.len() + 1;
            }
        }
        if panel.curves.len() > 1 {
            ends(picture, panel, top);
        }
    }

    /// A line for each flow.
    fn legend(&self, picture: &mut Picture, top: i32) -> i32 {
        let mut y = top;
        for (flow, outcome) in self.outcomes().iter().enumerate() {
            let (stroke, dash) = (STROKES[flow % STROKES.len()], dash(flow));
            picture.add(format_args!(
                r#"<line x1="24" y1="{0}" x2="52" y2="{0}" class="arrow {stroke}"{dash}/>"#,
                y - 4
            ));
            let words = format!(
                "{} {}: {}, {:.2}% lost, {} round trip",
                flow + 1,
                outcome.controller,
                Unit::BitsPerSecond.say(outcome.goodput),
                outcome.lost * 100.0,
                outcome.rtt.map_or_else(|| "no".to_owned(), span),
            );
            picture.text(62, y, "t", &words);
            y += 22;
        }
        y
    }

    /// The same in sentences, for those who don't see it.
    fn description(&self) -> String {
        let mut text =
            format!("What congestion control makes of a path: {}.", self.plan.conditions());
        for (flow, outcome) in self.outcomes().iter().enumerate() {
            let _ = write!(
                text,
                " Flow {}, {}: {}, {:.2}% lost.",
                flow + 1,
                outcome.controller,
                Unit::BitsPerSecond.say(outcome.goodput),
                outcome.lost * 100.0,
            );
        }
        let wait = span(self.queue().mean_wait());
        let _ = write!(text, " Packets wait {wait} in the queue on average.");
        if let Some(index) = self.fairness() {
            let _ = write!(text, " Jain's index is {index:.3}.");
        }
        text
    }
}

fn dash(flow: usize) -> &'static str {
    if flow < STROKES.len() { "" } else { r#" stroke-dasharray="5 3""# }
}

/// States one after another that are known, the first being the `at`th of so many.
fn polyline(
    picture: &mut Picture,
    run: &[Option<f64>],
    (at, of): (usize, usize),
    (most, top): (f64, i32),
    (stroke, flow): (&str, usize),
) {
    if run.is_empty() {
        return;
    }
    let mut points = String::new();
    for (number, value) in run.iter().enumerate() {
        let time = (at + number) as f64 / (of - 1).max(1) as f64;
        let x = f64::from(LEFT) + time * f64::from(RIGHT - LEFT);
        let y = f64::from(top) + f64::from(HEIGHT) * (1.0 - height(*value, most));
        let _ = write!(points, "{x:.1},{y:.1} ");
    }
    let (points, dash) = (points.trim_end(), dash(flow));
    picture.add(format_args!(
        r#"<polyline points="{points}" class="arrow {stroke}" stroke-linejoin="round"{dash}/>"#
    ));
}

/// As a share of the scale.
fn height(value: Option<f64>, most: f64) -> f64 {
    (value.unwrap_or(0.0) / most).clamp(0.0, 1.0)
}

/// The flows' numbers where their curves end, moved apart if they would lie on each other.
fn ends(picture: &mut Picture, panel: &Panel, top: i32) {
    let mut labels: Vec<(i32, usize)> = panel
        .curves
        .iter()
        .enumerate()
        .filter_map(|(flow, curve)| {
            let last = curve.iter().rev().find(|value| value.is_some())?;
            let y = f64::from(HEIGHT) * (1.0 - height(*last, panel.most));
            Some((top + y as i32 + 4, flow))
        })
        .collect();
    labels.sort_unstable();
    let mut free = i32::MIN;
    for (y, flow) in labels {
        let y = y.max(free);
        picture.add(format_args!(
            r#"<text x="{}" y="{y}" class="t small num">{}</text>"#,
            RIGHT + 6,
            Escaped(&(flow + 1).to_string())
        ));
        free = y + 11;
    }
}
