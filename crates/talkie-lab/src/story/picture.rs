//! The story as a picture: the sequence diagram, the tables and the explanation.

use super::sequence::{age, protocol};
use super::{End, Item, LANES, Mapping, Note, Standing, Step, Story};
use crate::ink::wrap;
use crate::kinds;
use crate::outcome::Outcome;
use crate::svg::Picture;

const WIDTH: i32 = 1000;
const FIRST: i32 = 140;
const APART: i32 = 190;
const MARGIN: i32 = 24;
/// Characters that fit between the margins.
const TEXT: usize = 138;

impl Story {
    /// SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut sheet = Sheet { picture: Picture::default(), y: 40, flights: Vec::new() };
        self.draw_head(&mut sheet);
        let top = sheet.y;
        // What lies below is drawn first.
        let mut body = Sheet { picture: Picture::default(), y: sheet.y, flights: Vec::new() };
        for scene in &self.scenes {
            body.heading(&scene.title);
            for item in &scene.items {
                match item {
                    Item::Note(note) => body.note(note),
                    Item::Step(step) => body.step(step),
                }
            }
        }
        for lane in 0..LANES.len() {
            sheet.picture.line((x(lane), top), (x(lane), body.y), "lane");
        }
        sheet.picture.append(body.picture);
        sheet.y = body.y;
        self.draw_pairs(&mut sheet);
        self.draw_tables(&mut sheet);
        self.draw_why(&mut sheet);
        let title = self.title();
        sheet.picture.finish((WIDTH, sheet.y + 8), &title, &self.description())
    }

    fn draw_head(&self, sheet: &mut Sheet) {
        sheet.picture.text(MARGIN, sheet.y, "h big", &self.title());
        for (side, (name, class)) in [("left", "left-t"), ("right", "right-t")].iter().enumerate() {
            let config = kinds::example(self.kinds[side]);
            sheet.y += 22;
            sheet.picture.text(MARGIN, sheet.y, &format!("{class} b"), name);
            let words = format!(
                "{}: mapping {}, filtering {}",
                self.kinds[side],
                kinds::mapping_words(&config),
                kinds::filtering_words(&config)
            );
            sheet.picture.text(MARGIN + 44, sheet.y, "t", &words);
        }
        sheet.y += 22;
        sheet.picture.text(MARGIN, sheet.y, "f", &self.setting.words());
        sheet.y += 18;
        let classes = ["left-t", "left-t", "t", "right-t", "right-t"];
        for (lane, name) in LANES.iter().enumerate() {
            sheet.picture.rect((x(lane) - 74, sheet.y), (148, 44), "box");
            let class = format!("{} b m", classes[lane]);
            sheet.picture.text(x(lane), sheet.y + 18, &class, name);
            sheet.picture.text(x(lane), sheet.y + 35, "f mono m", &self.addresses[lane]);
        }
        sheet.y += 44;
    }

    fn draw_pairs(&self, sheet: &mut Sheet) {
        sheet.heading("What became of the pairs of addresses (times in ms)");
        for (side, class) in ["left-t", "right-t"].iter().enumerate() {
            sheet.picture.text(MARGIN, sheet.y + 8, &format!("{class} b"), LANES[side * 4]);
            sheet.y += 28;
            for pair in &self.pairs[side] {
                let class = match pair.end {
                    Standing::Used | Standing::Works => "good-t b",
                    Standing::Unanswered | Standing::Failed => "none-t b",
                    Standing::Waits | Standing::Unneeded => "f",
                };
                sheet.picture.text(MARGIN + 16, sheet.y, class, pair.end.word());
                sheet.picture.text(MARGIN + 104, sheet.y, "t mono", &pair.name());
                sheet.y += 18;
                for line in wrap(&pair.words(), TEXT - 16) {
                    sheet.picture.text(MARGIN + 104, sheet.y, "f", &line);
                    sheet.y += 18;
                }
                sheet.y += 4;
            }
        }
    }

    fn draw_tables(&self, sheet: &mut Sheet) {
        sheet.heading("What the NATs remember");
        for (side, (name, class)) in
            [("left NAT", "left-t"), ("right NAT", "right-t")].iter().enumerate()
        {
            for (rows, when) in
                [(&self.before[side], "before the first check"), (&self.after[side], "at the end")]
            {
                sheet.picture.text(MARGIN, sheet.y + 8, &format!("{class} b"), name);
                sheet.picture.text(MARGIN + 84, sheet.y + 8, "f", when);
                sheet.y += 26;
                sheet.table(rows);
                sheet.y += 10;
            }
        }
    }

    fn draw_why(&self, sheet: &mut Sheet) {
        let (fill, text) = match self.outcome {
            Outcome::Direct { .. } => ("good", "good-t"),
            Outcome::Relayed { .. } => ("relay", "relay-t"),
            Outcome::Failed => ("none", "none-t"),
        };
        sheet.y += 4;
        sheet.picture.rect((MARGIN, sheet.y), (WIDTH - 2 * MARGIN, 30), fill);
        let class = format!("{text} b");
        sheet.picture.text(MARGIN + 12, sheet.y + 20, &class, &self.ending());
        sheet.y += 52;
        for paragraph in &self.why {
            for line in wrap(paragraph, TEXT) {
                sheet.picture.text(MARGIN, sheet.y, "t", &line);
                sheet.y += 19;
            }
            sheet.y += 5;
        }
    }

    /// The same in sentences, for those who don't see it.
    fn description(&self) -> String {
        let mut text = self.ending();
        for item in self.scenes.iter().flat_map(|scene| &scene.items) {
            match item {
                Item::Note(note) => text += &format!(" The {}.", note.text),
                Item::Step(step) => {
                    let (from, to) = (LANES[step.from], LANES[step.to]);
                    let end = match &step.end {
                        End::Arrives => String::new(),
                        End::Flies => ", under way".to_owned(),
                        End::Dropped { why } => format!(", dropped: {why}"),
                    };
                    let (packet, what) = (step.packet, &step.what);
                    text += &format!(" Packet {packet}, {what}, {from} to {to}{end}.");
                }
            }
        }
        for paragraph in &self.why {
            text += " ";
            text += paragraph;
        }
        text
    }
}

fn x(lane: usize) -> i32 {
    FIRST + APART * i32::try_from(lane).unwrap_or_default()
}

struct Sheet {
    picture: Picture,
    y: i32,
    /// Packets that are under way, and since which height.
    flights: Vec<(usize, i32)>,
}

impl Sheet {
    fn heading(&mut self, title: &str) {
        self.y += 16;
        self.picture.rect((MARGIN, self.y), (WIDTH - 2 * MARGIN, 28), "box");
        self.picture.text(MARGIN + 12, self.y + 19, "h", title);
        self.y += 42;
    }

    fn time(&mut self, at: std::time::Duration) {
        let text = format!("{:.1} ms", at.as_micros() as f64 / 1000.0);
        self.picture.text(MARGIN + 62, self.y + 10, "f mono e", &text);
    }

    /// Text that stays between the lanes' ends, beside its own.
    fn beside(&mut self, lane: usize, class: &str, text: &str) {
        let (at, anchor) = match lane {
            0 => (x(0) + 8, ""),
            4 => (x(4) - 8, " e"),
            1 => (x(1).max(x(0) + width(text) / 2), " m"),
            3 => (x(3).min(WIDTH - MARGIN - width(text) / 2), " m"),
            _ => (x(lane), " m"),
        };
        self.picture.text(at, self.y + 10, &format!("{class} halo{anchor}"), text);
    }

    fn note(&mut self, note: &Note) {
        self.time(note.at);
        self.beside(note.lane, if note.lane < 2 { "left-t b" } else { "right-t b" }, &note.text);
        self.y += 26;
    }

    fn step(&mut self, step: &Step) {
        self.time(step.at);
        self.beside(step.lane_of_words(), "t", &step.label());
        self.y += 19;
        self.arrow(step);
        self.y += 20;
        if let End::Dropped { why } = &step.end {
            self.beside(step.to, "none-t", why);
            self.y += 18;
        }
        self.y += 6;
    }

    fn arrow(&mut self, step: &Step) {
        let y = self.y;
        let (from, to) = (x(step.from), x(step.to));
        let sign = (to - from).signum();
        let dropped = matches!(step.end, End::Dropped { .. });
        let colour = match step.sender_side() {
            _ if dropped => "none",
            Some(0) => "left",
            Some(_) => "right",
            None => "relay",
        };
        if step.continues {
            // From where it left off, high above, it comes down to here.
            if let Some(at) = self.flights.iter().position(|(packet, _)| *packet == step.packet) {
                let (_, since) = self.flights.remove(at);
                self.picture.add(format_args!(
                    r#"<path d="M{from} {since}V{y}" class="arrow {colour}-s" stroke-dasharray="3 4"/>"#
                ));
            }
        }
        let end = match step.end {
            End::Arrives => to - sign * 9,
            End::Flies => to,
            End::Dropped { .. } => to - sign * 6,
        };
        self.picture.line((from, y), (end, y), &format!("arrow {colour}-s"));
        match step.end {
            End::Arrives => self.picture.add(format_args!(
                r#"<path d="M{to} {y}l{} -5v10z" class="fill-{colour}"/>"#,
                -sign * 10
            )),
            End::Flies => {
                self.flights.push((step.packet, y));
                self.picture.add(format_args!(
                    r#"<circle cx="{to}" cy="{y}" r="3.5" class="fill-{colour}"/>"#
                ));
            }
            End::Dropped { .. } => self.picture.add(format_args!(
                r#"<path d="M{} {}l12 12m0 -12l-12 12" class="arrow none-s"/>"#,
                to - 6,
                y - 6
            )),
        }
        let (low, high) = (step.from.min(step.to), step.from.max(step.to));
        for lane in low + 1..high {
            if lane != 2 {
                let x = x(lane);
                self.picture.add(format_args!(
                    r#"<circle cx="{x}" cy="{y}" r="4.5" class="fill-{colour}"/>"#
                ));
            }
        }
        for (number, hop) in (0..).zip(&step.hops) {
            let middle = from + sign * (number * APART + APART / 2);
            let (source, destination) = (hop.source.port(), hop.destination.port());
            let label = match sign {
                1 => format!("{source} → {destination}"),
                _ => format!("{destination} ← {source}"),
            };
            self.picture.text(middle, y + 14, "f mono m halo", &label);
        }
    }

    fn table(&mut self, rows: &[Mapping]) {
        const COLUMNS: [(&str, i32); 5] =
            [("inside", 24), ("outside", 200), ("used to", 390), ("lets in", 580), ("age", 770)];
        for (name, at) in COLUMNS {
            self.picture.text(MARGIN + at, self.y, "f small", name);
        }
        let end = (WIDTH - MARGIN, self.y + 6);
        self.picture.line((MARGIN + 24, self.y + 6), end, "line");
        self.y += 21;
        for row in rows {
            let cells = [
                protocol(row) + &row.inside.to_string(),
                row.outside.to_string(),
                row.to.clone(),
                row.from.clone(),
                age(row),
            ];
            for ((_, at), cell) in COLUMNS.iter().zip(cells) {
                self.picture.text(MARGIN + at, self.y, "t mono", &cell);
            }
            self.y += 18;
        }
        if rows.is_empty() {
            self.picture.text(MARGIN + 24, self.y, "f", "(nothing)");
            self.y += 18;
        }
    }
}

/// About how wide a text is.
fn width(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(0) * 7
}
