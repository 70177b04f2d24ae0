//! The least that a box in user space can do: a packet is read from one TUN device and written to the
//! other, unchanged. What every tutorial has, for talkie's box to be held against.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::event::{PollFd, PollFlags, poll};
use talkie_lab::real::{self, Host, Name};
use talkie_net::tun::{MOST_READ, Offload, Tun};

/// Whatever comes from the host or from the Internet goes through the devices.
const AROUND: &str = "\
link set inside addrgenmode none up
link set outside addrgenmode none up
rule add iif lan lookup 100 priority 100
route add 0.0.0.0/0 dev inside table 100
rule add iif wan lookup 101 priority 101
route add 0.0.0.0/0 dev outside table 101
";

/// Is a box between the left host of a lab and its Internet, where the kernel alone was a router.
pub(crate) fn be_the_loop(lab: &str) -> Result<()> {
    let name: Name = lab.parse()?;
    real::enter(&name, Host::LeftNat)?;
    let [inside, outside] = ["inside", "outside"].map(|name| Tun::create(name, Offload::None));
    let (inside, outside) = (inside?, outside?);
    ip(AROUND)?;
    println!("ready");
    std::io::stdout().flush()?;
    let mut packet = vec![0; MOST_READ];
    loop {
        let ready = |tun| PollFd::from_borrowed_fd(tun, PollFlags::IN);
        poll(&mut [ready(inside.as_fd()), ready(outside.as_fd())], None)?;
        for (from, to) in [(&inside, &outside), (&outside, &inside)] {
            if let Ok(length) = from.recv(&mut packet) {
                // What the kernel does not take is lost.
                let _ = to.send(&packet[..length]);
            }
        }
    }
}

fn ip(lines: &str) -> Result<()> {
    let mut child = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn()?;
    child.stdin.take().context("piped")?.write_all(lines.as_bytes())?;
    ensure!(child.wait()?.success(), "`ip` failed");
    Ok(())
}
