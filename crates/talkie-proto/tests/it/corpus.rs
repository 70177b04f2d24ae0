//! The fuzzer's corpus, replayed: every committed input goes through its target's body.

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/bodies/datachannel.rs"]
mod datachannel;
#[path = "../../../../fuzz/bodies/input.rs"]
mod input;
#[path = "../../../../fuzz/bodies/sctp_association.rs"]
mod sctp_association;
#[path = "../../../../fuzz/bodies/sctp_wire.rs"]
mod sctp_wire;

fn replay(target: &str, run: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut replayed = 0;
    for entry in fs::read_dir(&corpus).expect("every target has a corpus") {
        let path = entry.expect("an entry").path();
        // Seen only if the input panics.
        println!("{}", path.display());
        run(&fs::read(&path).expect("a file"));
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", corpus.display());
}

#[test]
fn sctp_wire_takes_its_corpus() {
    replay("sctp_wire", sctp_wire::run);
}

#[test]
fn sctp_association_takes_its_corpus() {
    replay("sctp_association", sctp_association::run);
}

#[test]
fn datachannel_takes_its_corpus() {
    replay("datachannel", datachannel::run);
}
