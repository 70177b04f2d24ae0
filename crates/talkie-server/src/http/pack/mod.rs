//! The web app's modules, put together for the way: what a page needs in any case comes in one file
//! instead of a hundred and fifty, each of which a browser would ask for, and after each version ask
//! for again (`docs/decisions/0003-modules-travel-together.md`).
//!
//! A *pack* is served at the path of the module it is for, its entry. Each of its modules stands in a
//! block of its own, after those it needs, otherwise as it was written; its exports are the fields of
//! one object. A module that is in a pack and is asked for by its own path, because something that is
//! loaded later imports it, is answered by a *face*: its exports, from the pack. So there is never more
//! than one of each. What several entries need comes with the first, which is on every page.

mod module;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use thiserror::Error;

use module::{Module, Unknown, name_of};

/// Where something begins that is loaded as a whole. The first one's modules are on every page.
pub(super) const ENTRIES: [&str; 7] = [
    "/app/main.js",
    "/app/visit.js",
    "/app/strings/en.js",
    "/app/strings/zh.js",
    "/app/pages/check/check.js",
    "/app/pages/sdp/sdp.js",
    "/app/pages/compare/view.js",
];

/// Why modules cannot be put together; they are then served one by one.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum PackError {
    #[error(transparent)]
    Unknown(#[from] Unknown),
    #[error("{0} is imported and not there")]
    Missing(String),
    #[error("{0} imports itself, by way of others")]
    Cycle(String),
}

/// The files to serve instead of the modules' own, by path.
pub(super) fn pack(
    entries: &[&str],
    mut read: impl FnMut(&str) -> Option<String>,
) -> Result<HashMap<String, String>, PackError> {
    let mut graph = Graph::default();
    for entry in entries {
        graph.add(entry, &mut read, &mut HashSet::new())?;
    }
    let homes = graph.homes(entries);
    let mut files = HashMap::new();
    for path in &graph.order {
        let Some(home) = homes.get(path.as_str()) else { continue };
        let file = if path == home { graph.pack(home, &homes) } else { graph.face(path, home) };
        files.insert(path.clone(), file);
    }
    Ok(files)
}

#[derive(Default)]
struct Graph {
    modules: HashMap<String, Module>,
    /// Every module after those it needs.
    order: Vec<String>,
}

impl Graph {
    fn add(
        &mut self,
        path: &str,
        read: &mut impl FnMut(&str) -> Option<String>,
        above: &mut HashSet<String>,
    ) -> Result<(), PackError> {
        if self.modules.contains_key(path) {
            return Ok(());
        }
        if !above.insert(path.to_owned()) {
            return Err(PackError::Cycle(path.to_owned()));
        }
        let code = read(path).ok_or_else(|| PackError::Missing(path.to_owned()))?;
        let module = Module::parse(path, &code)?;
        for needed in &module.imports {
            self.add(needed, read, above)?;
        }
        above.remove(path);
        self.modules.insert(path.to_owned(), module);
        self.order.push(path.to_owned());
        Ok(())
    }

    /// The entry whose pack each module is in.
    fn homes<'a>(&self, entries: &[&'a str]) -> HashMap<String, &'a str> {
        let needed: Vec<_> = entries.iter().map(|entry| (*entry, self.closure(entry))).collect();
        let home = |path: &String| {
            let mut by = needed.iter().filter(|(_, closure)| closure.contains(path));
            let (home, another) = (by.next()?, by.next());
            another.map_or(Some(home.0), |_| entries.first().copied())
        };
        self.order.iter().filter_map(|path| Some((path.clone(), home(path)?))).collect()
    }

    fn closure(&self, entry: &str) -> HashSet<String> {
        let mut found = HashSet::from([entry.to_owned()]);
        let mut open = vec![entry];
        while let Some(module) = open.pop().and_then(|path| self.modules.get(path)) {
            for path in &module.imports {
                if found.insert(path.clone()) {
                    open.push(path);
                }
            }
        }
        found
    }

    fn pack(&self, home: &str, homes: &HashMap<String, &str>) -> String {
        let inside = || self.order.iter().filter(|path| homes.get(*path) == Some(&home));
        let mut outside: Vec<&str> = inside()
            .filter_map(|path| self.modules.get(path))
            .flat_map(|module| &module.imports)
            .filter(|path| homes.get(*path) != Some(&home))
            .map(String::as_str)
            .collect();
        outside.sort_unstable();
        outside.dedup();
        let mut file = String::new();
        for path in outside {
            let Some(other) = homes.get(path) else { continue };
            let _ = writeln!(file, "import {{ {} }} from '{other}';", name_of(path));
        }
        for module in inside().filter_map(|path| self.modules.get(path)) {
            file.push_str(&module.block());
        }
        file.push_str(&self.modules.get(home).map(Module::face).unwrap_or_default());
        file
    }

    fn face(&self, path: &str, home: &str) -> String {
        let face = self.modules.get(path).map(Module::face).unwrap_or_default();
        format!("import {{ {} }} from '{home}';\n{face}", name_of(path))
    }
}
