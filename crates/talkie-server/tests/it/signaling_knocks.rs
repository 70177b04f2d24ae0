//! The lock of a room, and those who knock at it.

use serde_json::{Value, json};
use talkie_server::signaling::SignalingConfig;

use crate::signaling_host::{Host, Peer};

async fn lock(peer: &mut Peer, locked: bool) {
    peer.send(json!({"type": "lock", "locked": locked})).await;
    let told = peer.expect("room-locked").await;
    assert_eq!((&told["locked"], &told["by"]), (&json!(locked), &json!(peer.id)));
}

/// A peer that knocks at `room`, as one inside hears of it; answers its id.
async fn knock(host: &Host, inside: &mut Peer) -> (Peer, Value) {
    let mut peer = host.peer().await;
    peer.send(json!({"type": "join", "room": "room", "name": "Bob", "card": "c.d"})).await;
    assert_eq!(peer.expect("knocking").await["room"], "room");
    let told = inside.expect("knock").await["peer"].clone();
    assert_eq!((&told["name"], &told["card"]), (&json!("Bob"), &json!("c.d")));
    (peer, told["id"].clone())
}

async fn answer(peer: &mut Peer, id: &Value, admit: bool) {
    peer.send(json!({"type": "answer-knock", "id": id, "admit": admit})).await;
}

async fn ended(peer: &mut Peer, id: &Value, reason: &str) {
    let told = peer.expect("knock-ended").await;
    assert_eq!((&told["id"], &told["reason"]), (id, &json!(reason)));
}

async fn locked_room(config: SignalingConfig) -> (Host, Peer) {
    let host = Host::start(config).await;
    let mut ann = host.member("room").await;
    lock(&mut ann, true).await;
    (host, ann)
}

#[tokio::test]
async fn every_member_hears_of_the_lock_and_may_turn_it() {
    let host = Host::start(SignalingConfig::default()).await;
    let mut ann = host.peer().await;
    assert_eq!(ann.join("room").await["locked"], false);
    let mut bob = host.member("room").await;
    ann.expect("peer-joined").await;
    lock(&mut bob, true).await;
    let told = ann.expect("room-locked").await;
    assert_eq!((&told["locked"], &told["by"]), (&json!(true), &json!(bob.id)));
    lock(&mut ann, false).await;
    bob.expect("room-locked").await;
    host.member("room").await;
}

#[tokio::test]
async fn who_is_admitted_comes_in_under_the_id_it_knocked_with() {
    let (host, mut ann) = locked_room(SignalingConfig::default()).await;
    let (mut bob, id) = knock(&host, &mut ann).await;
    bob.refused(json!({"type": "signal", "to": ann.id, "payload": 1}), "not-in-room").await;
    ann.refused(json!({"type": "signal", "to": id, "payload": 1}), "no-such-peer").await;
    bob.refused(json!({"type": "join", "room": "other"}), "already-in-room").await;
    answer(&mut ann, &id, true).await;
    ended(&mut ann, &id, "admitted").await;
    let came = ann.expect("peer-joined").await;
    assert_eq!(came["peer"], json!({"id": id, "name": "Bob", "card": "c.d"}));
    let joined = bob.expect("joined").await;
    assert_eq!((&joined["self"], &joined["locked"]), (&id, &json!(true)));
    assert_eq!(joined["peers"], json!([{"id": ann.id, "name": ""}]));
    bob.send(json!({"type": "signal", "to": ann.id, "payload": 1})).await;
    ann.expect("signal").await;
    answer(&mut ann, &id, true).await;
    assert_eq!(ann.expect("error").await["code"], "no-such-peer", "nobody is admitted twice");
}

#[tokio::test]
async fn who_is_refused_is_outside_again_and_may_knock_again() {
    let (host, mut ann) = locked_room(SignalingConfig::default()).await;
    let (mut bob, id) = knock(&host, &mut ann).await;
    answer(&mut ann, &id, false).await;
    ended(&mut ann, &id, "refused").await;
    let error = bob.expect("error").await;
    assert_eq!(error["code"], "refused");
    assert_eq!((&error["fatal"], &error["about"]), (&json!(false), &json!(1)));
    bob.refused(json!({"type": "leave"}), "not-in-room").await;
    bob.send(json!({"type": "join", "room": "room"})).await;
    bob.expect("knocking").await;
    assert_ne!(ann.expect("knock").await["peer"]["id"], id);
    // Meanwhile another room will do.
    bob.send(json!({"type": "leave"})).await;
    bob.expect("left").await;
    ann.expect("knock-ended").await;
    bob.join("other").await;
}

#[tokio::test]
async fn a_knock_ends_with_the_patience_or_the_session_of_who_knocks() {
    let config = SignalingConfig {
        resume_within: std::time::Duration::from_millis(200),
        ..SignalingConfig::default()
    };
    let (host, mut ann) = locked_room(config).await;
    let (mut bob, id) = knock(&host, &mut ann).await;
    bob.send(json!({"type": "leave"})).await;
    assert_eq!(bob.expect("left").await["room"], "room");
    ended(&mut ann, &id, "gone").await;
    let (mut bob, id) = knock(&host, &mut ann).await;
    bob.send(json!({"type": "bye"})).await;
    ended(&mut ann, &id, "gone").await;
    let (mut bob, id) = knock(&host, &mut ann).await;
    bob.cut();
    ended(&mut ann, &id, "gone").await;
    answer(&mut ann, &id, true).await;
    assert_eq!(ann.expect("error").await["code"], "no-such-peer");
}

#[tokio::test]
async fn a_pass_opens_the_lock_of_its_own_room_while_that_lives() {
    let host = Host::start(SignalingConfig::default()).await;
    let (mut ann, mut bob) = (host.peer().await, host.peer().await);
    let pass = ann.join("room").await["pass"].clone();
    assert_eq!(pass.as_str().unwrap().len(), 22, "128 bits");
    let other = bob.join("other").await["pass"].clone();
    assert_ne!(pass, other);
    lock(&mut ann, true).await;
    bob.send(json!({"type": "leave"})).await;
    bob.expect("left").await;
    let join = |pass: &Value| json!({"type": "join", "room": "room", "pass": pass});
    for wrong in [&other, &json!(""), &json!("x".repeat(10_000)), &json!(null)] {
        bob.send(join(wrong)).await;
        bob.expect("knocking").await;
        ann.expect("knock").await;
        bob.send(json!({"type": "leave"})).await;
        bob.expect("left").await;
        ann.expect("knock-ended").await;
    }
    bob.refused(json!({"type": "join", "room": "room", "pass": 5}), "bad-message").await;
    let joined = bob.join_with(join(&pass)).await;
    assert_eq!((&joined["locked"], &joined["pass"]), (&json!(true), &pass));
    ann.expect("peer-joined").await;

    // The next room of the name has another.
    for peer in [&mut ann, &mut bob] {
        peer.send(json!({"type": "leave"})).await;
    }
    bob.expect("peer-left").await;
    bob.expect("left").await;
    ann.expect("left").await;
    assert_ne!(ann.join("room").await["pass"], pass);
    lock(&mut ann, true).await;
    bob.send(join(&pass)).await;
    bob.expect("knocking").await;
}

#[tokio::test]
async fn a_pass_is_no_key_and_makes_no_place() {
    let host = Host::start(SignalingConfig { room_peers: 1, ..SignalingConfig::default() }).await;
    let mut ann = host.peer().await;
    let join = json!({"type": "join", "room": "room", "check": "k"});
    let pass = ann.join_with(join).await["pass"].clone();
    lock(&mut ann, true).await;
    let mut bob = host.peer().await;
    bob.refused(json!({"type": "join", "room": "room", "pass": pass}), "wrong-key").await;
    let join = json!({"type": "join", "room": "room", "pass": pass, "check": "k"});
    bob.refused(join, "room-full").await;
}

#[tokio::test]
async fn who_joins_while_others_knock_hears_of_them_at_once() {
    let host = Host::start(SignalingConfig::default()).await;
    let mut ann = host.peer().await;
    let pass = ann.join("room").await["pass"].clone();
    lock(&mut ann, true).await;
    let (_bob, first) = knock(&host, &mut ann).await;
    let (_eve, second) = knock(&host, &mut ann).await;
    let mut zoe = host.peer().await;
    zoe.join_with(json!({"type": "join", "room": "room", "pass": pass})).await;
    for id in [&first, &second] {
        assert_eq!(&zoe.expect("knock").await["peer"]["id"], id);
    }
    ann.expect("peer-joined").await;
    answer(&mut zoe, &second, false).await;
    ended(&mut zoe, &second, "refused").await;
    ended(&mut ann, &second, "refused").await;
}

#[tokio::test]
async fn too_many_knocks_are_refused_and_a_place_that_becomes_free_is_given_again() {
    let (host, mut ann) = locked_room(SignalingConfig::default()).await;
    let mut waiting = Vec::new();
    for _ in 0..8 {
        waiting.push(knock(&host, &mut ann).await);
    }
    let mut late = host.peer().await;
    late.refused(json!({"type": "join", "room": "room"}), "too-many-knocks").await;
    late.refused(json!({"type": "leave"}), "not-in-room").await;
    let (mut gone, id) = waiting.pop().unwrap();
    gone.send(json!({"type": "bye"})).await;
    ended(&mut ann, &id, "gone").await;
    late.send(json!({"type": "join", "room": "room"})).await;
    late.expect("knocking").await;
}

#[tokio::test]
async fn a_flood_of_knocks_does_not_bury_those_inside() {
    let (host, mut ann) = locked_room(SignalingConfig::default()).await;
    let mut bob = host.peer().await;
    for _ in 0..60 {
        bob.send(json!({"type": "join", "room": "room"})).await;
        let answer = bob.next().await.unwrap();
        if answer["type"] == "knocking" {
            bob.send(json!({"type": "leave"})).await;
            bob.expect("left").await;
        } else {
            assert_eq!(
                (&answer["code"], &answer["fatal"]),
                (&json!("too-many-knocks"), &json!(false))
            );
        }
        bob.acknowledge().await;
    }
    ann.send(json!({"type": "lock", "locked": false})).await;
    let mut knocks = 0;
    while ann.next().await.unwrap()["type"] != "room-locked" {
        knocks += 1;
    }
    // The burst, each with its end, and as much as the rate allows while this runs.
    assert!((64..90).contains(&knocks), "{knocks}");
}

#[tokio::test]
async fn a_full_room_keeps_the_knock_until_there_is_place() {
    let config = SignalingConfig { room_peers: 2, ..SignalingConfig::default() };
    let (host, mut ann) = locked_room(config).await;
    let (mut bob, first) = knock(&host, &mut ann).await;
    let (mut eve, second) = knock(&host, &mut ann).await;
    answer(&mut ann, &first, true).await;
    ended(&mut ann, &first, "admitted").await;
    ann.expect("peer-joined").await;
    bob.expect("joined").await;
    assert_eq!(bob.expect("knock").await["peer"]["id"], second);
    answer(&mut ann, &second, true).await;
    let error = ann.expect("error").await;
    assert_eq!((&error["code"], &error["about"]), (&json!("room-full"), &json!(ann.sent)));
    bob.send(json!({"type": "leave"})).await;
    ann.expect("peer-left").await;
    answer(&mut ann, &second, true).await;
    ended(&mut ann, &second, "admitted").await;
    assert_eq!(eve.expect("joined").await["self"], second);
}

#[tokio::test]
async fn unlocking_lets_in_all_who_wait_as_far_as_there_is_place() {
    let config = SignalingConfig { room_peers: 3, ..SignalingConfig::default() };
    let (host, mut ann) = locked_room(config).await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(knock(&host, &mut ann).await);
    }
    lock(&mut ann, false).await;
    for (at, (peer, id)) in waiting.iter_mut().enumerate() {
        if at < 2 {
            ended(&mut ann, id, "admitted").await;
            assert_eq!(ann.expect("peer-joined").await["peer"]["id"], *id);
            let joined = peer.expect("joined").await;
            assert_eq!(joined["peers"].as_array().unwrap().len(), at + 1);
            assert_eq!(joined["locked"], false);
        } else {
            ended(&mut ann, id, "refused").await;
            assert_eq!(peer.expect("error").await["code"], "room-full");
            peer.join("other").await;
        }
    }
}

#[tokio::test]
async fn when_the_last_member_goes_those_who_knock_are_let_in() {
    let config = SignalingConfig { room_peers: 2, ..SignalingConfig::default() };
    let (host, mut ann) = locked_room(config).await;
    let (mut bob, first) = knock(&host, &mut ann).await;
    let (mut eve, second) = knock(&host, &mut ann).await;
    let (mut zoe, _) = knock(&host, &mut ann).await;
    ann.send(json!({"type": "leave"})).await;
    ann.expect("left").await;
    let joined = bob.expect("joined").await;
    assert_eq!((&joined["self"], &joined["peers"]), (&first, &json!([])));
    assert_eq!(joined["locked"], false);
    assert_eq!(bob.expect("knock-ended").await["id"], second);
    assert_eq!(bob.expect("peer-joined").await["peer"]["id"], second);
    assert_eq!(eve.expect("joined").await["peers"].as_array().unwrap().len(), 1);
    assert_eq!(zoe.expect("error").await["code"], "room-full");
    for peer in [&mut bob, &mut eve] {
        peer.send(json!({"type": "bye"})).await;
    }
    zoe.join("room").await;
    let stats = host.signaling.stats();
    assert_eq!((stats.rooms, stats.peers), (1, 1));
}

#[tokio::test]
async fn only_members_may_lock_and_answer() {
    let (host, mut ann) = locked_room(SignalingConfig::default()).await;
    let (mut bob, id) = knock(&host, &mut ann).await;
    let mut eve = host.member("elsewhere").await;
    let mut nobody = host.peer().await;
    let admit = |id: &Value| json!({"type": "answer-knock", "id": id, "admit": true});
    let unlock = json!({"type": "lock", "locked": false});
    for outside in [&mut bob, &mut nobody] {
        outside.refused(unlock.clone(), "not-in-room").await;
        outside.refused(admit(&id), "not-in-room").await;
    }
    eve.refused(admit(&id), "no-such-peer").await;
    let own = json!(ann.id);
    for wrong in [&own, &json!(""), &json!("AAAAAAAAAAAAAAAA"), &json!("../..")] {
        ann.refused(admit(wrong), "no-such-peer").await;
    }
    for bad in [
        json!({"type": "lock"}),
        json!({"type": "lock", "locked": "yes"}),
        json!({"type": "answer-knock", "id": id}),
        json!({"type": "answer-knock", "admit": true}),
        json!({"type": "answer-knock", "id": 7, "admit": true}),
    ] {
        ann.refused(bad, "bad-message").await;
    }
}

#[tokio::test]
async fn a_full_server_and_a_draining_one_take_knocks_at_rooms_that_are_there() {
    let config = SignalingConfig { rooms: 1, sessions: 3, ..SignalingConfig::default() };
    let (host, mut ann) = locked_room(config).await;
    host.signaling.drain(std::time::Duration::from_secs(30));
    ann.expect("draining").await;
    let mut bob = host.peer().await;
    bob.expect("draining").await;
    bob.send(json!({"type": "join", "room": "room"})).await;
    bob.expect("knocking").await;
    let id = ann.expect("knock").await["peer"]["id"].clone();
    let mut eve = host.peer().await;
    eve.expect("draining").await;
    eve.refused(json!({"type": "join", "room": "another"}), "draining").await;
    let mut late = host.socket().await;
    late.send_text(r#"{"type":"hello","version":1}"#).await;
    late.fatal("server-full").await;
    answer(&mut ann, &id, true).await;
    bob.expect("joined").await;
}
