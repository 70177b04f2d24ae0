//! What standard output can show of a drawing.

use std::io::{self, IsTerminal as _};

use clap::{Arg, ArgMatches};
use talkie_lab::ink::Ink;

use crate::settings::When;
use crate::terminal;

const COLOR: &str = "color";
/// Where nobody says how wide it is.
const COLUMNS: usize = 80;

pub(super) struct Look {
    pub(super) ink: Ink,
    pub(super) columns: usize,
}

pub(super) fn arg() -> Arg {
    Arg::new(COLOR)
        .long(COLOR)
        .value_name("WHEN")
        .value_parser(["auto", "always", "never"])
        .default_value("auto")
        .hide_default_value(true)
        .hide_possible_values(true)
        .help("Colour: auto (on a terminal, without NO_COLOR), always, never")
}

impl Look {
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let when = match matches.get_one::<String>(COLOR).map(String::as_str) {
            Some("always") => When::Always,
            Some("never") => When::Never,
            _ => When::Auto,
        };
        Self {
            ink: Ink {
                colour: terminal::colour(when, io::stdout().is_terminal()),
                unicode: locale_has_unicode(|name| std::env::var(name).ok()),
            },
            columns: terminal::columns().unwrap_or(COLUMNS),
        }
    }
}

/// POSIX: the first of these that is set and not empty says how characters are encoded. Where none
/// is, as in most containers, the terminal is a modern one all the same.
fn locale_has_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_locale_that_says_so_is_without_unicode() {
        let with = |set: &[(&str, &str)]| {
            locale_has_unicode(|name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(with(&[]));
        assert!(with(&[("LANG", "de_DE.UTF-8")]));
        assert!(with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8"), ("LANG", "C")]));
        assert!(!with(&[("LANG", "C")]));
        assert!(!with(&[("LC_ALL", "POSIX"), ("LANG", "en_US.UTF-8")]));
    }
}
