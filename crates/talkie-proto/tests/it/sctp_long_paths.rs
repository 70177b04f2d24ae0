//! Paths that are longer than the timeouts and windows that associations begin with.

use std::collections::BTreeMap;
use std::time::Duration;

use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::{Data, IData, Packet, Sack, kind};
use talkie_proto::sctp::{Config, Reliability, SendOptions};

use crate::sctp_world::{ADA, BOB, Link, World};

/// A path by satellite.
const FAR: Link = Link {
    delay: Duration::from_millis(300),
    loss: 0,
    reorder: 0,
    duplicate: 0,
    rate: None,
    queue: 4 << 20,
    marks: u64::MAX,
    seed: 1,
};

/// How often each TSN of an end has left, of those that left more than once.
pub(crate) fn repeated(world: &World, end: usize) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    let sent = world.sent.iter().flatten().filter(|(from, _)| *from == end);
    for chunk in sent.flat_map(|(_, packet)| Packet::parse(packet).expect("a packet").chunks()) {
        let tsn = match chunk.kind {
            kind::DATA => Data::parse(&chunk).map(|data| data.tsn),
            kind::I_DATA => IData::parse(&chunk).map(|data| data.tsn),
            _ => None,
        };
        if let Some(Tsn(tsn)) = tsn {
            *counts.entry(tsn).or_default() += 1;
        }
    }
    counts.retain(|_, count| *count > 1);
    counts
}

#[test]
fn what_the_handshake_has_shown_of_a_long_path_saves_the_first_flight_from_a_timeout() {
    for delay in [20, 200, 300, 450, 700, 1500] {
        let delay = Duration::from_millis(delay);
        let mut world = World::new(Link { delay, ..FAR });
        world.sent = Some(vec![]);
        world.connect();
        for end in [ADA, BOB] {
            world.send(end, 0, vec![0; 8000]);
        }
        world.run_for(Duration::from_secs(20));
        for end in [ADA, BOB] {
            assert_eq!(world.received[1 - end].len(), 1);
            assert!(repeated(&world, end).is_empty(), "{delay:?} each way, from {end}");
        }
    }
}

/// The largest window that Bob has told of.
fn largest_window(world: &World) -> u32 {
    let sent = world.sent.iter().flatten().filter(|(from, _)| *from == BOB);
    let chunks = sent.flat_map(|(_, packet)| Packet::parse(packet).expect("a packet").chunks());
    chunks.filter_map(|chunk| Sack::parse(&chunk)).map(|sack| sack.window).max().unwrap_or(0)
}

#[test]
fn a_window_grows_on_a_long_path_though_the_reader_has_sent_nothing_that_measures_it() {
    for (rate, least) in [(2_500_000, 4 << 20), (250_000, 1 << 20)] {
        let mut world = World::new(Link { rate: Some(rate), ..FAR });
        world.sent = Some(vec![]);
        world.connect();
        let begun = world.now;
        let count = 40 * rate as usize / 2_500_000;
        for _ in 0..count {
            world.send(ADA, 0, vec![0; 250_000]);
        }
        world.run_until(Duration::from_secs(30), |world| world.received[BOB].len() == count);
        let (took, window) = (world.now - begun, largest_window(&world));
        assert!(window as usize >= least, "{window} bytes at {rate} bytes in a second");
        assert!(window <= 64 << 20, "{window} bytes at {rate} bytes in a second");
        assert!(took < Duration::from_secs(10), "{took:?} at {rate} bytes in a second");
    }
}

#[test]
fn a_window_grows_no_further_than_it_may() {
    let most = 2 << 20;
    let small = Config { receive_most: most, ..Config::default() };
    let link = Link { rate: Some(2_500_000), ..FAR };
    let mut world = World::with(link, &Config::default(), &small);
    world.sent = Some(vec![]);
    world.connect();
    for _ in 0..40 {
        world.send(ADA, 0, vec![0; 250_000]);
    }
    world.run_until(Duration::from_secs(30), |world| world.received[BOB].len() == 40);
    let window = largest_window(&world) as usize;
    assert!((most - 10_000..=most).contains(&window), "{window} bytes");
}

/// Every second packet of a window that is twice what the path holds is lost, and a SACK has no room for all the
/// holes.
#[test]
fn a_torn_window_is_mended_without_a_timeout() {
    let mut world = World::new(Link { queue: 1_500_000, rate: Some(2_500_000), ..FAR });
    world.connect();
    for _ in 0..60 {
        world.send(ADA, 0, vec![0; 250_000]);
    }
    let (mut count, mut torn) = (0, (0, 0));
    world.lose = Some(Box::new(move |from, _| {
        count += usize::from(from == ADA);
        (3000..5000).contains(&count) && count % 2 == 0 && from == ADA
    }));
    let begun = world.now;
    while world.received[BOB].len() < 60 {
        world.run_for(Duration::from_millis(50));
        let window = world.ends[ADA].window().expect("it is connected");
        torn = (torn.0.max(window.lost), window.window);
        assert!(window.window > 5000, "{window:?} after {:?}", world.now - begun);
    }
    assert!(torn.0 > 500_000, "{torn:?}");
}

/// Such a packet is given up when three have overtaken it, and the peer told; what acknowledges it when it comes is
/// no answer to that.
#[test]
fn what_is_late_and_was_given_up_makes_no_path_shorter() {
    for interleaving in [true, false] {
        let config = Config { interleaving, ..Config::default() };
        let link = Link { reorder: 20, ..Link::default() };
        let mut world = World::with(link, &config, &config);
        world.connect();
        let reliability = Reliability::Retransmits(0);
        for _ in 0..3000 {
            world.send_with(ADA, 0, vec![0; 500], SendOptions { unordered: true, reliability });
            world.run_for(Duration::from_millis(1));
            let round_trip = world.ends[ADA].window().expect("it is connected").round_trip;
            assert!(round_trip.is_none_or(|it| it >= link.delay * 2), "{round_trip:?}");
        }
    }
}
