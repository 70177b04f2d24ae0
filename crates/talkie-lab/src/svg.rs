//! A picture as SVG text: a frame, a palette that follows the reader's light or dark theme, and the
//! shapes that the pictures here are made of.
//!
//! Pictures stand by themselves (no script, no font or image from elsewhere), so that they can be shown
//! where SVG is an image, as on GitHub. What they show is also said in `<desc>`, and none of it by
//! colour alone.

use std::fmt::{self, Write as _};

/// Colours by purpose; each has a light and a dark value of a contrast of 4.5 : 1 or more to what it
/// stands on.
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
