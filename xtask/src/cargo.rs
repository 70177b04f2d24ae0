//! The checks that cargo itself does.

use anyhow::Result;

use crate::command::{cargo, run};

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
    run(cargo().args(["test", "--workspace", "--no-fail-fast"]))?;
    Ok("every crate's tests".into())
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
