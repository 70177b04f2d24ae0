//! SCTP in memory: both ends on one thread, no sockets, no DTLS, and a clock that only these two have.
//!
//! talkie's association, `sctp-proto` and `dcsctp` carry the same messages over a line that loses nothing and
//! takes a millisecond each way. The stacks take turns; what they spend inside of their own functions is
//! counted ([`meter`]), and what the line spends is not. How many bytes are sent and not yet received is up
//! to the application, and what that costs differs much from stack to stack: so each shows what it can do
//! with the amount that it likes best ([`rates`]), and then all with the same amounts ([`windows`]).
//!
//! `dcsctp` 0.1.16 writes each packet as text before it asks whether anybody wants to read that. `cargo xtask
//! bench sctp` measures it with that question asked first; without xtask it is taken as it is published.

mod case;
mod chart;
mod counts;
mod dcsctp;
mod idle;
mod line;
mod meter;
mod ours;
mod rates;
mod sctp_proto;
mod windows;

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};

pub(crate) use self::counts::{carry_for_counting, run as count};
pub(crate) use self::idle::hold;

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let (mut rounds, mut only, mut svg) = (3, String::new(), None);
    for pair in words.chunks(2) {
        match pair {
            ["--rounds", count] => rounds = count.parse()?,
            ["--only", text] => only = (*text).to_owned(),
            ["--svg", file] => svg = Some(PathBuf::from(file)),
            other => bail!("unknown option {other:?}"),
        }
    }
    ensure!(rounds > 0, "nothing would be measured");
    rates::run(rounds, &only)?;
    if only.is_empty() {
        windows::run(rounds, svg.as_deref())?;
        idle::run()?;
    }
    Ok(())
}
