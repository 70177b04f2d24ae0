//! Real Chromium and Firefox against the real program, in a network namespace of their own.

use std::process::ExitCode;

use anyhow::Result;

use crate::command::{program, root, run, target};
use crate::setup::{self, BROWSER_TESTS};
use crate::{cargo, web};

/// Each file by itself, in a fresh network. One that fails is run once more when all are through: two
/// browsers on a busy machine can miss a deadline. That is said, and a second failure is final.
pub(crate) fn run_all() -> Result<String> {
    let tests = web::test_files("calls")?;
    let failed: Vec<&String> = tests.iter().filter(|test| run_file(test, None).is_err()).collect();
    for test in &failed {
        println!("── {test} failed; once more");
        run_file(test, None)?;
    }
    let again = match failed.len() {
        0 => String::new(),
        n => format!(", {n} only at the second try"),
    };
    Ok(format!("{} files{again}", tests.len()))
}

fn run_matching_in_all(name: &str) -> Result<()> {
    web::test_files("calls")?.iter().try_for_each(|test| run_file(test, Some(name)))
}

fn run_file(test: &str, matching: Option<&str>) -> Result<()> {
    let mut command = program(root().join(BROWSER_TESTS).join("namespace.sh"));
    command.arg("node").args(["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    if let Some(name) = matching {
        command.arg(format!("--test-name-pattern={name}"));
    }
    command.env("TALKIE_BINARY", target().join("release/talkie"));
    command.env("TALKIE_SCREENSHOTS", target().join("screenshots"));
    run(command.arg(test))
}

/// For whoever works on one test; nothing but what it needs.
pub(crate) fn run_matching(name: &str) -> ExitCode {
    let done = setup::ensure()
        .and_then(|_| cargo::release_build())
        .and_then(|_| run_matching_in_all(name));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}
