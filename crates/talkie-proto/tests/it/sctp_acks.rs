//! Acknowledgments by which a peer would have more sent, or sooner, than its path allows (RFC 9260 §7).

use std::time::Duration;

use talkie_proto::sctp::serial::Tsn;
use talkie_proto::sctp::wire::{Chunk, Packet, Sack, kind};
use talkie_proto::sctp::{Association, Config};

use crate::sctp_hostile::{Known, known_with, packet};
use crate::sctp_world::{ADA, Link, World};

fn sack(tag: u32, cumulative: Tsn, gaps: &[(u16, u16)]) -> Vec<u8> {
    packet(tag, kind::SACK, 0, |buf| Sack::write(buf, cumulative, 64 << 20, gaps, &[]))
}

fn window(end: &Association) -> u64 {
    end.window().expect("it is connected").window
}

/// The TSNs that Ada has sent since recording began.
fn tsns(world: &mut World) -> Vec<u32> {
    let sent = world.sent.replace(vec![]).expect("recorded");
    let of = |chunk: Chunk<'_>| {
        let data = matches!(chunk.kind, kind::DATA | kind::I_DATA);
        data.then(|| u32::from_be_bytes(*chunk.value.first_chunk().expect("a TSN")))
    };
    let from_ada = sent.iter().filter(|(from, _)| *from == ADA);
    let packets = from_ada.map(|(_, bytes)| Packet::parse(bytes).expect("a packet"));
    packets.flat_map(|packet| packet.chunks().filter_map(of).collect::<Vec<_>>()).collect()
}

/// A first window is in flight, and nothing comes back but what is made up here.
fn in_flight() -> (World, u32, Vec<u32>) {
    let config = Config { send_buffer: 64 << 20, ..Config::default() };
    let Known { mut world, tags, .. } = known_with(&config);
    world.sent = Some(vec![]);
    world.lose = Some(Box::new(|from, _| from != ADA));
    (0..40).for_each(|_| world.send(ADA, 0, vec![0; 250_000]));
    world.run_for(Duration::from_millis(40));
    let sent = tsns(&mut world);
    assert!(sent.len() >= 10);
    (world, tags[ADA], sent)
}

#[test]
fn many_acknowledgments_of_the_same_open_the_window_no_further_than_one() {
    let (mut world, tag, sent) = in_flight();
    let last = *sent.last().expect("a TSN");
    world.inject(ADA, &sack(tag, Tsn(last), &[]));
    let by_one = window(&world.ends[ADA]);

    let (mut world, tag, sent) = in_flight();
    let before = Tsn(sent[0].wrapping_sub(1));
    // Each chunk by itself, from the last to the first, and each of these twice.
    let count = u16::try_from(sent.len()).expect("a window");
    for first in (2..=count).rev() {
        for _ in 0..2 {
            world.inject(ADA, &sack(tag, before, &[(first, count)]));
        }
    }
    for _ in 0..200 {
        world.inject(ADA, &sack(tag, Tsn(last), &[]));
    }
    let by_many = window(&world.ends[ADA]);
    assert!(by_many <= by_one, "{by_many} bytes, and {by_one} by one acknowledgment");
}

#[test]
fn an_acknowledgment_of_a_whole_window_sets_off_no_burst() {
    let config = Config { send_buffer: 64 << 20, ..Config::default() };
    let link = Link { rate: Some(25_000_000), queue: 4 << 20, ..Link::default() };
    let mut world = World::with(link, &config, &config);
    world.sent = Some(vec![]);
    world.connect();
    let tag = {
        let sent = world.sent.as_ref().expect("recorded");
        u32::from_be_bytes(*sent[0].1[16..].first_chunk().expect("an INIT"))
    };
    (0..200).for_each(|_| world.send(ADA, 0, vec![0; 250_000]));
    world.run_for(Duration::from_millis(600));
    world.lose = Some(Box::new(|from, _| from != ADA));
    world.run_for(Duration::from_millis(70));
    let last = *tsns(&mut world).last().expect("a TSN");
    let packets = window(&world.ends[ADA]) / 1188;
    assert!(packets > 400, "a window of {packets} packets");
    world.inject(ADA, &sack(tag, Tsn(last), &[]));
    let at_once = tsns(&mut world).len() as u64;
    assert!(at_once < packets / 5, "{at_once} chunks at once of a window of {packets}");
    world.run_for(Duration::from_millis(30));
    let later = tsns(&mut world).len() as u64;
    assert!(later > 9 * at_once, "{at_once} at once, and {later} in the next 30 ms");
}
