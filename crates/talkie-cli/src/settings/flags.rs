//! The table as flags of the command line.

use std::path::PathBuf;

use clap::{Arg, ArgAction, value_parser};

use super::resolve::CONFIG_VARIABLE;
use super::table::SETTINGS;
use super::{Group, Options, Setting, Shape};

/// The flag that names the configuration file.
pub(crate) const CONFIG: &str = "config";
/// The flag that prints the configuration instead of serving.
pub(crate) const PRINT_CONFIG: &str = "print-config";

/// All flags of `talkie serve`.
pub(crate) fn args() -> Vec<Arg> {
    let defaults = Options::default();
    let mut args: Vec<_> = SETTINGS.iter().map(|setting| arg(setting, &defaults)).collect();
    args.push(config());
    args.push(print_config());
    args
}

/// Values reach the table's parsers as texts, so that a wrong one gets the same words whether it
/// came from a flag, a variable or the file.
fn arg(setting: &Setting, defaults: &Options) -> Arg {
    let short = format!("{}{}", setting.help, short_default(setting, defaults));
    let arg = Arg::new(setting.key)
        .long(setting.key)
        .help_heading(setting.group.heading())
        .value_name(setting.value_name)
        .help(short)
        .long_help(long_help(setting, defaults));
    match setting.shape {
        // A later one wins: scripts append to a command line to change it.
        Shape::Text => arg.action(ArgAction::Set).overrides_with(setting.key),
        Shape::List => arg.action(ArgAction::Append),
        Shape::Switch => arg
            .action(ArgAction::Set)
            .overrides_with(setting.key)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .hide_possible_values(true),
    }
}

fn config() -> Arg {
    Arg::new(CONFIG)
        .long(CONFIG)
        .help_heading(Group::Operation.heading())
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .overrides_with(CONFIG)
        .help("TOML file with settings; each flag is a key")
        .long_help(format!(
            "TOML file with settings: each flag is a key, written without the dashes. A flag or \
             an environment variable wins over the file. Relative paths in the file start from \
             the file's folder.\n\n[env: {CONFIG_VARIABLE}]"
        ))
}

fn print_config() -> Arg {
    Arg::new(PRINT_CONFIG)
        .long(PRINT_CONFIG)
        .help_heading(Group::Operation.heading())
        .action(ArgAction::SetTrue)
        .help("Print the configuration in effect and exit")
        .long_help(
            "Print the configuration in effect as a TOML file for --config, with the place that \
             each value came from, and exit. Secrets are left out.",
        )
}

fn short_default(setting: &Setting, defaults: &Options) -> String {
    match default_text(setting, defaults) {
        Some(default) => format!(" [default: {default}]"),
        None => String::new(),
    }
}

fn long_help(setting: &Setting, defaults: &Options) -> String {
    let mut help = setting.help.to_owned();
    if !setting.more.is_empty() {
        help.push_str(". ");
        help.push_str(setting.more);
    }
    if let Some(default) = default_text(setting, defaults) {
        help.push_str(&format!("\n\n[default: {default}] [env: {}]", setting.variable()));
    } else {
        help.push_str(&format!("\n\n[env: {}]", setting.variable()));
    }
    help
}

fn default_text(setting: &Setting, defaults: &Options) -> Option<String> {
    let shown = (setting.show)(defaults);
    match (setting.shape, setting.unset, shown.as_slice()) {
        (Shape::Switch, _, _) | (_, "", []) => None,
        (_, unset, _) if !unset.is_empty() => Some(unset.to_owned()),
        (_, _, shown) => Some(shown.join(",")),
    }
}
