//! Which crate may use which: a table, checked against `cargo metadata`.
//!
//! The table is what keeps the relay free of DTLS and codecs, and the protocol machines free of
//! sockets; a new arrow is a decision and belongs here first.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::command::root;

/// Crate, what it may use, what its tests may use beside that.
type Arrow = (&'static str, &'static [&'static str], &'static [&'static str]);

const ARROWS: &[Arrow] = &[
    ("talkie-sansio", &[], &[]),
    ("talkie-sim", &["talkie-sansio"], &[]),
    ("talkie-media", &[], &[]),
    ("talkie-traversal", &["talkie-sansio"], &["talkie-sim"]),
    ("talkie-net", &["talkie-sansio"], &["talkie-traversal"]),
    ("talkie-proto", &["talkie-sansio", "talkie-traversal"], &["talkie-sim"]),
    ("talkie", &["talkie-proto", "talkie-net", "talkie-traversal", "talkie-sansio"], &[]),
    ("talkie-server", &["talkie-traversal", "talkie-net", "talkie-sansio"], &[]),
    // The lab plays what a program would: agents behind NATs, associations on a line.
    (
        "talkie-lab",
        &["talkie-sim", "talkie-proto", "talkie-traversal", "talkie-net", "talkie-sansio"],
        &[],
    ),
    // A client is tested against the server that it is for.
    ("talkie-signaling", &[], &["talkie-server"]),
    (
        "talkie-doctor",
        &["talkie-signaling", "talkie-traversal", "talkie-net", "talkie-sansio"],
        &["talkie-server", "talkie-sim"],
    ),
    (
        "talkie-cli",
        &[
            "talkie",
            "talkie-lab",
            "talkie-server",
            "talkie-doctor",
            "talkie-media",
            "talkie-sim",
            // `talkie ice` is an agent on sockets, and signaling, with nothing between.
            "talkie-net",
            "talkie-signaling",
            "talkie-traversal",
        ],
        &["talkie-sansio"],
    ),
];

/// Never published and used by nobody, so they may use everything.
const TOOLS: &[&str] = &["xtask", "talkie-e2e", "talkie-bench"];

/// What does I/O; no protocol machine may reach it, not even through another crate.
const INPUT_OUTPUT: &[&str] = &["tokio", "mio", "socket2", "quinn-udp", "getrandom", "hyper"];
const SANS_IO: &[&str] = &["talkie-sansio", "talkie-sim", "talkie-traversal", "talkie-proto"];

pub(crate) fn check() -> Result<String> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(vec!["--locked".into(), "--all-features".into()])
        .exec()
        .context("cargo metadata")?;
    let mut faults = Vec::new();
    for package in metadata.workspace_packages() {
        faults.extend(forbidden_arrows(package));
        if SANS_IO.contains(&package.name.as_str()) {
            faults.extend(reached_input_output(&metadata, package));
        }
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("\n  "));
    }
    Ok(format!("{} crates", metadata.workspace_packages().len()))
}

fn forbidden_arrows(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    if TOOLS.contains(&name) {
        return Vec::new();
    }
    let Some((_, uses, tests_use)) = ARROWS.iter().find(|(from, ..)| *from == name) else {
        return vec![format!("{name} is not in the table of xtask/src/arrows.rs")];
    };
    let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
    ours.filter(|to| {
        let in_tests = to.kind == DependencyKind::Development;
        !(uses.contains(&to.name.as_str()) || in_tests && tests_use.contains(&to.name.as_str()))
    })
    .map(|to| format!("{name} must not use {}", to.name))
    .collect()
}

/// Everything that ends up in the crate, tests and build scripts left out.
fn reached_input_output(metadata: &Metadata, package: &Package) -> Vec<String> {
    let Some(resolve) = &metadata.resolve else { return Vec::new() };
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut reached = BTreeSet::new();
    let mut next = vec![&package.id];
    while let Some(id) = next.pop() {
        let Some(node) = nodes.get(id) else { continue };
        let normal = node.deps.iter().filter(|dependency| {
            dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
        });
        next.extend(normal.map(|dependency| &dependency.pkg).filter(|id| reached.insert(*id)));
    }
    let names = metadata.packages.iter().filter(|other| reached.contains(&other.id));
    names
        .filter(|other| INPUT_OUTPUT.contains(&other.name.as_str()))
        .map(|other| format!("{} reaches {}, which does I/O", package.name, other.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, &str)]) -> Package {
        let dependencies: Vec<String> = dependencies
            .iter()
            .map(|(name, kind)| {
                format!(
                    r#"{{"name":"{name}","req":"*","kind":{kind},"optional":false,
                    "uses_default_features":true,"features":[],"path":"/{name}"}}"#
                )
            })
            .collect();
        let json = format!(
            r#"{{"name":"{name}","version":"0.1.0","id":"{name}","dependencies":[{}],
            "targets":[],"features":{{}},"manifest_path":"/{name}/Cargo.toml"}}"#,
            dependencies.join(",")
        );
        let mut deserializer = cargo_metadata_json(&json);
        serde::Deserialize::deserialize(&mut deserializer).unwrap()
    }

    fn cargo_metadata_json(text: &str) -> serde_json::Deserializer<serde_json::de::StrRead<'_>> {
        serde_json::Deserializer::from_str(text)
    }

    #[test]
    fn the_workspace_keeps_its_arrows() {
        check().unwrap();
    }

    #[test]
    fn a_relay_that_compiles_dtls_is_refused() {
        let faults = forbidden_arrows(&package("talkie-server", &[("talkie-proto", "null")]));
        assert_eq!(faults, ["talkie-server must not use talkie-proto"]);
    }

    #[test]
    fn the_simulator_is_for_tests_only() {
        let normal = forbidden_arrows(&package("talkie-traversal", &[("talkie-sim", "null")]));
        assert_eq!(normal, ["talkie-traversal must not use talkie-sim"]);
        let tests = forbidden_arrows(&package("talkie-traversal", &[("talkie-sim", "\"dev\"")]));
        assert!(tests.is_empty());
    }

    #[test]
    fn a_crate_without_a_row_is_refused() {
        let faults = forbidden_arrows(&package("talkie-new", &[]));
        assert_eq!(faults, ["talkie-new is not in the table of xtask/src/arrows.rs"]);
    }
}
