//! Two SCTP associations on a path that the input rules over: it loses, repeats and swaps packets, lets
//! time pass, sends, ends, and slips in chunks of its own that carry the right tag.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use talkie_proto::sctp::wire::{Header, Init, Packet, Writer, kind};
use talkie_proto::sctp::{Association, Config, Reliability, SendOptions};
use talkie_sansio::conformance::genesis;
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};

use super::input::Input;

/// Packets under way at most.
const WIRE: usize = 256;

/// Bytes of a packet that pass every path.
const SHORT: usize = 1188;

/// How far packets may grow at first.
const LONG: usize = 1400;

struct World {
    now: Instant,
    path: Path,
    ends: [Association; 2],
    wire: VecDeque<(usize, Vec<u8>)>,
    /// What packets to each end have to carry, as far as it has said.
    tags: [u32; 2],
    /// Bytes of the longest packet that each end may send.
    most: [usize; 2],
}

pub(crate) fn run(input: &[u8]) {
    let mut input = Input(input);
    let mut world = World::new(input.byte());
    let now = world.now;
    let _ = world.ends[0].connect(now);
    world.drain();
    while !input.0.is_empty() {
        world.play(&mut input);
        world.drain();
    }
    // Whatever has happened, it comes to rest or to an end.
    for _ in 0..64 {
        world.elapse(Duration::from_secs(5));
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
        let config = Config {
            interleaving: mode & 1 == 0,
            zero_checksum: mode & 2 == 0,
            receive_initial: 20_000,
            receive_most: 80_000,
            message_most: 30_000,
            packet_most: LONG,
            unfragmented: mode & 4 != 0,
            streams: if mode & 8 == 0 { u16::MAX } else { 20 },
            ..Config::default()
        };
        let end = |seed| {
            Association::new(&Genesis { seed: [seed; 32], ..born.clone() }, path, config.clone())
        };
        let ends = [end(1), end(2)];
        let most = [longest(config.unfragmented, LONG); 2];
        Self { now: born.now, path, ends, wire: VecDeque::new(), tags: [0; 2], most }
    }

    fn play(&mut self, input: &mut Input<'_>) {
        let now = self.now;
        let end = usize::from(input.byte() & 1);
        match input.byte() % 10 {
            0 | 1 => (0..8).for_each(|_| self.deliver()),
            2 => drop(self.wire.pop_front()),
            3 => {
                if let Some(packet) = self.wire.pop_front() {
                    self.wire.push_back(packet);
                }
            }
            4 => {
                if let Some(packet) = self.wire.front().cloned() {
                    self.wire.push_back(packet);
                }
            }
            5 => self.elapse(Duration::from_millis(u64::from(input.byte()) * 8)),
            6 => {
                let mode = input.byte();
                let reliability = match mode & 3 {
                    0 => Reliability::Retransmits(u16::from(mode >> 6)),
                    1 => Reliability::Lifetime(Duration::from_millis(mode.into())),
                    _ => Reliability::Reliable,
                };
                let options = SendOptions { unordered: mode & 4 != 0, reliability };
                let payload = vec![mode; usize::from(input.byte()) * 100];
                let _ = self.ends[end].send(now, u16::from(mode >> 5), 51, payload.into(), options);
            }
            7 => self.slip_in(end, input),
            8 => while self.ends[end].take_message().is_some() {},
            _ => match input.byte() {
                0 => self.ends[end].shutdown(now),
                1 => self.ends[end].abort(now),
                2 => drop(self.ends[end].connect(now)),
                3 => {
                    let streams = [u16::from(input.byte()) >> 5, u16::from(input.byte()) >> 5];
                    let _ = self.ends[end].reset_streams(now, &streams);
                }
                4 => drop(self.ends[end].request_reset(now, &[u16::from(input.byte()) >> 5])),
                5 => {
                    let byte = input.byte();
                    let _ = self.ends[end].add_streams(now, u16::from(byte >> 1), byte & 1 == 0);
                }
                6 => {
                    let byte = input.byte();
                    let most = usize::from(input.byte()) * 16;
                    self.ends[end].handle_path_change(now, byte & 1 == 0, most);
                    self.most[end] = longest(byte & 1 == 0, most);
                }
                7 => self.ends[end].handle_too_long(now, usize::from(input.byte()) * 16),
                _ => {}
            },
        }
    }

    /// Chunks of the input's, in a packet that looks right.
    fn slip_in(&mut self, end: usize, input: &mut Input<'_>) {
        let mut packet = Vec::new();
        let header = Header { source: 5000, destination: 5000, tag: self.tags[end] };
        let mut writer = Writer::new(&mut packet, header);
        let (kind, flags) = (input.byte(), input.byte());
        writer.chunk(kind, flags, |buf| buf.extend_from_slice(input.block()));
        writer.finish(true);
        self.hand(end, packet);
    }

    fn deliver(&mut self) {
        if let Some((to, packet)) = self.wire.pop_front() {
            self.hand(to, packet);
            self.drain();
        }
    }

    fn hand(&mut self, to: usize, mut packet: Vec<u8>) {
        let datagram = Datagram { path: self.path, payload: &mut packet };
        self.ends[to].handle_datagram(self.now, datagram);
    }

    fn elapse(&mut self, span: Duration) {
        self.now += span;
        for end in &mut self.ends {
            if end.poll_timeout().is_some_and(|at| at <= self.now) {
                end.handle_timeout(self.now);
            }
        }
        self.drain();
        (0..32).for_each(|_| self.deliver());
    }

    fn drain(&mut self) {
        for end in 0..2 {
            let mut buf = Vec::new();
            let mut sent = 0;
            while self.ends[end].poll_transmit(&mut buf).is_some() {
                let packet = std::mem::take(&mut buf);
                let most = self.most[end];
                assert!(packet.len() <= most, "{} bytes, and not {most}", packet.len());
                sent += 1;
                assert!(sent < 100_000, "packets without end");
                self.learn(end, &packet);
                if self.wire.len() < WIRE {
                    self.wire.push_back((1 - end, packet));
                }
            }
            while self.ends[end].poll_event().is_some() {}
            let due = self.ends[end].poll_timeout();
            // What is overdue is told of; it must not stay so once the timer has fired.
            if due.is_some_and(|at| at <= self.now) {
                self.ends[end].handle_timeout(self.now);
                while self.ends[end].poll_transmit(&mut buf).is_some() {}
                let still = self.ends[end].poll_timeout();
                assert!(still.is_none_or(|at| at > self.now), "a deadline that stays due");
            }
        }
    }

    fn learn(&mut self, end: usize, packet: &[u8]) {
        let Some(first) = Packet::parse(packet).and_then(|packet| packet.chunks().next()) else {
            return;
        };
        if matches!(first.kind, kind::INIT | kind::INIT_ACK)
            && let Ok(init) = Init::parse(&first)
        {
            self.tags[end] = init.tag;
        }
    }
}

/// The longest packet on a path that takes so much: packets grow only where they are not fragmented, and are
/// never too short for the least that is sure to pass.
fn longest(unfragmented: bool, most: usize) -> usize {
    if unfragmented { most.max(SHORT) } else { SHORT }
}
