//! What stacks carry, by how much is under way: both axes logarithmic.

use std::fmt::Write as _;

use super::case::Stack;
use super::windows::Curve;

/// Light and dark, by the reader's theme. Which line is whose is written beside it.
const STYLE: &str = "\
svg{color-scheme:light dark;font-family:system-ui,-apple-system,'Segoe UI',Roboto,\
'Helvetica Neue',Arial,sans-serif;font-size:13px}\
.bg{fill:#fff;stroke:#d1d9e0}.f{fill:#59636e}.h{fill:#1f2328;font-weight:600}\
.big{font-size:18px}.e{text-anchor:end}.m{text-anchor:middle}.num{font-variant-numeric:tabular-nums}\
.line{stroke:#d1d9e0}.curve{fill:none;stroke-width:2.5}.zero{stroke-dasharray:6 4}\
.talkie{stroke:#0969da}.other{stroke:#6e7781}.third{stroke:#9a6700}\
.talkie-f{fill:#0969da}.other-f{fill:#59636e}.third-f{fill:#9a6700}\
@media(prefers-color-scheme:dark){.bg{fill:#0d1117;stroke:#3d444d}.f{fill:#9198a1}.h{fill:#f0f6fc}\
.line{stroke:#3d444d}.talkie{stroke:#58a6ff}.other{stroke:#9198a1}.third{stroke:#d29922}\
.talkie-f{fill:#58a6ff}.other-f{fill:#9198a1}.third-f{fill:#d29922}}";

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 650.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = 386.0;
const TITLE: &str = "What a core carries, by what is under way";
/// Between names that would else stand on each other.
const LINE: f64 = 17.0;

pub(super) fn draw(curves: &[Curve]) -> String {
    let amounts = curves.iter().flat_map(|curve| curve.points.iter().map(|(amount, _)| *amount));
    let (least, most) = (amounts.clone().min().unwrap_or(1), amounts.max().unwrap_or(2));
    let rates = || curves.iter().flat_map(|curve| curve.points.iter().map(|(_, rate)| *rate));
    let low = rates().fold(f64::MAX, f64::min).log10().floor();
    let high = rates().fold(1.0, f64::max).log10().ceil();
    let span = (most as f64 / least as f64).log2().max(1.0);
    let x = |amount: usize| LEFT + (RIGHT - LEFT) * (amount as f64 / least as f64).log2() / span;
    let y = |rate: f64| BOTTOM - (BOTTOM - TOP) * (rate.log10() - low) / (high - low).max(1.0);
    let mut body = String::new();
    text(&mut body, (24.0, 38.0), "h big", TITLE);
    let legend = "SCTP in memory, messages of 16 KiB, both ends on one thread · million bytes per CPU-second";
    text(&mut body, (24.0, 60.0), "f", legend);
    for power in 0..=((high - low) as i32) {
        let rate = 10_f64.powi(low as i32 + power);
        rule(&mut body, (LEFT, y(rate)), (RIGHT, y(rate)));
        text(&mut body, (LEFT - 8.0, y(rate) + 4.0), "f num e", &format!("{rate:.0}"));
    }
    for (amount, _) in &curves[0].points {
        rule(&mut body, (x(*amount), BOTTOM), (x(*amount), BOTTOM + 5.0));
        text(&mut body, (x(*amount), BOTTOM + 20.0), "f num m", &size(*amount));
    }
    let words = "sent and not yet received";
    text(&mut body, (f64::midpoint(LEFT, RIGHT), BOTTOM + 40.0), "f m", words);
    for curve in curves {
        let points = curve.points.iter().fold(String::new(), |mut points, (amount, rate)| {
            let _ = write!(points, "{:.1},{:.1} ", x(*amount), y(*rate));
            points
        });
        let class = class(curve.stack);
        let dash = if curve.zero_checksum { " zero" } else { "" };
        let points = points.trim_end();
        let _ = writeln!(body, r#"<polyline points="{points}" class="curve {class}{dash}"/>"#);
    }
    names(&mut body, curves, |point| (x(point.0), y(point.1)));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">{TITLE}</title>\n<desc id=\"desc\">{}</desc>\n<style>{STYLE}</style>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" class=\"bg\"/>\n{body}</svg>\n",
        said(curves),
        WIDTH - 1.0,
        HEIGHT - 1.0,
    )
}

/// Each name beside its line's end, from the top down.
fn names(body: &mut String, curves: &[Curve], place: impl Fn(&(usize, f64)) -> (f64, f64)) {
    let ends = curves.iter().filter_map(|curve| Some((curve, place(curve.points.last()?))));
    let mut ends: Vec<(&Curve, (f64, f64))> = ends.collect();
    ends.sort_by(|one, other| one.1.1.total_cmp(&other.1.1));
    let mut last = f64::MIN;
    for (curve, (x, y)) in ends {
        let y = (y + 4.0).max(last + LINE);
        last = y;
        text(body, (x + 10.0, y), &format!("{}-f", class(curve.stack)), &curve.name());
    }
}

fn class(stack: Stack) -> &'static str {
    match stack {
        Stack::Talkie => "talkie",
        Stack::SctpProto => "other",
        Stack::Dcsctp => "third",
    }
}

fn size(amount: usize) -> String {
    if amount < 1 << 20 { format!("{} KiB", amount >> 10) } else { format!("{} MiB", amount >> 20) }
}

fn said(curves: &[Curve]) -> String {
    let said = curves.iter().map(|curve| {
        let points =
            curve.points.iter().map(|(amount, rate)| format!("{} {rate:.0}", size(*amount)));
        format!("{}: {}.", curve.name(), points.collect::<Vec<_>>().join(", "))
    });
    said.collect::<Vec<_>>().join(" ")
}

fn rule(body: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(
        body,
        r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="line"/>"#
    );
}

fn text(body: &mut String, (x, y): (f64, f64), class: &str, text: &str) {
    let _ = writeln!(body, r#"<text x="{x:.1}" y="{y:.1}" class="{class}">{text}</text>"#);
}
