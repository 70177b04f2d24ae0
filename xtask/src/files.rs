//! Rules about every file of the repository: how long it may be and which words it must not hold.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::command::{output, program, root};

/// A file past this is two files.
const SOURCE_LINES: usize = 800;
/// A web module is read in one go, there being no compiler that guards its seams.
const WEB_MODULE_LINES: usize = 300;
const WEB: &str = "crates/talkie-server/web/";

/// Folders of build machines and hosts of package registries. The first mean nothing to anybody
/// else; the second, in a lock file, break everybody who installs through a mirror. They are
/// spelled in halves so that this file passes its own check.
const FORBIDDEN: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/home", "/"),
    concat!("/Us", "ers/"),
    concat!("index.cra", "tes.io"),
    concat!("static.cra", "tes.io"),
    concat!("registry.np", "mjs"),
    concat!("registry.ya", "rnpkg"),
    concat!("deb.deb", "ian.org"),
    concat!("pypi", ".org"),
    concat!("pythonho", "sted"),
];

/// No source file past [`SOURCE_LINES`], no web module past [`WEB_MODULE_LINES`].
pub(crate) fn sizes() -> Result<String> {
    let files = listed()?;
    let mut seen = 0;
    let mut faults = Vec::new();
    for file in &files {
        let Some(limit) = line_limit(file) else { continue };
        let lines = text(file)?.lines().count();
        seen += 1;
        if lines > limit {
            faults.push(format!("{file} has {lines} lines; at most {limit}"));
        }
    }
    verdict(&faults, format!("{seen} source files"))
}

/// No machine path and no registry host in any text file.
pub(crate) fn words() -> Result<String> {
    let files = listed()?;
    let mut seen = 0;
    let mut faults = Vec::new();
    for file in &files {
        // What is no UTF-8 is a picture or a corpus entry.
        let Ok(text) = text(file) else { continue };
        seen += 1;
        faults.extend(forbidden(&text).map(|(line, word)| format!("{file}:{line} names {word}")));
    }
    verdict(&faults, format!("{seen} text files"))
}

fn verdict(faults: &[String], seen: String) -> Result<String> {
    if !faults.is_empty() {
        bail!("{}", faults.join("\n  "));
    }
    Ok(seen)
}

fn line_limit(file: &str) -> Option<usize> {
    if file.contains("/vendor/") {
        return None;
    }
    let extension = Path::new(file).extension()?.to_str()?;
    match extension {
        "js" | "mjs" if file.starts_with(WEB) => Some(WEB_MODULE_LINES),
        "rs" | "js" | "mjs" | "css" | "sh" | "html" => Some(SOURCE_LINES),
        _ => None,
    }
}

fn forbidden(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    text.lines().enumerate().flat_map(|(index, line)| {
        let words = FORBIDDEN.iter().filter(move |word| line.contains(**word));
        words.map(move |word| (index + 1, *word))
    })
}

/// What git has and what it would add.
fn listed() -> Result<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listing = output(program("git").args(arguments))?;
    let files = listing.split('\0').filter(|file| !file.is_empty());
    // A file deleted and not yet committed is still listed.
    Ok(files.filter(|file| root().join(file).is_file()).map(str::to_owned).collect())
}

fn text(file: &str) -> Result<String> {
    fs::read_to_string(root().join(file)).with_context(|| file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_has_its_limit() {
        assert_eq!(line_limit("crates/talkie-server/web/js/room.js"), Some(WEB_MODULE_LINES));
        assert_eq!(line_limit("crates/talkie-server/web/vendor/x.js"), None);
        assert_eq!(line_limit("crates/talkie-server/src/lib.rs"), Some(SOURCE_LINES));
        assert_eq!(line_limit("docs/images/room.png"), None);
    }

    #[test]
    fn a_forbidden_word_is_found_with_its_line() {
        let text = format!("fine\nsee {}me/file\n", concat!("/home", "/"));
        assert_eq!(forbidden(&text).collect::<Vec<_>>(), [(2, concat!("/home", "/"))]);
        assert_eq!(forbidden("a home/page").count(), 0);
    }
}
