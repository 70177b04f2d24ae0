//! Two who meet on a server by a code: what `talkie doctor --pair` and `talkie ice` have in common on the
//! command line and in what they say.

use std::time::Duration;

use clap::{Arg, ArgMatches, value_parser};
use talkie_signaling::pair::{Code, MeetError, ParseCodeError};
use talkie_signaling::{Fingerprint, ServerUrl};

/// Where a server is looked for when none is named.
pub(super) const DEFAULT: &str = "http://localhost:8080";
/// What helps when it broke off in the middle.
pub(super) const ANEW: &str = "start anew on both machines";
/// The words that a code is typed in at the most: a letter each, with a hyphen between the groups.
const WORDS: usize = 23;

/// A code on the command line that is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum CodeError {
    #[error("`{0}` is no code; servers are named by --server")]
    Server(String),
    #[error(transparent)]
    Code(#[from] ParseCodeError),
}

/// The code that the other side has printed.
pub(super) fn code_arg() -> Arg {
    // Spoken and typed in groups, it is as good.
    Arg::new("code").value_name("CODE").num_args(1..=WORDS)
}

/// How long to wait for the other side.
pub(super) fn wait_arg() -> Arg {
    Arg::new("wait")
        .long("wait")
        .value_name("MINUTES")
        .default_value("10")
        .value_parser(value_parser!(u64).range(1..=1440))
}

/// What [`wait_arg()`] says.
pub(super) fn patience(matches: &ArgMatches) -> Duration {
    Duration::from_secs(60 * matches.get_one("wait").copied().unwrap_or(10))
}

/// The code, however many words it was typed in; who gives a server in its place is told how to name
/// one.
pub(super) fn code(matches: &ArgMatches) -> Result<Option<Code>, CodeError> {
    let Some(words) = matches.get_many::<String>("code") else { return Ok(None) };
    let text = words.map(String::as_str).collect::<Vec<_>>().join(" ");
    match text.parse() {
        Ok(code) => Ok(Some(code)),
        Err(_) if text.contains(['.', ':', '/']) => Err(CodeError::Server(text)),
        Err(error) => Err(CodeError::Code(error)),
    }
}

/// What is to be typed on the other side.
pub(super) fn invitation(command: &str, code: &Code, server: &ServerUrl) -> String {
    let url = server.to_string();
    if url == DEFAULT {
        format!("{command} {code}")
    } else {
        format!("{command} {code} --server {url}")
    }
}

/// That nobody vouches for the server's certificate: in three lines, as it is too long for one.
pub(super) fn unvouched(fingerprint: &Fingerprint) -> String {
    let text = fingerprint.to_string();
    let (first, second) = text.split_at(text.len() / 2 + 1);
    format!(
        "! nobody vouches for the server's certificate; the code seals what is said\n  {first}\n  \
         {second}"
    )
}

/// What helps against an error. `start` is the command that makes a code.
pub(super) fn what_to_do(error: &MeetError, server: &ServerUrl, start: &str) -> Option<String> {
    Some(match error {
        MeetError::Nobody(_) => format!(
            "the other machine must still be waiting (`{start}`), both must name the same server, and \
             a code is good for one attempt"
        ),
        MeetError::Mismatch => format!("start anew with `{start}`"),
        MeetError::Busy => format!("a code is for two: start anew with `{start}`"),
        MeetError::Connect(_) if server.to_string() == DEFAULT => {
            "name a talkie serve that both machines reach with --server https://HOST".to_owned()
        }
        MeetError::Connect(_) => format!("`talkie doctor --server {server}` looks into it"),
        MeetError::NobodyCame(_)
        | MeetError::Silent(_)
        | MeetError::Gone { .. }
        | MeetError::Lost(_) => ANEW.to_owned(),
        MeetError::Tampered => "use a server that you trust, or ask who runs this one".to_owned(),
        _ => return None,
    })
}
