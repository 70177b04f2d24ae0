//! Installs what the tests need beside a Rust toolchain and a C compiler: browsers, coturn's test
//! clients, Node.js and the packages of the browser tests, other ICE stacks. Does nothing where all is
//! there.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};

use crate::command::{output, program, root, run};
use crate::interop;

/// What must be found, and Debian's package that has it. With a slash: a file; else a program.
const NEEDS: &[(&str, &str)] = &[
    ("chromium", "chromium"),
    ("firefox-esr", "firefox-esr"),
    ("turnutils_uclient", "coturn"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("miniupnpd", "miniupnpd-nftables"),
    ("tshark", "tshark"),
    ("unshare", "util-linux"),
    ("python3", "python3"),
    ("pkg-config", "pkg-config"),
    ("/usr/include/nice/agent.h", "libnice-dev"),
    ("/usr/share/fonts/truetype/dejavu", "fonts-dejavu-core"),
];

/// The first Node.js whose test runner has all that the tests use.
const NODE: u32 = 20;

pub(crate) const BROWSER_TESTS: &str = "tests/e2e/browser";

pub(crate) fn ensure() -> Result<String> {
    let mut missing = missing();
    if !interop::python_is_whole() {
        missing.push("python3-venv");
    }
    if !missing.is_empty() {
        install(&missing)?;
    }
    node_version()?;
    let packages = [node_packages()?, interop::build()?].join("; ");
    Ok(match missing.as_slice() {
        [] => format!("browsers, coturn and Node.js are here; {packages}"),
        installed => format!("installed {}; {packages}", installed.join(" ")),
    })
}

fn missing() -> Vec<&'static str> {
    let lacking = NEEDS.iter().filter(|(what, _)| {
        if what.starts_with('/') { !Path::new(what).exists() } else { !on_path(what) }
    });
    lacking.map(|(_, package)| *package).collect()
}

/// Debian keeps some programs in folders that only root's PATH has.
pub(crate) fn on_path(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.into_iter().any(|folder| folder.join(name).is_file())
}

pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let command = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if !on_path("apt-get") {
        bail!("{} is needed; on Debian or Ubuntu: `{command}`", packages.join(", "));
    }
    if output(program("id").arg("-u"))?.trim() != "0" {
        bail!("{} is needed; as root: `{command}`", packages.join(", "));
    }
    let apt = || {
        let mut command = program("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        command
    };
    run(apt().args(["update", "--quiet=2"]))?;
    run(apt().args(["install", "--quiet=2", "--yes", "--no-install-recommends"]).args(packages))?;
    // Only its clients are wanted; its server would take the port that `talkie serve` listens on.
    if packages.contains(&"coturn") && Path::new("/run/systemd/system").exists() {
        run(program("systemctl").args(["disable", "--now", "--quiet", "coturn"]))?;
    }
    Ok(())
}

fn node_version() -> Result<()> {
    let version = output(program("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next();
    let major: u32 = major.and_then(|text| text.parse().ok()).context("node --version")?;
    if major < NODE {
        bail!("the tests need Node.js {NODE} or later, and this is {}", version.trim());
    }
    Ok(())
}

/// `npm ci`, unless the packages there are newer than the lock file.
fn node_packages() -> Result<&'static str> {
    let folder = root().join(BROWSER_TESTS);
    let changed = |name: &str| -> Option<SystemTime> {
        fs::metadata(folder.join(name)).and_then(|file| file.modified()).ok()
    };
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok("Node.js packages as locked");
    }
    let mut npm = program("npm");
    run(npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    Ok("Node.js packages installed")
}
