//! Cards, checks and peeks: what peers with a common key show each other through a server that
//! does not have it.

use serde_json::{Value, json};
use talkie_server::signaling::SignalingConfig;

use crate::signaling_host::Host;

fn join(check: impl Into<Option<&'static str>>) -> Value {
    let mut join = json!({"type": "join", "room": "room"});
    if let Some(check) = check.into() {
        join["check"] = check.into();
    }
    join
}

fn peek(room: &str, check: Option<&str>) -> Value {
    json!({"type": "peek", "room": room, "check": check})
}

#[tokio::test]
async fn a_card_reaches_every_peer_as_it_was_sent() {
    let host = Host::start(SignalingConfig::default()).await;
    let (mut ann, mut bob, mut eve) = (host.peer().await, host.peer().await, host.peer().await);
    let card = "abc-_.XYZ09".repeat(93);
    ann.join_with(json!({"type": "join", "room": "room", "card": card})).await;
    let joined = bob.join("room").await;
    assert_eq!(joined["peers"], json!([{"id": ann.id, "name": "", "card": card}]));
    let came = ann.expect("peer-joined").await;
    assert_eq!(came["peer"], json!({"id": bob.id, "name": ""}), "no card, no field");
    eve.join_with(json!({"type": "join", "room": "room", "name": "Eve", "card": "x.y"})).await;
    for peer in [&mut ann, &mut bob] {
        let came = peer.expect("peer-joined").await;
        assert_eq!(came["peer"], json!({"id": eve.id, "name": "Eve", "card": "x.y"}));
    }
}

#[tokio::test]
async fn whoever_opens_the_room_sets_its_key_and_wrong_key_is_no_end() {
    let host = Host::start(SignalingConfig::default()).await;
    let (mut ann, mut bob) = (host.peer().await, host.peer().await);
    ann.join_with(join("right-key_1")).await;
    for check in [None, Some("right-key_2"), Some("right-key_"), Some("right-key_1x")] {
        bob.refused(join(check), "wrong-key").await;
    }
    bob.refused(json!({"type": "leave"}), "not-in-room").await;
    bob.join_with(join("right-key_1")).await;
    ann.expect("peer-joined").await;
    // The key goes with the room.
    for peer in [&mut ann, &mut bob] {
        peer.send(json!({"type": "leave"})).await;
    }
    bob.expect("peer-left").await;
    bob.expect("left").await;
    bob.join_with(join("another")).await;
}

#[tokio::test]
async fn a_room_without_a_key_takes_nobody_who_has_one() {
    let host = Host::start(SignalingConfig::default()).await;
    let mut ann = host.peer().await;
    ann.join_with(join(None)).await;
    let mut bob = host.peer().await;
    bob.refused(join("some"), "wrong-key").await;
    // `null` is none.
    bob.join_with(json!({"type": "join", "room": "room", "check": null, "card": null})).await;
}

#[tokio::test]
async fn cards_and_checks_of_a_wrong_form_are_bad_messages() {
    let host = Host::start(SignalingConfig::default()).await;
    let (card, check) = ("c".repeat(1_025), "k".repeat(65));
    let bad = [
        ("card", json!(card)),
        ("card", json!("a b")),
        ("card", json!("<b>")),
        ("card", json!("")),
        ("card", json!(7)),
        ("check", json!(check)),
        ("check", json!("a.b")),
        ("check", json!("")),
    ];
    let mut peer = host.peer().await;
    for (field, value) in bad {
        let mut request = json!({"type": "join", "room": "room"});
        request[field] = value;
        peer.refused(request, "bad-message").await;
    }
    peer.refused(json!({"type": "peek", "room": "room", "check": check}), "bad-message").await;
    peer.join_with(json!({"type": "join", "room": "room", "card": &card[1..]})).await;
}

#[tokio::test]
async fn a_peek_tells_of_a_room_without_making_or_entering_it() {
    let host = Host::start(SignalingConfig::default()).await;
    let (mut ann, mut bob) = (host.peer().await, host.peer().await);
    let mut look = async |room: &str, check: Option<&str>| {
        bob.send(peek(room, check)).await;
        let mut peeked = bob.expect("peeked").await;
        let fields = peeked.as_object_mut().unwrap();
        fields.retain(|key, _| !["type", "seq", "ack"].contains(&key.as_str()));
        peeked
    };
    let new = json!({"room": "room", "key": "new", "people": 0, "locked": false});
    assert_eq!(look("Room", Some("k")).await, new);
    assert_eq!(host.signaling.stats().rooms, 0);

    ann.join_with(join("k")).await;
    let open = json!({"room": "room", "key": "match", "people": 1, "locked": false});
    assert_eq!(look("room", Some("k")).await, open);
    for check in [None, Some("l")] {
        assert_eq!(look("room", check).await, json!({"room": "room", "key": "mismatch"}));
    }
    ann.send(json!({"type": "lock", "locked": true})).await;
    ann.expect("room-locked").await;
    assert_eq!(look("room", Some("k")).await["locked"], true);
    // From inside, too.
    ann.send(peek("room", Some("k"))).await;
    assert_eq!(ann.expect("peeked").await["people"], 1);
    bob.refused(peek("no room", None), "bad-room-name").await;
    bob.refused(json!({"type": "leave"}), "not-in-room").await;
    assert!(!host.signaling.is_empty());
    ann.send(json!({"type": "bye"})).await;
    ann.next().await.unwrap_err();
    assert!(host.signaling.is_empty(), "a peek holds nothing");
}

#[tokio::test]
async fn peeks_count_as_messages() {
    let host = Host::start(SignalingConfig { burst: 5, ..SignalingConfig::default() }).await;
    let mut peer = host.peer().await;
    for _ in 0..40 {
        peer.send(peek("room", Some("guess"))).await;
    }
    let mut refused = 0;
    for _ in 0..40 {
        refused += usize::from(peer.next().await.unwrap()["code"] == "too-fast");
    }
    assert!(refused > 20, "{refused}");
}
