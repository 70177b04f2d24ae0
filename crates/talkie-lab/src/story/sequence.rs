//! The story on a terminal: a sequence diagram, tables and an explanation.
//!
//! A step takes two rows, three where a packet dies: what it is, the arrow with the ports between the
//! lanes (all of the addresses where there is room), and why it died.

use std::net::SocketAddr;

use super::{End, Hop, Item, LANES, Mapping, Note, Pair, Scene, Standing, Step, Story};
use crate::ink::{Canvas, Tone, wrap};
use crate::kinds;
use crate::outcome::Outcome;

/// Where the first lane stands; before it is the time.
const FIRST: usize = 8;
/// Lanes stand no further apart.
const WIDEST: usize = 46;
/// What two full addresses, an arrow between them and some line take.
const ROOM_FOR_ADDRESSES: usize = 45;
/// Text is no wider.
const WIDEST_TEXT: usize = 100;

/// Where things stand.
#[derive(Clone, Copy)]
struct Layout {
    columns: usize,
    /// From lane to lane.
    apart: usize,
}

impl Layout {
    fn new(columns: usize) -> Self {
        let columns = columns.max(64);
        Self { columns, apart: ((columns - FIRST - 4) / 4).min(WIDEST) }
    }

    fn lane(self, lane: usize) -> usize {
        FIRST + lane * self.apart
    }

    fn end(self) -> usize {
        (self.lane(4) + 4).min(self.columns)
    }
}

impl Story {
    /// The parts of the story, to be shown one after the other.
    #[must_use]
    pub fn pages(&self, columns: usize) -> Vec<Canvas> {
        let layout = Layout::new(columns);
        let mut pages = vec![self.opening(layout)];
        for scene in &self.scenes {
            let mut head = Canvas::default();
            head.line(0, Tone::Plain, "");
            head.line(0, Tone::Strong, &scene.title);
            lanes_line(&mut head, layout);
            pages.push(head);
            pages.extend(scene.items.iter().map(|item| draw_item(item, layout)));
        }
        if self.left_out > 0 {
            let mut rest = Canvas::default();
            let words = format!(
                "({} more packets, most of them to and from the relay: --all shows them.)",
                self.left_out
            );
            rest.line(0, Tone::Plain, "");
            rest.paragraph(FIRST, layout.columns, Tone::Faint, &words);
            pages.push(rest);
        }
        pages.push(self.pairs(layout));
        pages.push(self.tables(layout));
        pages.push(self.explanation(layout));
        pages
    }

    fn opening(&self, layout: Layout) -> Canvas {
        let mut canvas = Canvas::default();
        canvas.line(0, Tone::Strong, &self.title());
        for (side, kind, tone) in
            [("left", self.kinds[0], Tone::Left), ("right", self.kinds[1], Tone::Right)]
        {
            let config = kinds::example(kind);
            let row = canvas.line(2, tone, side);
            let words = format!(
                "mapping {}, filtering {}",
                kinds::mapping_words(&config),
                kinds::filtering_words(&config)
            );
            for (line, text) in wrap(&words, layout.columns.min(WIDEST_TEXT) - 8).iter().enumerate()
            {
                canvas.put(row + line, 8, Tone::Plain, text);
            }
        }
        canvas.line(2, Tone::Faint, &self.setting.words());
        canvas.line(0, Tone::Plain, "");
        let row = canvas.height();
        let tones = [Tone::Left, Tone::Left, Tone::Strong, Tone::Right, Tone::Right];
        let legend = canvas.put(row, 0, Tone::Faint, "ms");
        debug_assert!(legend < FIRST);
        for (lane, name) in LANES.iter().enumerate() {
            centre(&mut canvas, row, layout, lane, tones[lane], name);
            centre(&mut canvas, row + 1, layout, lane, Tone::Faint, &self.addresses[lane]);
        }
        canvas
    }

    fn pairs(&self, layout: Layout) -> Canvas {
        let mut canvas = Canvas::default();
        canvas.line(0, Tone::Plain, "");
        canvas.line(0, Tone::Strong, "What became of the pairs of addresses (times in ms)");
        for (side, tone) in [Tone::Left, Tone::Right].into_iter().enumerate() {
            canvas.line(0, Tone::Plain, "");
            canvas.line(2, tone, LANES[side * 4]);
            if self.pairs[side].is_empty() {
                canvas.line(4, Tone::Faint, "(nothing was tried)");
            }
            for pair in &self.pairs[side] {
                draw_pair(&mut canvas, pair, layout);
            }
        }
        canvas
    }

    fn tables(&self, layout: Layout) -> Canvas {
        let mut canvas = Canvas::default();
        canvas.line(0, Tone::Plain, "");
        canvas.line(0, Tone::Strong, "What the NATs remember");
        for (side, name) in ["left NAT", "right NAT"].into_iter().enumerate() {
            let tone = [Tone::Left, Tone::Right][side];
            for (rows, when) in
                [(&self.before[side], "before the first check"), (&self.after[side], "at the end")]
            {
                canvas.line(0, Tone::Plain, "");
                let row = canvas.line(2, tone, name);
                canvas.put(row, 12, Tone::Faint, when);
                draw_table(&mut canvas, rows, layout);
            }
        }
        canvas
    }

    fn explanation(&self, layout: Layout) -> Canvas {
        let mut canvas = Canvas::default();
        canvas.line(0, Tone::Plain, "");
        let tone = match self.outcome {
            Outcome::Direct { .. } => Tone::Good,
            Outcome::Relayed { .. } => Tone::Caution,
            Outcome::Failed => Tone::Bad,
        };
        canvas.line(0, tone, &self.ending());
        for paragraph in &self.why {
            canvas.paragraph(2, layout.columns.min(WIDEST_TEXT), Tone::Plain, paragraph);
        }
        canvas
    }
}

fn draw_pair(canvas: &mut Canvas, pair: &Pair, layout: Layout) {
    /// Behind the longest word for how a pair stands.
    const NAME: usize = 16;
    let tone = match pair.end {
        Standing::Used | Standing::Works => Tone::Good,
        Standing::Unanswered | Standing::Failed => Tone::Bad,
        Standing::Waits | Standing::Unneeded => Tone::Faint,
    };
    let row = canvas.line(4, tone, pair.end.word());
    canvas.put(row, NAME, Tone::Plain, &pair.name());
    canvas.paragraph(NAME + 2, layout.columns.min(WIDEST_TEXT), Tone::Faint, &pair.words());
}

fn draw_table(canvas: &mut Canvas, rows: &[Mapping], layout: Layout) {
    if rows.is_empty() {
        canvas.line(4, Tone::Faint, "(nothing)");
        return;
    }
    let full: Vec<[String; 5]> = cells(rows, |inside| inside.to_string());
    let mut widths = widths_of(&full);
    // Two columns between cells where they fit, else one; the host's address is known from above.
    let fits = |gap: usize, widths: &[usize; 5]| {
        gap * 2 + widths.iter().sum::<usize>() + 4 * gap <= layout.columns
    };
    let gap = if fits(2, &widths) { 2 } else { 1 };
    let cells = match fits(gap, &widths) {
        true => full,
        false => cells(rows, |inside| format!(":{}", inside.port())),
    };
    widths = widths_of(&cells);
    let begin = gap * 2;
    for (number, line) in cells.iter().enumerate() {
        let tone = if number == 0 { Tone::Faint } else { Tone::Plain };
        let row = canvas.line(begin, tone, "");
        let mut at = begin;
        for (cell, width) in line.iter().zip(widths) {
            canvas.put(row, at, tone, cell);
            at += width + gap;
        }
    }
}

/// The heading and the rows.
fn cells(rows: &[Mapping], inside: impl Fn(SocketAddr) -> String) -> Vec<[String; 5]> {
    let heading = ["inside", "outside", "used to", "lets in", "age"].map(str::to_owned);
    let cell = |row: &Mapping| {
        let (to, from) = (row.to.clone(), row.from.clone());
        [protocol(row) + &inside(row.inside), row.outside.to_string(), to, from, age(row)]
    };
    std::iter::once(heading).chain(rows.iter().map(cell)).collect()
}

/// What stands before a row's addresses: nothing where they are of UDP, as nearly all are.
pub(super) fn protocol(row: &Mapping) -> String {
    match row.protocol.as_str() {
        "udp" => String::new(),
        other => format!("{other} "),
    }
}

fn widths_of(cells: &[[String; 5]]) -> [usize; 5] {
    let mut widths = [0; 5];
    for line in cells {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

/// As in textbooks: how long nothing has used it.
pub(super) fn age(row: &Mapping) -> String {
    format!("{:.2}s", row.age.as_secs_f64())
}

fn centre(canvas: &mut Canvas, row: usize, layout: Layout, lane: usize, tone: Tone, text: &str) {
    let width = text.chars().count();
    let begin = layout.lane(lane).saturating_sub(width / 2);
    canvas.put(row, begin.min(layout.columns.saturating_sub(width)), tone, text);
}

fn lanes_line(canvas: &mut Canvas, layout: Layout) -> usize {
    let row = canvas.line(0, Tone::Plain, "");
    for lane in 0..LANES.len() {
        canvas.put(row, layout.lane(lane), Tone::Faint, "│");
    }
    row
}

fn time(canvas: &mut Canvas, row: usize, at: std::time::Duration) {
    canvas.put(row, 0, Tone::Faint, &format!("{:>6.1}", at.as_micros() as f64 / 1000.0));
}

/// Puts text on the lanes so that it begins at its lane, or ends at it where there is no room.
fn text_at(canvas: &mut Canvas, layout: Layout, lane: usize, tone: Tone, text: &str) -> usize {
    let room = layout.end() - FIRST;
    let mut first = None;
    for line in wrap(text, room) {
        let row = lanes_line(canvas, layout);
        let width = line.chars().count();
        let at = match lane {
            0 => FIRST,
            4 => layout.end() - width,
            _ => layout.lane(lane).saturating_sub(width / 2),
        };
        let at = at.clamp(FIRST, layout.end() - width);
        canvas.put(row, at, tone, &line);
        first.get_or_insert(row);
    }
    first.unwrap_or_default()
}

fn draw_item(item: &Item, layout: Layout) -> Canvas {
    let mut canvas = Canvas::default();
    match item {
        Item::Note(note) => draw_note(&mut canvas, note, layout),
        Item::Step(step) => draw_step(&mut canvas, step, layout),
    }
    canvas
}

fn draw_note(canvas: &mut Canvas, note: &Note, layout: Layout) {
    let row = text_at(canvas, layout, note.lane, Tone::Strong, &note.text);
    time(canvas, row, note.at);
}

fn draw_step(canvas: &mut Canvas, step: &Step, layout: Layout) {
    let rightwards = step.from < step.to || step.from == step.to && step.from < 2;
    let words_at = step.lane_of_words();
    let tone = match step.end {
        End::Dropped { .. } => Tone::Bad,
        _ => Tone::Plain,
    };
    let row = text_at(canvas, layout, words_at, tone, &step.label());
    time(canvas, row, step.at);
    draw_arrow(canvas, step, layout, rightwards);
    if let End::Dropped { why } = &step.end {
        text_at(canvas, layout, step.to, Tone::Bad, &format!("✗ {why}"));
    }
}

fn draw_arrow(canvas: &mut Canvas, step: &Step, layout: Layout, rightwards: bool) {
    let row = lanes_line(canvas, layout);
    let tone = match step.end {
        End::Dropped { .. } => Tone::Bad,
        _ if step.from.min(step.to) == 0 && rightwards => Tone::Left,
        _ if step.from.max(step.to) == 4 && !rightwards => Tone::Right,
        _ => Tone::Good,
    };
    let (low, high) = (step.from.min(step.to), step.from.max(step.to));
    for column in layout.lane(low) + 1..layout.lane(high) {
        canvas.put(row, column, tone, "─");
    }
    for lane in low + 1..high {
        // At a NAT the packet gets other addresses; it passes by the server.
        let mark = if lane == 2 { "┼" } else { "●" };
        canvas.put(row, layout.lane(lane), tone, mark);
    }
    let (begin, end) = (layout.lane(step.from), layout.lane(step.to));
    canvas.put(row, begin, tone, if rightwards { "├" } else { "┤" });
    let (head, at) = match (&step.end, rightwards) {
        (End::Dropped { .. }, _) => ("✗", end),
        (End::Flies, true) => ("▷", end - 1),
        (End::Flies, false) => ("◁", end + 1),
        (End::Arrives, true) => ("▶", end - 1),
        (End::Arrives, false) => ("◀", end + 1),
    };
    canvas.put(row, at, tone, head);
    for (number, hop) in step.hops.iter().enumerate() {
        let (from, to) = match rightwards {
            true => (step.from + number, step.from + number + 1),
            false => (step.from - number - 1, step.from - number),
        };
        let label = hop_label(hop, layout, rightwards);
        let (from, to) = (layout.lane(from), layout.lane(to));
        let width = label.chars().count();
        let at = from + 1 + (to - from - 1).saturating_sub(width) / 2;
        canvas.put(row, at, Tone::Plain, &label);
    }
}

/// Always in the direction of the arrow.
fn hop_label(hop: &Hop, layout: Layout, rightwards: bool) -> String {
    let (source, destination) = match layout.apart >= ROOM_FOR_ADDRESSES {
        true => (hop.source.to_string(), hop.destination.to_string()),
        false => (hop.source.port().to_string(), hop.destination.port().to_string()),
    };
    match rightwards {
        true => format!(" {source}→{destination} "),
        false => format!(" {destination}←{source} "),
    }
}

/// So that a scene can be looked at by itself.
impl Scene {
    /// Its packets.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.items.iter().filter_map(|item| match item {
            Item::Step(step) => Some(step),
            Item::Note(_) => None,
        })
    }
}
