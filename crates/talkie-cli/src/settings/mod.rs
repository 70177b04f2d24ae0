//! The settings of `talkie serve`.
//!
//! One table ([`table::SETTINGS`]) has a row for each setting: its name, its help, how a text
//! becomes its value and how its value is shown. Everything else is derived from the rows: the
//! flags and their help ([`flags`]), the environment variables and the precedence ([`mod@resolve`]),
//! the keys of the file ([`mod@file`]) and the output of `--print-config` ([`mod@print`]). Defaults are
//! those of [`Options::default`], so they are written nowhere else.

pub(crate) mod file;
pub(crate) mod flags;
pub(crate) mod print;
pub(crate) mod resolve;
mod settle;
pub(crate) mod table;
pub(crate) mod value;

use std::path::{Path, PathBuf};

use talkie_server::Config;

use self::value::Invalid;

/// All that `talkie serve` is told, typed and checked. No `Debug`: it holds secrets.
#[derive(Clone)]
pub(crate) struct Options {
    /// What the server is told.
    pub(crate) server: Config,
    /// The certificate's file; [`mod@resolve`] brings it together with the key's into `server`.
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key's file.
    pub(crate) tls_key: Option<PathBuf>,
    /// The secret's file; [`mod@resolve`] reads it into `server`.
    pub(crate) turn_secret_file: Option<PathBuf>,
    /// Whether the block may show a QR code.
    pub(crate) qr: bool,
    /// When the block is coloured.
    pub(crate) color: When,
    /// Which events are logged, in the syntax of `tracing`'s filters.
    pub(crate) log: String,
    /// How events are written.
    pub(crate) log_format: LogFormat,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            server: Config::default(),
            tls_cert: None,
            tls_key: None,
            turn_secret_file: None,
            qr: true,
            color: When::Auto,
            log: "info".to_owned(),
            log_format: LogFormat::Auto,
        }
    }
}

/// When to do what makes sense on a terminal only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// How log events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Human on a terminal, JSON elsewhere.
    Auto,
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// The heading in `--help` under which a flag stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Web,
    Relay,
    Certificates,
    Operation,
    Output,
}

impl Group {
    /// The heading's words.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Web => "Web",
            Self::Relay => "TURN relay",
            Self::Certificates => "Certificates and data",
            Self::Operation => "Operation",
            Self::Output => "Output",
        }
    }
}

/// What a setting's value looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One text; in the file a number will do where digits would.
    Text,
    /// Several texts, separated by commas; in the file an array.
    List,
    /// On or off.
    Switch,
}

/// One row of the table.
pub(crate) struct Setting {
    /// The flag without its dashes, which is also the key in the file.
    pub(crate) key: &'static str,
    /// Where `--help` lists it.
    pub(crate) group: Group,
    /// What its value looks like.
    pub(crate) shape: Shape,
    /// The name of its value in `--help`.
    pub(crate) value_name: &'static str,
    /// One line of help.
    pub(crate) help: &'static str,
    /// What `--help` says beyond that line and `-h` does not.
    pub(crate) more: &'static str,
    /// What stands for the default where it is not a value but a behaviour.
    pub(crate) unset: &'static str,
    /// Whether its value must not be shown.
    pub(crate) secret: bool,
    /// Sets it.
    pub(crate) set: fn(&mut Options, &Given<'_>) -> Result<(), Invalid>,
    /// Its value as texts that `set` reads; none if it is not set.
    pub(crate) show: fn(&Options) -> Vec<String>,
}

impl Setting {
    /// The name of the environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("TALKIE_{}", self.key.replace('-', "_").to_ascii_uppercase())
    }
}

/// A value as it was given: texts, and the folder that relative paths start from.
#[derive(Clone, Debug)]
pub(crate) struct Given<'a> {
    /// One text, or for a list any number.
    pub(crate) texts: &'a [String],
    /// The folder of the configuration file; empty for flags and environment.
    pub(crate) folder: &'a Path,
}

impl Given<'_> {
    /// The one text of a setting that is not a list.
    fn text(&self) -> &str {
        self.texts.last().map_or("", String::as_str)
    }

    /// The text as a path.
    fn path(&self) -> PathBuf {
        self.folder.join(self.text())
    }

    /// Each text of a list, read by `parse`. The word `none` alone is an empty list.
    fn list<T>(&self, parse: impl Fn(&str) -> Result<T, Invalid>) -> Result<Vec<T>, Invalid> {
        match self.texts {
            [only] if only == value::NONE => Ok(Vec::new()),
            texts => texts.iter().map(|text| parse(text)).collect(),
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// The environment variable of that name.
    Variable(String),
    /// The command line.
    Flag,
}

impl Origin {
    /// The higher one wins.
    fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(_) => 1,
            Self::Variable(_) => 2,
            Self::Flag => 3,
        }
    }
}

/// The outcome of reading every source.
pub(crate) struct Effective {
    /// The values.
    pub(crate) options: Options,
    /// Where each comes from, in the order of the table.
    pub(crate) origins: Vec<Origin>,
    /// Environment variables that look like settings and are none.
    pub(crate) strangers: Vec<Stranger>,
}

/// A name that is no setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stranger {
    /// The name as written.
    pub(crate) name: String,
    /// The name that was probably meant.
    pub(crate) nearest: Option<String>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SettingsError {
    /// A value is wrong. `place` is the flag, the variable, or file, line and key.
    #[error("{place}: {source}")]
    Value { place: String, source: Invalid },
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The file is not TOML.
    #[error("{}:{line}: {message}", path.display())]
    Syntax { path: PathBuf, line: usize, message: String },
    /// The file has a key that is no setting.
    #[error("{}:{line}: unknown key `{}`{}", path.display(), stranger.name, meant(stranger))]
    UnknownKey { path: PathBuf, line: usize, stranger: Stranger },
    /// The file has a value of the wrong type.
    #[error("{}:{line}: `{key}` wants {wanted}, and this is {found}", path.display())]
    Type { path: PathBuf, line: usize, key: String, wanted: &'static str, found: &'static str },
    /// Settings that contradict each other.
    #[error("{0}")]
    Conflict(String),
}

fn meant(stranger: &Stranger) -> String {
    match &stranger.nearest {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => "; `talkie serve --help` lists them: each flag is a key".to_owned(),
    }
}

/// The known name most like `name`, if one is like it at all.
pub(crate) fn nearest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let scored = known.map(|known| (strsim::jaro_winkler(name, &known), known));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 > 0.8).then_some(best.1)
}
