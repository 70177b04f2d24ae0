use proptest::prelude::*;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::*;
use crate::message::Join;

const WELCOME: &str = r#"{"type":"welcome","version":1,"session":"s","token":"t","resumed":false,
    "ack":0,"heartbeat":30,"resumeWithin":30,"limits":{"messageBytes":65536,"messagesPerSecond":50,
    "burst":200,"roomPeers":6,"roomName":64,"peerName":64},"iceServers":[{"urls":["stun:a"]}],
    "iceTtl":60}"#;

fn frames(session: &mut Session, now: Instant) -> Vec<Value> {
    std::iter::from_fn(|| session.poll_frame(now))
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect()
}

fn open(now: Instant) -> Session {
    let mut session = Session::new();
    session.handle_connected();
    assert_eq!(frames(&mut session, now), [json!({"type": "hello", "version": 1})]);
    session.handle_text(now, WELCOME).unwrap();
    session
}

fn say(session: &mut Session, what: u64) -> u64 {
    let to = serde_json::from_value(json!("bob")).unwrap();
    let payload = to_raw_value(&what).unwrap();
    session.handle_request(&Request::Signal { to, payload }).unwrap()
}

fn signal(seq: u64) -> String {
    json!({"type": "signal", "from": "bob", "payload": seq, "seq": seq}).to_string()
}

fn payloads(session: &mut Session) -> Vec<u64> {
    let signals = std::iter::from_fn(|| session.poll_event());
    signals
        .filter_map(|event| match event {
            Event::Signal { payload, .. } => Some(payload.get().parse().unwrap()),
            _ => None,
        })
        .collect()
}

fn resumed(ack: u64) -> String {
    let text = WELCOME.replace(r#""resumed":false"#, r#""resumed":true"#);
    text.replace(r#""ack":0"#, &format!(r#""ack":{ack}"#))
}

#[test]
fn messages_are_numbered_and_carry_the_acknowledgement() {
    let now = Instant::now();
    let mut session = open(now);
    session.handle_text(now, &signal(1)).unwrap();
    assert_eq!(say(&mut session, 7), 1);
    let sent = frames(&mut session, now);
    let expected = json!({"type": "signal", "to": "bob", "payload": 7, "seq": 1, "ack": 1});
    assert_eq!(sent, [expected]);
    assert_eq!(payloads(&mut session), [1]);
}

#[test]
fn what_came_is_acknowledged_within_a_second_and_a_burst_sooner() {
    let mut now = Instant::now();
    let mut session = open(now);
    session.handle_text(now, &signal(1)).unwrap();
    assert!(frames(&mut session, now).is_empty());
    now = session.poll_timeout(now).unwrap();
    assert_eq!(frames(&mut session, now), [json!({"type": "ack", "ack": 1})]);
    for seq in 2..18 {
        session.handle_text(now, &signal(seq)).unwrap();
    }
    assert_eq!(frames(&mut session, now), [json!({"type": "ack", "ack": 17})]);
    // One that came before is acknowledged again, and not delivered again.
    session.handle_text(now, &signal(3)).unwrap();
    now += Duration::from_secs(1);
    assert_eq!(frames(&mut session, now), [json!({"type": "ack", "ack": 17})]);
    assert_eq!(payloads(&mut session), (1..18).collect::<Vec<_>>());
}

#[test]
fn a_socket_in_doubt_is_asked_at_once_and_given_up_soon() {
    let now = Instant::now();
    let mut session = open(now);
    session.handle_doubt(now);
    assert_eq!(frames(&mut session, now)[0]["type"], "ping");
    let later = now + DOUBT;
    // Doubting it again grants no more time.
    session.handle_doubt(later - Duration::from_millis(1));
    assert!(matches!(session.handle_timeout(later), Err(Broken::Socket(_))));
    // One that answers is as good as before.
    let mut session = open(now);
    session.handle_doubt(now);
    frames(&mut session, now);
    session.handle_text(now, r#"{"type":"pong"}"#).unwrap();
    session.handle_timeout(later).unwrap();
}

#[test]
fn a_silent_session_pings_and_takes_a_silent_server_for_lost() {
    let start = Instant::now();
    let mut session = open(start);
    let mut now = start;
    let mut pings = 0;
    let broken = loop {
        now = session.poll_timeout(now).unwrap();
        if let Err(broken) = session.handle_timeout(now) {
            break broken;
        }
        pings += frames(&mut session, now).iter().filter(|it| it["type"] == "ping").count();
        assert!(now < start + Duration::from_secs(100));
    };
    assert!(matches!(broken, Broken::Socket(_)));
    assert_eq!((pings, now - start), (3, Duration::from_secs(60)));
    // One that answers is not.
    let mut session = open(start);
    now = start;
    for _ in 0..20 {
        now = session.poll_timeout(now).unwrap();
        session.handle_timeout(now).unwrap();
        frames(&mut session, now);
        session.handle_text(now, r#"{"type":"pong"}"#).unwrap();
    }
}

#[test]
fn after_a_lost_socket_what_the_server_has_not_is_said_again() {
    let now = Instant::now();
    let mut session = open(now);
    for what in 1..=5 {
        say(&mut session, what);
    }
    session.handle_text(now, &signal(1)).unwrap();
    assert_eq!(frames(&mut session, now).len(), 5);
    session.handle_text(now, r#"{"type":"ack","ack":2}"#).unwrap();
    session.handle_disconnected();
    say(&mut session, 6);
    assert!(frames(&mut session, now).is_empty());
    session.handle_connected();
    let hello = json!({"type": "hello", "version": 1,
        "resume": {"session": "s", "token": "t", "ack": 1}});
    assert_eq!(frames(&mut session, now), [hello]);
    session.handle_text(now, &resumed(3)).unwrap();
    let again: Vec<_> = frames(&mut session, now).iter().map(|it| it["seq"].clone()).collect();
    assert_eq!(again, [4, 5, 6]);
    session.handle_text(now, &signal(2)).unwrap();
    assert_eq!(payloads(&mut session), [1, 2]);
}

#[test]
fn a_session_that_is_gone_begins_anew_and_forgets() {
    let now = Instant::now();
    let mut session = open(now);
    say(&mut session, 1);
    session.handle_text(now, &signal(1)).unwrap();
    session.handle_disconnected();
    session.handle_connected();
    frames(&mut session, now);
    session.handle_text(now, WELCOME).unwrap();
    assert!(frames(&mut session, now).is_empty());
    assert_eq!(say(&mut session, 2), 1);
    session.handle_text(now, &signal(1)).unwrap();
    let events: Vec<_> = std::iter::from_fn(|| session.poll_event()).collect();
    assert!(
        matches!(
            &events[..],
            [Event::Signal { .. }, Event::Disconnected, Event::Restarted(_), Event::Signal { .. }]
        ),
        "{events:?}"
    );
}

#[test]
fn what_breaks_the_protocol_ends_the_session() {
    let now = Instant::now();
    for text in [
        "",
        "[]",
        "{}",
        "null",
        r#"{"type":"signal","from":"bob","payload":1,"seq":2}"#,
        r#"{"type":"signal","from":"bob","payload":1}"#,
        r#"{"type":"signal","from":"","payload":1,"seq":1}"#,
        r#"{"type":"signal","from":"b\u001b","payload":1,"seq":1}"#,
        r#"{"type":"signal","from":"bob","seq":1}"#,
        r#"{"type":"ack","ack":1}"#,
        r#"{"type":"ack","ack":-1}"#,
        r#"{"type":"joined","room":"a","self":"x","peers":[],"locked":false,"pass":"p","seq":1}"#,
        r#"{"type":"left","room":"a","seq":1}"#,
        r#"{"type":"peeked","room":"a","key":"new","seq":1}"#,
        r#"{"type":"peer-joined","peer":{"id":"x","name":"","card":"a b"},"seq":1}"#,
        r#"{"type":"ice-servers","iceServers":[],"iceTtl":-1,"seq":1}"#,
        r#"{"type":"ice-servers","iceServers":[],"iceTtl":1e300,"seq":1}"#,
        WELCOME,
    ] {
        let mut session = open(now);
        let broken = session.handle_text(now, text).unwrap_err();
        assert!(matches!(broken, Broken::Session(End::Protocol(_))), "{text}: {broken:?}");
    }
    for text in [r#"{"type":"pong"}"#, &signal(1), &resumed(0), &WELCOME.replace("30", "-1")] {
        let mut session = Session::new();
        session.handle_connected();
        frames(&mut session, now);
        assert!(session.handle_text(now, text).is_err(), "{text}");
    }
}

#[test]
fn a_resume_that_cannot_be_is_refused() {
    let now = Instant::now();
    // Acknowledged up to 2, numbered up to 3.
    for ack in [1, 4, u64::MAX] {
        let mut session = open(now);
        for what in 0..3 {
            say(&mut session, what);
        }
        frames(&mut session, now);
        session.handle_text(now, r#"{"type":"ack","ack":2}"#).unwrap();
        session.handle_disconnected();
        session.handle_connected();
        frames(&mut session, now);
        let broken = session.handle_text(now, &resumed(ack)).unwrap_err();
        assert!(matches!(broken, Broken::Session(End::Protocol(_))), "{ack}");
    }
}

#[test]
fn fatal_errors_end_the_session_or_the_socket_alone() {
    let now = Instant::now();
    let text = |code: &str| {
        let message = "no\u{1b}[2J\u{202e} more";
        json!({"type": "error", "code": code, "message": message, "fatal": true}).to_string()
    };
    let mut session = open(now);
    let broken = session.handle_text(now, &text("bad-sequence")).unwrap_err();
    let Broken::Session(End::Refused(refusal)) = broken else { panic!("{broken:?}") };
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("bad-sequence", "no[2J more"));
    let broken = open(now).handle_text(now, &text("slow-reader")).unwrap_err();
    assert!(matches!(broken, Broken::Socket(_)));
    // Before there is a session, there is none to go on.
    let mut session = Session::new();
    session.handle_connected();
    let broken = session.handle_text(now, &text("too-many-sessions")).unwrap_err();
    assert!(matches!(broken, Broken::Session(_)));
}

#[test]
fn a_later_version_s_messages_keep_their_place_in_the_sequence() {
    let now = Instant::now();
    let mut session = open(now);
    session.handle_text(now, r#"{"type":"hologram","seq":1,"depth":3}"#).unwrap();
    session.handle_text(now, &signal(2)).unwrap();
    assert_eq!(payloads(&mut session), [2]);
}

#[test]
fn answers_find_their_requests_among_errors_and_events() {
    let now = Instant::now();
    let mut session = open(now);
    let room = || Join { room: "a".to_owned(), ..Join::default() };
    let peek = || Request::Peek { room: "a".to_owned(), check: None };
    let first = session.handle_request(&Request::Join(room())).unwrap();
    let second = session.handle_request(&peek()).unwrap();
    let third = session.handle_request(&peek()).unwrap();
    for text in [
        json!({"type": "draining", "within": 3, "seq": 1}),
        json!({"type": "knocking", "room": "a", "seq": 2}),
        json!({"type": "error", "code": "x", "message": "y", "about": second, "fatal": false, "seq": 3}),
        json!({"type": "peeked", "room": "a", "key": "new", "seq": 4}),
        json!({"type": "error", "code": "refused", "message": "", "about": first, "seq": 5}),
    ] {
        session.handle_text(now, &text.to_string()).unwrap();
    }
    let answers: Vec<_> = std::iter::from_fn(|| session.poll_answer()).collect();
    assert!(
        matches!(&answers[..], [(a, Ok(Answer::Knocking)), (b, Err(_)), (c, Ok(Answer::Peeked(_)))]
            if (*a, *b, *c) == (first, second, third)),
        "{answers:?}"
    );
    let events: Vec<_> = std::iter::from_fn(|| session.poll_event()).collect();
    assert!(matches!(&events[..], [Event::Draining { .. }, Event::Refused(_)]), "{events:?}");
}

#[test]
fn what_waits_is_bounded_on_both_sides() {
    let now = Instant::now();
    let mut session = open(now);
    let mut said = 0;
    while session.takes_requests() {
        say(&mut session, said);
        said += 1;
    }
    assert_eq!(said, 256);
    // No more goes out than the server's burst allows, and the rest after acknowledgements.
    let sent = frames(&mut session, now).len();
    assert_eq!(sent, 160);
    let ack = json!({"type": "ack", "ack": sent}).to_string();
    session.handle_text(now, &ack).unwrap();
    assert!(session.takes_requests());
    assert!(session.poll_timeout(now).unwrap() > now, "the pace is kept");
    let mut seq = 0;
    while session.has_room() {
        seq += 1;
        session.handle_text(now, &signal(seq)).unwrap();
    }
    assert_eq!(seq, 256);
}

#[test]
fn deep_nesting_is_no_way_to_exhaust_the_stack() {
    let now = Instant::now();
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    for text in [
        format!(r#"{{"type":"signal","from":"bob","seq":1,"payload":{deep}}}"#),
        format!(r#"{{"type":"pong","unknown":{deep}}}"#),
        WELCOME.replacen('{', &format!(r#"{{"unknown":{deep},"#), 1),
    ] {
        drop(open(now).handle_text(now, &text));
        let mut session = Session::new();
        session.handle_connected();
        frames(&mut session, now);
        drop(session.handle_text(now, &text));
    }
}

proptest! {
    #[test]
    fn no_near_miss_panics(
        kind in "welcome|joined|peeked|knock|peer-left|signal|error|ice-servers|draining|[a-z]{0,5}",
        key in "seq|ack|peer|peers|from|payload|iceServers|iceTtl|heartbeat|about|limits|within",
        value in "[0-9]{1,22}|-1|1e999|null|true|\"[a-z]*\"|\\{\\}|\\[\\]|\\[\\{\"urls\":[0-9]\\}\\]",
    ) {
        let now = Instant::now();
        drop(open(now).handle_text(now, &format!(r#"{{"type":"{kind}","{key}":{value}}}"#)));
    }

    /// Sockets break at any point, on frames of both directions; nothing is lost, repeated or
    /// reordered.
    #[test]
    fn signals_survive_any_breaks(steps in prop::collection::vec(0..6u8, 1..200)) {
        let now = Instant::now();
        let mut session = open(now);
        let (mut said, mut has) = (0, 0);
        let (mut sent_by_server, mut delivered) = (0, Vec::new());
        for step in steps {
            match step {
                0 => { said += 1; prop_assume!(session.takes_requests()); say(&mut session, said); }
                // The server reads all that was sent.
                1 => for frame in frames(&mut session, now) {
                    if let Some(seq) = frame["seq"].as_u64() {
                        prop_assert!(seq <= has + 1);
                        if seq == has + 1 {
                            prop_assert_eq!(frame["payload"].as_u64(), Some(seq));
                            has = seq;
                        }
                    }
                },
                2 => { let ack = json!({"type": "ack", "ack": has}).to_string();
                    session.handle_text(now, &ack).unwrap(); }
                3 => { sent_by_server += 1; session.handle_text(now, &signal(sent_by_server)).unwrap(); }
                // What was sent is lost with the socket, or only the acknowledgement.
                4 | 5 => {
                    if step == 4 { frames(&mut session, now); }
                    session.handle_disconnected();
                    session.handle_connected();
                    let hello = session.poll_frame(now).unwrap();
                    prop_assert!(hello.contains(&format!("\"ack\":{sent_by_server}")), "{}", hello);
                    session.handle_text(now, &resumed(has)).unwrap();
                }
                _ => unreachable!(),
            }
            delivered.extend(payloads(&mut session));
        }
        prop_assert_eq!(delivered, (1..=sent_by_server).collect::<Vec<_>>());
    }
}
