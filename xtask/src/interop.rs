//! The other ICE stacks that the tests connect to: aioice in a Python environment of its own, and a small
//! program around libnice. Both lie in `target/interop`.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result};

use crate::command::{output, program, root, run, target};

const SOURCE: &str = "tests/e2e/interop";

/// Whether Python can make an environment with pip in it: Debian has that apart.
pub(crate) fn python_is_whole() -> bool {
    let mut python = program("python3");
    python.args(["-c", "import ensurepip, venv"]).stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

pub(crate) fn build() -> Result<&'static str> {
    let folder = target().join("interop");
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let python = python_packages(&folder)?;
    let libnice = libnice_peer(&folder)?;
    Ok(if python || libnice { "ICE peers installed" } else { "ICE peers as locked" })
}

/// aioice, unless the environment was made from the same list.
fn python_packages(folder: &Path) -> Result<bool> {
    let list = root().join(SOURCE).join("requirements.txt");
    let wanted = fs::read(&list)?;
    let made_from = folder.join("requirements.txt");
    if fs::read(&made_from).is_ok_and(|made| made == wanted) {
        return Ok(false);
    }
    let environment = folder.join("python");
    run(program("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = program(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    run(pip.args(["--require-hashes", "--only-binary=:all:", "--requirement"]).arg(&list))?;
    fs::write(&made_from, wanted)?;
    Ok(true)
}

/// The program around libnice, unless it was made from the same source.
fn libnice_peer(folder: &Path) -> Result<bool> {
    let source = root().join(SOURCE).join("libnice_peer.c");
    let wanted = fs::read(&source)?;
    let made_from = folder.join("libnice_peer.c");
    if fs::read(&made_from).is_ok_and(|made| made == wanted) {
        return Ok(false);
    }
    let flags = output(program("pkg-config").args(["--cflags", "--libs", "nice"]))?;
    let mut compile = program("cc");
    compile.args(["-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]);
    compile.arg("-o").arg(folder.join("libnice_peer"));
    run(compile.arg(&source).args(flags.split_whitespace()))?;
    fs::write(&made_from, wanted)?;
    Ok(true)
}
