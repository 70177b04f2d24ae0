//! One side of a connection: a program on a host of the lab, and what it said.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::{Role, Side, Telling};
use crate::lab::Lab;

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whose ICE it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// talkie's example on the standard library.
    Ours,
    /// talkie's example on tokio, which has streams.
    OursOnTokio,
    /// aioice.
    Aioice,
    /// libnice.
    Libnice,
}

impl Kind {
    fn command(self) -> Vec<String> {
        let talkie = talkie_e2e::binary().unwrap();
        let profile = talkie.parent().unwrap();
        let interop = profile.parent().unwrap().join("interop");
        let (programs, how): (Vec<PathBuf>, _) = match self {
            Self::Ours => {
                let how = "cargo build --package talkie-traversal --example ice";
                (vec![profile.join("examples/ice")], how)
            }
            Self::OursOnTokio => {
                let how = "cargo build --package talkie-net --example ice_tokio";
                (vec![profile.join("examples/ice_tokio")], how)
            }
            Self::Aioice => {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/aioice_peer.py");
                (vec![interop.join("python/bin/python"), script.into()], "cargo xtask setup")
            }
            Self::Libnice => (vec![interop.join("libnice_peer")], "cargo xtask setup"),
        };
        for program in &programs {
            assert!(program.exists(), "there is no {}: run `{how}` first", program.display());
        }
        programs.iter().map(|program| program.to_str().unwrap().to_owned()).collect()
    }

    /// The options that make it so.
    fn options(self, side: &Side) -> Vec<String> {
        let ours = matches!(self, Self::Ours | Self::OursOnTokio);
        let role = match side.role {
            Role::Controlling => "controlling",
            Role::Controlled => "controlled",
        };
        let mut options = Vec::new();
        options.extend((!ours).then(|| format!("--role={role}")));
        options.extend((ours && side.role == Role::Controlled).then(|| role.to_owned()));
        // Ours is not told of it: it takes what it gets.
        options.extend((!ours && side.telling == Telling::Whole).then(|| "--whole".to_owned()));
        options.extend(side.servers.iter().map(|server| match server.split_once(':') {
            Some(("stun", address)) if !ours => format!("--stun={address}"),
            Some(("turn", rest)) if !ours => {
                let (address, login) = rest.split_once(',').unwrap();
                let (address, transport) =
                    address.split_once("?transport=").unwrap_or((address, "udp"));
                format!("--turn={transport},{address},{login}")
            }
            _ => server.clone(),
        }));
        options.extend(
            side.relay_only.then(|| if ours { "relay-only" } else { "--relay-only" }.to_owned()),
        );
        options.extend(side.more.iter().cloned());
        options
    }
}

/// What a program can be sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    Stop,
    Continue,
}

/// The pair that a side has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) local: End,
    pub(super) remote: End,
}

/// One end of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// host, srflx, prflx, relay.
    pub(super) kind: String,
    /// udp, or tcp- and which.
    pub(super) transport: String,
    pub(super) address: SocketAddr,
}

/// A running program. Dropping it kills it.
pub(super) struct Peer {
    name: String,
    child: Child,
    input: Arc<Mutex<ChildStdin>>,
    said: Arc<Said>,
}

#[derive(Default)]
struct Said {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Peer {
    pub(super) fn start(lab: &Lab, host: &str, side: &Side) -> Self {
        let command = [side.kind.command(), side.kind.options(side)].concat();
        let mut words = vec![host, "--"];
        words.extend(command.iter().map(String::as_str));
        let mut program = lab.talkie("exec", &words);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let said = Arc::new(Said::default());
        let output: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in output {
            let said = Arc::clone(&said);
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    said.lines.lock().unwrap().push(line);
                    said.more.notify_all();
                }
            });
        }
        let input = Arc::new(Mutex::new(child.stdin.take().unwrap()));
        Self { name: format!("{host}, {side:?}"), child, input, said }
    }

    /// Tells each the other's attributes until one of them ends.
    pub(super) fn introduce(one: &Self, other: &Self, telling: Telling) {
        for (from, to) in [(one, other), (other, one)] {
            let (said, input) = (Arc::downgrade(&from.said), Arc::downgrade(&to.input));
            thread::spawn(move || {
                let mut told = 0;
                while let (Some(said), Some(input)) = (said.upgrade(), input.upgrade()) {
                    let lines = said.lines.lock().unwrap();
                    let wait = Duration::from_millis(100);
                    let ends = |line: &String| line == "a=end-of-candidates";
                    let holds = |lines: &mut Vec<String>| {
                        let is_early = telling == Telling::Whole && !lines.iter().any(ends);
                        lines.len() == told || is_early
                    };
                    let (lines, timeout) =
                        said.more.wait_timeout_while(lines, wait, holds).unwrap();
                    if timeout.timed_out() {
                        continue;
                    }
                    for line in lines[told..].iter().filter(|line| line.starts_with("a=")) {
                        // One that has ended is found by whoever waits for its words.
                        let _ = writeln!(input.lock().unwrap(), "{line}");
                    }
                    told = lines.len();
                }
            });
        }
    }

    /// Has it stand still, or go on.
    pub(super) fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
        };
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success(), "{} is gone", self.name);
    }

    /// Whether it has said such a line.
    pub(super) fn has_said(&self, line: &str) -> bool {
        self.said.lines.lock().unwrap().iter().any(|said| said == line)
    }

    /// Gives it a line.
    pub(super) fn tell(&self, line: &str) {
        writeln!(self.input.lock().unwrap(), "{line}").unwrap();
    }

    /// Waits for a line that begins so; the rest of it.
    pub(super) fn hears(&self, start: &str) -> String {
        self.hears_since(0, start)
    }

    /// How much it has said so far.
    pub(super) fn so_far(&self) -> usize {
        self.said.lines.lock().unwrap().len()
    }

    /// As [`hears()`](Self::hears), but not what it has said before.
    pub(super) fn hears_since(&self, earlier: usize, start: &str) -> String {
        let lines = self.said.lines.lock().unwrap();
        let find = |lines: &Vec<String>| {
            lines[earlier..].iter().find_map(|line| line.strip_prefix(start).map(str::to_owned))
        };
        let lacks = |lines: &mut Vec<String>| find(lines).is_none();
        let (lines, _) = self.said.more.wait_timeout_while(lines, PATIENCE, lacks).unwrap();
        find(&lines).unwrap_or_else(|| panic!("{} never said `{start}`: {lines:#?}", self.name))
    }

    /// Waits until it has chosen a pair like that.
    pub(super) fn takes(&self, is_right: impl Fn(&Way) -> bool) {
        let lines = self.said.lines.lock().unwrap();
        let lacks = |lines: &mut Vec<String>| !is_right(&last(lines));
        let (lines, timeout) = self.said.more.wait_timeout_while(lines, PATIENCE, lacks).unwrap();
        assert!(!timeout.timed_out(), "{} takes another way: {lines:#?}", self.name);
    }

    /// The pair that it chose last.
    pub(super) fn way(&self) -> Way {
        last(&self.said.lines.lock().unwrap())
    }
}

fn last(lines: &[String]) -> Way {
    let selected = lines.iter().rev().find_map(|line| line.strip_prefix("# selected "));
    Way::read(selected.expect("it is connected"))
}

impl Way {
    /// As the others print it, or as two candidates with a bar between them.
    fn read(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        let [local, remote] = match words.iter().position(|word| *word == "|") {
            Some(bar) => [&words[..bar], &words[bar + 1..]].map(|candidate| {
                let [_, _, transport, _, ip, port, _, kind, ..] = *candidate else {
                    panic!("no candidate: {text}")
                };
                (kind, transport, SocketAddr::new(ip.parse().unwrap(), port.parse().unwrap()))
            }),
            None => [0, 3].map(|at| (words[at], words[at + 1], words[at + 2].parse().unwrap())),
        };
        let end = |(kind, transport, address): (&str, &str, SocketAddr)| End {
            kind: kind.to_owned(),
            transport: transport.to_owned(),
            address,
        };
        Self { local: end(local), remote: end(remote) }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A test that fails because of one side is seldom understood without the other's words.
        if thread::panicking()
            && let Ok(lines) = self.said.lines.lock()
        {
            eprintln!("{} has said: {lines:#?}", self.name);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
