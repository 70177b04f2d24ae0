//! Data channels and a peer that says what the input wants: any bytes as messages of the establishment
//! protocol, resets, strays and fragments, while the application opens, closes, sends and fetches.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use talkie_proto::datachannel::dcep::Dcep;
use talkie_proto::datachannel::{ChannelId, Config, DataChannels, Kind, Options, Role};
use talkie_proto::sctp::{self, Association, Reliability, SendOptions};
use talkie_sansio::conformance::genesis;
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};

use super::input::Input;

/// Packets under way at most.
const WIRE: usize = 256;

struct World {
    now: Instant,
    path: Path,
    ours: DataChannels,
    theirs: Association,
    wire: VecDeque<(bool, Vec<u8>)>,
}

pub(crate) fn run(input: &[u8]) {
    if let Some(Dcep::Open(options)) = Dcep::parse(input) {
        let bytes = Dcep::Open(options.clone()).to_bytes();
        assert_eq!(Dcep::parse(&bytes), Some(Dcep::Open(options)));
    }
    let mut input = Input(input);
    let mut world = World::new(input.byte());
    while !input.0.is_empty() {
        world.play(&mut input);
        world.settle();
    }
    // Once all is closed, nothing is left.
    let now = world.now;
    let all: Vec<ChannelId> = world.ours.channels().collect();
    all.into_iter().for_each(|channel| world.ours.close(now, channel));
    for _ in 0..16 {
        world.elapse(Duration::from_secs(2));
    }
}

impl World {
    fn new(mode: u8) -> Self {
        let born = genesis();
        let path = Path {
            transport: Transport::Udp,
            local: ([192, 0, 2, 1], 1).into(),
            remote: ([192, 0, 2, 2], 2).into(),
        };
        let sctp = sctp::Config {
            interleaving: mode & 1 == 0,
            receive_initial: 20_000,
            receive_most: 80_000,
            message_most: 30_000,
            ..sctp::Config::default()
        };
        let role = if mode & 2 == 0 { Role::Client } else { Role::Server };
        let config = Config {
            sctp: sctp.clone(),
            role: (mode & 4 == 0).then_some(role),
            channels_most: 8,
            labels_most: 1000,
            ..Config::default()
        };
        let seed = |seed| Genesis { seed: [seed; 32], ..born.clone() };
        let mut world = Self {
            now: born.now,
            path,
            ours: DataChannels::new(&seed(1), path, config),
            theirs: Association::new(&seed(2), path, sctp),
            wire: VecDeque::new(),
        };
        let _ = world.ours.connect(world.now);
        world.settle();
        world
    }

    fn play(&mut self, input: &mut Input<'_>) {
        let now = self.now;
        let what = input.byte();
        let stream = u16::from(input.byte() & 7);
        match what % 8 {
            0 => {
                let payload = input.block().to_vec();
                self.say(stream, 50, payload);
            }
            1 => {
                let payload = vec![what; usize::from(input.byte()) * 100];
                self.say(stream, 49 + u32::from(what >> 4), payload);
            }
            2 => drop(self.theirs.reset_streams(now, &[stream])),
            3 => {
                let mode = input.byte();
                let options = Options {
                    ordered: mode & 1 == 0,
                    reliability: Reliability::Retransmits(u16::from(mode >> 4)),
                    negotiated: (mode & 2 != 0).then_some(stream),
                    ..Options::default()
                };
                let _ = self.ours.open(now, options);
            }
            4 => {
                let channel = self.ours.channels().nth(stream.into());
                if let Some(channel) = channel {
                    self.ours.close(now, channel);
                }
            }
            5 => {
                let channel = self.ours.channels().nth(stream.into());
                if let Some(channel) = channel {
                    let payload = vec![what; usize::from(input.byte()) * 50];
                    let _ = self.ours.send(now, channel, Kind::Binary, payload.into());
                    assert!(self.ours.buffered_amount(channel) <= 17 << 20);
                }
            }
            6 => self.elapse(Duration::from_millis(u64::from(input.byte()) * 8)),
            _ => match input.byte() {
                0 => drop(self.wire.pop_front()),
                1 => self.ours.set_role(now, Role::Client),
                2 => drop(self.theirs.request_reset(now, &[stream])),
                3 => self.ours.shutdown(now),
                4 => self.theirs.abort(now),
                _ => {}
            },
        }
    }

    fn say(&mut self, stream: u16, ppid: u32, payload: Vec<u8>) {
        let options = SendOptions::default();
        let _ = self.theirs.send(self.now, stream, ppid, payload.into(), options);
    }

    fn elapse(&mut self, span: Duration) {
        self.now += span;
        if self.ours.poll_timeout().is_some_and(|at| at <= self.now) {
            self.ours.handle_timeout(self.now);
        }
        if self.theirs.poll_timeout().is_some_and(|at| at <= self.now) {
            self.theirs.handle_timeout(self.now);
        }
        self.settle();
    }

    /// Packets go to and fro until there are none.
    fn settle(&mut self) {
        for _ in 0..64 {
            self.drain();
            if self.wire.is_empty() {
                return;
            }
            for _ in 0..self.wire.len() {
                let Some((to_us, mut packet)) = self.wire.pop_front() else { break };
                let datagram = Datagram { path: self.path, payload: &mut packet };
                if to_us {
                    self.ours.handle_datagram(self.now, datagram);
                } else {
                    self.theirs.handle_datagram(self.now, datagram);
                }
            }
        }
    }

    fn drain(&mut self) {
        let mut buf = Vec::new();
        loop {
            let mut any = false;
            while self.ours.poll_transmit(&mut buf).is_some() {
                any = true;
                let packet = std::mem::take(&mut buf);
                if self.wire.len() < WIRE {
                    self.wire.push_back((false, packet));
                }
            }
            while self.theirs.poll_transmit(&mut buf).is_some() {
                any = true;
                let packet = std::mem::take(&mut buf);
                if self.wire.len() < WIRE {
                    self.wire.push_back((true, packet));
                }
            }
            while self.ours.poll_event().is_some() {
                any = true;
            }
            while let Some(message) = self.ours.take_message() {
                any = true;
                assert!(self.ours.options(message.channel).is_some(), "a message of no channel");
            }
            while self.theirs.poll_event().is_some() || self.theirs.take_message().is_some() {
                any = true;
            }
            if !any {
                return;
            }
        }
    }
}
