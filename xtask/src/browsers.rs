//! Real Chromium and Firefox against the real program, in network namespaces of their own.
//!
//! Most of these tests wait more than they compute, so that two files run at a time, each in its own
//! namespace. A file that says `// Runs alone: …` takes both cores, or measures something that a neighbour
//! would disturb.

use std::collections::VecDeque;
use std::fs;
use std::io::Write as _;
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail};

use crate::command::{program, root, run, target};
use crate::setup::{self, BROWSER_TESTS};
use crate::{cargo, web};

/// How many files run at a time.
const LANES: usize = 2;

/// Each file by itself, in a fresh network. One that fails is run once more when all are through: two
/// browsers on a busy machine can miss a deadline. That is said, and a second failure is final.
pub(crate) fn run_all() -> Result<String> {
    let tests = web::test_files("calls")?;
    let (alone, together) = parted(&tests)?;
    let mut failed = run_in_lanes(&together);
    failed.extend(alone.into_iter().filter(|test| run_file(test).is_err()));
    for test in &failed {
        println!("── {test} failed; once more");
        run_file(test)?;
    }
    let again = match failed.len() {
        0 => String::new(),
        n => format!(", {n} only at the second try"),
    };
    Ok(format!("{} files{again}", tests.len()))
}

/// The files that run alone, and the others.
fn parted(tests: &[String]) -> Result<(Vec<&str>, VecDeque<&str>)> {
    let mut alone = Vec::new();
    let mut together = VecDeque::new();
    for test in tests {
        let text = fs::read_to_string(root().join(test)).with_context(|| test.clone())?;
        if text.lines().any(|line| line.starts_with("// Runs alone: ")) {
            alone.push(test.as_str());
        } else {
            together.push_back(test.as_str());
        }
    }
    Ok((alone, together))
}

/// Runs files beside each other and returns those that failed. What a file prints is shown when it has
/// ended, in one piece.
fn run_in_lanes<'a>(tests: &VecDeque<&'a str>) -> Vec<&'a str> {
    let waiting = Mutex::new(tests.clone());
    let failed = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|lanes| {
        for _ in 0..LANES {
            lanes.spawn(|| {
                while let Some(test) = next() {
                    if let Err(error) = run_quietly(test) {
                        println!("{error:#}");
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(test);
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn run_quietly(test: &str) -> Result<()> {
    let output = node(test, None).output().context("cannot start node")?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&output.stdout)?;
    stdout.write_all(&output.stderr)?;
    if !output.status.success() {
        bail!("{test} ended with {}", output.status);
    }
    Ok(())
}

fn run_file(test: &str) -> Result<()> {
    run(&mut node(test, None))
}

fn node(test: &str, matching: Option<&str>) -> Command {
    let mut command = program(root().join(BROWSER_TESTS).join("namespace.sh"));
    command.args(["node", "--test", "--test-reporter=spec", "--test-concurrency=1"]);
    if let Some(name) = matching {
        command.arg(format!("--test-name-pattern={name}"));
    }
    command.env("TALKIE_BINARY", target().join("release/talkie"));
    command.env("TALKIE_SCREENSHOTS", target().join("screenshots"));
    command.arg(test);
    command
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

fn run_matching_in_all(name: &str) -> Result<()> {
    let tests = web::test_files("calls")?;
    tests.iter().try_for_each(|test| run(&mut node(test, Some(name))))
}
