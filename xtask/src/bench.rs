//! Measurements that take several programs. Figures are printed and judged by people (docs/bench.md): no test
//! depends on how busy a machine is.

use anyhow::Result;

use crate::command::{cargo, program, run, target};
use crate::setup;

/// Everything that docs/sctp.md has figures of.
pub(crate) fn sctp() -> Result<String> {
    run(cargo().args(["build", "--release", "--package", "talkie-bench"]))?;
    let bench = target().join("release/talkie-bench");
    run(program(&bench).arg("sctp"))?;
    if !setup::on_path("valgrind") {
        println!("   valgrind counts instructions and is missing: it is installed now");
        setup::install(&["valgrind"])?;
    }
    run(program(&bench).arg("sctp-instructions"))?;
    let tables = ["--test", "congestion", "--", "--ignored", "--nocapture", "tables"];
    run(cargo().args(["test", "--release", "--package", "talkie-proto"]).args(tables))?;
    Ok("throughput, memory, instructions, congestion tables".into())
}
