//! Random schedules: both ends send on several streams, each message in a mode of its own, change
//! priorities, reset streams and add some, on a path that loses, reorders, duplicates and fails for a while.
//! What arrives is held against what each mode promises.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use talkie_proto::sctp::{Association, Config, End, Event, Message, Reliability, SendOptions};

use crate::sctp_world::{ADA, BOB, Link, World};

const STEPS: usize = 80;
const STREAMS: u16 = 4;

fn seeds() -> u64 {
    std::env::var("TALKIE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(30)
}

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % limit
    }
}

/// A message by its sender, stream and number.
type Name = (usize, u16, u32);

struct Play {
    seed: u64,
    random: Random,
    world: World,
    sent: BTreeMap<Name, (usize, SendOptions)>,
    next: BTreeMap<(usize, u16), u32>,
}

fn payload((end, stream, number): Name, length: usize) -> Vec<u8> {
    let mut bytes = vec![end as u8];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend((bytes.len()..length).map(|at| (at + number as usize) as u8));
    bytes
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let link = Link {
            loss: random.below(200),
            reorder: random.below(300),
            duplicate: random.below(100),
            rate: (random.below(3) == 0).then_some(400_000),
            queue: 30_000,
            seed,
            ..Link::default()
        };
        let config = Config {
            interleaving: random.below(2) == 0,
            streams: STREAMS,
            streams_most: 3 * STREAMS,
            receive_initial: [3000, 50_000, 1 << 20][random.below(3) as usize],
            // A path that fails ends nothing.
            retransmissions: 1000,
            ..Config::default()
        };
        let mut world =
            World::with(link, &config, &Config { interleaving: true, ..config.clone() });
        world.connect();
        Self { seed, random, world, sent: BTreeMap::new(), next: BTreeMap::new() }
    }

    fn stream(&mut self, end: usize) -> u16 {
        let (outbound, _) = self.world.ends[end].streams();
        self.random.below(outbound.into()) as u16
    }

    fn send(&mut self, end: usize) {
        let stream = self.stream(end);
        let length = match self.random.below(10) {
            0 => 20_000 + self.random.below(30_000),
            1..4 => 8 + self.random.below(20),
            _ => 8 + self.random.below(4000),
        } as usize;
        let reliability = match self.random.below(6) {
            0 => Reliability::Retransmits(self.random.below(3) as u16),
            1 => Reliability::Lifetime(Duration::from_millis(self.random.below(300))),
            _ => Reliability::Reliable,
        };
        let options = SendOptions { unordered: self.random.below(4) == 0, reliability };
        let number = self.next.entry((end, stream)).or_default();
        let name = (end, stream, *number);
        *number += 1;
        self.sent.insert(name, (length, options));
        self.world.send_with(end, stream, payload(name, length), options);
    }

    fn step(&mut self) {
        let end = self.random.below(2) as usize;
        let now = self.world.now;
        match self.random.below(20) {
            0 => {
                let streams = [self.stream(end), self.stream(end)];
                let some = &streams[..1 + self.random.below(2) as usize];
                self.world.ends[end].reset_streams(now, some).expect("they exist");
            }
            1 => {
                let stream = self.stream(1 - end);
                self.world.ends[end].request_reset(now, &[stream]).expect("it exists");
            }
            2 => {
                // What is too much is refused, here or there.
                let _ = self.world.ends[end].add_streams(now, 1, self.random.below(2) == 0);
            }
            3 => {
                let (stream, weight) = (self.stream(end), 1 + self.random.below(1024));
                self.world.ends[end].set_weight(stream, weight as u16);
            }
            4 if self.random.below(5) == 0 => {
                let loss = std::mem::replace(&mut self.world.link.loss, 1000);
                self.world.run_for(Duration::from_millis(self.random.below(4000)));
                self.world.link.loss = loss;
            }
            4..9 => self.world.run_for(Duration::from_millis(self.random.below(150))),
            _ => self.send(end),
        }
    }

    /// All messages that must have arrived have.
    fn is_complete(&self) -> bool {
        let reliable = |end: usize| {
            let of = |(name, (_, options)): &(&Name, &(usize, SendOptions))| {
                name.0 == end && options.reliability == Reliability::Reliable
            };
            self.sent.iter().filter(of).count()
        };
        let arrived = |end: usize| {
            let is = |message: &&Message| {
                self.sent[&name(message)].1.reliability == Reliability::Reliable
            };
            self.world.received[1 - end].iter().filter(is).count()
        };
        [ADA, BOB]
            .iter()
            .all(|end| reliable(*end) == arrived(*end) && self.world.ends[*end].buffered() == 0)
    }

    fn check(&self) {
        let seed = self.seed;
        for receiver in [ADA, BOB] {
            let mut seen = BTreeSet::new();
            let mut last: BTreeMap<u16, u32> = BTreeMap::new();
            for message in &self.world.received[receiver] {
                let name = name(message);
                assert_eq!(name.0, 1 - receiver, "seed {seed}: it comes from the other side");
                assert_eq!(name.1, message.stream, "seed {seed}: on its stream");
                let (length, options) = self.sent[&name];
                assert!(
                    message.payload == payload(name, length),
                    "seed {seed}: {name:?} is broken"
                );
                assert_eq!(message.unordered, options.unordered, "seed {seed}");
                assert!(seen.insert(name), "seed {seed}: {name:?} came twice");
                if !options.unordered {
                    let before = last.insert(name.1, name.2);
                    assert!(before < Some(name.2), "seed {seed}: {name:?} after {before:?}");
                }
            }
        }
        let told = |end: usize, of: fn(&Event) -> usize| {
            self.world.events[end].iter().map(of).sum::<usize>()
        };
        for end in [ADA, BOB] {
            let done = told(end, |event| match event {
                Event::ResetDone { streams, done: true } => streams.len(),
                _ => 0,
            });
            let heard = told(1 - end, |event| match event {
                Event::StreamsReset(streams) => streams.len(),
                _ => 0,
            });
            assert_eq!(done, heard, "seed {seed}: resets");
        }
        let [ada, bob] = self.world.ends.each_ref().map(Association::streams);
        assert_eq!(ada, (bob.1, bob.0), "seed {seed}: how many streams there are");
    }
}

fn name(message: &Message) -> Name {
    let bytes = &message.payload;
    let stream = u16::from_be_bytes([bytes[1], bytes[2]]);
    (bytes[0].into(), stream, u32::from_be_bytes([bytes[3], bytes[4], bytes[5], bytes[6]]))
}

#[test]
fn whatever_both_do_each_mode_keeps_its_promise() {
    for seed in 1..=seeds() {
        let mut play = Play::new(seed);
        for _ in 0..STEPS {
            play.step();
        }
        let until = play.world.now + Duration::from_secs(600);
        while !play.is_complete() {
            assert!(play.world.now < until, "seed {seed}: not everything arrives");
            play.world.run_for(Duration::from_secs(1));
        }
        // A reset is asked for again each 10 s in the end, and of three tries one may be lost.
        play.world.run_for(Duration::from_secs(300));
        play.check();
        let now = play.world.now;
        play.world.ends[(seed % 2) as usize].shutdown(now);
        play.world.run_for(Duration::from_secs(120));
        for events in &play.world.events {
            let ended = matches!(events.last(), Some(Event::Ended(End::Shutdown)));
            assert!(ended, "seed {seed}: {:?}", events.last());
        }
    }
}
