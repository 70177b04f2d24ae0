//! Leaves the comments of the web app's modules at home: they are a third of what a first visit would
//! load. Lines stay where they are, so that what a browser reports fits the source.
//!
//! No parser: only what starts a line is a comment here, which a unit test of the web app holds every
//! module to (`tests/e2e/browser/unit/shell-comments.test.mjs`).

/// The module without the comments that have lines of their own.
pub(super) fn left_out(module: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(module.len());
    let mut inside = false;
    for line in module.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii();
        let starts = !inside && text.starts_with(b"/*");
        if !(inside || starts || text.starts_with(b"//")) {
            kept.extend_from_slice(line);
            continue;
        }
        let end = text.windows(2).position(|pair| pair == b"*/").map(|at| at + 2);
        match end {
            Some(end) if starts || inside => {
                inside = false;
                kept.extend_from_slice(text.get(end..).unwrap_or_default());
            }
            _ => inside |= starts,
        }
        kept.push(b'\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(module: &str) -> String {
        String::from_utf8(left_out(module.as_bytes())).expect("it was text")
    }

    #[test]
    fn comments_leave_empty_lines() {
        assert_eq!(
            of("/**\n * What it is.\n */\nlet a = 1;\n  // why\n  a += 1;\n"),
            "\n\n\nlet a = 1;\n\n  a += 1;\n"
        );
        assert_eq!(of("/** @type {number} */\nlet a;\n"), "\nlet a;\n");
    }

    #[test]
    fn code_stays() {
        for code in ["let a = b /* c */;\n", "x // y\n", "'/*'\n* 2\n", "a\n*/ /b/\n", ""] {
            assert_eq!(of(code), code);
        }
        assert_eq!(of("/** @type {A} */ (b).c();\n"), " (b).c();\n");
        assert_eq!(of("/* a\n b */ c\n"), "\n c\n");
    }
}
