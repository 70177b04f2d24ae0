//! Licences, bans and sources of everything that is compiled, as `deny.toml` has them.
//!
//! `cargo deny` reads the same file and knows far more (advisories, licence texts); it takes minutes
//! to install, so this check of the three rules that a change breaks most easily is what CI runs.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{MetadataCommand, Package};
use serde::Deserialize;

use crate::command::{cargo, output, root};

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
struct Sources {
    #[serde(rename = "allow-registry")]
    allow_registry: Vec<String>,
}

pub(crate) fn check() -> Result<String> {
    let text = fs::read_to_string(root().join("deny.toml")).context("deny.toml")?;
    let deny: Deny = toml::from_str(&text).context("deny.toml")?;
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(vec!["--locked".into(), "--all-features".into()])
        .exec()
        .context("cargo metadata")?;
    let used = used()?;
    let packages = metadata.packages.iter().filter(|package| used.contains(&shown(package)));
    let faults: Vec<String> = packages.flat_map(|package| faults(&deny, package)).collect();
    if !faults.is_empty() {
        bail!("{}", faults.join("\n  "));
    }
    Ok(format!("{} packages against deny.toml", used.len()))
}

/// What can be compiled on any platform, by name and version. The lock file and `cargo metadata`
/// have more: packages behind features that nobody switches on.
fn used() -> Result<BTreeSet<String>> {
    let arguments = ["tree", "--workspace", "--locked", "--target=all", "--prefix=none"];
    let tree = output(cargo().args(arguments).arg("--format={p}"))?;
    let packages = tree.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
    Ok(packages.filter(|words| words.len() == 2).map(|words| words.join(" ")).collect())
}

/// A package as `cargo tree` shows it.
fn shown(package: &Package) -> String {
    format!("{} v{}", package.name, package.version)
}

fn faults(deny: &Deny, package: &Package) -> Vec<String> {
    let name = shown(package);
    let mut faults = Vec::new();
    if let Some(ban) = deny.bans.deny.iter().find(|ban| ban.name == package.name.as_str()) {
        faults.push(format!("{name} is banned: {}", ban.reason));
    }
    match &package.license {
        None => faults.push(format!("{name} states no licence")),
        Some(expression) if !allowed(expression, &deny.licenses.allow) => {
            faults.push(format!("{name} has a licence that is not allowed: {expression}"));
        }
        Some(_) => {}
    }
    if let Some(source) = &package.source {
        let known = &deny.sources.allow_registry;
        if !known.iter().any(|registry| source.repr == format!("registry+{registry}")) {
            faults.push(format!("{name} comes from {source}"));
        }
    }
    faults
}

/// Whether an SPDX expression can be met with the allowed licences. `WITH` belongs to the licence
/// before it; `/` is the old spelling of `OR`.
fn allowed(expression: &str, allow: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allow) == Some(true) && rest.is_empty()
}

/// `None`: not an expression.
fn any_of(rest: &mut &[&str], allow: &[String]) -> Option<bool> {
    let mut met = all_of(rest, allow)?;
    while let ["OR", tail @ ..] = *rest {
        *rest = tail;
        met |= all_of(rest, allow)?;
    }
    Some(met)
}

fn all_of(rest: &mut &[&str], allow: &[String]) -> Option<bool> {
    let mut met = licence(rest, allow)?;
    while let ["AND", tail @ ..] = *rest {
        *rest = tail;
        met &= licence(rest, allow)?;
    }
    Some(met)
}

fn licence(rest: &mut &[&str], allow: &[String]) -> Option<bool> {
    match *rest {
        ["(", tail @ ..] => {
            *rest = tail;
            let met = any_of(rest, allow)?;
            let [")", tail @ ..] = *rest else { return None };
            *rest = tail;
            Some(met)
        }
        [name, "WITH", exception, tail @ ..] => {
            *rest = tail;
            Some(allow.contains(&format!("{name} WITH {exception}")))
        }
        [name, tail @ ..] => {
            *rest = tail;
            Some(allow.iter().any(|allowed| allowed == name))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(expression: &str) -> bool {
        let allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-3-Clause"];
        allowed(expression, &allow.map(str::to_owned))
    }

    #[test]
    fn one_allowed_licence_of_several_is_enough() {
        assert!(met("GPL-3.0 OR MIT"));
        assert!(met("Unlicense/MIT"));
        assert!(!met("GPL-3.0 OR Unlicense"));
    }

    #[test]
    fn licences_that_apply_together_must_all_be_allowed() {
        assert!(met("MIT AND BSD-3-Clause"));
        assert!(!met("MIT AND OpenSSL"));
        assert!(met("(Apache-2.0 OR ISC) AND MIT"));
        assert!(!met("Apache-2.0 AND (ISC OR Zlib)"));
    }

    #[test]
    fn an_exception_is_part_of_its_licence() {
        assert!(met("Apache-2.0 WITH LLVM-exception"));
        assert!(!met("MIT WITH LLVM-exception"));
    }

    #[test]
    fn nonsense_is_not_allowed() {
        for nonsense in ["", "OR", "MIT MIT", "(MIT", "MIT)", "MIT OR"] {
            assert!(!met(nonsense), "{nonsense}");
        }
    }

    #[test]
    fn the_lock_file_keeps_the_rules() {
        check().unwrap();
    }
}
