//! Flags that name a file: `-` is standard output, which then has nothing else on it.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, value_parser};

use crate::terminal;

const DASH: &str = "-";
const STDOUT: &str = "to standard output";

/// `--NAME FILE`.
pub(super) fn arg(name: &'static str, help: &'static str) -> Arg {
    let path = value_parser!(PathBuf);
    Arg::new(name).long(name).value_name("FILE").value_parser(path).help(help)
}

/// `--json [FILE]`: standard output where no file is named.
pub(super) fn json() -> Arg {
    arg("json", "Write JSON to FILE, or print nothing else")
        .num_args(0..=1)
        .default_missing_value(DASH)
}

/// Where a flag's content goes that goes to standard output; no two flags' can, and nobody reads
/// packets on a terminal.
pub(super) fn printed(
    matches: &ArgMatches,
    names: &[&'static str],
) -> Result<Option<&'static str>, String> {
    let mut dashes = names.iter().copied().filter(|name| file(matches, name).is_some_and(is_dash));
    let first = dashes.next();
    if let (Some(first), Some(second)) = (first, dashes.next()) {
        return Err(format!(
            "--{first} and --{second} cannot both go to standard output: name a file for one"
        ));
    }
    match first {
        Some("pcap") if io::stdout().is_terminal() => Err(
            "--pcap - is for programs, as in `... --pcap - | tcpdump -nr -`; a terminal shows no \
             packets"
                .to_owned(),
        ),
        first => Ok(first),
    }
}

fn file<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a Path> {
    matches.get_one::<PathBuf>(name).map(PathBuf::as_path)
}

fn is_dash(file: &Path) -> bool {
    file == Path::new(DASH)
}

/// Complains of a file that cannot be written, before there is anything to write: who has waited for minutes
/// wants to have what came of it. Leaves everything as it was.
pub(super) fn check(matches: &ArgMatches, names: &[&'static str]) -> Result<(), ()> {
    for file in names.iter().filter_map(|name| file(matches, name)).filter(|file| !is_dash(file)) {
        if let Err(error) = try_open(file) {
            terminal::complain(&format_args!("cannot write {}: {error}", file.display()));
            return Err(());
        }
    }
    Ok(())
}

fn try_open(file: &Path) -> io::Result<()> {
    match std::fs::metadata(file) {
        // To open a pipe would be to wait for whoever reads it.
        Ok(known) if !known.is_file() && !known.is_dir() => Ok(()),
        Ok(_) => OpenOptions::new().append(true).open(file).map(drop),
        Err(_) => {
            OpenOptions::new().append(true).create_new(true).open(file)?;
            std::fs::remove_file(file)
        }
    }
}

/// Writes what a flag asks for, or complains.
pub(super) fn write(
    matches: &ArgMatches,
    name: &str,
    content: impl FnOnce() -> Vec<u8>,
) -> Result<(), ()> {
    let Some(file) = file(matches, name) else { return Ok(()) };
    let content = content();
    let (place, written) = if is_dash(file) {
        (STDOUT.to_owned(), print(&content))
    } else {
        (file.display().to_string(), std::fs::write(file, content))
    };
    written.map_err(|error| refuse(&place, &error))
}

/// Prints what people read, or complains: who has waited for it is not to take nothing for a success.
pub(super) fn show(text: &str) -> Result<(), ()> {
    print(text.as_bytes()).map_err(|error| refuse(STDOUT, &error))
}

fn refuse(place: &str, error: &io::Error) {
    terminal::complain(&format_args!("cannot write {place}: {error}"));
}

fn print(content: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(content).and_then(|()| stdout.flush()) {
        // Who reads only the beginning has what it wants.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
