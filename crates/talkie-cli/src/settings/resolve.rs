//! Which source wins: the flag before the environment variable, that before the file, that
//! before the default. A list is replaced as a whole, never merged.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::file::File;
use super::table::SETTINGS;
use super::{
    Effective, Given, Options, Origin, Setting, SettingsError, Shape, Stranger, flags, nearest,
    settle,
};

/// The environment variable that names the configuration file.
pub(crate) const CONFIG_VARIABLE: &str = "TALKIE_CONFIG";

/// The environment as far as it concerns us.
pub(crate) struct Environment(Vec<(String, String)>);

impl Environment {
    /// The variables of this process whose names start with `TALKIE_`. An empty one counts as
    /// not set, as it is the only way to unset a variable in many service managers.
    pub(crate) fn of_process() -> Self {
        let ours = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with("TALKIE_"))?;
            let value = value.to_string_lossy().into_owned();
            (!value.is_empty()).then_some((name, value))
        });
        Self(ours.collect())
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn strangers(&self) -> Vec<Stranger> {
        let known = || {
            let config = CONFIG_VARIABLE.to_owned();
            SETTINGS.iter().map(Setting::variable).chain([config])
        };
        let unknown = self.0.iter().filter(|(name, _)| !known().any(|known| known == *name));
        let unknown = unknown
            .map(|(name, _)| Stranger { name: name.clone(), nearest: nearest(name, known()) });
        unknown.collect()
    }
}

/// Reads every source.
pub(crate) fn resolve(
    matches: &ArgMatches,
    environment: &Environment,
) -> Result<Effective, SettingsError> {
    let path = matches.get_one::<PathBuf>(flags::CONFIG).cloned();
    let path = path.or_else(|| environment.variable(CONFIG_VARIABLE).map(PathBuf::from));
    let file = path.map(|path| File::read(&path, SETTINGS)).transpose()?;

    let mut options = Options::default();
    let mut origins = Vec::with_capacity(SETTINGS.len());
    for setting in SETTINGS {
        let found = find(setting, matches, environment, file.as_ref());
        origins.push(found.apply(setting, &mut options)?);
    }
    settle::tls(&mut options)?;
    settle::secret(&mut options, &origins)?;
    Ok(Effective { options, origins, strangers: environment.strangers() })
}

/// A value, where it was found and how to name that place.
enum Found<'a> {
    Nowhere,
    At { texts: Vec<String>, folder: &'a Path, origin: Origin, place: String },
}

fn find<'a>(
    setting: &Setting,
    matches: &ArgMatches,
    environment: &Environment,
    file: Option<&'a File>,
) -> Found<'a> {
    if matches.value_source(setting.key) == Some(ValueSource::CommandLine) {
        let values = matches.get_many::<String>(setting.key).unwrap_or_default();
        let texts = values.flat_map(|text| split(setting.shape, text)).collect();
        let place = format!("--{}", setting.key);
        return Found::At { texts, folder: Path::new(""), origin: Origin::Flag, place };
    }
    let variable = setting.variable();
    if let Some(text) = environment.variable(&variable) {
        let texts = split(setting.shape, text);
        let origin = Origin::Variable(variable.clone());
        return Found::At { texts, folder: Path::new(""), origin, place: variable };
    }
    let Some((file, entry)) = file.and_then(|file| Some((file, file.entry(setting.key)?))) else {
        return Found::Nowhere;
    };
    let place = format!("{}:{}: `{}`", file.path().display(), entry.line, setting.key);
    let origin = Origin::File(file.path().to_owned());
    Found::At { texts: entry.texts.clone(), folder: file.folder(), origin, place }
}

impl Found<'_> {
    fn apply(self, setting: &Setting, options: &mut Options) -> Result<Origin, SettingsError> {
        let Self::At { texts, folder, origin, place } = self else {
            return Ok(Origin::Default);
        };
        (setting.set)(options, &Given { texts: &texts, folder })
            .map_err(|source| SettingsError::Value { place, source })?;
        Ok(origin)
    }
}

/// The texts of a list between its commas. The file has arrays, whose texts are not split.
fn split(shape: Shape, text: &str) -> Vec<String> {
    match shape {
        Shape::List => text.split(',').map(|item| item.trim().to_owned()).collect(),
        Shape::Text | Shape::Switch => vec![text.to_owned()],
    }
}
