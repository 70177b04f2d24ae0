//! How it looks: on a terminal a table at the foot of the screen with the conversation above it; without one
//! plain lines; for programs an object a line.

mod console;
mod editor;
mod json;
mod keys;
mod panel;
mod plain;
mod table;

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::time::Duration;

use talkie_signaling::pair::Code;
use talkie_signaling::{Fingerprint, ServerUrl};
use talkie_traversal::ice::gather::Problem;
use talkie_traversal::ice::predict::NoGuess;
use talkie_traversal::ice::{Candidate, ConnectionState, GatheringState, Pair, Story};

use super::board::Board;
use super::lines::Typed;
use super::settings::Settings;
use crate::terminal;

/// What happens.
#[derive(Debug)]
pub(super) enum News<'a> {
    /// Nobody vouches for the certificate of the server where the two meet.
    Unvouched(Fingerprint),
    /// The other side can come.
    Waiting { code: &'a Code, server: &'a ServerUrl, patience: Duration },
    /// The other side is there.
    Met { version: &'a str },
    /// The block for the other side.
    Block(&'a [String]),
    /// The other side's is awaited.
    Paste,
    /// A candidate of this side or of the other one.
    Candidate { is_ours: bool, candidate: &'a Candidate },
    /// A server that gave none.
    Problem(&'a Problem),
    /// The next ports of a NAT were to be guessed, and are not.
    Unguessed { base: SocketAddr, why: NoGuess },
    /// This side has no candidate at all.
    Stranded { why: &'a str },
    /// Something of the other side that is of no use.
    Useless(&'a str),
    /// How far gathering is.
    Gathering(GatheringState),
    /// How far the connection is.
    State(ConnectionState),
    /// The pair that data takes from now on, so long after the other side was known; not new if both have
    /// only agreed on it now.
    Selected { pair: &'a Pair, after: Duration, is_new: bool },
    /// The connection is looked for anew; whether this side began with it.
    Renewed { is_ours: bool },
    /// What happened to a pair.
    Story(&'a Story),
    /// A datagram has left.
    Sent { payload: &'a [u8] },
    /// One has not.
    Unsent { why: &'a str },
    /// One has come. If it is one of ours that comes back, it took so long.
    Received { payload: &'a [u8], there_and_back: Option<Duration>, path: Option<Duration> },
    /// The other side has no more to say.
    Finished,
    /// The other side has left.
    Left,
    /// There is no way over the server any more; the connection goes on.
    Unsignaled { why: &'a str },
    /// It is over.
    Over(&'a Summary),
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
    /// Of the other side's, how many did not come, if it has told how many they were.
    pub(super) lost: Option<u64>,
    /// Of those sent, how many came back.
    pub(super) echoes: u64,
    /// The shortest, the mean and the longest time there and back.
    pub(super) there_and_back: Option<[Duration; 3]>,
    /// The pair that data took last.
    pub(super) pair: Option<Pair>,
    pub(super) board: Board,
}

/// Where it is shown.
pub(super) trait View {
    /// Whether a person types and reads here.
    fn is_console(&self) -> bool {
        false
    }

    /// Whether it is given keys instead of lines.
    fn takes_keys(&self) -> bool {
        false
    }

    /// Whether nobody reads any more what is shown, as `head` does when it has enough.
    fn is_unread(&self) -> bool {
        false
    }

    /// Takes what was typed; returns what it completes.
    fn type_keys(&mut self, _keys: &[u8]) -> Vec<Typed> {
        Vec::new()
    }

    /// Shows what happens.
    fn show(&mut self, news: News<'_>);

    /// Shows the pairs as they are now.
    fn board(&mut self, _board: &Board) {}

    /// Leaves the screen as others expect it.
    fn close(&mut self) {}
}

/// As it was asked for, and as the streams allow.
pub(super) fn of(settings: &Settings) -> Box<dyn View> {
    let (output, input) = (io::stdout().is_terminal(), io::stdin().is_terminal());
    if settings.json {
        return Box::new(json::Json::default());
    }
    let colour = terminal::colour(settings.colour, output && input);
    // One that does not say what it obeys is given nothing but text.
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    if output && input && !is_dumb {
        return Box::new(console::Console::new(colour, settings.verbose));
    }
    Box::new(plain::Plain::new(output, settings.verbose))
}
