//! Deadlines, on a clock that the test moves.

use std::time::Duration;

use serde_json::json;

use super::super::super::limits::Holding;
use super::super::super::{LeaveReason, SignalingConfig};
use super::world::{TTL, World};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn room_of_two() -> World {
    let mut world = World::new(SignalingConfig::default(), 2);
    for index in 0..2 {
        world.connect(index);
        world.settle();
        world.join(index, "room");
    }
    world.take(0);
    world.take(1);
    world
}

#[test]
fn a_socket_without_hello_is_closed_after_ten_seconds() {
    let mut world = World::new(SignalingConfig::default(), 1);
    world.connect(0);
    // The hello is lost.
    world.peers[0].heard.clear();
    world.advance(Duration::from_millis(9_999));
    assert!(!world.carry_down(0));
    world.advance(Duration::from_millis(1));
    world.carry_down(0);
    world.carry_down(0);
    assert_eq!(world.take(0)[0]["code"], "hello-first");
    assert_eq!(world.peers[0].closed, Some((1002, "hello-first")));
}

#[test]
fn a_dropped_session_waits_thirty_seconds_and_is_then_lost() {
    let mut world = room_of_two();
    world.cut(1);
    world.advance(Duration::from_millis(29_999));
    assert!(!world.carry_down(0), "nobody is told while there is hope");
    assert_eq!(world.hub.stats().sessions, 2);
    world.advance(Duration::from_millis(1));
    // The first peer's own socket has been silent for 30 s by now, too: it resumes.
    world.cut(0);
    world.connect(0);
    world.settle();
    assert_eq!(world.left_reasons(0), [LeaveReason::Lost]);
    assert_eq!(world.hub.stats().sessions, 1);
}

#[test]
fn a_silent_socket_is_given_up_after_two_heartbeats_and_its_session_resumes() {
    let mut world = room_of_two();
    world.advance(secs(29));
    world.send_raw(0, r#"{"type":"ping"}"#);
    world.settle();
    world.advance(secs(1));
    world.settle();
    assert_eq!(world.peers[0].closed, None, "it has pinged");
    assert_eq!(world.peers[1].closed, Some((1001, "heartbeat")));
    world.connect(1);
    world.settle();
    assert_eq!(world.types(1), ["welcome"]);
    assert!(world.left_reasons(0).is_empty());
}

#[test]
fn what_is_sent_is_acknowledged_within_a_second_even_in_silence() {
    let mut world = room_of_two();
    world.advance(secs(1));
    world.settle();
    let to = world.peers[1].id.clone();
    world.send(0, json!({"type": "signal", "to": to, "payload": 1}));
    world.carry_up(0);
    assert!(!world.carry_down(0), "the acknowledgement waits for company");
    world.advance(secs(1));
    assert!(world.carry_down(0), "and then goes alone");
    assert!(world.hub.poll_timeout().is_some_and(|at| at > world.now));
}

#[test]
fn credentials_are_renewed_at_three_quarters_of_their_life() {
    let config = SignalingConfig { heartbeat: secs(100_000), ..SignalingConfig::default() };
    let mut world = World::new(config, 1);
    world.connect(0);
    world.settle();
    assert_eq!(world.types(0), ["welcome"]);
    for _ in 0..3 {
        world.advance(TTL * 3 / 4 - secs(1));
        world.settle();
        assert!(world.types(0).is_empty());
        world.advance(secs(1));
        world.settle();
        assert_eq!(world.types(0), ["ice-servers"]);
        world.acknowledge(0);
        world.settle();
    }
}

#[test]
fn an_idle_hub_holds_nothing_and_wants_no_wake_up() {
    let mut world = room_of_two();
    world.send(0, json!({"type": "bye"}));
    world.cut(1);
    world.settle();
    world.advance(secs(31));
    let stats = world.hub.stats();
    assert_eq!((stats.sockets, stats.sessions, stats.rooms, stats.peers), (0, 0, 0, 0));
    assert!(world.hub.is_empty());
    assert_eq!(world.hub.poll_timeout(), None);
    assert_eq!(world.holding(), Holding::default());
    assert_eq!(world.hub.backlog.total(), 0);
}

#[test]
fn what_waits_for_the_clients_of_an_address_is_counted_and_bounded() {
    let config = SignalingConfig { replay_bytes_per_address: 20_000, ..SignalingConfig::default() };
    let mut world = World::new(config, 3);
    for index in 0..3 {
        world.connect(index);
        world.settle();
        world.join(index, "room");
    }
    let payload = "x".repeat(1_000);
    let send = |world: &mut World, to: usize| {
        let id = world.peers[to].id.clone();
        world.send(0, json!({"type": "signal", "to": id, "payload": payload}));
        world.settle();
    };
    for _ in 0..50 {
        send(&mut world, 1);
        world.acknowledge(1);
        world.settle();
    }
    let before = world.kept();
    world.cut(2);
    (0..8).for_each(|_| send(&mut world, 2));
    assert!(world.kept() > before + 8_000, "for who is away, too");
    world.connect(2);
    world.settle();
    world.acknowledge(2);
    world.settle();
    assert!(world.kept() <= before);
    // Neither is too far behind, both together are.
    for _ in 0..12 {
        send(&mut world, 1);
        send(&mut world, 2);
        assert!(world.kept() < 21_000);
    }
    let closed = |index: usize| world.peers[index].closed == Some((1008, "replay-overflow"));
    assert!(closed(1) || closed(2));
    for index in 0..3 {
        world.acknowledge(index);
        world.settle();
    }
    assert_eq!(world.kept(), 0, "an ended session keeps nothing");
}

/// A room of hoarders at one address, an honest member at another, and one that sends to all.
fn hoarders() -> World {
    let config = SignalingConfig { replay_bytes_total: 30_000, ..SignalingConfig::default() };
    let mut world = World::new(config, 5);
    world.peers[3].address = Some([198, 51, 100, 1]);
    world.peers[4].address = Some([203, 0, 113, 1]);
    for index in 0..5 {
        world.connect(index);
        world.settle();
        world.join(index, "room");
        (0..5).for_each(|index| world.acknowledge(index));
        world.settle();
    }
    world
}

#[test]
fn what_waits_for_all_is_bounded_at_the_expense_of_who_keeps_most() {
    let mut world = hoarders();
    let payload = "x".repeat(1_000);
    for round in 0..60 {
        for to in [round % 3, 3] {
            let id = world.peers[to].id.clone();
            world.send(4, json!({"type": "signal", "to": id, "payload": payload}));
            world.settle();
            assert!(world.hub.backlog.total() <= 30_000);
        }
        // Not at once, so that it is sometimes the one whose message is too much.
        if round % 4 == 0 {
            world.acknowledge(3);
            world.settle();
        }
    }
    let overflow = Some((1008, "replay-overflow"));
    assert!([0, 1, 2].iter().filter(|&&index| world.peers[index].closed == overflow).count() >= 2);
    assert_eq!([3, 4].map(|index| world.peers[index].closed), [None; 2]);
}

#[test]
fn what_an_ended_session_left_to_be_written_is_bounded_too() {
    let mut world = hoarders();
    let payload = "x".repeat(1_000);
    let send = |world: &mut World, to: usize| {
        let id = world.peers[to].id.clone();
        world.send_to_deaf(4, json!({"type": "signal", "to": id, "payload": payload}));
    };
    (0..9).for_each(|_| send(&mut world, 0));
    world.send_to_deaf(0, json!({"type": "bye"}));
    assert!(world.kept() > 9_000, "it waits for its socket");
    (0..24).for_each(|_| send(&mut world, 3));
    assert!(world.hub.backlog.total() <= 30_000);
}

#[test]
fn who_goes_may_go_in_haste() {
    let config = SignalingConfig { burst: 5, ..SignalingConfig::default() };
    let mut world = World::new(config, 1);
    world.connect(0);
    world.settle();
    for _ in 0..9 {
        world.send(0, json!({"type": "leave"}));
    }
    world.send(0, json!({"type": "bye"}));
    world.settle();
    assert_eq!(world.peers[0].closed, Some((1000, "bye")));
}

#[test]
fn a_stop_closes_every_socket_after_what_waited_for_it() {
    let mut world = World::new(SignalingConfig::default(), 4);
    for index in 0..2 {
        world.connect(index);
        world.settle();
        world.join(index, "room");
    }
    world.take(1);
    // It has not said hello.
    world.connect(2);
    let to = world.peers[1].id.clone();
    world.send_to_deaf(0, json!({"type": "signal", "to": to, "payload": 7}));
    world.hub.handle_stop();
    world.pump();
    // Who comes during the stop is told, too.
    world.connect(3);
    world.settle();
    assert_eq!(world.types(1), ["signal"]);
    for index in 0..4 {
        assert_eq!(world.peers[index].closed, Some((1001, "going-away")), "{index}");
    }
}

#[test]
fn a_flood_is_refused_message_by_message_and_ended_when_it_goes_on() {
    let config = SignalingConfig {
        messages_per_second: 10,
        burst: 20,
        replay_messages: 100_000,
        ..SignalingConfig::default()
    };
    let mut world = World::new(config, 1);
    world.connect(0);
    world.settle();
    world.take(0);
    let mut refused = 0;
    for _ in 0..99 {
        for _ in 0..10 {
            world.send(0, json!({"type": "leave"}));
        }
        world.settle();
        let heard = world.take(0);
        refused += heard.iter().filter(|message| message["code"] == "too-fast").count();
        assert!(heard.iter().all(|message| message["fatal"] == false && message["about"] != 0));
        world.advance(Duration::from_millis(100));
    }
    // 20 at once and 10 a second are answered otherwise.
    assert!((990 - 20 - 100..=990 - 20 - 98).contains(&refused), "{refused}");
    world.advance(Duration::from_millis(500));
    for _ in 0..30 {
        world.send(0, json!({"type": "leave"}));
    }
    world.settle();
    assert_eq!(world.take(0).last().map(|last| last["code"] == "too-fast"), Some(true));
    assert_eq!(world.peers[0].closed, Some((1008, "too-fast")));
}
