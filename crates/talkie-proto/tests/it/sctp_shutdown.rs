//! How associations end.

use std::time::Duration;

use bytes::Bytes;
use talkie_proto::sctp::wire::{Packet, kind};
use talkie_proto::sctp::{Config, End, Event, Reliability, SendError, SendOptions};

use crate::sctp_hostile::{Known, known_with, packet};
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
    world.now += Duration::from_millis(1);
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

/// RFC 9260 §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    CookieWait,
    CookieEchoed,
    Established,
    ShutdownPending,
    ShutdownSent,
    ShutdownReceived,
    ShutdownAckSent,
    Ended,
}

use State::*;

const STATES: [State; 9] = [
    Closed,
    CookieWait,
    CookieEchoed,
    Established,
    ShutdownPending,
    ShutdownSent,
    ShutdownReceived,
    ShutdownAckSent,
    Ended,
];

/// Has packets lost that have a chunk of one of these types.
fn lose(world: &mut World, kinds: &'static [u8]) {
    world.lose = Some(Box::new(move |_, bytes| {
        let packet = Packet::parse(bytes).expect("a packet");
        packet.chunks().any(|chunk| kinds.contains(&chunk.kind))
    }));
}

/// Ada is in that state, and stays there until nothing is lost any more.
fn at(state: State) -> World {
    if matches!(state, Closed | CookieWait | CookieEchoed) {
        let mut world = World::new(Link::default());
        let lost = if state == CookieWait { &[kind::INIT_ACK] } else { &[kind::COOKIE_ACK] };
        lose(&mut world, lost);
        if state != Closed {
            world.ask();
        }
        world.run_for(Duration::from_millis(200));
        return world;
    }
    let mut world = World::connected(Link::default());
    let now = world.now;
    let lost: &[u8] = match state {
        ShutdownPending | ShutdownReceived => &[kind::I_DATA],
        ShutdownSent => &[kind::SHUTDOWN],
        ShutdownAckSent => &[kind::SHUTDOWN_ACK],
        _ => &[],
    };
    lose(&mut world, lost);
    if matches!(state, ShutdownPending | ShutdownReceived) {
        world.send(ADA, 0, "comes late");
    }
    match state {
        ShutdownPending | ShutdownSent => world.ends[ADA].shutdown(now),
        ShutdownReceived | ShutdownAckSent => world.ends[BOB].shutdown(now),
        Ended => world.ends[ADA].abort(now),
        _ => {}
    }
    world.run_for(Duration::from_millis(200));
    world
}

#[test]
fn it_may_be_ended_in_order_in_every_state() {
    for state in STATES {
        let mut world = at(state);
        let now = world.now;
        world.ends[ADA].shutdown(now);
        world.run_for(Duration::from_secs(1));
        world.lose = None;
        world.run_for(Duration::from_secs(30));
        let told = Some(End::AbortedByPeer(Some(12)));
        let expected = match state {
            Closed => [Some(End::Shutdown), None],
            // Nobody has heard of it.
            CookieWait => [Some(End::Aborted), None],
            CookieEchoed | Ended => [Some(End::Aborted), told],
            _ => [Some(End::Shutdown); 2],
        };
        assert_eq!(ends(&world), expected, "{state:?}");
        let late = usize::from(matches!(state, ShutdownPending | ShutdownReceived));
        assert_eq!(world.received[BOB].len(), late, "{state:?}");
    }
}

#[test]
fn it_may_be_ended_at_once_in_every_state() {
    for state in STATES {
        let mut world = at(state);
        let now = world.now;
        world.ends[ADA].abort(now);
        let refused = world.ends[ADA].send(now, 0, 51, "late".into(), SendOptions::default());
        assert_eq!(refused, Err(SendError::Ended));
        world.run_for(Duration::from_secs(1));
        let told = (!matches!(state, Closed | CookieWait)).then_some(End::AbortedByPeer(Some(12)));
        assert_eq!(ends(&world), [Some(End::Aborted), told], "{state:?}");
    }
}

#[test]
fn an_end_that_a_peer_puts_off_for_ever_comes_all_the_same() {
    let config = Config { shutdown_most: Duration::from_secs(120), ..Config::default() };
    let Known { mut world, tags, .. } = known_with(&config);
    lose(&mut world, &[kind::SHUTDOWN, kind::ABORT]);
    let now = world.now;
    world.ends[ADA].shutdown(now);
    // It is there, so that it counts as silent by no measure, and never answers.
    let beat = packet(tags[ADA], kind::HEARTBEAT, 0, |buf| buf.extend_from_slice(&[0; 8]));
    for _ in 0..119 {
        world.run_for(Duration::from_secs(1));
        world.inject(ADA, &beat);
        assert_eq!(ends(&world)[ADA], None);
    }
    lose(&mut world, &[kind::SHUTDOWN]);
    world.run_for(Duration::from_secs(2));
    assert_eq!(ends(&world), [Some(End::Aborted), Some(End::AbortedByPeer(Some(12)))]);
}

#[test]
fn idle_paths_are_asked_about_and_not_by_all_at_once() {
    let mut world = World::connected(Link::default());
    world.sent = Some(vec![]);
    let mut beats = [vec![], vec![]];
    for _ in 0..120_000 {
        world.run_for(Duration::from_millis(1));
        for (from, packet) in world.sent.replace(vec![]).expect("recorded") {
            if packet[12] == kind::HEARTBEAT {
                beats[from].push(world.elapsed());
            }
        }
    }
    let [ada, bob] = beats;
    assert_ne!(ada.first(), bob.first());
    // Whoever is asked first has heard of the other, so that one of them does the asking.
    let asked: Vec<Duration> = if ada.len() > bob.len() { ada } else { bob };
    assert_eq!(asked.len(), 3);
    for pair in asked.windows(2) {
        let apart = (pair[1] - pair[0]).as_millis();
        // 30 s, a round trip, and half of 300 ms to one and a half.
        assert!((30_190..=30_490).contains(&apart), "{apart} ms");
    }
}
