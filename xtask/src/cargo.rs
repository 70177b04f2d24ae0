//! The checks that cargo itself does.

use anyhow::Result;

use crate::command::{cargo, run};

const END_TO_END_AT_ONCE: usize = 6;

pub(crate) fn format() -> Result<String> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    Ok("formatted as rustfmt.toml says".into())
}

/// Warnings are errors here and only here: while writing, a warning should not stop a build.
pub(crate) fn clippy() -> Result<String> {
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--keep-going", "--"]).args([
        "--deny",
        "warnings",
        "--deny",
        "clippy::too_many_lines",
    ]))?;
    Ok("no warning, no function past a screen".into())
}

/// Unit, vector, property and socket tests of every crate. The program, which the end-to-end tests start, is
/// built along with those of its own crate; by itself it would get dependencies with fewer features, and half
/// of everything would be compiled twice.
pub(crate) fn tests() -> Result<String> {
    run(cargo().args(["test", "--workspace", "--exclude", "talkie-e2e", "--no-fail-fast"]))?;
    Ok("every crate's tests".into())
}

/// Programs against programs: nearly all of their time is waiting, so that more of them run at once than there are
/// cores. They are chosen by the name of their target and not by their package, which keeps the features of the
/// workspace and thereby what is built.
pub(crate) fn end_to_end() -> Result<String> {
    let threads = format!("--test-threads={END_TO_END_AT_ONCE}");
    run(cargo().args(["test", "--workspace", "--test", "e2e", "--", &threads]))?;
    Ok("the program, its labs, and other implementations".into())
}

pub(crate) fn documentation() -> Result<String> {
    let mut command = cargo();
    command.args(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    run(command.env("RUSTDOCFLAGS", "--deny warnings"))?;
    Ok("no warning".into())
}

pub(crate) fn release_build() -> Result<String> {
    run(cargo().args(["build", "--release", "--package", "talkie-cli"]))?;
    Ok("target/release/talkie".into())
}
