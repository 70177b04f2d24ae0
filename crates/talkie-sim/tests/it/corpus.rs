//! The fuzzer's corpus, replayed: every committed input goes through its target's body.

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/bodies/gateway.rs"]
mod gateway;
#[path = "../../../../fuzz/bodies/input.rs"]
mod input;

#[test]
fn gateway_takes_its_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/gateway");
    let mut replayed = 0;
    for entry in fs::read_dir(&corpus).expect("every target has a corpus") {
        let path = entry.unwrap().path();
        // Seen only if the input panics.
        println!("{}", path.display());
        gateway::run(&fs::read(&path).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", corpus.display());
}
