//! A last packet that is lost and sent again by a probe: the path hears of it, once (RFC 8985 §7.4.2).

use std::time::Duration;

use talkie_proto::sctp::Config;
use talkie_proto::sctp::congestion::Algorithm;
use talkie_proto::sctp::wire::{Packet, kind};

use crate::sctp_world::{ADA, BOB, Link, World};

/// With a window of many packets, and nothing under way.
fn grown() -> World {
    let config = Config { congestion: Algorithm::NewReno, ..Config::default() };
    let mut world = World::with(Link::default(), &config, &config);
    world.connect();
    world.send(ADA, 0, vec![0; 100_000]);
    world.run_for(Duration::from_secs(1));
    world
}

fn window(world: &World) -> u64 {
    world.ends[ADA].window().expect("it is connected").window
}

/// A message that comes whole, and the window when all of it has been acknowledged.
fn window_after(world: &mut World, length: usize) -> u64 {
    let known = world.received[BOB].len();
    world.send(ADA, 0, vec![2; length]);
    world.run_for(Duration::from_millis(500));
    assert_eq!(world.received[BOB].len(), known + 1);
    window(world)
}

fn carries_data(packet: &[u8]) -> bool {
    let packet = Packet::parse(packet).expect("a packet");
    packet.chunks().any(|chunk| chunk.kind == kind::I_DATA)
}

#[test]
fn a_loss_that_a_probe_has_repaired_narrows_the_window_once() {
    let mut world = grown();
    let before = window(&world);
    let mut lost = false;
    world.lose = Some(Box::new(move |from, packet| {
        let tail = from == ADA && carries_data(packet) && packet.len() < 1188 && !lost;
        lost |= tail;
        tail
    }));
    // The probe brings the last of it. That it was no duplicate shows with what comes after it.
    assert_eq!(window_after(&mut world, 6000), before);
    assert_eq!(world.lost, 1);
    let after = window_after(&mut world, 3000);
    assert!(after < before * 6 / 10, "{before}, and {after} after the loss");
    assert!(window_after(&mut world, 3000) >= after);
}

#[test]
fn a_probe_that_came_as_a_duplicate_tells_of_no_loss() {
    let mut world = grown();
    let before = window(&world);
    world.send(ADA, 0, vec![1; 6000]);
    // The acknowledgments are lost until the probe has left.
    world.lose = Some(Box::new(|from, _| from == BOB));
    world.run_for(Duration::from_millis(75));
    world.sent = Some(vec![]);
    world.lose = None;
    world.run_for(Duration::from_millis(500));
    let sent = world.sent.take().expect("recorded");
    let probes = sent.iter().filter(|(from, packet)| *from == ADA && carries_data(packet));
    assert_eq!(probes.count(), 1);
    assert!(window_after(&mut world, 3000) >= before);
    assert!(window_after(&mut world, 3000) >= before);
}

#[test]
fn a_probe_that_was_lost_itself_narrows_the_window_once_as_well() {
    let mut world = grown();
    let before = window(&world);
    let mut lost = 0;
    world.lose = Some(Box::new(move |from, packet| {
        let tail = from == ADA && carries_data(packet) && packet.len() < 1188 && lost < 2;
        lost += u32::from(tail);
        tail
    }));
    world.send(ADA, 0, vec![1; 6000]);
    world.run_for(Duration::from_millis(150));
    // The timeout has not come: what leaves now shows that the probe is lost.
    let after = {
        world.send(ADA, 0, vec![2; 6000]);
        world.run_for(Duration::from_millis(200));
        window(&world)
    };
    assert_eq!(world.lost, 2);
    assert!((before * 4 / 10..before * 6 / 10).contains(&after), "{before}, and then {after}");
    assert!(window_after(&mut world, 3000) >= after);
}
