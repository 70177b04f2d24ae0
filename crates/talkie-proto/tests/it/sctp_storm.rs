//! Peers that have gone mad: chunks of every kind, with the right tags and with numbers near the right ones,
//! between the honest packets of a busy association.

use std::time::Duration;

use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::forward::{Forward, Skipped};
use talkie_proto::sctp::wire::{Data, Header, IData, Packet, Sack, Writer, kind};
use talkie_proto::sctp::{Config, Event, Reliability, SendOptions};

use crate::sctp_world::{ADA, BOB, Link, World};

fn seeds() -> u64 {
    std::env::var("TALKIE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(100)
}

struct Storm {
    world: World,
    interleaving: bool,
    /// What packets to each end carry.
    tags: [u32; 2],
    /// The newest TSN of each end.
    tsns: [u32; 2],
}

impl Storm {
    fn new(seed: u64) -> Self {
        let interleaving = seed.is_multiple_of(2);
        let config = Config {
            interleaving,
            receive_initial: 50_000,
            receive_most: 200_000,
            message_most: 40_000,
            ..Config::default()
        };
        let link = Link { loss: seed * 7 % 100, reorder: 50, seed, ..Link::default() };
        let mut world = World::with(link, &config, &config);
        world.sent = Some(vec![]);
        world.connect();
        let mut storm = Self { world, interleaving, tags: [0; 2], tsns: [0; 2] };
        storm.learn();
        storm
    }

    fn below(&mut self, limit: u32) -> u32 {
        (0..limit.ilog2() + 1).fold(0, |sum, _| sum * 2 + u32::from(self.world.chance(500))) % limit
    }

    /// Tags and TSNs from what has been sent.
    fn learn(&mut self) {
        for (from, bytes) in self.world.sent.as_mut().expect("recorded").drain(..) {
            let Some(packet) = Packet::parse(&bytes) else { continue };
            for chunk in packet.chunks() {
                let number =
                    |at: usize| u32::from_be_bytes(*chunk.value[at..].first_chunk().expect("4"));
                match chunk.kind {
                    kind::INIT | kind::INIT_ACK => {
                        (self.tags[from], self.tsns[from]) = (number(0), number(12));
                    }
                    kind::DATA | kind::I_DATA => self.tsns[from] = number(0),
                    _ => {}
                }
            }
        }
    }

    /// One of the last TSNs: to tell of those to come ends it at once.
    fn near(&mut self, tsn: u32) -> Tsn {
        Tsn(tsn.wrapping_sub(self.below(60)))
    }

    fn send(&mut self, end: usize) {
        let reliability = match self.below(4) {
            0 => Reliability::Retransmits(self.below(3) as u16),
            1 => Reliability::Lifetime(Duration::from_millis(self.below(200).into())),
            _ => Reliability::Reliable,
        };
        let options = SendOptions { unordered: self.below(3) == 0, reliability };
        let (stream, most) = (self.below(4) as u16, [200, 200, 9000][self.below(3) as usize]);
        let length = 1 + self.below(most) as usize;
        let now = self.world.now;
        let _ = self.world.ends[end].send(now, stream, 51, vec![7; length].into(), options);
    }

    /// One to four chunks to `to`, as if the other had sent them.
    fn slip_in(&mut self, to: usize) {
        let (theirs, ours) = (self.tsns[1 - to], self.tsns[to]);
        let mut buf = Vec::new();
        let header = Header { source: 5000, destination: 5000, tag: self.tags[to] };
        let mut packet = Writer::new(&mut buf, header);
        for _ in 0..=self.below(4) {
            // Fragments that do not fit together end it: most seeds do without.
            match self.below(10) {
                0..6 => self.sack(&mut packet, ours),
                6 | 7 => self.forward(&mut packet, theirs),
                8 if self.world.link.seed.is_multiple_of(5) => self.data(&mut packet, theirs),
                _ => {
                    let kinds =
                        [kind::HEARTBEAT, kind::HEARTBEAT_ACK, kind::COOKIE_ACK, kind::ERROR];
                    let kind = kinds[self.below(4) as usize];
                    packet.chunk(kind, 0, |buf| buf.extend([0, 1, 0, 12, 1, 2, 3, 4, 0, 0, 0, 0]));
                }
            }
        }
        packet.finish(true);
        self.world.inject(to, &buf);
    }

    fn sack(&mut self, packet: &mut Writer<'_>, tsn: u32) {
        let (cumulative, window) = (self.near(tsn), self.below(60_000));
        let gaps: Vec<_> = (0..self.below(6))
            .map(|_| {
                let first = self.below(40) as u16;
                (first, first.saturating_add(self.below(8) as u16).saturating_sub(1))
            })
            .collect();
        let duplicates: Vec<_> = (0..self.below(3)).map(|_| self.near(tsn)).collect();
        let gaps: Vec<_> = gaps
            .into_iter()
            .filter(|(_, last)| cumulative.plus((*last).into()).0.wrapping_sub(tsn) as i32 <= 0)
            .collect();
        packet.chunk(kind::SACK, 0, |buf| Sack::write(buf, cumulative, window, &gaps, &duplicates));
    }

    fn forward(&mut self, packet: &mut Writer<'_>, tsn: u32) {
        let cumulative = self.near(tsn);
        let skipped: Vec<_> = (0..self.below(4))
            .map(|_| Skipped {
                stream: self.below(4) as u16,
                unordered: self.below(2) == 0,
                last: self.below(40),
            })
            .collect();
        let interleaving = self.interleaving;
        let kind = if interleaving { kind::I_FORWARD_TSN } else { kind::FORWARD_TSN };
        packet.chunk(kind, 0, |buf| Forward::write(buf, cumulative, interleaving, &skipped));
    }

    fn data(&mut self, packet: &mut Writer<'_>, tsn: u32) {
        let (tsn, flags, stream) = (self.near(tsn), self.below(16) as u8, self.below(4) as u16);
        let payload = vec![9; 1 + self.below(200) as usize];
        if self.interleaving {
            let (mid, fsn) = (self.below(40), self.below(10));
            let data = IData { flags, tsn, stream, mid, fsn, ppid: 51, payload: &payload };
            packet.chunk(kind::I_DATA, flags, |buf| data.write(buf));
        } else {
            let ssn = self.below(40) as u16;
            let data = Data { flags, tsn, stream, ssn, ppid: 51, payload: &payload };
            packet.chunk(kind::DATA, flags, |buf| data.write(buf));
        }
    }

    fn is_over(&self) -> bool {
        let over = |event: &Event| matches!(event, Event::Ended(_));
        self.world.events.iter().any(|events| events.iter().any(over))
    }
}

#[test]
fn a_peer_gone_mad_breaks_nothing() {
    let mut steps = 0;
    for seed in 1..=seeds() {
        let mut storm = Storm::new(seed);
        for _ in 0..200 {
            if storm.is_over() {
                break;
            }
            steps += 1;
            let end = storm.below(2) as usize;
            match storm.below(8) {
                0..3 => (0..4).for_each(|_| storm.send(end)),
                3..5 => storm.slip_in(end),
                5 => storm.world.reads[end] = !storm.world.reads[end],
                _ => {
                    let span = Duration::from_millis(storm.below(120).into());
                    storm.world.run_for(span);
                }
            }
            storm.learn();
        }
        for end in [ADA, BOB] {
            let held = storm.world.ends[end].window().expect("it was connected");
            assert!(held.in_flight < 1 << 24, "seed {seed}: {held:?}");
        }
        storm.world.run_for(Duration::from_secs(400));
    }
    assert!(steps > seeds() * 10, "too many ended at once: {steps} steps");
}
