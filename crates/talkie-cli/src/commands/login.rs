//! Name and password of TURN servers on the command line.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, value_parser};

/// The password's file is of no use.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the password from {}: {source}", path.display())]
pub(super) struct PasswordError {
    path: PathBuf,
    source: std::io::Error,
}

/// The flags that give them.
pub(super) fn args() -> [Arg; 3] {
    let flag = |name: &'static str| Arg::new(name).long(name);
    [
        flag("user").value_name("NAME").requires("secret").help("User of the TURN servers"),
        flag("password")
            .value_name("PASSWORD")
            .group("secret")
            .requires("user")
            .help("Password; other users of this machine can read the command line"),
        flag("password-file")
            .value_name("FILE")
            .group("secret")
            .requires("user")
            .value_parser(value_parser!(PathBuf))
            .help("File that holds the password"),
    ]
}

/// The password that was given, in whichever way; empty if none was.
pub(super) fn password(matches: &ArgMatches) -> Result<String, PasswordError> {
    let Some(path) = matches.get_one::<PathBuf>("password-file") else {
        return Ok(matches.get_one::<String>("password").cloned().unwrap_or_default());
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
        Err(source) => Err(PasswordError { path: path.clone(), source }),
    }
}
