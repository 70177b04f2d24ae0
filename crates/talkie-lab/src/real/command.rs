//! `ip` and `nft`, run as a person would run them: whatever a lab does can be done by hand, and what
//! goes wrong is said in the words that manuals explain.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// It is not installed.
    #[error(
        "`{program}` is not installed: apt-get install {package} (or your system's package of that name)"
    )]
    Missing {
        /// The program.
        program: &'static str,
        /// The package that it usually comes in.
        package: &'static str,
    },
    /// It said no.
    #[error("`{program}` failed: {said}")]
    Failed {
        /// The program.
        program: &'static str,
        /// What it wrote to standard error.
        said: String,
    },
    /// It could not be run.
    #[error("cannot run `{program}`: {error}")]
    System {
        /// The program.
        program: &'static str,
        /// What the system says.
        error: io::Error,
    },
}

/// Has `ip` do each line.
pub(super) fn ip(lines: &str) -> Result<(), CommandError> {
    ip_with(&[], lines)
}

/// Has `ip` do each line, told beforehand in which namespace, or for which family of addresses.
pub(super) fn ip_with(options: &[&str], lines: &str) -> Result<(), CommandError> {
    run("ip", "iproute2", &[options, &["-batch", "-"]].concat(), lines)
}

/// Has `nft` load rules, in a namespace.
pub(super) fn nft(namespace: &str, rules: &str) -> Result<(), CommandError> {
    // `nft` itself is looked for first: `ip` would only say that something cannot be executed.
    run("nft", "nftables", &["--version"], "")?;
    run("ip", "iproute2", &["netns", "exec", namespace, "nft", "-f", "-"], rules)
}

fn run(
    program: &'static str,
    package: &'static str,
    words: &[&str],
    input: &str,
) -> Result<(), CommandError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => CommandError::Missing { program, package },
        _ => CommandError::System { program, error },
    };
    let mut child = Command::new(program)
        .args(words)
        // In a group of its own, since Ctrl-C shall not leave a step half done.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // Who does not read to the end says why on standard error.
        let _ = stdin.write_all(input.as_bytes());
    }
    let outcome = child.wait_with_output().map_err(failed)?;
    if outcome.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&outcome.stderr);
    let said = said.lines().next().unwrap_or("it gave no reason").trim().to_owned();
    Err(CommandError::Failed { program, said })
}
