//! The configuration file: TOML, one key for each flag.
//!
//! Every key is read with its place in the file, so that an error can name the line.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Setting, SettingsError, Shape, Stranger, nearest};

/// What a file says, before it is understood.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    entries: Vec<Entry>,
}

/// One key of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    key: String,
    /// The line on which the value starts, from 1.
    pub(crate) line: usize,
    /// The value as texts.
    pub(crate) texts: Vec<String>,
}

impl File {
    /// Reads and parses the file at `path` into entries for `settings`.
    pub(crate) fn read(path: &Path, settings: &[Setting]) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(path, &text, settings)
    }

    fn parse(path: &Path, text: &str, settings: &[Setting]) -> Result<Self, SettingsError> {
        let table = DeTable::parse(text).map_err(|error| SettingsError::Syntax {
            path: path.to_owned(),
            line: line_of(text, error.span().unwrap_or_default()),
            message: error.message().to_owned(),
        })?;
        let mut entries = Vec::new();
        for (key, value) in table.get_ref() {
            let name = key.get_ref().as_ref();
            let Some(setting) = settings.iter().find(|setting| setting.key == name) else {
                let known = settings.iter().map(|setting| setting.key.to_owned());
                return Err(SettingsError::UnknownKey {
                    path: path.to_owned(),
                    line: line_of(text, key.span()),
                    stranger: Stranger { name: name.to_owned(), nearest: nearest(name, known) },
                });
            };
            let line = line_of(text, value.span());
            let texts = texts(setting.shape, value).map_err(|found| SettingsError::Type {
                path: path.to_owned(),
                line,
                key: name.to_owned(),
                wanted: wanted(setting.shape),
                found,
            })?;
            entries.push(Entry { key: name.to_owned(), line, texts });
        }
        Ok(Self { path: path.to_owned(), entries })
    }

    /// The entry for `key`.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that the file's relative paths start from.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new(""))
    }
}

/// The value as texts, or what it is instead.
fn texts(shape: Shape, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, &'static str> {
    let value = value.get_ref();
    match (shape, value) {
        (Shape::Switch, DeValue::Boolean(on)) => Ok(vec![on.to_string()]),
        (Shape::Text, DeValue::String(_) | DeValue::Integer(_)) => Ok(vec![scalar(value)?]),
        (Shape::List, DeValue::Array(items)) if items.is_empty() => {
            Ok(vec![super::value::NONE.to_owned()])
        }
        (Shape::List, DeValue::Array(items)) => {
            items.iter().map(|item| scalar(item.get_ref())).collect()
        }
        (Shape::List, DeValue::String(_) | DeValue::Integer(_)) => Ok(vec![scalar(value)?]),
        _ => Err(type_name(value)),
    }
}

fn scalar(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().replace('_', "")),
        _ => Err(type_name(value)),
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn wanted(shape: Shape) -> &'static str {
    match shape {
        Shape::Text => "a text in quotes or a number",
        Shape::List => "a list of texts like [\"one\", \"two\"]",
        Shape::Switch => "true or false",
    }
}

fn line_of(text: &str, span: Range<usize>) -> usize {
    let before = text.as_bytes().get(..span.start).unwrap_or_default();
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::super::table::SETTINGS;
    use super::*;

    fn parse(text: &str) -> Result<File, String> {
        File::parse(Path::new("talkie.toml"), text, SETTINGS).map_err(|error| error.to_string())
    }

    #[test]
    fn each_shape_is_read_with_its_line() {
        let file = parse(
            "http = 8080\n\n# a comment\nno-qr = true\n\
             allow-peer = [\n  \"10.0.0.0/8\",\n  \"fd00::/8\",\n]\n",
        )
        .unwrap();
        assert_eq!(file.entry("http").unwrap().texts, ["8080"]);
        assert_eq!(file.entry("no-qr").unwrap().texts, ["true"]);
        assert_eq!(file.entry("no-qr").unwrap().line, 4);
        assert_eq!(file.entry("allow-peer").unwrap().texts, ["10.0.0.0/8", "fd00::/8"]);
        assert_eq!(file.entry("https"), None);
    }

    #[test]
    fn an_unknown_key_is_told_the_nearest() {
        let error = parse("http = 80\nhtps = 443\n").unwrap_err();
        assert_eq!(error, "talkie.toml:2: unknown key `htps`; did you mean `https`?");
        let error = parse("zzz = 1").unwrap_err();
        assert!(error.contains("`talkie serve --help` lists them"), "{error}");
        let error = parse("[turn]\nsecret = 'x'").unwrap_err();
        assert!(error.contains("talkie.toml:1: `turn` wants a list of texts"), "{error}");
        assert!(error.ends_with("and this is a table"), "{error}");
    }

    #[test]
    fn a_wrong_type_names_key_and_line() {
        for (text, expected) in [
            (
                "\nrealm = true",
                "talkie.toml:2: `realm` wants a text in quotes or a number, and this is true or false",
            ),
            ("no-qr = 'yes'", "talkie.toml:1: `no-qr` wants true or false, and this is a text"),
            (
                "allow-peer = 1.5",
                "talkie.toml:1: `allow-peer` wants a list of texts like [\"one\", \"two\"], and this is a fraction",
            ),
            (
                "allow-peer = [['a']]",
                "talkie.toml:1: `allow-peer` wants a list of texts like [\"one\", \"two\"], and this is a list",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn broken_toml_names_the_line() {
        let error = parse("http = 80\nhttps = = 1").unwrap_err();
        assert!(error.starts_with("talkie.toml:2: "), "{error}");
        let error = parse("http = 80\nhttp = 81").unwrap_err();
        assert!(error.starts_with("talkie.toml:2: duplicate key"), "{error}");
    }
}
