//! The table as bars: full as far as both sides have a pair, then open until one is nominated.

use std::fmt::Write as _;

use super::Row;

/// Light and dark, by the reader's theme. Which bar is whose is written beside it.
const STYLE: &str = "\
svg{color-scheme:light dark;font-family:system-ui,-apple-system,'Segoe UI',Roboto,\
'Helvetica Neue',Arial,sans-serif;font-size:13px}\
.bg{fill:#fff;stroke:#d1d9e0}.t{fill:#1f2328}.f{fill:#59636e}.h{fill:#1f2328;font-weight:600}\
.big{font-size:18px}.e{text-anchor:end}.m{text-anchor:middle}.num{font-variant-numeric:tabular-nums}\
.line{stroke:#d1d9e0}.talkie{fill:#0969da;stroke:#0969da}.other{fill:#6e7781;stroke:#6e7781}\
.open{fill-opacity:.18}\
@media(prefers-color-scheme:dark){.bg{fill:#0d1117;stroke:#3d444d}.t{fill:#f0f6fc}.f{fill:#9198a1}\
.h{fill:#f0f6fc}.line{stroke:#3d444d}.talkie{fill:#58a6ff;stroke:#58a6ff}\
.other{fill:#9198a1;stroke:#9198a1}}";

const WIDTH: usize = 860;
/// Where bars begin and the longest ends.
const BARS: (f64, f64) = (110.0, 740.0);
const TOP: usize = 96;
/// A bar with its gap, and a topology's heading with its.
const BAR: usize = 22;
const HEADING: usize = 34;

pub(super) fn draw(rows: &[Row]) -> String {
    let groups: Vec<&[Row]> = rows.chunk_by(|one, next| one.topology == next.topology).collect();
    let height = TOP + groups.len() * HEADING + rows.len() * BAR + 40;
    let longest = rows.iter().map(|row| row.nominated.max(row.both)).fold(1.0, f64::max);
    let scale = (BARS.1 - BARS.0) / longest;
    let mut body = String::new();
    grid(&mut body, longest, scale, height - 34);
    let mut y = TOP;
    for group in &groups {
        y += HEADING;
        text(&mut body, (24.0, y - 10), "h", group[0].topology);
        for row in *group {
            bar(&mut body, row, y, scale);
            y += BAR;
        }
    }
    let said = rows.iter().fold(String::new(), |mut said, row| {
        let Row { topology, both, nominated, .. } = row;
        let _ = write!(
            said,
            "{topology}, {}: both have a pair after {both:.2}, one is nominated after {nominated:.2}. ",
            row.stack.name()
        );
        said
    });
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">Round trips until two hosts are connected</title>\n\
         <desc id=\"desc\">{}</desc>\n<style>{STYLE}</style>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" class=\"bg\"/>\n{body}</svg>\n",
        said.trim_end(),
        WIDTH - 1,
        height - 1,
    )
}

fn grid(body: &mut String, longest: f64, scale: f64, bottom: usize) {
    text(body, (24.0, 40), "h big", "Round trips until two hosts are connected");
    let legend = "full: until both sides have a pair that works · open: until one is nominated";
    text(body, (24.0, 62), "f", legend);
    let mut trips = 0.0;
    // With a very long bar not each round trip has a line.
    let step = (longest / 12.0).ceil().max(1.0);
    while trips <= longest {
        let x = BARS.0 + trips * scale;
        let _ = writeln!(
            body,
            r#"<line x1="{x:.1}" y1="{}" x2="{x:.1}" y2="{bottom}" class="line"/>"#,
            TOP - 4
        );
        text(body, (x, TOP - 10), "f num m", &format!("{trips:.0}"));
        trips += step;
    }
}

fn bar(body: &mut String, row: &Row, y: usize, scale: f64) {
    let class = if row.stack.name() == "talkie" { "talkie" } else { "other" };
    let (full, open) = (row.both * scale, (row.nominated - row.both).max(0.0) * scale);
    let baseline = y + 13;
    text(body, (BARS.0 - 8.0, baseline), "t e", row.stack.name());
    let rect = |body: &mut String, x: f64, width: f64, class: &str| {
        let _ = writeln!(
            body,
            r#"<rect x="{x:.1}" y="{}" width="{width:.1}" height="14" class="{class}"/>"#,
            y + 1
        );
    };
    rect(body, BARS.0, full, class);
    rect(body, BARS.0 + full, open, &format!("{class} open"));
    let end = BARS.0 + full + open + 8.0;
    let figures = format!("{:.2} · {:.2}", row.both, row.nominated);
    text(body, (end, baseline), "f num", &figures);
}

fn text(body: &mut String, (x, y): (f64, usize), class: &str, text: &str) {
    let _ = writeln!(body, r#"<text x="{x:.1}" y="{y}" class="{class}">{text}</text>"#);
}
