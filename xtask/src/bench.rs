//! Measurements that take several programs. Figures are printed and judged by people (docs/bench.md): no test
//! depends on how busy a machine is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::MetadataCommand;

use crate::command::{cargo, program, root, run, target};
use crate::setup;

/// Where dcsctp writes packets as text, and the question whether anybody wants to read that.
const LOGS: &str = "pub fn log_packet(name: &str, ts: SocketTime, sent: bool, data: &[u8]) {";
const GUARD: &str = "if !log::log_enabled!(log::Level::Info) { return; }";

/// Everything that docs/sctp.md and docs/bench.md say of SCTP.
pub(crate) fn sctp() -> Result<String> {
    build_with_guard()?;
    let bench = target().join("release/talkie-bench");
    let picture = root().join("docs/images/sctp-under-way.svg");
    run(program(&bench).args(["sctp", "--svg"]).arg(picture))?;
    if !setup::on_path("valgrind") {
        println!("   valgrind counts instructions and is missing: it is installed now");
        setup::install(&["valgrind"])?;
    }
    run(program(&bench).arg("sctp-instructions"))?;
    let tables = ["--test", "congestion", "--", "--ignored", "--nocapture", "tables"];
    run(cargo().args(["test", "--release", "--package", "talkie-proto"]).args(tables))?;
    Ok("throughput, memory, instructions, congestion tables".into())
}

/// Builds the benches with a dcsctp that does not write down each packet. As it is published it does nothing
/// else, and there would be nothing to compare with.
fn build_with_guard() -> Result<()> {
    let copy = target().join("bench/dcsctp");
    copy_with_guard(&published()?, &copy)?;
    let patch = format!("patch.crates-io.dcsctp.path='{}'", copy.display());
    let lock = Lock::keep()?;
    let build = ["build", "--release", "--package", "talkie-bench", "--config", &patch];
    let built = run(cargo().args(build));
    lock.put_back().and(built)
}

/// Cargo.lock as it was before a build with a patch.
struct Lock {
    path: PathBuf,
    text: String,
}

impl Lock {
    fn keep() -> Result<Self> {
        let path = root().join("Cargo.lock");
        let text = fs::read_to_string(&path).context("there is no Cargo.lock")?;
        Ok(Self { path, text })
    }

    fn put_back(self) -> Result<()> {
        fs::write(&self.path, &self.text).context("Cargo.lock cannot be put back")
    }
}

/// The folder of dcsctp's source as cargo has fetched it.
fn published() -> Result<PathBuf> {
    let metadata = MetadataCommand::new().current_dir(root()).exec()?;
    let package = metadata.packages.iter().find(|package| package.name.as_str() == "dcsctp");
    let manifest = &package.context("dcsctp is no dependency any more")?.manifest_path;
    Ok(manifest.parent().context("a manifest lies in a folder")?.into())
}

fn copy_with_guard(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    copy(from, to)?;
    let library = to.join("src/lib.rs");
    let source = fs::read_to_string(&library)?;
    ensure!(source.matches(LOGS).count() == 1, "dcsctp writes packets down in another way now");
    fs::write(&library, source.replace(LOGS, &format!("{LOGS} {GUARD}")))?;
    // Its own lints are for its authors.
    let manifest = to.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    let kept = text.split("\n[lints").next().unwrap_or(&text);
    Ok(fs::write(&manifest, kept)?)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
