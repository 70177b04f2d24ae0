//! Two hosts of a lab, and programs on them.

use std::net::{SocketAddr, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use talkie_lab::real::{self, Addresses, Host, Kind, Line, Name, Plan, Type};

use crate::process::answers;

/// Where the lab's server is asked.
pub(super) const SERVER: &str = "198.51.100.1:3478";
/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Dropping it takes it down.
pub(super) struct Lab {
    pub(super) name: Name,
    plan: Plan,
}

/// A program in it, ended when dropped.
pub(super) struct Program(pub(super) Child);

/// Becomes a program on a host of a lab.
pub(crate) fn be_inside(lab: &str, host: &str, words: &[&str]) -> Result<()> {
    let host = host.parse().ok().context("no such host")?;
    real::enter(&lab.parse()?, host)?;
    let (program, words) = words.split_first().context("no program")?;
    let error = Command::new(program).args(words).exec();
    Err(error).with_context(|| format!("cannot run {program}"))
}

impl Lab {
    /// Each side's line has that delay, each way.
    pub(super) fn up(name: &str, [left, right]: [Type; 2], delay: Duration) -> Result<Self> {
        let name: Name = name.parse()?;
        // What an interrupted run has left.
        real::down(&name)?;
        let line = Line { delay, ..Line::default() };
        let plan = Plan { kind: Kind::Tun, left, right, line, ipv6: false };
        let program = std::env::current_exe()?;
        let the_box = || {
            let mut command = Command::new(&program);
            command.arg("box");
            command
        };
        real::up(&name, &plan, the_box, || false)?;
        Ok(Self { name, plan })
    }

    /// The address that a host has.
    pub(super) fn address(&self, host: Host) -> std::net::Ipv4Addr {
        Addresses::of(&self.plan, host).host
    }

    /// A program on a host, which is yet to be started.
    pub(super) fn program(&self, host: Host, words: &[String]) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["inside", &self.name.to_string(), host.name()]).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }

    /// This program's own relay on the server.
    pub(super) fn relay(&self) -> Result<Program> {
        let program = std::env::current_exe()?.display().to_string();
        let words = [program, "serve-relay".to_owned(), SERVER.to_owned()];
        let relay = Program(self.program(Host::Server, &words)?.spawn()?);
        let client = real::inside(&self.name, Host::Left, || UdpSocket::bind("0.0.0.0:0"))??;
        client.set_read_timeout(Some(Duration::from_millis(500)))?;
        let (start, server): (_, SocketAddr) = (Instant::now(), SERVER.parse()?);
        while !answers(&client, server) {
            if start.elapsed() > PATIENCE {
                bail!("the relay does not answer");
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(relay)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(error) = real::down(&self.name) {
            eprintln!("{error}");
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
