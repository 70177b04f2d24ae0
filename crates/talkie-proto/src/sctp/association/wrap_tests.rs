//! MIDs come round after 2³² messages of a stream: too many for a test, which begins shortly before.

use std::time::{Duration, Instant};

use bytes::Bytes;
use talkie_sansio::conformance::genesis;
use talkie_sansio::{Datagram, Genesis, Machine as _, Path, Transport};

use super::Association;
use crate::sctp::{Config, Message, Reliability, SendOptions};

const STREAM: u16 = 7;

/// Messages before the numbers come round.
const LEFT: u32 = 40;

/// Two ends that have agreed, and packets that are lost.
struct Pair {
    now: Instant,
    ends: [Association; 2],
    got: Vec<Message>,
    packets: u64,
}

impl Pair {
    fn new() -> Self {
        let born = genesis();
        let address = ([192, 0, 2, 1], 5000).into();
        let path = Path { transport: Transport::Udp, local: address, remote: address };
        let end = |seed| {
            let genesis = Genesis { seed: [seed; 32], ..born.clone() };
            Association::new(&genesis, path, Config::default())
        };
        let mut ends = [end(1), end(2)];
        let inits = ends.each_ref().map(Association::init_chunk);
        ends[0].connect_with(born.now, &inits[1]).expect("an INIT");
        ends[1].connect_with(born.now, &inits[0]).expect("an INIT");
        ends[0].outbox.begin_at(STREAM, 0_u32.wrapping_sub(LEFT));
        let link = ends[1].link.as_mut().expect("it is established");
        link.receiver.begin_at(STREAM, 0_u32.wrapping_sub(LEFT));
        Self { now: born.now, ends, got: vec![], packets: 0 }
    }

    fn send(&mut self, first: u8, length: usize, options: SendOptions) {
        let payload = Bytes::from(vec![first; length]);
        self.ends[0].send(self.now, STREAM, 53, payload, options).expect("it has room");
    }

    /// Carries packets for a while, and loses every fifth of them.
    fn run(&mut self, span: Duration) {
        let until = self.now + span;
        while self.now < until {
            self.now += Duration::from_millis(5);
            for (from, to) in [(0, 1), (1, 0)] {
                let mut packet = vec![];
                while self.ends[from].poll_transmit(&mut packet).is_some() {
                    self.packets += 1;
                    let (path, mut packet) = (self.ends[to].path, std::mem::take(&mut packet));
                    if !self.packets.is_multiple_of(5) {
                        let datagram = Datagram { path, payload: &mut packet };
                        self.ends[to].handle_datagram(self.now, datagram);
                    }
                }
                if self.ends[from].poll_timeout().is_some_and(|at| at <= self.now) {
                    self.ends[from].handle_timeout(self.now);
                }
                while self.ends[from].poll_event().is_some() {}
            }
            self.got.extend(std::iter::from_fn(|| self.ends[1].take_message()));
        }
    }

    /// The first bytes of what has come, ordered or not.
    fn firsts(&self, unordered: bool) -> Vec<u8> {
        let of = self.got.iter().filter(|message| message.unordered == unordered);
        of.map(|message| message.payload[0]).collect()
    }
}

#[test]
fn mids_come_round() {
    let mut pair = Pair::new();
    for number in 0..100 {
        let length = if number % 3 == 0 { 5000 } else { 50 };
        pair.send(number, length, SendOptions::default());
        pair.send(number, length, SendOptions { unordered: true, ..SendOptions::default() });
        pair.run(Duration::from_millis(10));
    }
    pair.run(Duration::from_secs(60));
    assert!(pair.firsts(false).into_iter().eq(0..100));
    let mut unordered = pair.firsts(true);
    unordered.sort_unstable();
    assert!(unordered.into_iter().eq(0..100));
    assert!(pair.got.iter().any(|message| message.number == u32::MAX));
    assert!(pair.got.iter().any(|message| message.number == 0));
}

#[test]
fn mids_come_round_while_messages_are_given_up() {
    let mut pair = Pair::new();
    let reliability = Reliability::Retransmits(0);
    for number in 0..100 {
        let unordered = number % 4 == 3;
        pair.send(number, 3000, SendOptions { unordered, reliability });
        pair.run(Duration::from_millis(20));
    }
    pair.run(Duration::from_secs(10));
    pair.send(200, 10, SendOptions::default());
    pair.run(Duration::from_secs(60));
    let ordered = pair.firsts(false);
    assert_eq!(ordered.last(), Some(&200));
    assert!(ordered.is_sorted() && (20..76).contains(&ordered.len()), "{ordered:?}");
}
