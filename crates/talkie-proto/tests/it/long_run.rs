//! A hundred gigabytes through one association in virtual time, and more channels than there are streams.
//!
//! TSNs begin 1,326 before their end, and SSNs come round every 65,536 messages. It takes minutes, so it runs
//! only if it is asked for:
//!
//! ```text
//! cargo test --release -p talkie-proto --test it -- --ignored --nocapture long_run
//! ```
//!
//! `TALKIE_BYTES` sets another amount.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use talkie_proto::datachannel::{self, ChannelId, Event, Options, Role};
use talkie_proto::sctp::{Association, Config, SendOptions};
use talkie_sansio::{Datagram, Machine as _};

use crate::datachannel_world::{self, ADA, BOB};
use crate::sctp_world::{Link, NEAR_THE_END, World, numbered, path};

const DELAY: Duration = Duration::from_millis(5);

/// One packet in so many is lost.
const LOSS: u64 = 2000;

fn bytes() -> u64 {
    std::env::var("TALKIE_BYTES")
        .ok()
        .and_then(|bytes| bytes.parse().ok())
        .unwrap_or(100_000_000_000)
}

/// Two ends and a link, with as little around them as can be.
struct Line {
    now: Instant,
    ends: [Association; 2],
    wire: [VecDeque<(Instant, Vec<u8>)>; 2],
    spare: Vec<Vec<u8>>,
    packets: u64,
}

impl Line {
    fn new(config: &Config) -> Self {
        let now = World::new(Link::default()).now;
        let ends = [numbered(NEAR_THE_END, config), numbered(2310, config)];
        Self { now, ends, wire: Default::default(), spare: vec![], packets: 0 }
    }

    fn drain(&mut self) {
        for (end, wire) in self.ends.iter_mut().zip(&mut self.wire) {
            loop {
                let mut packet = self.spare.pop().unwrap_or_default();
                packet.clear();
                if end.poll_transmit(&mut packet).is_none() {
                    self.spare.push(packet);
                    break;
                }
                self.packets += 1;
                if self.packets.is_multiple_of(LOSS) {
                    self.spare.push(packet);
                } else {
                    wire.push_back((self.now + DELAY, packet));
                }
            }
            while end.poll_event().is_some() {}
        }
    }

    fn step(&mut self) {
        self.drain();
        let arrivals = self.wire.iter().filter_map(|wire| wire.front().map(|(at, _)| *at));
        let timers = self.ends.iter().filter_map(|end| end.poll_timeout());
        self.now = arrivals.chain(timers).min().expect("something is to happen").max(self.now);
        for (from, to) in [(0, 1), (1, 0)] {
            while let Some((_, mut packet)) =
                self.wire[from].pop_front_if(|(at, _)| *at <= self.now)
            {
                let datagram = Datagram { path: path(9), payload: &mut packet };
                self.ends[to].handle_datagram(self.now, datagram);
                self.spare.push(packet);
            }
            if self.ends[to].poll_timeout().is_some_and(|at| at <= self.now) {
                self.ends[to].handle_timeout(self.now);
            }
        }
    }
}

/// What each message is a slice of.
fn pattern() -> Bytes {
    let mut random = 1_u64;
    let byte = |_| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 56) as u8
    };
    (0..1 << 20).map(byte).collect::<Vec<u8>>().into()
}

fn slice(pattern: &Bytes, stream: u16, number: u64, length: usize) -> Bytes {
    let at = (number * 7919 + u64::from(stream) * 31) as usize % (pattern.len() - length);
    pattern.slice(at..at + length)
}

fn transfer(config: &Config, length: usize, total: u64) {
    const STREAMS: u16 = 3;
    let pattern = pattern();
    let mut line = Line::new(config);
    line.ends[0].connect(line.now).expect("it has not begun");
    let born = line.now;
    let (mut sent, mut got) = ([0_u64; STREAMS as usize], [0_u64; STREAMS as usize]);
    let count = total / length as u64 / u64::from(STREAMS);
    while got.iter().sum::<u64>() < count * u64::from(STREAMS) {
        for stream in 0..STREAMS {
            let next = &mut sent[usize::from(stream)];
            while *next < count && line.ends[0].buffered() < 4 << 20 {
                let payload = slice(&pattern, stream, *next, length);
                let options = SendOptions::default();
                line.ends[0].send(line.now, stream, 53, payload, options).expect("it has room");
                *next += 1;
            }
        }
        line.step();
        while let Some(message) = line.ends[1].take_message() {
            let next = &mut got[usize::from(message.stream)];
            let due = slice(&pattern, message.stream, *next, length);
            assert!(message.payload == due, "message {next} of stream {}", message.stream);
            *next += 1;
        }
    }
    println!(
        "{:.1} GB in messages of {length} bytes, interleaved: {}, in {} packets and {:.1} s of virtual time",
        total as f64 / 1e9,
        line.ends[0].is_interleaved(),
        line.packets,
        (line.now - born).as_secs_f64(),
    );
}

#[test]
#[ignore = "takes minutes"]
fn a_hundred_gigabytes_arrive_whole_and_in_order() {
    let config = Config { send_buffer: 32 << 20, ..Config::default() };
    let total = bytes();
    transfer(&Config { interleaving: false, ..config.clone() }, 1000, total / 10);
    transfer(&Config { interleaving: false, ..config.clone() }, 16 << 10, total * 4 / 10);
    transfer(&config, 256 << 10, total * 5 / 10);
}

#[test]
#[ignore = "takes minutes"]
fn a_message_of_a_gibibyte_arrives_whole() {
    for interleaving in [false, true] {
        let config = Config { message_most: 1 << 30, interleaving, ..Config::default() };
        let mut line = Line::new(&config);
        line.ends[0].connect(line.now).expect("it has not begun");
        let whole: Bytes = pattern().repeat(1 << 10).into();
        let options = SendOptions::default();
        line.ends[0].send(line.now, 1, 53, whole.clone(), options).expect("one always fits");
        let until = line.now + Duration::from_secs(600);
        let message = loop {
            line.step();
            if let Some(message) = line.ends[1].take_message() {
                break message;
            }
            assert!(line.now < until, "not in time");
        };
        assert!(message.payload == whole);
    }
}

#[test]
#[ignore = "takes minutes"]
fn more_channels_are_opened_than_there_are_streams() {
    const TOGETHER: usize = 500;
    let end = |number: u8, role| {
        let config = datachannel::Config { role: Some(role), ..datachannel::Config::default() };
        datachannel_world::channels(number, config)
    };
    let (ada, bob) = (end(1, Role::Client), end(2, Role::Server));
    let mut world = datachannel_world::World::with(datachannel_world::Link::default(), ada, bob);
    world.connect();
    let mut highest = 0;
    // Half of the streams are the client's.
    for round in 0..80 {
        let now = world.now;
        let open = |_| world.ada.open(now, Options::default()).expect("there is one");
        let opened: Vec<ChannelId> = (0..TOGETHER).map(open).collect();
        for id in &opened {
            highest = highest.max(world.ada.stream(*id).expect("it has one"));
            world.send_from(ADA, *id, "hello");
        }
        world
            .run_until(Duration::from_secs(60), |world| world.seen[BOB].messages.len() == TOGETHER);
        for id in &opened {
            world.close(ADA, *id);
        }
        world.run_until(Duration::from_secs(60), |world| world.ada.channels().count() == 0);
        world.run_until(Duration::from_secs(60), |world| world.bob.channels().count() == 0);
        let closed = |event: &&Event| matches!(event, Event::Closed(_));
        for seen in &mut world.seen {
            assert_eq!(seen.events.iter().filter(closed).count(), TOGETHER, "round {round}");
            seen.events.clear();
            seen.messages.clear();
        }
    }
    assert_eq!(highest, 65_534);
}
