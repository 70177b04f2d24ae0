//! A peer that takes back what it has acknowledged by gap blocks (RFC 9260 §6.2.1 D iii).

use std::collections::BTreeSet;
use std::time::Duration;

use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::{Chunk, Packet, Sack, kind};

use crate::sctp_hostile::{Known, ended, known, packet};
use crate::sctp_world::{ADA, World};

/// What a peer has of Ada's data, in numbers from 1 on.
struct Peer {
    tag: u32,
    before: Tsn,
    cumulative: u32,
    held: BTreeSet<u32>,
    /// Taken back once already.
    forgotten: BTreeSet<u32>,
    window: u32,
}

impl Peer {
    fn of(known: &Known) -> Self {
        let before = Tsn(known.tsns[ADA].0.wrapping_sub(1));
        let (held, forgotten) = (BTreeSet::new(), BTreeSet::new());
        Self { tag: known.tags[ADA], before, cumulative: 0, held, forgotten, window: 1 << 20 }
    }

    fn take(&mut self, number: u32) {
        if number > self.cumulative {
            self.held.insert(number);
        }
        while self.held.remove(&(self.cumulative + 1)) {
            self.cumulative += 1;
        }
    }

    /// Forgets what it holds beyond the cumulative TSN and has not forgotten before.
    fn forget(&mut self) {
        let held = std::mem::take(&mut self.held);
        for number in held {
            if !self.forgotten.insert(number) {
                self.held.insert(number);
            }
        }
    }

    fn sack(&self) -> Vec<u8> {
        let mut gaps: Vec<(u16, u16)> = Vec::new();
        for number in &self.held {
            let at = u16::try_from(number - self.cumulative).expect("within a window");
            match gaps.last_mut() {
                Some(gap) if gap.1 + 1 == at => gap.1 = at,
                _ => gaps.push((at, at)),
            }
        }
        let cumulative = Tsn(self.before.0.wrapping_add(self.cumulative));
        packet(self.tag, kind::SACK, 0, |buf| Sack::write(buf, cumulative, self.window, &gaps, &[]))
    }
}

/// The numbers of what Ada has sent since last asked.
fn numbers(world: &mut World, before: Tsn) -> Vec<Vec<u32>> {
    let sent = world.sent.replace(vec![]).expect("recorded");
    let of = |chunk: Chunk<'_>| {
        let tsn = u32::from_be_bytes(*chunk.value.first_chunk()?);
        (chunk.kind == kind::I_DATA).then(|| tsn.wrapping_sub(before.0))
    };
    let packets = sent.iter().filter(|(from, _)| *from == ADA);
    let packets = packets.map(|(_, bytes)| Packet::parse(bytes).expect("a packet"));
    packets.map(|packet| packet.chunks().filter_map(of).collect()).collect()
}

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Sends messages to a peer that loses packets and takes back what it has, each TSN once.
fn transfer(seed: u64, length: usize, messages: usize) {
    let known = known();
    let mut peer = Peer::of(&known);
    let mut world = known.world;
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    world.lose = Some(Box::new(|_, _| true));
    world.sent = Some(vec![]);
    for number in 0..messages {
        world.send(ADA, (number % 3) as u16, vec![7; length]);
    }
    let mut steps = 0;
    loop {
        world.run_for(Duration::from_millis(5));
        for chunks in numbers(&mut world, peer.before) {
            // One in eight is lost, the first of all in any case.
            let lost = random(&mut state).is_multiple_of(8) || chunks.contains(&1) && steps == 0;
            if !lost {
                chunks.into_iter().for_each(|number| peer.take(number));
            }
            if random(&mut state).is_multiple_of(3) {
                world.inject(ADA, &peer.sack());
            }
        }
        world.inject(ADA, &peer.sack());
        if random(&mut state).is_multiple_of(5) || !peer.held.is_empty() && steps < 8 {
            peer.forget();
            world.inject(ADA, &peer.sack());
        }
        steps += 1;
        let window = world.ends[ADA].window().expect("it is connected");
        if world.ends[ADA].buffered() == 0 && window.in_flight == 0 && peer.held.is_empty() {
            break;
        }
        assert!(steps < 20_000, "seed {seed}: it hangs at {}, {window:?}", peer.cumulative);
    }
    assert_eq!(ended(&world, ADA), None, "seed {seed}");
    assert!(!peer.forgotten.is_empty(), "seed {seed}: nothing was taken back");
    world.send(ADA, 0, "more");
    world.run_for(Duration::from_secs(1));
    let after = numbers(&mut world, peer.before);
    assert!(after.iter().any(|chunks| !chunks.is_empty()), "seed {seed}: it is stuck");
}

#[test]
fn what_a_peer_takes_back_leaves_again_until_it_arrives() {
    for seed in 1..=20 {
        transfer(seed, 1100, 120);
        transfer(seed, 70, 700);
        transfer(seed, 9000, 30);
    }
}
