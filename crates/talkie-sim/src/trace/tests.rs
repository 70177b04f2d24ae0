use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::nat::Reason;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn trace() -> Trace {
    let mut trace = Trace::new(Duration::from_secs(1_800_000_000));
    trace.limit(10);
    trace.name("ada", BoxKind::Host);
    trace.name("home", BoxKind::Nat);
    let entry = Entry {
        at: Duration::from_nanos(5_000_001),
        packet: 7,
        node: NodeId::from_index(1),
        side: Side::Inside,
        source: at("10.0.0.2:5000"),
        destination: at("198.51.100.1:3478"),
        content: Content::Udp,
        payload: Arc::from(&b"hello"[..]),
        what: What::Translated {
            way: Way::Out,
            source: at("192.0.2.1:5000"),
            destination: at("198.51.100.1:3478"),
        },
    };
    trace.push(entry.clone());
    trace.push(Entry { what: What::Dropped(Cause::Nat(Reason::Filtered)), ..entry });
    trace
}

#[test]
fn the_newest_entries_are_kept() {
    let mut trace = trace();
    trace.limit(1);
    assert_eq!((trace.entries().len(), trace.forgotten()), (1, 1));
    let last = trace.entries().next().unwrap().clone();
    trace.push(Entry { packet: 8, ..last });
    assert_eq!((trace.entries().len(), trace.forgotten()), (1, 2));
    assert_eq!(trace.entries().next().unwrap().packet, 8);
}

#[test]
fn json_says_it_all() {
    let json: serde_json::Value = serde_json::from_str(&trace().json()).unwrap();
    assert_eq!(json["format"], "talkie-trace");
    assert_eq!(json["boxes"][1], serde_json::json!({ "name": "home", "kind": "nat" }));
    assert_eq!(
        json["entries"][0],
        serde_json::json!({
            "at": 5_000_001, "packet": 7, "box": 1, "side": "inside", "protocol": "udp",
            "source": "10.0.0.2:5000", "destination": "198.51.100.1:3478",
            "length": 5, "payload": "68656c6c6f",
            "what": "translated", "way": "out",
            "after": { "source": "192.0.2.1:5000", "destination": "198.51.100.1:3478" },
            "text": "translated (out) to 192.0.2.1:5000 > 198.51.100.1:3478",
        })
    );
    assert_eq!(json["entries"][1]["cause"], "nat-filtered");
    assert_eq!(json["entries"][1]["text"], "dropped: filtered");
}

/// The blocks of a file: type and body.
fn blocks(mut bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        let length = word(&bytes[4..]) as usize;
        assert_eq!(length % 4, 0);
        assert_eq!(word(&bytes[length - 4..]) as usize, length);
        blocks.push((word(bytes), &bytes[8..length - 4]));
        bytes = &bytes[length..];
    }
    blocks
}

#[test]
fn a_capture_shows_both_sides_of_a_nat() {
    let file = trace().pcapng();
    let blocks = blocks(&file);
    let kinds: Vec<_> = blocks.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [0x0a0d_0d0a, 1, 1, 6, 6, 6]);
    let contains = |block: usize, text: &str| {
        blocks[block].1.windows(text.len()).any(|window| window == text.as_bytes())
    };
    assert!(contains(1, "home/inside") && contains(2, "home/outside"));
    assert!(contains(3, "packet 7, home: translated (out) to 192.0.2.1:5000"));
    assert!(contains(4, "packet 7, home: translated (out) from 10.0.0.2:5000"));
    assert!(contains(5, "packet 7, home: dropped: filtered"));
    // IPv4, and the address that the world sees.
    let outside = &blocks[4].1[20..];
    assert_eq!((outside[0], &outside[12..16]), (0x45, &[192, 0, 2, 1][..]));
}

#[test]
fn what_is_no_packet_is_not_captured() {
    let mut trace = trace();
    let entry = trace.entries().next_back().unwrap().clone();
    trace.push(Entry { destination: at("[2001:db8::1]:1"), ..entry.clone() });
    trace.push(Entry { payload: Arc::from(vec![0; 65_508]), ..entry });
    assert_eq!(blocks(&trace.pcapng()).len(), 6);
}
