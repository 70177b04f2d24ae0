//! `cargo xtask`: the project's chores, written in Rust so that they run wherever the project builds.

mod arrows;
mod bench;
mod browsers;
mod cargo;
mod command;
mod conformance;
mod dependencies;
mod files;
mod interop;
mod screenshots;
mod setup;
mod step;
mod web;

use std::process::ExitCode;

use step::{Step, run_all};

const HELP: &str = "\
cargo xtask: the project's chores

Usage: cargo xtask <COMMAND>

Commands:
  test              everything CI checks, cheap checks first; stops at the first failure
  test fast         format, file sizes, forbidden words, crate arrows, dependencies,
                    tests that docs/conformance.md names
  test unit         clippy, the tests of all crates, documentation
  test web          types and unit tests of the web app
  test browsers     release build, then real Chromium and Firefox against the real binary;
                    `test browsers NAME` runs only the tests whose name matches
  bench sctp        SCTP beside other stacks, instructions per packet (by valgrind, which is
                    installed if it is missing), the tables of docs/sctp.md; some minutes
  setup             install what the tests need (Debian and Ubuntu, as root); elsewhere say what
  screenshots       copy the screenshots that the README shows to docs/images/
  help              this text

`cargo xtask test` runs `setup` itself when a step needs it.
Screenshots of the browser tests are left in target/screenshots/.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => {
            let groups = [fast(), vec![SETUP], unit(), web(), browser_tests()];
            run_all(groups.into_iter().flatten())
        }
        ["test", "fast"] => run_all(fast()),
        ["test", "unit"] => run_all(std::iter::once(SETUP).chain(unit())),
        ["test", "web"] => run_all(std::iter::once(SETUP).chain(web())),
        ["test", "browsers"] => run_all(std::iter::once(SETUP).chain(browser_tests())),
        ["test", "browsers", name] => browsers::run_matching(name),
        ["bench", "sctp"] => run_all([Step::new("SCTP", bench::sctp)]),
        ["setup"] => run_all([SETUP]),
        ["screenshots"] => run_all([Step::new("screenshots", screenshots::copy_to_docs)]),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        other => {
            eprintln!("cargo xtask: no command `{}`\n\n{HELP}", other.join(" "));
            ExitCode::from(2)
        }
    }
}

const SETUP: Step = Step::new("setup", setup::ensure);

fn fast() -> Vec<Step> {
    vec![
        Step::new("format", cargo::format),
        Step::new("file sizes", files::sizes),
        Step::new("forbidden words", files::words),
        Step::new("crate arrows", arrows::check),
        Step::new("dependencies", dependencies::check),
        Step::new("conformance", conformance::check),
    ]
}

fn unit() -> Vec<Step> {
    vec![
        Step::new("clippy", cargo::clippy),
        Step::new("tests", cargo::tests),
        Step::new("end to end", cargo::end_to_end),
        Step::new("documentation", cargo::documentation),
    ]
}

fn web() -> Vec<Step> {
    vec![
        Step::new("web types", web::types),
        Step::new("web lint", web::lint),
        Step::new("web units", web::units),
    ]
}

fn browser_tests() -> Vec<Step> {
    vec![Step::new("release build", cargo::release_build), Step::new("browsers", browsers::run_all)]
}
