//! That each test which docs/conformance.md names is there: a table of promises is worth as much as what holds
//! them.
//!
//! A name is a word in backticks in a table's last column if that is headed `test`, or anywhere a word that only
//! a test would have (five parts and more). It is a test function, or a module or path of tests; what stands
//! before `::` is in the test's path or a module of its file, and `…` stands for any letters.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::command::{output, program, root};

const TABLES: &str = "docs/conformance.md";

pub(crate) fn check() -> Result<String> {
    let listing = output(program("git").args(["ls-files", "-z"]))?;
    let mut known = Known::default();
    for path in listing.split('\0').filter(|path| path.ends_with(".rs")) {
        // A file deleted and not yet committed is still listed.
        if let Ok(text) = fs::read_to_string(root().join(path)) {
            known.add(path, &text);
        }
    }
    let text = fs::read_to_string(root().join(TABLES)).context(TABLES)?;
    let names = named(&text);
    let faults: Vec<String> = names
        .iter()
        .filter(|(_, name)| !known.has(name))
        .map(|(line, name)| format!("{TABLES}:{line} names `{name}`, which is no test"))
        .collect();
    if !faults.is_empty() {
        bail!("{}", faults.join("\n  "));
    }
    Ok(format!("{} names of tests", names.len()))
}

/// The names of tests, with their lines.
fn named(text: &str) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    // Whether the last column of this table is about tests; none between tables.
    let mut is_tests: Option<bool> = None;
    for (index, line) in text.lines().enumerate() {
        let row = line.strip_prefix('|').and_then(|row| row.trim_end().strip_suffix('|'));
        let last = row.map(|row| row.rsplit('|').next().unwrap_or_default());
        let heads = is_tests.is_none();
        is_tests = last.map(|last| is_tests.unwrap_or_else(|| last.contains("test")));
        let column = last.filter(|_| is_tests == Some(true) && !heads).unwrap_or_default();
        let all = words(line).filter(|word| word.matches('_').count() >= 4);
        let found: BTreeSet<&str> = words(column).chain(all).collect();
        names.extend(found.into_iter().map(|name| (index + 1, name)));
    }
    names
}

/// What stands in backticks and may be a name or a path.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|word| {
        let is_part = |c: char| c.is_alphanumeric() || "_:…/.".contains(c);
        word.chars().all(is_part) && word.contains(|c: char| c.is_ascii_lowercase())
    })
}

/// All tests there are, and where.
#[derive(Default)]
struct Known {
    /// The files that have a test of this name, with the modules in them.
    tests: BTreeMap<String, BTreeSet<String>>,
    modules: BTreeSet<String>,
    paths: BTreeSet<String>,
}

impl Known {
    fn add(&mut self, path: &str, text: &str) {
        let mut place = path.replace(".rs", "/");
        let mut is_test = false;
        let mut found = Vec::new();
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[") {
                is_test |= line.contains("test]") || line.contains("test(");
            } else if let Some(module) = declared(line, "mod ") {
                place = format!("{place}{module}/");
                self.modules.insert(module.to_owned());
            } else if let Some(test) = declared(line, "fn ")
                && std::mem::take(&mut is_test)
            {
                found.push(test.to_owned());
            }
        }
        for test in found {
            self.tests.entry(test).or_default().insert(format!("/{place}"));
        }
        self.modules.extend(
            path.strip_suffix(".rs").and_then(|path| path.rsplit('/').next()).map(str::to_owned),
        );
        self.paths.insert(path.to_owned());
    }

    fn has(&self, name: &str) -> bool {
        if name.contains('/') {
            return self.paths.iter().any(|path| path.contains(name));
        }
        let (within, name) = name.rsplit_once("::").unwrap_or(("", name));
        let within: Vec<String> =
            within.split("::").filter(|it| !it.is_empty()).map(|it| format!("/{it}/")).collect();
        let (head, tail) = name.split_once('…').unwrap_or((name, name));
        let is_it = |test: &str| test.starts_with(head) && test.ends_with(tail);
        let mut places =
            self.tests.iter().filter(|(test, _)| is_it(test)).flat_map(|(_, places)| places);
        let is_within = |place: &String| within.iter().all(|part| place.contains(part));
        places.any(is_within) || self.modules.contains(name)
    }
}

/// What a line declares by this word.
fn declared<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let (before, after) = line.split_once(word)?;
    let is_plain = before
        .split_whitespace()
        .all(|it| it.starts_with("pub") || matches!(it, "async" | "const" | "unsafe"));
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
    (is_plain && end > 0).then_some(&after[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
The text names `a_test_of_five_words` and a `module`.

| § | what | test |
|---|---|---|
| 1 | `Config` and `nobody` | `here::it_works`, `::it_goes_on`, fuzz target `parser`, unit test |
| 2 | not done: `x` | |

| § | what |
|---|---|
| 3 | `nothing` |
";

    #[test]
    fn names_are_in_the_column_of_tests_or_long() {
        let names = ["a_test_of_five_words", "::it_goes_on", "here::it_works", "parser"];
        assert_eq!(named(TEXT), [(1, names[0]), (5, names[1]), (5, names[2]), (5, names[3])]);
    }

    #[test]
    fn a_test_is_known_by_its_name_and_place() {
        let mut known = Known::default();
        known.add(
            "crates/a/tests/it/here.rs",
            "#[test]\nfn it_works() {}\nfn not_it() {}\nmod inner {\n  #[tokio::test]\n  async fn it_goes_on() {}\n}",
        );
        for name in [
            "it_works",
            "::it_works",
            "here::it_works",
            "inner::it_goes_on",
            "it_…_on",
            "here",
            "tests/it",
        ] {
            assert!(known.has(name), "{name}");
        }
        for name in ["it_worked", "there::it_works", "not_it", "it_…_off", "tests/unit"] {
            assert!(!known.has(name), "{name}");
        }
    }
}
