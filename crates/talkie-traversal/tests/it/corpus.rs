//! The fuzzers' corpora, replayed: every committed input goes through its target's body.

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/bodies/channel_data.rs"]
mod channel_data;
#[path = "../../../../fuzz/bodies/discover.rs"]
mod discover;
#[path = "../../../../fuzz/bodies/ice_agent.rs"]
mod ice_agent;
#[path = "../../../../fuzz/bodies/ice_candidate.rs"]
mod ice_candidate;
#[path = "../../../../fuzz/bodies/ice_gather.rs"]
mod ice_gather;
#[path = "../../../../fuzz/bodies/ice_mux.rs"]
mod ice_mux;
#[path = "../../../../fuzz/bodies/input.rs"]
mod input;
#[path = "../../../../fuzz/bodies/mdns.rs"]
mod mdns;
#[path = "../../../../fuzz/bodies/portmap.rs"]
mod portmap;
#[path = "../../../../fuzz/bodies/stun_parse.rs"]
mod stun_parse;
#[path = "../../../../fuzz/bodies/stun_roundtrip.rs"]
mod stun_roundtrip;
#[path = "../../../../fuzz/bodies/turn_client.rs"]
mod turn_client;
#[path = "../../../../fuzz/bodies/turn_server.rs"]
mod turn_server;
#[path = "../../../../fuzz/bodies/uri.rs"]
mod uri;

fn replay(target: &str, run: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut replayed = 0;
    for entry in fs::read_dir(&corpus).expect("every target has a corpus") {
        let path = entry.unwrap().path();
        // Seen only if the input panics.
        println!("{}", path.display());
        run(&fs::read(&path).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", corpus.display());
}

#[test]
fn stun_parse_takes_its_corpus() {
    replay("stun_parse", stun_parse::run);
}

#[test]
fn stun_roundtrip_takes_its_corpus() {
    replay("stun_roundtrip", stun_roundtrip::run);
}

#[test]
fn channel_data_takes_its_corpus() {
    replay("channel_data", channel_data::run);
}

#[test]
fn turn_client_takes_its_corpus() {
    replay("turn_client", turn_client::run);
}

#[test]
fn ice_gather_takes_its_corpus() {
    replay("ice_gather", ice_gather::run);
}

#[test]
fn turn_server_takes_its_corpus() {
    replay("turn_server", turn_server::run);
}

#[test]
fn discover_takes_its_corpus() {
    replay("discover", discover::run);
}

#[test]
fn portmap_takes_its_corpus() {
    replay("portmap", portmap::run);
}

#[test]
fn ice_agent_takes_its_corpus() {
    replay("ice_agent", ice_agent::run);
}

#[test]
fn ice_mux_takes_its_corpus() {
    replay("ice_mux", ice_mux::run);
}

/// Scripts of chance. Each byte is a choice or its argument, so that all is reached that has no secret.
fn scripts(count: usize) -> impl Iterator<Item = Vec<u8>> {
    // xorshift.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..count).map(move |_| (0..300).map(|_| next()).collect())
}

#[test]
fn ice_agent_takes_anything() {
    for mut script in scripts(400) {
        script[1..3].copy_from_slice(&[5, 0]);
        ice_agent::run(&script);
    }
}

#[test]
fn ice_gather_takes_anything() {
    for (shape, mut script) in (0..=u8::MAX).cycle().zip(scripts(400)) {
        // It has an address, and gathers.
        script[..4].copy_from_slice(&[shape, 1, shape, 0]);
        ice_gather::run(&script);
    }
}

#[test]
fn ice_mux_takes_anything() {
    for mut script in scripts(400) {
        script[1..4].copy_from_slice(&[0, 48, 96]);
        ice_mux::run(&script);
    }
}

#[test]
fn ice_candidate_takes_its_corpus() {
    replay("ice_candidate", ice_candidate::run);
}

#[test]
fn uri_takes_its_corpus() {
    replay("uri", uri::run);
}

#[test]
fn mdns_takes_its_corpus() {
    replay("mdns", mdns::run);
}
