use proptest::prelude::*;
use serde_json::json;

use super::super::PeerId;
use super::*;

fn request(text: &str) -> Result<Request, Malformed> {
    Incoming::parse(text)?.request
}

#[test]
fn a_payload_is_handed_on_as_it_was_written() {
    for payload in [
        "null",
        "1.50",
        r#""\u0041""#,
        r#"{"b":1,  "a":[ 1e400, "\ud800" ],"b":2}"#,
        "12345678901234567890123456789",
    ] {
        let text = format!(r#"{{"payload":{payload},"type":"signal","seq":1,"to":"x"}}"#);
        let Ok(Request::Signal { payload: kept, .. }) = request(&text) else { panic!("{payload}") };
        assert_eq!(kept.get(), payload);
        let frame =
            Outgoing::Signal { from: PeerId::from_bytes([0; 12]), payload: &kept }.encode(Some(7));
        let text = std::str::from_utf8(&frame).unwrap();
        assert_eq!(
            text,
            format!(r#"{{"type":"signal","from":"AAAAAAAAAAAAAAAA","payload":{payload},"seq":7}}"#)
        );
    }
}

#[test]
fn what_is_no_message_is_told_apart_from_one_with_wrong_fields() {
    for text in [
        "",
        "nonsense",
        "[]",
        r#"["hello",1]"#,
        "null",
        "{}",
        r#"{"type":1}"#,
        r#"{"type":"ping""#,
        r#"{"type":"ping"} x"#,
        r#"{"type":"ping","type":"ack"}"#,
        r#"{"type":"join","seq":-1}"#,
        r#"{"type":"join","seq":1.5}"#,
        r#"{"type":"join","seq":0,"room":"a"}"#,
        r#"{"type":"ping","ack":"1"}"#,
    ] {
        assert!(Incoming::parse(text).is_err(), "{text}");
    }
    for text in [
        r#"{"type":"nonsense","seq":3}"#,
        r#"{"type":"join","seq":3}"#,
        r#"{"type":"join","seq":3,"room":7}"#,
        r#"{"type":"join","seq":3,"room":"a","name":[]}"#,
        r#"{"type":"join","seq":3,"room":"a","card":"a b"}"#,
        r#"{"type":"join","seq":3,"room":"a","check":"a.b"}"#,
        r#"{"type":"join","seq":3,"room":"a","pass":[]}"#,
        r#"{"type":"peek","seq":3}"#,
        r#"{"type":"lock","seq":3,"locked":null}"#,
        r#"{"type":"lock","seq":3,"locked":1}"#,
        r#"{"type":"answer-knock","seq":3,"id":"a"}"#,
        r#"{"type":"answer-knock","seq":3,"admit":true}"#,
        r#"{"type":"signal","seq":3,"to":"a"}"#,
        r#"{"type":"signal","seq":3,"payload":1}"#,
    ] {
        let incoming = Incoming::parse(text).unwrap();
        assert_eq!(incoming.seq, Some(3), "{text}");
        assert!(incoming.request.is_err(), "{text}");
    }
    for text in [
        r#"{"type":"ack"}"#,
        r#"{"type":"leave"}"#,
        r#"{"type":"hello"}"#,
        r#"{"type":"peek","room":"a"}"#,
        r#"{"type":"lock","locked":true}"#,
        r#"{"type":"answer-knock","id":"a","admit":true}"#,
    ] {
        assert!(request(text).is_err(), "{text}");
    }
}

#[test]
fn unknown_fields_and_nulls_for_what_may_be_missing_are_ignored() {
    let text = r#" {"type":"join","seq":1,"ack":null,"room":"a","name":null,"later":{"x":[]}}"#;
    assert!(matches!(request(text), Ok(Request::Join(join)) if join.name.is_empty()));
    let text = r#"{"type":"hello","version":1,"resume":null}"#;
    assert!(matches!(request(text), Ok(Request::Hello { resume: None, .. })));
}

#[test]
fn another_version_is_told_even_if_its_hello_looks_otherwise() {
    let text = r#"{"type":"hello","version":2,"resume":"opaque"}"#;
    assert!(matches!(request(text), Ok(Request::Hello { version: 2, .. })));
}

#[test]
fn deep_nesting_is_no_way_to_exhaust_the_stack() {
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    let text = format!(r#"{{"type":"signal","seq":1,"to":"x","payload":{deep}}}"#);
    drop(request(&text));
    let text = format!(r#"{{"type":"ping","unknown":{deep}}}"#);
    drop(request(&text));
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        drop(Incoming::parse(&text));
    }

    #[test]
    fn no_near_miss_panics(
        kind in "hello|join|peek|signal|lock|answer-knock|leave|bye|ping|ack|[a-z]{0,6}",
        key in "seq|ack|room|name|card|check|pass|to|payload|locked|id|admit|resume|version",
        value in "[0-9]{1,22}|-1|null|true|\"[a-z]*\"|\\{\\}|\\[\\]|\\{\"session\":1\\}",
    ) {
        drop(Incoming::parse(&format!(r#"{{"type":"{kind}","{key}":{value}}}"#)));
    }
}

#[test]
fn an_error_does_not_repeat_what_was_sent() {
    let long = "\u{200b}".repeat(20_000);
    for text in [
        json!({"type": "hello", "version": long}).to_string(),
        json!({"type": "hello", "version": 1, "resume": {"session": "", "token": "", "ack": long}})
            .to_string(),
        json!({"type": "leave", "seq": long}).to_string(),
    ] {
        let malformed = Incoming::parse(&text).and_then(|incoming| incoming.request).unwrap_err();
        assert!(malformed.0.len() < 1_000, "{}", malformed.0.len());
    }
}
