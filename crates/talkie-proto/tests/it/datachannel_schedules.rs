//! Random schedules of channels: both ends open, send, close and wait as they like, on a path that loses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use talkie_proto::datachannel::{
    ChannelId, Config, DataChannels, Event, Kind, Options, Role, State,
};
use talkie_proto::sctp::{self, Reliability};

use crate::datachannel_world::{ADA, BOB, Link, World, channels};

const STEPS: usize = 120;

fn seeds() -> u64 {
    std::env::var("TALKIE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(30)
}

/// What was done with a channel, by its label.
#[derive(Default)]
struct Story {
    ordered: bool,
    reliable: bool,
    /// Its names at both ends.
    ids: [Option<ChannelId>; 2],
    /// Messages sent by each end.
    sent: [u32; 2],
    closed: bool,
}

struct Play {
    random: u64,
    world: World,
    stories: BTreeMap<String, Story>,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut play = Self {
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            world: World::new(Link::default()),
            stories: BTreeMap::new(),
        };
        let link = Link { loss: play.below(150), seed, ..Link::default() };
        let interleaving = play.below(2) == 0;
        let end = |number: u8, role| {
            // So few streams that they are used again.
            let sctp = sctp::Config { streams: 6, interleaving, ..sctp::Config::default() };
            channels(number, Config { role: Some(role), sctp, ..Config::default() })
        };
        play.world = World::with(link, end(1, Role::Client), end(2, Role::Server));
        play.world.connect();
        play
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 8) % limit
    }

    fn end(&mut self, end: usize) -> &mut DataChannels {
        if end == ADA { &mut self.world.ada } else { &mut self.world.bob }
    }

    /// Learns the names of channels that the other side has opened.
    fn learn(&mut self) {
        for end in [ADA, BOB] {
            for id in self.world.incoming(end) {
                let Some(options) = self.end(end).options(id) else { continue };
                let label = options.label.clone();
                self.stories.get_mut(&label).expect("it was opened").ids[end] = Some(id);
            }
        }
    }

    fn open(&mut self, end: usize) {
        let label = format!("{} of {end}", self.stories.len());
        let reliability = match self.below(4) {
            0 => Reliability::Retransmits(self.below(3) as u16),
            1 => Reliability::Lifetime(Duration::from_millis(self.below(200))),
            _ => Reliability::Reliable,
        };
        let (ordered, reliable) = (self.below(3) > 0, reliability == Reliability::Reliable);
        let options = Options { label: label.clone(), ordered, reliability, ..Options::default() };
        let now = self.world.now;
        let Ok(id) = self.end(end).open(now, options) else { return };
        let mut story = Story { ordered, reliable, ..Story::default() };
        story.ids[end] = Some(id);
        self.stories.insert(label, story);
    }

    /// A channel of that end's that can be used.
    fn any(&mut self, end: usize) -> Option<(String, ChannelId)> {
        let open: Vec<ChannelId> = self
            .end(end)
            .channels()
            .collect::<Vec<_>>()
            .into_iter()
            .filter(|id| self.end(end).state(*id) == Some(State::Open))
            .collect();
        let nth = self.below(open.len().max(1) as u64) as usize;
        let id = *open.get(nth)?;
        Some((self.end(end).options(id)?.label.clone(), id))
    }

    fn send(&mut self, end: usize) {
        let Some((label, id)) = self.any(end) else { return };
        let length = if self.below(8) == 0 { 20_000 } else { self.below(3000) as usize };
        let now = self.world.now;
        let story = self.stories.get_mut(&label).expect("it was opened");
        let mut payload = format!("{label}|{}|", story.sent[end]).into_bytes();
        story.sent[end] += 1;
        payload.resize(payload.len() + length, b'.');
        self.end(end).send(now, id, Kind::Text, payload.into()).expect("it has room");
    }

    fn step(&mut self) {
        let end = self.below(2) as usize;
        match self.below(16) {
            0 | 1 => self.open(end),
            2 => {
                if let Some((label, id)) = self.any(end) {
                    self.stories.get_mut(&label).expect("it was opened").closed = true;
                    self.world.close(end, id);
                }
            }
            3..8 => {
                let span = Duration::from_millis(self.below(200));
                self.world.run_for(span);
            }
            _ => self.send(end),
        }
        self.learn();
    }

    fn check(&self, seed: u64) {
        let mut got: BTreeMap<(&str, usize), Vec<u32>> = BTreeMap::new();
        for end in [ADA, BOB] {
            for message in &self.world.seen[end].messages {
                let text = message.text().expect("a text");
                let mut parts = text.split('|');
                let label = parts.next().expect("a label");
                let (label, story) = self.stories.get_key_value(label).expect("a channel");
                // One that was open for a moment only has not been noticed.
                let known = story.ids[end].unwrap_or(message.channel);
                assert_eq!(known, message.channel, "seed {seed}: {label}");
                let number = parts.next().and_then(|number| number.parse().ok());
                got.entry((label, 1 - end)).or_default().push(number.expect("a number"));
            }
        }
        for (label, story) in &self.stories {
            for end in [ADA, BOB] {
                let mut numbers = got.remove(&(&label[..], end)).unwrap_or_default();
                let set: BTreeSet<u32> = numbers.iter().copied().collect();
                assert_eq!(set.len(), numbers.len(), "seed {seed}: {label}: one came twice");
                if story.ordered {
                    let sorted: Vec<u32> = set.iter().copied().collect();
                    assert_eq!(numbers, sorted, "seed {seed}: {label}: out of order");
                }
                numbers.sort_unstable();
                let all: Vec<u32> = (0..story.sent[end]).collect();
                if story.reliable && !story.closed {
                    assert_eq!(numbers, all, "seed {seed}: {label}: not all");
                } else if story.reliable && story.ordered {
                    // What a side sends that does not know yet of the end is lost from some message on.
                    assert_eq!(numbers, all[..numbers.len()], "seed {seed}: {label}: a hole");
                }
            }
        }
        for end in [ADA, BOB] {
            let begun = |event: &&Event| matches!(event, Event::Open(_) | Event::Incoming(_));
            let closed = |event: &Event| match event {
                Event::Closed(id) => Some(*id),
                _ => None,
            };
            let events = &self.world.seen[end].events;
            let all: Vec<ChannelId> = events.iter().filter_map(closed).collect();
            let once: BTreeSet<ChannelId> = all.iter().copied().collect();
            assert_eq!(once.len(), all.len(), "seed {seed}: closed twice");
            assert_eq!(all.len(), events.iter().filter(begun).count(), "seed {seed}: not closed");
        }
    }
}

#[test]
fn whatever_both_do_channels_keep_their_promises() {
    for seed in 1..=seeds() {
        let mut play = Play::new(seed);
        for _ in 0..STEPS {
            play.step();
        }
        play.world.run_for(Duration::from_secs(60));
        play.learn();
        for end in [ADA, BOB] {
            let now = play.world.now;
            for id in play.end(end).channels().collect::<Vec<_>>() {
                play.end(end).close(now, id);
            }
        }
        play.world.run_for(Duration::from_secs(120));
        let left = play.world.ada.channels().count() + play.world.bob.channels().count();
        assert_eq!(left, 0, "seed {seed}");
        play.check(seed);
    }
}
