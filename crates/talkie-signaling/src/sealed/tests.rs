//! The vectors are those of the web app (tests/e2e/browser/unit/trust.test.mjs).

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::*;

const ROOM: &str = "calm-otter-bridge";
const KEY: &str = "AAECAwQFBgcICQoLDA0ODw";
const CARD: &str = "1.oKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKA.Bv9bjd0CkCAZFhoX-RXvoMnRnn1CKYDX-IUZncNxaOXkrmbVDdivpA_ISNUJVNXNxORGI37PuC1ZSlUch0zoFIKUiuBanxO1ej39P7JFETiHvGFKvAujBodAnEjt8TMu-vbvCCc6yXbOOAt0aneckqmyabzFG4_YDiePnNIBN8wlVndI8nfaYU2-f5K3xgTw";
const FIRST: &str = "RAzqLdg1peLCsomxY_c8d6C_5-xLTEUWFAHNnDGdrkxbFbmCXxBHCbCU5NV7xEqaqTwGg4AN-5tyCIXN7u9qgKQO8xo9La1TQA";
const SECOND: &str = "XHODHGzaZQCzMfAL7PZJf9QMriHstcmxOZwYReCcFBo";

fn key() -> RoomKey {
    KEY.parse().unwrap()
}

fn id(text: &str) -> PeerId {
    serde_json::from_value(json!(text)).unwrap()
}

fn peer(text: &str, card: &str) -> Peer {
    serde_json::from_value(json!({"id": text, "name": "", "card": card})).unwrap()
}

fn ada() -> SealedRoom {
    SealedRoom::with_nonce(&key(), ROOM, "Ada", [0xa0; 32])
}

fn grace() -> SealedRoom {
    SealedRoom::with_nonce(&key(), ROOM, "Grace", [0xb0; 32])
}

/// Ada's end and Grace's end.
fn channels() -> (Channel, Channel) {
    let (mut ada, mut grace) = (ada(), grace());
    let at_ada = ada.meet(&id("ada"), &peer("grace", &grace.card)).unwrap();
    let at_grace = grace.meet(&id("grace"), &peer("ada", &ada.card)).unwrap();
    assert_eq!((at_ada.name.as_str(), at_grace.name.as_str()), ("Grace", "Ada"));
    (at_ada.channel, at_grace.channel)
}

fn raw(payload: &impl Serialize) -> Box<RawValue> {
    to_raw_value(payload).unwrap()
}

#[test]
fn fixed_keys_and_nonces_give_the_bytes_of_the_web_app() {
    let room = SealedRoom::with_nonce(&key(), &ROOM.to_uppercase(), "Ada", [0xa0; 32]);
    assert_eq!(room.check(), "RKZogAifADxnDeZVpwsvJNv2J8mjaxYR3U_VLjSQiRM");
    assert_eq!(room.card, CARD);
    let (mut at_ada, mut at_grace) = channels();
    let offer = r#"{"link":"tag","description":{"type":"offer","sdp":"v=0"}}"#;
    let offer = RawValue::from_string(offer.to_owned()).unwrap();
    let first = at_ada.seal(&offer).unwrap();
    assert_eq!((first.sealed.n, first.sealed.data.as_str()), (1, FIRST));
    let second = at_ada.seal(&json!({"restart": true})).unwrap();
    assert_eq!((second.sealed.n, second.sealed.data.as_str()), (2, SECOND));
    let opened: Value = at_grace.open(&raw(&first)).unwrap();
    assert_eq!(opened["description"]["sdp"], "v=0");
    assert_eq!(at_grace.open::<Value>(&raw(&second)).unwrap(), json!({"restart": true}));
}

#[test]
fn what_was_touched_repeated_or_left_out_breaks_the_channel_for_good() {
    let touches: [fn(Value) -> Value; 9] = [
        |mut payload| {
            payload["sealed"]["n"] = json!(2);
            payload
        },
        |mut payload| {
            payload["sealed"]["n"] = json!(0);
            payload
        },
        |mut payload| {
            payload["sealed"]["n"] = json!("1");
            payload
        },
        |mut payload| {
            let data = payload["sealed"]["data"].as_str().unwrap();
            let other = if data.starts_with('A') { "B" } else { "A" };
            payload["sealed"]["data"] = json!(format!("{other}{}", &data[1..]));
            payload
        },
        |mut payload| {
            let data = payload["sealed"]["data"].as_str().unwrap();
            payload["sealed"]["data"] = json!(data[..data.len() - 2].to_owned());
            payload
        },
        |_| json!({"sealed": {"n": 1, "data": ""}}),
        |_| json!({"sealed": null}),
        |_| json!(7),
        |_| json!({"said": "hello"}),
    ];
    for (nth, touch) in touches.into_iter().enumerate() {
        let (mut at_ada, mut at_grace) = channels();
        let first = at_ada.seal(&"one").unwrap();
        let touched = touch(serde_json::to_value(&first).unwrap());
        assert_eq!(at_grace.open::<String>(&raw(&touched)), Err(OpenError::Tampered), "{nth}");
        // Neither the right one nor any later one opens now.
        assert_eq!(at_grace.open::<String>(&raw(&first)), Err(OpenError::Tampered));
        let refusal = at_grace.refusal();
        assert_eq!(at_ada.open::<Value>(&raw(&refusal)), Err(OpenError::Refused));
    }
    let (mut at_ada, mut at_grace) = channels();
    let [one, two, three] = ["one", "two", "three"].map(|text| at_ada.seal(&text).unwrap());
    assert_eq!(at_grace.open::<String>(&raw(&one)).unwrap(), "one");
    assert_eq!(at_grace.open::<String>(&raw(&three)), Err(OpenError::Tampered));
    assert_eq!(at_grace.open::<String>(&raw(&two)), Err(OpenError::Tampered));
    let (mut at_ada, mut at_grace) = channels();
    let one = at_ada.seal(&"one").unwrap();
    assert!(at_grace.open::<String>(&raw(&one)).is_ok());
    assert_eq!(at_grace.open::<String>(&raw(&one)), Err(OpenError::Tampered), "repeated");
}

#[test]
fn a_message_opens_only_for_whom_and_from_whom_it_is() {
    let (mut at_ada, _) = channels();
    let message = raw(&at_ada.seal(&"one").unwrap());
    assert_eq!(at_ada.open::<String>(&message), Err(OpenError::Tampered), "reflected");
    let others = [
        (key(), "other-room", [0xa0; 32], "ada", "grace"),
        (format!("{KEY}A").parse().unwrap(), ROOM, [0xa0; 32], "ada", "grace"),
        (key(), ROOM, [0xa1; 32], "ada", "grace"),
        (key(), ROOM, [0xa0; 32], "mallory", "grace"),
        (key(), ROOM, [0xa0; 32], "ada", "mallory"),
    ];
    for (key, room, nonce, from, to) in others {
        let card = SealedRoom::with_nonce(&key, room, "", nonce).card;
        let mut grace = SealedRoom::with_nonce(&key, room, "Grace", [0xb0; 32]);
        let mut met = grace.meet(&id(to), &peer(from, &card)).unwrap();
        assert_eq!(met.channel.open::<String>(&message), Err(OpenError::Tampered), "{room} {from}");
    }
}

#[test]
fn a_card_that_is_old_foreign_or_no_card_belongs_to_a_stranger() {
    let mut grace = grace();
    let own = id("grace");
    grace.meet(&own, &peer("ada", CARD)).unwrap();
    let mut meet = |card: &str| grace.meet(&own, &peer("ada", card)).map(drop);
    assert_eq!(meet(CARD), Err(Stranger::Repeated));
    let (nonce, sealed) = CARD[2..].split_once('.').unwrap();
    let foreign = SealedRoom::with_nonce(&key(), "other-room", "Ada", [1; 32]).card;
    for card in [
        "0.oKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKA".to_owned(),
        format!("2.{nonce}.{sealed}"),
        format!("1.{}.{sealed}", &nonce[2..]),
        format!("1.{nonce}.{sealed}AA"),
        format!("1.{nonce}."),
        ".".to_owned(),
        foreign,
    ] {
        assert_eq!(meet(&card), Err(Stranger::NoKey), "{card}");
    }
    let own_card = grace.card.clone();
    let reflected = grace.meet(&own, &peer("mallory", &own_card)).map(drop);
    assert_eq!(reflected, Err(Stranger::Repeated));
}

#[test]
fn every_name_fits_a_card_and_comes_out_without_control_characters() {
    let own = id("grace");
    for (name, shown) in [
        ("\u{1f642}".repeat(64), "\u{1f642}".repeat(64)),
        ("\"\\".repeat(32), "\"\\".repeat(32)),
        ("\u{202e}evil\u{0}\n".to_owned(), "evil".to_owned()),
        ("x".repeat(100), "x".repeat(64)),
        (String::new(), String::new()),
    ] {
        let card = SealedRoom::new(&key(), ROOM, &name).unwrap().card;
        assert!(card.len() <= 1_024, "{}", card.len());
        assert_eq!(grace().meet(&own, &peer("ada", &card)).unwrap().name, shown);
    }
}
