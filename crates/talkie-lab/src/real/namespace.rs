//! What a lab is called, and how its parts are found again.
//!
//! The namespace of a host is `talkie.LAB.HOST`, where `ip netns` keeps namespaces. A lab's name has no
//! dot, so that the parts are told apart for sure.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::addresses::Host;

const NAMESPACES: &str = "/run/netns";
const FILES: &str = "/run/talkie-lab";
const PREFIX: &str = "talkie";

/// The name of a lab.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

/// A name that no lab can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a lab's name is 1 to 20 letters, digits and hyphens, and does not begin with a hyphen")]
pub struct NameError;

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let whole = (1..=20).contains(&text.len()) && text.bytes().all(fits);
        if whole && !text.starts_with('-') { Ok(Self(text.to_owned())) } else { Err(NameError) }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl Name {
    /// What `ip netns` calls the namespace of `host`.
    pub(super) fn namespace(&self, host: Host) -> String {
        format!("{PREFIX}.{self}.{host}")
    }

    /// The file that holds the namespace of `host`.
    pub(super) fn namespace_file(&self, host: Host) -> PathBuf {
        Path::new(NAMESPACES).join(self.namespace(host))
    }

    /// The folder of the lab's files.
    pub(super) fn folder(&self) -> PathBuf {
        Path::new(FILES).join(&self.0)
    }

    /// A file of the lab.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Where a box tells its table.
    pub(super) fn socket(&self, nat: Host) -> PathBuf {
        self.file(&format!("{nat}.sock"))
    }

    /// Whether something of this name is there, be it whole or not.
    pub(super) fn exists(&self) -> bool {
        self.folder().exists() || Host::all().any(|host| self.namespace_file(host).exists())
    }
}

/// The labs of this host, whole ones and remains.
#[must_use]
pub fn names() -> BTreeSet<Name> {
    let folders = file_names(Path::new(FILES));
    let namespaces = file_names(Path::new(NAMESPACES)).into_iter().filter_map(|namespace| {
        let mut parts = namespace.split('.');
        let [prefix, lab, host] = [parts.next()?, parts.next()?, parts.next()?];
        let ours = prefix == PREFIX && parts.next().is_none() && host.parse::<Host>().is_ok();
        ours.then(|| lab.to_owned())
    });
    folders.into_iter().chain(namespaces).filter_map(|name| name.parse().ok()).collect()
}

/// Removes the folder of all labs if there is none any more.
pub(super) fn remove_empty_folder() {
    // It fails where another lab has its folder there.
    let _ = fs::remove_dir(FILES);
}

fn file_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// What tells a network namespace from all others; `None` for a file that is none.
pub(super) fn identity(file: &Path) -> Option<(u64, u64)> {
    let own = fs::metadata("/proc/thread-self/ns/net").ok()?;
    let file = fs::metadata(file).ok()?;
    (file.dev() == own.dev()).then(|| (file.dev(), file.ino()))
}

/// The processes in one of the namespaces, but for this one.
pub(super) fn inhabitants(namespaces: &[(u64, u64)]) -> Vec<u32> {
    let own = std::process::id();
    let pids = file_names(Path::new("/proc")).into_iter().filter_map(|name| name.parse().ok());
    pids.filter(|pid| *pid != own)
        .filter(|pid| {
            identity(Path::new(&format!("/proc/{pid}/ns/net")))
                .is_some_and(|namespace| namespaces.contains(&namespace))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_the_name_of_a_namespace() {
        assert!("lab".parse::<Name>().is_ok() && "A-1".parse::<Name>().is_ok());
        for bad in ["", "a.b", "-x", "a/b", "a b", "ä", "a-name-that-is-too-long"] {
            assert_eq!(bad.parse::<Name>(), Err(NameError), "{bad:?}");
        }
    }

    #[test]
    fn only_namespaces_have_an_identity() {
        assert!(identity(Path::new("/proc/self/ns/net")).is_some());
        assert!(identity(Path::new("/proc/self/status")).is_none());
        assert!(identity(Path::new("/nowhere")).is_none());
    }
}
