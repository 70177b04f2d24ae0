//! A box: the process that carries packets between the two TUN devices of a NAT, and translates them.
//!
//! One thread does it all, woken by the devices, by the next packet that is due on the line, and by
//! whoever asks for the table. Where the line does nothing to packets the kernel hands over runs of
//! segments as one packet, so that the NAT is asked once for all of them; where it does, each packet
//! comes alone, since each is delayed or lost by itself.
//!
//! The line is on the outside: what comes from the Internet reaches the NAT when it has arrived, and
//! what the NAT sends out is under way afterwards.

mod control;
mod runs;
mod translation;

use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use talkie_net::tun::{Header, MOST_READ, Offload, Tun, TunError};
use talkie_sim::gateway::Side;

use super::addresses::{Addresses, Host};
use super::command::{CommandError, ip, ip_with};
use super::enter::{EnterError, enter_network};
use super::line::OneWay;
use super::namespace::Name;
use super::plan::Plan;
use super::topology;
use control::answer;
pub use control::{Counters, Report, TableRow};
pub(super) use control::{ask as control_ask, process as control_process};
use runs::Run;
use translation::Translation;

/// How many packets are taken from one side before the other has its turn.
const BURST: usize = 64;
/// Whoever is woken again so soon is in a rush of packets: to let some more of them come costs them
/// little, and is cheaper than to be woken for each. Network cards do the same. Where the kernel hands
/// over runs, it has let them gather already.
const RUSH: Duration = Duration::from_micros(50);
/// What is written to standard output when the box works.
pub(super) const READY: &str = "ready";

/// Why a box does not work, or works no more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CarrierError {
    /// The lab is not there.
    #[error(transparent)]
    Enter(#[from] EnterError),
    /// The lab's files are not.
    #[error("cannot read the lab's plan: {0}")]
    Plan(io::Error),
    /// There is no TUN device.
    #[error(transparent)]
    Tun(#[from] TunError),
    /// The devices cannot be connected.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The socket that tells the table.
    #[error("cannot listen for questions about the table: {0}")]
    Control(io::Error),
    /// A device is gone.
    #[error("a TUN device does not work any more: {0}")]
    Device(io::Error),
}

/// Is the box of `nat`, until it is killed. `ready` is called when packets are carried.
///
/// # Errors
/// If it can't be, or its devices vanish.
pub fn carry(name: &Name, nat: Host, ready: impl FnOnce()) -> Result<(), CarrierError> {
    let plan = read_plan(name).map_err(CarrierError::Plan)?;
    enter_network(name, nat)?;
    let mut carrier = Carrier::new(&plan, nat)?;
    ip(topology::DEVICES_UP)?;
    ip(&topology::around_the_box(topology::ROUTED))?;
    if plan.ipv6 {
        ip_with(&["-6"], &topology::around_the_box(topology::ROUTED_V6))?;
    }
    let control = UnixListener::bind(name.socket(nat)).map_err(CarrierError::Control)?;
    control.set_nonblocking(true).map_err(CarrierError::Control)?;
    ready();
    carrier.run(&control)
}

pub(super) fn read_plan(name: &Name) -> io::Result<Plan> {
    Ok(serde_json::from_slice(&fs::read(name.file(PLAN))?)?)
}

/// The file of the plan.
pub(super) const PLAN: &str = "plan.json";

struct Carrier {
    inside: Device,
    outside: Device,
    translation: Translation,
    /// `None` where the line does nothing.
    lines: Option<Lines>,
    counters: Counters,
    /// Whether the packet that was read last was a run of several.
    in_runs: bool,
    /// What is read goes here.
    buffer: Vec<u8>,
    /// What the gateway itself has to say goes here.
    own: Vec<u8>,
}

struct Lines {
    outward: OneWay,
    inward: OneWay,
}

impl Carrier {
    fn new(plan: &Plan, nat: Host) -> Result<Self, CarrierError> {
        let plain = plan.line.is_plain();
        let offload = if plain { Offload::All } else { Offload::None };
        let at = Addresses::of(plan, nat);
        let seed =
            || talkie_net::genesis().map(|genesis| genesis.seed).map_err(CarrierError::Device);
        let lines = if plain {
            None
        } else {
            let way = || seed().map(|seed| OneWay::new(plan.line, seed));
            Some(Lines { outward: way()?, inward: way()? })
        };
        Ok(Self {
            inside: Device::new(Tun::create("inside", offload)?),
            outside: Device::new(Tun::create("outside", offload)?),
            translation: Translation::new(Instant::now(), plan.type_of(nat), &at, seed()?),
            lines,
            counters: Counters::default(),
            in_runs: false,
            buffer: vec![0; MOST_READ],
            own: Vec::new(),
        })
    }

    fn run(&mut self, control: &UnixListener) -> Result<(), CarrierError> {
        loop {
            let asleep = Instant::now();
            let asked = self.wait(control).map_err(CarrierError::Device)?;
            if self.lines.is_none() && !self.in_runs && asleep.elapsed() < RUSH {
                thread::sleep(RUSH);
            }
            let now = Instant::now();
            for side in [Side::Inside, Side::Outside] {
                self.read(now, side).map_err(CarrierError::Device)?;
            }
            self.deliver(now);
            self.counters.refused += self.inside.flush() + self.outside.flush();
            self.translation.handle_timeout(now);
            if asked {
                answer(control, &self.report(now));
            }
        }
    }

    /// Sleeps until there is something to do; whether somebody asks for the table.
    fn wait(&self, control: &UnixListener) -> io::Result<bool> {
        let now = Instant::now();
        let deadline = self.poll_timeout().map(|at| at.saturating_duration_since(now));
        let deadline = deadline.map(|time| Timespec {
            tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        });
        let mut devices = [
            PollFd::from_borrowed_fd(self.inside.tun.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.outside.tun.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(control.as_fd(), PollFlags::IN),
        ];
        match poll(&mut devices, deadline.as_ref()) {
            Ok(_) => Ok(devices[2].revents().contains(PollFlags::IN)),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let lines = self.lines.as_ref();
        let lines = lines.map(|it| [it.outward.poll_timeout(), it.inward.poll_timeout()]);
        let [outward, inward] = lines.unwrap_or_default();
        [outward, inward, self.translation.poll_timeout()].into_iter().flatten().min()
    }

    fn read(&mut self, now: Instant, side: Side) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..BURST {
            let device = if side == Side::Inside { &self.inside } else { &self.outside };
            match device.tun.recv(&mut buffer) {
                Ok(len) => match (side, &mut self.lines) {
                    (Side::Outside, Some(lines)) => lines.inward.handle_packet(now, &buffer[..len]),
                    _ => self.handle_packet(now, side, &mut buffer[..len]),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer = buffer;
        Ok(())
    }

    /// What has arrived at the end of its line.
    fn deliver(&mut self, now: Instant) {
        while let Some(packet) = self.lines.as_mut().and_then(|it| it.outward.poll_packet(now)) {
            self.write(Side::Outside, &packet);
        }
        while let Some(mut packet) = self.lines.as_mut().and_then(|it| it.inward.poll_packet(now)) {
            self.handle_packet(now, Side::Outside, &mut packet);
        }
    }

    /// A packet, its header before it, that the NAT sees now.
    fn handle_packet(&mut self, now: Instant, from: Side, read: &mut [u8]) {
        let segments = segments(read);
        self.in_runs = segments > 1;
        match from {
            Side::Inside => self.counters.from_inside += segments,
            Side::Outside => self.counters.from_outside += segments,
        }
        if let Some(to) = self.translation.handle_packet(now, from, read) {
            self.send(now, to, read);
        }
        while let Some(to) = self.translation.poll_transmit(&mut self.own) {
            let packet = [&Header::PLAIN.bytes(), self.own.as_slice()].concat();
            self.send(now, to, &packet);
        }
    }

    fn send(&mut self, now: Instant, to: Side, packet: &[u8]) {
        match (to, &mut self.lines) {
            (Side::Outside, Some(lines)) => lines.outward.handle_packet(now, packet),
            _ => self.write(to, packet),
        }
    }

    fn write(&mut self, to: Side, packet: &[u8]) {
        let device = if to == Side::Inside { &mut self.inside } else { &mut self.outside };
        self.counters.refused += device.write(packet);
    }

    fn report(&self, now: Instant) -> Report {
        let mut counters = self.counters;
        if let Some(lines) = &self.lines {
            counters.lost = lines.outward.lost + lines.inward.lost;
            counters.overflowed = lines.outward.overflowed + lines.inward.overflowed;
        }
        Report {
            process: Some(std::process::id()),
            rows: self.translation.rows(now),
            counters,
            drops: self.translation.drops(),
        }
    }
}

/// A TUN device, and what is about to be written to it.
struct Device {
    tun: Tun,
    /// `None` where the kernel takes no runs.
    run: Option<Run>,
}

impl Device {
    fn new(tun: Tun) -> Self {
        let run = tun.segments_udp().then(Run::default);
        Self { tun, run }
    }

    /// Writes a packet, maybe later and together with others; how many writes the kernel has refused.
    fn write(&mut self, packet: &[u8]) -> u64 {
        let Some(run) = &mut self.run else { return self.write_now(packet) };
        if run.push(packet) {
            return 0;
        }
        let refused = self.flush();
        if self.run.as_mut().is_some_and(|run| run.push(packet)) {
            return refused;
        }
        refused + self.write_now(packet)
    }

    /// Writes what was to be written later.
    fn flush(&mut self) -> u64 {
        let run = self.run.as_mut().and_then(Run::take);
        // A packet that the kernel does not take is a lost packet.
        run.map_or(0, |run| u64::from(self.tun.send(run).is_err()))
    }

    fn write_now(&self, packet: &[u8]) -> u64 {
        u64::from(self.tun.send(packet).is_err())
    }
}

/// How many packets on the wire it is.
fn segments(read: &mut [u8]) -> u64 {
    Header::split(read).map_or(0, |(header, packet)| header.segments(packet) as u64)
}
