//! The books against what they are the sum of, whatever a peer tells and takes back.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::super::books::Books;
use super::super::outbox::Piece;
use super::*;

struct World {
    flight: Flight,
    books: Books,
    now: Instant,
    random: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let now = talkie_sansio::conformance::genesis().now;
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { flight: Flight::new(1000), books: Books::new(now), now, random }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit
    }

    /// A packet with what is lost and something new.
    fn send(&mut self) {
        self.now += Duration::from_millis(1);
        self.flight.begin_packet(self.books.snapshot(self.now, 0));
        let mut last = None;
        for _ in 0..self.below(4) {
            let Some(tsn) = self.flight.next_lost(last) else { break };
            self.flight.take_lost();
            self.flight.add(tsn);
            last = Some(tsn);
        }
        let new = if self.flight.has_lost() { 0 } else { self.below(4) };
        for _ in 0..new {
            let payload = Bytes::from_static(&[7; 10]);
            let piece = Piece {
                stream: 0,
                flags: 3,
                number: 0,
                fsn: 0,
                ppid: 0,
                payload,
                until: None,
                most_sends: u16::MAX,
            };
            self.flight.add_new(Sent::new(piece, 32));
        }
        if last.is_none() && new == 0 {
            self.flight.cancel_packet();
        } else {
            self.flight.end_packet(self.now, &mut self.books);
        }
    }

    /// What a SACK does.
    fn hear(&mut self, cumulative: u64, blocks: &[(u64, u64)]) {
        let settled = self.flight.settle(cumulative, blocks, &mut self.books);
        if settled.original.is_some() {
            self.flight.revive(&mut self.books);
        } else if self.below(4) == 0 {
            self.flight.release();
        }
        self.flight.take_back_reneged(blocks, &mut self.books);
    }

    fn lose_one(&mut self) {
        let packets = self.flight.packets.len() as u64;
        if packets > 0 {
            let number = self.flight.packet_base + self.below(packets);
            self.flight.lose(number, &mut self.books);
        }
    }

    fn check(&self) {
        let flight = &self.flight;
        let count = |state: State| flight.chunks.iter().filter(move |chunk| chunk.state == state);
        let flying: u64 = count(State::InFlight).map(|chunk| u64::from(chunk.size)).sum();
        let in_packets: u64 = flight.packets.iter().map(|packet| u64::from(packet.in_flight)).sum();
        assert_eq!((self.books.in_flight, in_packets), (flying, flying));
        assert_eq!(flight.waiting, count(State::Lost).count());
        let held = count(State::InFlight).chain(count(State::Lost));
        let payload: u64 = held.map(|chunk| chunk.payload.len() as u64).sum();
        assert_eq!(flight.outstanding, payload);
        for (at, chunk) in flight.chunks.iter().enumerate() {
            let tsn = flight.base + at as u64;
            match chunk.state {
                State::Lost => assert!(flight.lost.contains(&tsn), "{tsn} never leaves again"),
                State::InFlight => {
                    assert!(self.is_listed(tsn, chunk.packet), "{tsn} is never taken for lost");
                }
                State::Acked | State::Abandoned => {}
            }
        }
        assert!(flight.chunks.front().is_none_or(|chunk| chunk.state != State::Acked));
    }

    /// Whether a packet's list leads to the chunk.
    fn is_listed(&self, tsn: u64, number: u64) -> bool {
        let Some(packet) = self.flight.packet(number) else { return false };
        let mut at = packet.first;
        while let Some(chunk) = self.flight.chunk(at).filter(|chunk| chunk.packet == number) {
            if at == tsn {
                return true;
            }
            if chunk.next == 0 {
                break;
            }
            at += u64::from(chunk.next);
        }
        false
    }
}

#[test]
fn the_books_are_right_whatever_a_peer_takes_back_and_whatever_was_only_late() {
    for seed in 1..400 {
        let mut world = World::new(seed);
        for _ in 0..200 {
            match world.below(10) {
                0..=4 => world.send(),
                5 => world.lose_one(),
                6 => {
                    let tsn = world.flight.base + world.below(30);
                    world.flight.abandon(tsn, &mut world.books);
                }
                7 => {
                    world.flight.lose_all(&mut world.books);
                }
                _ => {
                    let (base, next) = (world.flight.base, world.flight.next_tsn());
                    let cumulative = (base - 1 + world.below(4)).min(next - 1);
                    let mut blocks = Vec::new();
                    let mut at = cumulative + 2 + world.below(5);
                    while at < next {
                        let last = (at + world.below(4)).min(next - 1);
                        blocks.push((at, last));
                        at = last + 2 + world.below(6);
                    }
                    world.hear(cumulative, &blocks);
                }
            }
            world.check();
        }
        // A peer that takes it all in the end is rid of everything.
        for _ in 0..1000 {
            world.send();
        }
        world.hear(world.flight.next_tsn() - 1, &[]);
        world.check();
        assert_eq!((world.books.in_flight, world.flight.outstanding), (0, 0), "seed {seed}");
    }
}
