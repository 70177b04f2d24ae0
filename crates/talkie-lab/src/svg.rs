//! A picture as SVG text: a frame, a palette that follows the reader's light or dark theme, and the
//! shapes that the pictures here are made of.
//!
//! Pictures stand by themselves (no script, no font or image from elsewhere), so that they can be shown
//! where SVG is an image, as on GitHub. What they show is also said in `<desc>`, and none of it by
//! colour alone.

use std::fmt::{self, Write as _};

/// Colours by purpose, each with a light and a dark value. Words and arrows have a contrast of 4.5 : 1
/// or more to what they stand on; frames, lanes and rules have less, since they say nothing.
const STYLE: &str = "\
svg{color-scheme:light dark;font-family:system-ui,-apple-system,'Segoe UI',Roboto,\
'Helvetica Neue',Arial,sans-serif;font-size:13px}\
.bg{fill:#fff;stroke:#d1d9e0}.t{fill:#1f2328}.f{fill:#59636e}.h{fill:#1f2328;font-weight:600}\
.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace;font-size:11px}\
.big{font-size:18px}.small{font-size:11px}.num{font-variant-numeric:tabular-nums}\
.b{font-weight:600}\
.halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}\
.m{text-anchor:middle}.e{text-anchor:end}\
.line{stroke:#d1d9e0;stroke-width:1}.lane{stroke:#afb8c1;stroke-width:1.5;stroke-dasharray:2 3}\
.box{fill:#f6f8fa;stroke:#d1d9e0}\
.good{fill:#dafbe1}.some{fill:#ddf4ff}.relay{fill:#fff1c9}.none{fill:#ffe2df}\
.good-t{fill:#0f5323}.some-t{fill:#0a3e8f}.relay-t{fill:#6b4400}.none-t{fill:#99121f}\
.good-s{stroke:#1a7f37}.relay-s{stroke:#9a6700}.none-s{stroke:#cf222e}.left-s{stroke:#0969da}\
.right-s{stroke:#8250df}.left-t{fill:#0550ae}.right-t{fill:#6639ba}\
.arrow{stroke-width:1.75;fill:none}.fill-left{fill:#0969da}.fill-right{fill:#8250df}\
.fill-relay{fill:#9a6700}.fill-none{fill:#cf222e}\
@media(prefers-color-scheme:dark){\
.halo{stroke:#0d1117}.bg{fill:#0d1117;stroke:#3d444d}.t{fill:#f0f6fc}.f{fill:#9198a1}.h{fill:#f0f6fc}\
.line{stroke:#3d444d}.lane{stroke:#59636e}.box{fill:#151b23;stroke:#3d444d}\
.good{fill:#12361f}.some{fill:#0c2d54}.relay{fill:#3d2e07}.none{fill:#4b1419}\
.good-t{fill:#7ee787}.some-t{fill:#a5d6ff}.relay-t{fill:#f2cc60}.none-t{fill:#ffb3ad}\
.good-s{stroke:#3fb950}.relay-s{stroke:#d29922}.none-s{stroke:#f85149}.left-s{stroke:#58a6ff}\
.right-s{stroke:#bc8cff}.left-t{fill:#79c0ff}.right-t{fill:#d2a8ff}\
.fill-left{fill:#58a6ff}.fill-right{fill:#bc8cff}.fill-relay{fill:#d29922}.fill-none{fill:#f85149}}";

/// A picture in the making.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    body: String,
}

/// Text that stands in XML.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                character => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

impl Picture {
    /// Adds markup.
    pub(crate) fn add(&mut self, markup: fmt::Arguments<'_>) {
        self.body.write_fmt(markup).expect("a String takes any text");
        self.body.push('\n');
    }

    /// Text whose baseline begins at a place (or ends, or is centred there, as the class says).
    pub(crate) fn text(&mut self, x: i32, y: i32, class: &str, text: &str) {
        self.add(format_args!(r#"<text x="{x}" y="{y}" class="{class}">{}</text>"#, Escaped(text)));
    }

    /// A rectangle with round corners.
    pub(crate) fn rect(&mut self, (x, y): (i32, i32), (w, h): (i32, i32), class: &str) {
        self.add(format_args!(
            r#"<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="5" class="{class}"/>"#
        ));
    }

    /// A straight line.
    pub(crate) fn line(&mut self, from: (i32, i32), to: (i32, i32), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.add(format_args!(
            r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{class}"/>"#
        ));
    }

    /// Adds another picture's shapes on top.
    pub(crate) fn append(&mut self, other: Self) {
        self.body += &other.body;
    }

    /// The whole file.
    pub(crate) fn finish(self, (w, h): (i32, i32), title: &str, description: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
             height=\"{h}\" role=\"img\" aria-labelledby=\"title desc\">\n\
             <title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n<style>{STYLE}</style>\n\
             <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" class=\"bg\"/>\n{}</svg>\n",
            Escaped(title),
            Escaped(description),
            w - 1,
            h - 1,
            self.body
        )
    }
}

/// A picture with one sign for each number, to compare what it says.
#[cfg(test)]
pub(crate) fn without_figures(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::STYLE;

    /// Colours by class and property, such as `t fill`.
    type Palette = BTreeMap<String, String>;

    /// What words stand on.
    const WORDS: [(&str, &[&str]); 9] = [
        ("t", &["bg", "box"]),
        ("f", &["bg", "box"]),
        ("h", &["bg", "box"]),
        ("left-t", &["bg", "box"]),
        ("right-t", &["bg", "box"]),
        ("none-t", &["bg", "none"]),
        ("good-t", &["bg", "good"]),
        ("some-t", &["some"]),
        ("relay-t", &["relay"]),
    ];
    /// Arrows with their heads and dots.
    const ARROWS: [&str; 9] = [
        "good-s stroke",
        "relay-s stroke",
        "none-s stroke",
        "left-s stroke",
        "right-s stroke",
        "fill-left fill",
        "fill-right fill",
        "fill-relay fill",
        "fill-none fill",
    ];
    /// Grounds, and what says nothing.
    const OTHERS: [&str; 11] = [
        "bg fill",
        "bg stroke",
        "box fill",
        "box stroke",
        "good fill",
        "some fill",
        "relay fill",
        "none fill",
        "line stroke",
        "lane stroke",
        "halo stroke",
    ];

    fn palette(css: &str) -> Palette {
        let mut palette = Palette::new();
        for (selectors, body) in css.split('}').filter_map(|rule| rule.split_once('{')) {
            for (property, value) in body.split(';').filter_map(|one| one.split_once(':')) {
                for class in selectors.split(',').filter(|_| value.starts_with('#')) {
                    let class = class.trim_start_matches('.');
                    palette.insert(format!("{class} {property}"), value.to_owned());
                }
            }
        }
        palette
    }

    /// By the themes' names.
    fn themes() -> [(&'static str, Palette); 2] {
        let (light, dark) = STYLE.split_once("@media(prefers-color-scheme:dark){").unwrap();
        let (light, dark) = (palette(light), palette(dark));
        let mut both = light.clone();
        both.extend(dark);
        [("light", light), ("dark", both)]
    }

    /// WCAG 2.2, relative luminance.
    fn luminance(colour: &str) -> f64 {
        let digits = colour.trim_start_matches('#');
        let channel = |at: usize| {
            let two = match digits.len() {
                3 => digits[at..=at].repeat(2),
                _ => digits[at * 2..at * 2 + 2].to_owned(),
            };
            let value = f64::from(u8::from_str_radix(&two, 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast("#000", "#ffffff") - 21.0).abs() < 1e-9);
        assert!((contrast("#767676", "#fff") - 4.54).abs() < 0.01);
    }

    #[test]
    fn words_and_arrows_can_be_read_on_light_and_on_dark_ground() {
        for (theme, palette) in themes() {
            let words = WORDS.iter().flat_map(|(class, grounds)| {
                grounds.iter().map(move |ground| (format!("{class} fill"), *ground))
            });
            let arrows = ARROWS.iter().map(|arrow| ((*arrow).to_owned(), "bg"));
            for (class, ground) in words.chain(arrows) {
                let contrast = contrast(&palette[&class], &palette[&format!("{ground} fill")]);
                assert!(contrast >= 4.5, "{theme}: {class} on {ground}: {contrast:.2}");
            }
            assert_eq!(palette["halo stroke"], palette["bg fill"], "{theme}");
        }
    }

    #[test]
    fn every_colour_is_judged_and_has_a_light_and_a_dark_value() {
        let (light, dark) = STYLE.split_once("@media(prefers-color-scheme:dark){").unwrap();
        let mut known: Vec<String> =
            WORDS.iter().map(|(class, _)| format!("{class} fill")).collect();
        known.extend(ARROWS.iter().chain(&OTHERS).map(|one| (*one).to_owned()));
        known.sort();
        for (theme, css) in [("light", light), ("dark", dark)] {
            let all: Vec<String> = palette(css).into_keys().collect();
            assert_eq!(all, known, "{theme}");
        }
    }
}
