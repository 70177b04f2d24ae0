//! ICE stacks as programs that speak the line protocol of `tests/e2e/interop`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use talkie_lab::real::Host;

use super::lab::{Lab, Program, SERVER};
use crate::process::{PASSWORD, USER};

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);
const END: &str = "a=end-of-candidates";

/// Whose ICE it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stack {
    Talkie,
    Aioice,
    Libnice,
}

/// What a side is told to ask.
#[derive(Clone, Copy, Debug)]
pub(super) enum Servers {
    None,
    Stun,
    /// STUN, and a relay that is spoken to over this transport.
    Relay(&'static str),
}

impl Stack {
    pub(super) const ALL: [Self; 3] = [Self::Talkie, Self::Aioice, Self::Libnice];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Talkie => "talkie",
            Self::Aioice => "aioice",
            Self::Libnice => "libnice",
        }
    }

    /// The program and its options.
    fn words(self, controls: bool, servers: Servers) -> Result<Vec<String>> {
        let program = std::env::current_exe()?;
        let profile = program.parent().context("no folder")?;
        let interop = profile.parent().context("no folder")?.join("interop");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/e2e/interop/aioice_peer.py");
        let (programs, how): (Vec<PathBuf>, _) = match self {
            Self::Talkie => {
                let how = "cargo build --release -p talkie-net --example ice_tokio";
                (vec![profile.join("examples/ice_tokio")], how)
            }
            Self::Aioice => {
                (vec![interop.join("python/bin/python"), script.into()], "cargo xtask setup")
            }
            Self::Libnice => (vec![interop.join("libnice_peer")], "cargo xtask setup"),
        };
        for program in &programs {
            ensure!(program.exists(), "there is no {}: run `{how}` first", program.display());
        }
        let mut words: Vec<String> =
            programs.iter().map(|program| program.display().to_string()).collect();
        match self {
            Self::Talkie => words.extend((!controls).then(|| "controlled".to_owned())),
            // No stack may begin before it knows all of the other side.
            Self::Aioice | Self::Libnice => {
                let role = if controls { "controlling" } else { "controlled" };
                words.extend([format!("--role={role}"), "--whole".to_owned()]);
            }
        }
        let is_ours = self == Self::Talkie;
        if !matches!(servers, Servers::None) {
            words.push(if is_ours { format!("stun:{SERVER}") } else { format!("--stun={SERVER}") });
        }
        if let Servers::Relay(transport) = servers {
            words.push(if is_ours {
                format!("turn:{SERVER}?transport={transport},{USER},{PASSWORD}")
            } else {
                format!("--turn={transport},{SERVER},{USER},{PASSWORD}")
            });
        }
        Ok(words)
    }
}

/// One running side.
pub(super) struct Peer {
    program: Program,
    lines: Receiver<String>,
}

impl Peer {
    pub(super) fn start(
        lab: &Lab,
        host: Host,
        stack: Stack,
        controls: bool,
        servers: Servers,
    ) -> Result<Self> {
        let mut command = lab.program(host, &stack.words(controls, servers)?)?;
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut program = Program(child?);
        let output = program.0.stdout.take().context("piped")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut all = BufReader::new(output).lines().map_while(Result::ok);
            // Nobody listens any more when the side is over.
            all.try_for_each(|line| sender.send(line))
        });
        Ok(Self { program, lines })
    }

    /// Waits until it has told all of itself; the lines that the other side is to hear.
    pub(super) fn gathered(&self) -> Result<Vec<String>> {
        let deadline = Instant::now() + PATIENCE;
        let mut told = Vec::new();
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(rest) {
                Ok(line) => told.extend(line.starts_with("a=").then_some(line)),
                Err(RecvTimeoutError::Timeout) => bail!("it gathers for ever, told {told:?}"),
                Err(RecvTimeoutError::Disconnected) => bail!("it has ended, told {told:?}"),
            }
            if told.last().is_some_and(|line| line == END) {
                return Ok(told);
            }
        }
    }

    /// Tells it all of the other side.
    pub(super) fn hear(&mut self, lines: &[String]) -> Result<()> {
        let input = self.program.0.stdin.as_mut().context("piped")?;
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        input.write_all(text.as_bytes())?;
        Ok(input.flush()?)
    }

    pub(super) fn process(&self) -> u32 {
        self.program.0.id()
    }
}
