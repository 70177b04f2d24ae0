use std::time::Duration;

use talkie_sansio::Genesis;
use talkie_sim::net::{
    Attachment, Change, Duplex, Host, Link, Loss, Network, Oversize, Reordering,
};
use talkie_sim::trace::Cause;

use crate::echo::{Echo, SECOND, Seen, at, ip, seeded};

/// A sender and a receiver at one switch; the sender's link is the one to be tested.
struct Wire {
    network: Network,
    sender: Host<Echo>,
    receiver: Host<Echo>,
    link: Attachment,
}

const FAST: Duration = Duration::from_nanos(1);

impl Wire {
    fn new(genesis: &Genesis, up: Link) -> Self {
        let mut network = Network::new(genesis);
        let lan = network.add_lan("switch");
        let sender = network.add_host("sender", Echo::default());
        let duplex = Duplex { up, down: Link::default() };
        let link = network.attach(sender, lan, duplex, [ip("10.0.0.1")]);
        let receiver = network.add_host("receiver", Echo::default());
        network.attach(receiver, lan, Link::with_delay(FAST), [ip("10.0.0.2")]);
        Self { network, sender, receiver, link }
    }

    /// Sends `count` packets of `len` bytes, `pause` apart, the number of each in its first bytes.
    fn send(&mut self, count: u32, len: usize, pause: Duration) -> Vec<Seen> {
        let mut seen = Vec::new();
        for number in 0..count {
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(len, 0);
            self.network.call(self.sender, |machine, _| {
                machine.send("10.0.0.1:1", at("10.0.0.2:2"), &payload);
            });
            self.network.run_for(pause);
            seen.extend(std::iter::from_fn(|| self.network.poll_event(self.receiver)));
        }
        self.network.run_for(10 * SECOND);
        seen.extend(std::iter::from_fn(|| self.network.poll_event(self.receiver)));
        assert_eq!(self.network.lost_events(self.receiver), 0);
        seen
    }
}

fn numbers(seen: &[Seen]) -> Vec<u32> {
    seen.iter().map(|it| u32::from_be_bytes(it.payload[..4].try_into().unwrap())).collect()
}

#[test]
fn a_packet_arrives_after_the_delay() {
    let mut wire = Wire::new(&seeded(1), Link::with_delay(Duration::from_millis(40)));
    let begin = wire.network.now();
    let seen = wire.send(1, 100, FAST);
    assert_eq!(seen[0].at - begin, Duration::from_millis(40) + FAST);
}

#[test]
fn what_is_larger_than_the_mtu_goes_no_further() {
    for (oversize, cause) in [
        (Oversize::Vanishes, Some(Cause::TooBig { mtu: 1000 })),
        (Oversize::Reported, Some(Cause::FragmentationNeeded { mtu: 1000 })),
        (Oversize::Fragmented, None),
    ] {
        let mut wire = Wire::new(&seeded(1), Link { mtu: 1000, oversize, ..Link::default() });
        // 20 bytes of IPv4 header and 8 of UDP.
        assert_eq!(wire.send(1, 972, SECOND).len(), 1);
        assert_eq!(wire.send(1, 973, SECOND).len(), usize::from(cause.is_none()));
        let dropped = cause.map(|cause| wire.network.counters().dropped_for(cause));
        assert_eq!(dropped.unwrap_or(1), 1);
    }
}

#[test]
fn a_datagram_that_udp_can_not_carry_is_not_sent() {
    let link = Link { mtu: usize::MAX, ..Link::default() };
    let mut wire = Wire::new(&seeded(1), link);
    let receiver = wire.receiver;
    // The receiver's own link has Ethernet's MTU.
    assert_eq!(wire.send(1, 65_507, SECOND), []);
    assert_eq!(wire.network.counters().dropped_for(Cause::FragmentationNeeded { mtu: 1500 }), 1);
    assert_eq!(wire.send(1, 65_508, SECOND), []);
    assert_eq!(wire.network.counters().dropped_for(Cause::TooBig { mtu: 65_535 }), 1);
    assert_eq!(wire.network.poll_event(receiver), None);
}

#[test]
fn jitter_spreads_and_keeps_the_order() {
    let jitter = Duration::from_millis(30);
    let mut wire = Wire::new(&seeded(2), Link { jitter, ..Link::default() });
    let seen = wire.send(2000, 100, Duration::from_millis(1));
    assert_eq!(numbers(&seen), (0..2000).collect::<Vec<_>>());
    let begin = seen[0].at;
    let late = |it: &Seen| it.at - begin;
    assert!(seen.windows(2).any(|pair| late(&pair[1]) == late(&pair[0])), "some wait for others");
}

#[test]
fn some_packets_are_overtaken() {
    let reordering = Reordering { probability: 0.1, by: Duration::from_millis(10) };
    let link = Link { reordering: Some(reordering), ..Link::default() };
    let mut wire = Wire::new(&seeded(3), link);
    let seen = numbers(&wire.send(2000, 100, Duration::from_millis(2)));
    assert_eq!(seen.len(), 2000);
    let overtaken = seen.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!((150..250).contains(&overtaken), "{overtaken} of 2000");
}

#[test]
fn some_packets_come_twice() {
    let mut wire = Wire::new(&seeded(4), Link { duplication: 0.1, ..Link::default() });
    let seen = wire.send(2000, 100, Duration::from_millis(1));
    assert!((2140..2260).contains(&seen.len()), "{}", seen.len());
    assert_eq!(wire.network.counters().copies, seen.len() as u64 - 2000);
}

#[test]
fn the_rate_is_the_rate() {
    // 1028 bytes with headers: 1000 of them at 8.224 Mbit/s take a second.
    let link = Link { rate: Some(8_224_000), queue: usize::MAX, ..Link::default() };
    let mut wire = Wire::new(&seeded(5), link);
    let begin = wire.network.now();
    let seen = wire.send(1000, 1000, FAST);
    assert_eq!(seen.len(), 1000);
    let took = seen[999].at - begin;
    assert!(took >= SECOND && took < SECOND + Duration::from_millis(6), "{took:?}");
    assert!(seen.windows(2).all(|pair| pair[1].at - pair[0].at >= Duration::from_micros(999)));
}

#[test]
fn a_full_queue_drops_what_comes_last() {
    let link = Link { rate: Some(8_224_000), queue: 10 * 1028, ..Link::default() };
    let mut wire = Wire::new(&seeded(6), link);
    let seen = numbers(&wire.send(100, 1000, FAST));
    // Ten, as the one on the line counts until it has left.
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
    assert_eq!(wire.network.counters().dropped_for(Cause::QueueFull), 90);
}

#[test]
fn loss_is_as_frequent_as_it_is_said_to_be() {
    for loss in [0.01, 0.1, 0.5] {
        let mut wire = Wire::new(&seeded(7), Link { loss: Loss::Random(loss), ..Link::default() });
        let lost = 20_000 - wire.send(20_000, 20, Duration::from_micros(10)).len();
        // Four standard deviations of a binomial distribution.
        let (mean, deviation) = (20_000.0 * loss, (20_000.0 * loss * (1.0 - loss)).sqrt());
        assert!((lost as f64 - mean).abs() < 4.0 * deviation, "{lost} at {loss}");
    }
}

#[test]
fn bursts_are_as_long_as_they_are_said_to_be() {
    let loss = Loss::Burst { worsens: 0.01, recovers: 0.25, good: 0.0, bad: 1.0 };
    let mut wire = Wire::new(&seeded(8), Link { loss, ..Link::default() });
    let seen = numbers(&wire.send(40_000, 20, Duration::from_micros(10)));
    let gaps: Vec<u32> =
        seen.windows(2).map(|pair| pair[1] - pair[0] - 1).filter(|gap| *gap > 0).collect();
    let mean = f64::from(gaps.iter().sum::<u32>()) / gaps.len() as f64;
    // Geometric with mean 1 / 0.25, over some 385 bursts; and lost in all: 0.01 / (0.01 + 0.25).
    assert!((3.4..4.6).contains(&mean), "{mean}");
    let share = 1.0 - seen.len() as f64 / 40_000.0;
    assert!((0.031..0.046).contains(&share), "{share}");
}

#[test]
fn a_link_can_change() {
    let mut wire = Wire::new(&seeded(9), Link::default());
    assert_eq!(wire.send(10, 100, FAST).len(), 10);
    let dead = Link { loss: Loss::Random(1.0), ..Link::default() };
    wire.network.change(Change::Relink(wire.link, dead.into()));
    assert_eq!(wire.send(10, 100, FAST), []);
    assert_eq!(wire.network.counters().dropped_for(Cause::Loss), 10);
}
