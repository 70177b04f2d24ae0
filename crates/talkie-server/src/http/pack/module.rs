//! One module of the web app, taken apart as far as packing needs it: what it imports and exports.
//!
//! No parser: the app's modules write both at the start of a line, in the forms below, and anything
//! else there is refused rather than guessed at.

use std::fmt::Write as _;

use thiserror::Error;

/// A module, ready to stand in a block among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) path: String,
    /// The paths of the modules that it needs before it runs.
    pub(super) imports: Vec<String>,
    /// What others may ask of it, by the name outside and the name inside.
    exports: Vec<(String, String)>,
    /// The code, without a word about modules.
    body: String,
}

/// A line that says something about modules in a form that is not known.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{path}: a form of import or export that cannot be packed: {line}")]
pub(in crate::http) struct Unknown {
    path: String,
    line: String,
}

/// What `export default` is called inside.
const DEFAULT: &str = "$default";

impl Module {
    /// `path` from the root of the site, with its slash.
    pub(super) fn parse(path: &str, code: &str) -> Result<Self, Unknown> {
        let mut module = Self {
            path: path.to_owned(),
            imports: Vec::new(),
            exports: Vec::new(),
            body: String::with_capacity(code.len()),
        };
        for line in code.lines() {
            let known = if let Some(rest) = line.strip_prefix("import ") {
                module.import(rest)
            } else if let Some(rest) = line.strip_prefix("export ") {
                module.export(rest)
            } else {
                module.keep(line);
                Some(())
            };
            known.ok_or_else(|| Unknown { path: path.to_owned(), line: line.to_owned() })?;
        }
        Ok(module)
    }

    /// The module as a block of a pack.
    pub(super) fn block(&self) -> String {
        let name = name_of(&self.path);
        let mut block = format!("// {}\nexport const {name} = {{}};\n{{\n{}", self.path, self.body);
        let fields: Vec<_> =
            self.exports.iter().map(|(outside, inside)| format!("{outside}: {inside}")).collect();
        let _ = writeln!(block, "Object.assign({name}, {{ {} }});\n}}", fields.join(", "));
        block
    }

    /// The exports as those of a file, from the block's name in scope.
    pub(super) fn face(&self) -> String {
        let name = name_of(&self.path);
        let (default, named): (Vec<_>, Vec<_>) =
            self.exports.iter().map(|(outside, _)| outside.as_str()).partition(|n| *n == "default");
        let mut face = String::new();
        if !named.is_empty() {
            let _ = writeln!(face, "export const {{ {} }} = {name};", named.join(", "));
        }
        if !default.is_empty() {
            let _ = writeln!(face, "export default {name}.default;");
        }
        face
    }

    /// `'./x.js';`, `{ a, b as c } from './x.js';`, `a from './x.js';`, `* as a from './x.js';`
    fn import(&mut self, rest: &str) -> Option<()> {
        let (names, from) = match rest.split_once(" from ") {
            Some((names, from)) => (Some(names), from),
            None => (None, rest),
        };
        let from = resolve(&self.path, from.strip_prefix('\'')?.strip_suffix("';")?)?;
        let module = name_of(&from);
        let code = match names {
            None => String::new(),
            Some(names) => match (braced(names), names.strip_prefix("* as ")) {
                (Some(list), _) => {
                    let renamed: Vec<_> = list
                        .map(|(outside, inside)| {
                            if outside == inside {
                                outside.to_owned()
                            } else {
                                format!("{outside}: {inside}")
                            }
                        })
                        .collect();
                    format!("const {{ {} }} = {module};", renamed.join(", "))
                }
                (None, Some(all)) => format!("const {} = {module};", identifier(all)?),
                (None, None) => format!("const {{ default: {} }} = {module};", identifier(names)?),
            },
        };
        self.imports.push(from);
        self.keep(&code);
        Some(())
    }

    /// `{ a, b as c };`, `default …` and declarations of what is never assigned again.
    fn export(&mut self, rest: &str) -> Option<()> {
        if let Some(list) = rest.strip_suffix(';').and_then(braced) {
            self.exports
                .extend(list.map(|(inside, outside)| (outside.to_owned(), inside.to_owned())));
            self.keep("");
            return Some(());
        }
        if let Some(value) = rest.strip_prefix("default ") {
            self.exports.push(("default".to_owned(), DEFAULT.to_owned()));
            self.keep(&format!("const {DEFAULT} = {value}"));
            return Some(());
        }
        let kinds =
            ["const ", "class ", "function* ", "function ", "async function ", "async function* "];
        let declared = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
        let end = declared.find(|c: char| !is_in_name(c))?;
        let name = identifier(declared.get(..end)?)?;
        self.exports.push((name.to_owned(), name.to_owned()));
        self.keep(rest);
        Some(())
    }

    /// A line of code; what it imports later on is named from the root, as the block stands elsewhere.
    fn keep(&mut self, line: &str) {
        const LATER: &str = "import('.";
        let mut rest = line;
        while let Some((before, after)) = rest.split_once(LATER) {
            self.body.push_str(before);
            let named = after
                .split_once('\'')
                .and_then(|(name, _)| Some((name, resolve(&self.path, &format!(".{name}"))?)));
            match named {
                Some((name, path)) => {
                    let _ = write!(self.body, "import('{path}");
                    rest = after.get(name.len()..).unwrap_or_default();
                }
                None => {
                    self.body.push_str(LATER);
                    rest = after;
                }
            }
        }
        self.body.push_str(rest);
        self.body.push('\n');
    }
}

/// What a module's exports are called in a pack.
pub(super) fn name_of(path: &str) -> String {
    let path = path.trim_start_matches("/app").trim_end_matches(".js");
    path.replace(|c: char| !is_in_name(c), "$")
}

/// The items of `{ a, b as c }` as pairs; the two are the same without `as`.
fn braced(list: &str) -> Option<impl Iterator<Item = (&str, &str)>> {
    let list = list.strip_prefix('{')?.strip_suffix('}')?;
    let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
    let pairs: Option<Vec<_>> = items
        .map(|item| {
            let (before, after) = item.split_once(" as ").unwrap_or((item, item));
            Some((identifier(before)?, identifier(after)?))
        })
        .collect();
    Some(pairs?.into_iter())
}

fn identifier(name: &str) -> Option<&str> {
    let starts = name.starts_with(|c: char| is_in_name(c) && !c.is_ascii_digit());
    (starts && name.chars().all(is_in_name)).then_some(name)
}

fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

/// Where `name`, relative to the module at `path`, leads; `None` if it is no relative name.
fn resolve(path: &str, name: &str) -> Option<String> {
    if !name.starts_with("./") && !name.starts_with("../") {
        return None;
    }
    let mut segments: Vec<_> = path.split('/').collect();
    segments.pop();
    for segment in name.split('/') {
        match segment {
            "." => {}
            ".." => {
                segments.pop().filter(|segment| !segment.is_empty())?;
            }
            named => segments.push(named),
        }
    }
    Some(segments.join("/"))
}
