//! `--print-config`: the configuration in effect as a file that `--config` reads.

use std::fmt::Write as _;

use super::table::SETTINGS;
use super::{Effective, Group, Origin, Setting, Shape};

/// The file's text.
pub(crate) fn print(effective: &Effective) -> String {
    let mut out = String::from("# The configuration of `talkie serve` in effect, for --config.\n");
    let mut group: Option<Group> = None;
    for (setting, origin) in SETTINGS.iter().zip(&effective.origins) {
        if group.replace(setting.group) != Some(setting.group) {
            writeln!(out, "\n# {}", setting.group.heading()).expect("a String takes any text");
        }
        let texts = (setting.show)(&effective.options);
        let assignment = assignment(setting, &texts);
        writeln!(out, "{assignment:<44} # {}", words(setting, origin, texts.is_empty()))
            .expect("a String takes any text");
    }
    out
}

fn assignment(setting: &Setting, texts: &[String]) -> String {
    let key = setting.key;
    match (setting.shape, texts) {
        // A mask that reads like a value would become one when the output is used as a file.
        (_, [_, ..]) if setting.secret => format!("# {key} = (set, not shown)"),
        (Shape::List, texts) => {
            let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
            format!("{key} = [{}]", texts.join(", "))
        }
        (Shape::Switch, [on]) => format!("{key} = {on}"),
        (Shape::Text, [text]) => format!("{key} = {}", quoted(text)),
        _ => format!("# {key} ="),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn words(setting: &Setting, origin: &Origin, empty: bool) -> String {
    match origin {
        Origin::Default if empty && !setting.unset.is_empty() => {
            format!("default: {}", setting.unset)
        }
        Origin::Default => "default".to_owned(),
        Origin::File(path) => path.display().to_string(),
        Origin::Variable(name) => format!("env {name}"),
        Origin::Flag => format!("flag --{}", setting.key),
    }
}
