//! A check with a name: run in order, timed, and stopped at the first that fails.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// One check. It returns what it looked at, in a few words, so that a check that looked at nothing
/// is seen.
pub(crate) struct Step {
    name: &'static str,
    run: fn() -> anyhow::Result<String>,
}

impl Step {
    pub(crate) const fn new(name: &'static str, run: fn() -> anyhow::Result<String>) -> Self {
        Self { name, run }
    }
}

/// Runs the steps until one fails. The last line printed is the count of both kinds.
pub(crate) fn run_all(steps: impl IntoIterator<Item = Step>) -> ExitCode {
    let begun = Instant::now();
    let mut passed = Vec::new();
    for step in steps {
        println!("── {}", step.name);
        let started = Instant::now();
        match (step.run)() {
            Ok(seen) => {
                println!("   {} ok in {}: {seen}", step.name, seconds(started.elapsed()));
                passed.push((step.name, started.elapsed()));
            }
            Err(error) => {
                summary(&passed, begun.elapsed());
                eprintln!("✗ {} failed: {error:#}", step.name);
                println!("xtask: {} passed, 1 failed", passed.len());
                return ExitCode::FAILURE;
            }
        }
    }
    summary(&passed, begun.elapsed());
    println!("xtask: {} passed, 0 failed", passed.len());
    ExitCode::SUCCESS
}

fn summary(passed: &[(&str, Duration)], total: Duration) {
    println!("──");
    for (name, took) in passed {
        println!("   {name:<16} {:>8}", seconds(*took));
    }
    println!("   {:<16} {:>8}", "total", seconds(total));
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
