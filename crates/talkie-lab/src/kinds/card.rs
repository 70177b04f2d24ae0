//! A type of NAT on a card: its name, the words of the RFCs, three sentences and a drawing.

use std::time::Instant;

use talkie_sim::nat::Preset;

use super::sketch::Sketch;
use super::{classic_name, example, filtering_words, mapping_words, other_words, port_words};
use crate::ink::{Canvas, Tone};

/// The most columns that sentences take: longer lines are hard to read.
const WIDEST: usize = 88;

/// The card of a type, as wide as `columns`.
#[must_use]
pub fn card(preset: Preset, columns: usize, now: Instant) -> Canvas {
    let mut canvas = heading(preset);
    canvas.paragraph(2, columns.min(WIDEST), Tone::Plain, preset.description());
    canvas.line(0, Tone::Plain, "");
    canvas.append(Sketch::of(preset, now).draw());
    canvas
}

/// All that there is to say about a type.
#[must_use]
pub fn detail(preset: Preset, columns: usize, now: Instant) -> Canvas {
    let mut canvas = card(preset, columns, now);
    let config = example(preset);
    canvas.line(0, Tone::Plain, "");
    let ports = ("ports", port_words(&config));
    for (name, words) in std::iter::once(ports).chain(other_words(&config)) {
        field(&mut canvas, name, &words);
    }
    canvas
}

fn heading(preset: Preset) -> Canvas {
    let config = example(preset);
    let mut canvas = Canvas::default();
    canvas.line(0, Tone::Strong, preset.name());
    field(&mut canvas, "RFC 4787", &format!("mapping {}", mapping_words(&config)));
    field(&mut canvas, "", &format!("filtering {}", filtering_words(&config)));
    field(&mut canvas, "RFC 3489", classic_name(&config));
    canvas.line(0, Tone::Plain, "");
    canvas
}

fn field(canvas: &mut Canvas, name: &str, words: &str) {
    let row = canvas.line(2, Tone::Faint, name);
    canvas.put(row, 16, Tone::Plain, words);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ink::Ink;

    #[test]
    fn cards_fit_the_terminal() {
        for preset in Preset::all() {
            for columns in [80, 200] {
                let card = detail(preset, columns, Instant::now());
                for line in card.lines(Ink::PLAIN) {
                    assert!(line.chars().count() <= 80.max(WIDEST.min(columns)), "{line}");
                }
            }
        }
    }

    #[test]
    fn a_card_names_the_behaviours_and_the_classic_type() {
        let card = card(Preset::PortRestricted, 80, Instant::now()).text(Ink::PLAIN);
        assert!(
            card.starts_with(
                "port-restricted
  RFC 4787      mapping endpoint-independent
                filtering address and port-dependent
  RFC 3489      port restricted cone

  An inside port has one outside port, whomever it talks to."
            ),
            "{card}"
        );
    }

    #[test]
    fn where_udp_is_blocked_the_behaviours_are_those_of_tcp() {
        let card = card(Preset::UdpBlocked, 80, Instant::now()).text(Ink::PLAIN);
        assert!(card.contains("mapping endpoint-independent (TCP's; UDP is blocked)"), "{card}");
    }

    #[test]
    fn ascii_cards_are_ascii() {
        for preset in Preset::all() {
            let text =
                detail(preset, 80, Instant::now()).text(Ink { colour: false, unicode: false });
            assert!(text.is_ascii() && !text.contains('?'), "{text}");
        }
    }
}
