//! A QR code made of half blocks: one character holds two modules, one above the other.
//!
//! With colour each character sets black and white itself, so that the code has its light quiet
//! zone on every background. Without colour the light modules are drawn as blocks, which gives a
//! correct code on a dark terminal and an inverted one, which most phones read too, on a light
//! terminal.

use qrcode::{Color, EcLevel, QrCode};

use super::paint::Line;

/// The light border that scanners want. ISO/IEC 18004 asks for four modules; phones are content
/// with two, and the code then fits beside text on a terminal of 80 columns.
const QUIET: usize = 2;

/// Black on white, whatever the terminal's theme makes of colours 0 and 7.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// The lines of a QR code for `text`; `None` if it is too long for one.
pub(crate) fn lines(text: &str, colour: bool) -> Option<Vec<Line>> {
    // Level L: what damages a code on paper does not happen on a screen, and fewer modules are
    // larger ones to the camera.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let modules = Modules { width: code.width(), colors: code.to_colors() };
    let side = modules.width + 2 * QUIET;
    let rows = (0..side).step_by(2).map(|top| {
        let half_blocks: String = (0..side)
            .map(|x| {
                let (upper, lower) = (modules.is_dark(x, top), modules.is_dark(x, top + 1));
                half_block(upper, lower, colour)
            })
            .collect();
        match colour {
            true => Line::raw(format!("{BLACK_ON_WHITE}{half_blocks}{RESET}"), side),
            false => Line::raw(half_blocks, side),
        }
    });
    Some(rows.collect())
}

struct Modules {
    width: usize,
    colors: Vec<Color>,
}

impl Modules {
    /// The module at a position that counts the quiet zone, which is light, as is what lies
    /// beyond the lower edge when the number of rows is odd.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = QUIET..QUIET + self.width;
        inside.contains(&x)
            && inside.contains(&y)
            && self.colors[(y - QUIET) * self.width + (x - QUIET)] == Color::Dark
    }
}

/// With colour the ink is black and draws what is dark; without it draws what is light.
fn half_block(upper_dark: bool, lower_dark: bool, colour: bool) -> char {
    match (upper_dark == colour, lower_dark == colour) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://192.168.1.20:8443/";

    /// Reads the picture back into modules, `true` for dark.
    fn read_back(lines: &[Line], colour: bool) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in lines {
            let text = line.as_str().trim_start_matches(BLACK_ON_WHITE).trim_end_matches(RESET);
            let ink = |glyphs: [char; 2]| -> Vec<bool> {
                text.chars().map(|c| glyphs.contains(&c) == colour).collect()
            };
            rows.push(ink(['█', '▀']));
            rows.push(ink(['█', '▄']));
        }
        rows
    }

    #[test]
    fn picture_holds_the_code_within_its_quiet_zone() {
        let code = QrCode::with_error_correction_level(URL, EcLevel::L).unwrap();
        let width = code.width();
        for colour in [true, false] {
            let lines = lines(URL, colour).unwrap();
            assert_eq!(lines.len(), (width + 2 * QUIET).div_ceil(2));
            let picture = read_back(&lines, colour);
            for (y, row) in picture.iter().enumerate() {
                assert_eq!(row.len(), width + 2 * QUIET);
                for (x, dark) in row.iter().enumerate() {
                    let inside = QUIET..QUIET + width;
                    let expected = inside.contains(&x)
                        && inside.contains(&y)
                        && code[(x - QUIET, y - QUIET)] == Color::Dark;
                    assert_eq!(*dark, expected, "module {x},{y}, colour {colour}");
                }
            }
        }
    }

    #[test]
    fn finder_pattern_is_where_a_scanner_looks() {
        let lines = lines("A", true).unwrap();
        assert_eq!(lines[0].columns(), 21 + 2 * QUIET);
        // Quiet rows, then the upper edge of two finder patterns and the gap inside them.
        let row = lines[1].as_str();
        assert!(row.contains("  █▀▀▀▀▀█ "), "{row}");
        let row = lines[2].as_str();
        assert!(row.contains("  █ ███ █ "), "{row}");
    }

    #[test]
    fn too_long_a_text_has_no_code() {
        assert_eq!(lines(&"x".repeat(3_000), true), None);
    }
}
