//! How associations end.

use std::time::Duration;

use bytes::Bytes;
use talkie_proto::sctp::{End, Event, Reliability, SendError, SendOptions};

use crate::sctp_world::{ADA, BOB, Link, World};

fn ends(world: &World) -> [Option<End>; 2] {
    world.events.each_ref().map(|events| match events.last() {
        Some(Event::Ended(end)) => Some(*end),
        _ => None,
    })
}

#[test]
fn what_is_queued_is_delivered_before_the_end() {
    for (one, other) in [(ADA, BOB), (BOB, ADA)] {
        for loss in [0, 50, 200] {
            let mut world = World::connected(Link { loss, seed: 3, ..Link::default() });
            world.send(one, 0, vec![1; 200_000]);
            world.send(other, 0, vec![2; 100_000]);
            let now = world.now;
            world.ends[one].shutdown(now);
            let refused = world.ends[one].send(now, 0, 51, "late".into(), SendOptions::default());
            assert_eq!(refused, Err(SendError::Ended));
            world.run_until(Duration::from_secs(300), |world| {
                ends(world).iter().all(Option::is_some)
            });
            assert_eq!(ends(&world), [Some(End::Shutdown); 2], "loss {loss}");
            assert_eq!(world.received[other][0].payload.len(), 200_000);
            assert_eq!(world.received[one][0].payload.len(), 100_000);
        }
    }
}

#[test]
fn both_may_end_it_at_once() {
    let mut world = World::connected(Link::default());
    let now = world.now;
    world.ends[ADA].shutdown(now);
    world.ends[BOB].shutdown(now);
    world.run_for(Duration::from_secs(10));
    assert_eq!(ends(&world), [Some(End::Shutdown); 2]);
}

#[test]
fn every_packet_of_the_end_may_be_lost() {
    for lost in 0..5 {
        let mut world = World::connected(Link::default());
        let mut count = 0;
        world.lose = Some(Box::new(move |_, _| {
            count += 1;
            count == lost + 1
        }));
        let now = world.now;
        world.ends[ADA].shutdown(now);
        world.run_for(Duration::from_secs(30));
        assert_eq!(ends(&world), [Some(End::Shutdown); 2], "lost {lost}");
    }
}

#[test]
fn an_abort_is_told() {
    let mut world = World::connected(Link::default());
    let now = world.now;
    world.ends[ADA].abort(now);
    world.run_for(Duration::from_secs(1));
    assert_eq!(ends(&world), [Some(End::Aborted), Some(End::AbortedByPeer(Some(12)))]);
}

#[test]
fn a_path_that_goes_silent_is_given_up() {
    for busy in [false, true] {
        let mut world = World::connected(Link::default());
        world.link.loss = 1000;
        if busy {
            world.send(ADA, 0, "is anybody there?");
        }
        world.run_for(Duration::from_secs(400));
        assert_eq!(ends(&world), [Some(End::Unreachable); 2], "busy {busy}");
    }
}

#[test]
fn an_end_waits_for_a_peer_that_has_much_to_deliver() {
    let link = Link { rate: Some(20_000), queue: 20_000, ..Link::default() };
    let mut world = World::connected(link);
    (0..12).for_each(|_| world.send(BOB, 0, vec![1; 250_000]));
    let now = world.now;
    world.ends[ADA].shutdown(now);
    world.run_until(Duration::from_secs(600), |world| ends(world).iter().all(Option::is_some));
    assert_eq!(ends(&world), [Some(End::Shutdown); 2]);
    assert_eq!(world.received[ADA].len(), 12);
}

#[test]
fn an_end_does_not_wait_for_what_is_given_up_before_it_leaves() {
    let mut world = World::connected(Link::default());
    let reliability = Reliability::Lifetime(Duration::ZERO);
    world.send_with(ADA, 0, "too late", SendOptions { reliability, unordered: false });
    let now = world.now;
    world.ends[ADA].shutdown(now);
    world.run_for(Duration::from_secs(1));
    assert_eq!(ends(&world), [Some(End::Shutdown); 2]);
}

#[test]
fn the_end_lets_go_of_what_was_to_be_sent_and_keeps_what_has_come() {
    let mut world = World::connected(Link::default());
    world.reads[ADA] = false;
    world.send(BOB, 0, "come");
    world.run_for(Duration::from_secs(1));
    let message = Bytes::from(vec![1; 200_000]);
    world.send(ADA, 0, message.clone());
    world.run_for(Duration::from_millis(10));
    assert!(!message.is_unique());
    let now = world.now;
    world.ends[ADA].abort(now);
    assert!(message.is_unique());
    assert!(world.ends[ADA].take_message().is_some());
}
