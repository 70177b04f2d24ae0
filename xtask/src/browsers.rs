//! Real Chromium and Firefox against the real program, in a network namespace of their own.

use std::process::ExitCode;

use anyhow::Result;

use crate::command::{program, root, run, target};
use crate::setup::{self, BROWSER_TESTS};
use crate::{cargo, web};

fn run_tests(matching: Option<&str>) -> Result<String> {
    let tests = web::test_files("calls")?;
    let mut command = program(root().join(BROWSER_TESTS).join("namespace.sh"));
    command.arg("node").args(["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    if let Some(name) = matching {
        command.arg(format!("--test-name-pattern={name}"));
    }
    command.env("TALKIE_BINARY", target().join("release/talkie"));
    command.env("TALKIE_SCREENSHOTS", target().join("screenshots"));
    run(command.args(&tests))?;
    Ok(format!("{} files", tests.len()))
}

pub(crate) fn run_all() -> Result<String> {
    run_tests(None)
}

/// For whoever works on one test; nothing but what it needs.
pub(crate) fn run_matching(name: &str) -> ExitCode {
    let done =
        setup::ensure().and_then(|_| cargo::release_build()).and_then(|_| run_tests(Some(name)));
    match done {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}
