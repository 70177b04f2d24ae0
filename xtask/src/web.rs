//! The web app without a browser: types by `tsc`, mistakes by ESLint, and unit tests of what needs no
//! page.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::command::{program, root, run};
use crate::setup::BROWSER_TESTS;

const WEB_TYPES: &str = "crates/talkie-server/web/jsconfig.json";

/// The web app's JSDoc types, and the browser tests' own.
pub(crate) fn types() -> Result<String> {
    let tsc = format!("{BROWSER_TESTS}/node_modules/.bin/tsc");
    for project in [WEB_TYPES, BROWSER_TESTS] {
        run(program(root().join(&tsc)).args(["--noEmit", "--project", project]))?;
    }
    Ok("tsc --checkJs --strict: no error".into())
}

pub(crate) fn units() -> Result<String> {
    let tests = test_files("unit")?;
    run(program("node").args(["--test", "--test-reporter=spec"]).args(&tests))?;
    Ok(format!("{} files", tests.len()))
}

/// What a linter finds in the web app, its worker, and the browser tests.
pub(crate) fn lint() -> Result<String> {
    let eslint = format!("{BROWSER_TESTS}/node_modules/.bin/eslint");
    let config = format!("{BROWSER_TESTS}/eslint.config.mjs");
    let mut command = program(root().join(eslint));
    command.args(["--config", &config, "--max-warnings=0", "crates/talkie-server/web"]);
    run(command.arg(BROWSER_TESTS))?;
    Ok("eslint: nothing found".into())
}

/// The `*.test.mjs` of a folder of the browser tests, in order of their names.
pub(crate) fn test_files(folder: &str) -> Result<Vec<String>> {
    let folder = format!("{BROWSER_TESTS}/{folder}");
    let entries = fs::read_dir(root().join(&folder)).with_context(|| folder.clone())?;
    let mut tests = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".test.mjs") {
            tests.push(format!("{folder}/{name}"));
        }
    }
    if tests.is_empty() {
        bail!("{folder} has no *.test.mjs");
    }
    tests.sort();
    Ok(tests)
}
