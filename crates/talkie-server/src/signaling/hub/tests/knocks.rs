//! Locks and knocks across lost sockets: a session waits on either side of the door.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::super::SignalingConfig;
use super::super::super::limits::Holding;
use super::world::World;

/// Ann is in a locked room; Bob and Eve are outside.
fn locked_room() -> World {
    let mut world = World::new(SignalingConfig::default(), 3);
    for index in 0..3 {
        world.connect(index);
        world.settle();
        world.take(index);
    }
    world.join(0, "room");
    world.send(0, json!({"type": "lock", "locked": true}));
    world.settle();
    assert_eq!(world.types(0), ["joined", "room-locked"]);
    world
}

fn answer(world: &mut World, id: &Value, admit: bool) {
    world.send(0, json!({"type": "answer-knock", "id": id, "admit": admit}));
    world.settle();
}

fn knock(world: &mut World, index: usize) -> Value {
    world.join(index, "room");
    assert_eq!(world.types(index), ["knocking"]);
    world.take(0).pop().unwrap()["peer"]["id"].clone()
}

#[test]
fn a_knock_survives_the_resume_of_who_knocks() {
    let mut world = locked_room();
    let id = knock(&mut world, 1);
    world.cut(1);
    answer(&mut world, &id, true);
    assert_eq!(world.types(0), ["knock-ended", "peer-joined"]);
    world.connect(1);
    world.settle();
    let heard = world.take(1);
    assert_eq!((&heard[0]["type"], &heard[1]["type"]), (&json!("welcome"), &json!("joined")));
    assert_eq!(heard[1]["self"], id);
}

#[test]
fn a_knock_survives_the_resume_of_a_member() {
    let mut world = locked_room();
    world.cut(0);
    world.join(1, "room");
    assert_eq!(world.types(1), ["knocking"]);
    world.connect(0);
    world.settle();
    let heard = world.take(0);
    assert_eq!(heard[1]["type"], "knock");
    answer(&mut world, &heard[1]["peer"]["id"], true);
    assert_eq!(world.types(1), ["joined"]);
}

#[test]
fn a_request_that_is_sent_again_after_a_resume_is_not_done_twice() {
    let mut world = locked_room();
    let id = knock(&mut world, 1);
    world.send(0, json!({"type": "answer-knock", "id": id, "admit": false}));
    world.carry_up(0);
    // The answer is lost; the request goes again.
    world.cut(0);
    world.connect(0);
    world.settle();
    assert_eq!(world.types(0), ["welcome", "knock-ended"]);
    assert_eq!(world.take(1)[0]["code"], "refused");
}

#[test]
fn who_waits_in_vain_and_does_not_come_back_is_gone() {
    let mut world = locked_room();
    let id = knock(&mut world, 1);
    world.cut(1);
    world.advance(Duration::from_secs(20));
    world.send_raw(0, r#"{"type":"ping"}"#);
    world.settle();
    world.advance(Duration::from_secs(10));
    world.settle();
    let heard = world.take(0);
    assert_eq!((&heard[0]["id"], &heard[0]["reason"]), (&id, &json!("gone")));
}

#[test]
fn the_last_member_s_loss_lets_those_in_who_knock_and_the_end_of_all_frees_all() {
    let mut world = locked_room();
    knock(&mut world, 1);
    knock(&mut world, 2);
    world.cut(0);
    for _ in 0..3 {
        world.advance(Duration::from_secs(10));
        world.send_raw(1, r#"{"type":"ping"}"#);
        world.send_raw(2, r#"{"type":"ping"}"#);
        world.settle();
    }
    assert_eq!(world.types(1), ["joined", "knock-ended", "peer-joined"]);
    assert_eq!(world.types(2), ["joined"]);
    world.send(1, json!({"type": "bye"}));
    world.send(2, json!({"type": "leave"}));
    world.settle();
    assert_eq!(world.hub.stats().rooms, 0);
    assert!(world.hub.is_empty());
    world.send(2, json!({"type": "bye"}));
    world.settle();
    world.advance(Duration::from_secs(31));
    assert_eq!(world.hub.poll_timeout(), None);
    assert_eq!(world.holding(), Holding::default());
}
