//! What is shown while two machines try: the command for the other one, and on a terminal a line for
//! each thing that has happened and a spinner for what is awaited.

use std::io::Write as _;
use std::time::Duration;

use indicatif::ProgressBar;
use talkie_doctor::ServerUrl;
use talkie_doctor::advice::nat_in_short;
use talkie_doctor::pair::{Code, Config, Found, Happening, Side};

use super::super::screen;
use super::super::spinners::style;
use crate::commands::meeting;
use crate::terminal;

/// As slow as is still seen as moving.
const TURN: Duration = Duration::from_millis(100);

/// Shows what happens.
pub(super) struct Watcher {
    line: ProgressBar,
    json: bool,
    minutes: u64,
}

impl Watcher {
    pub(super) fn new(config: &Config, json: bool) -> Self {
        let line = ProgressBar::with_draw_target(None, screen::target());
        line.set_style(style("{spinner} {wide_msg}"));
        line.enable_steady_tick(TURN);
        line.set_message(format!("{} …", config.server));
        Self { line, json, minutes: config.patience.as_secs() / 60 }
    }

    pub(super) fn show(&self, happening: Happening) {
        match happening {
            Happening::Connected(None) => self.next("looking at this side's network …"),
            Happening::Connected(Some(fingerprint)) => {
                let words = meeting::unvouched(&fingerprint);
                // To be seen also where nothing else is shown.
                if self.line.is_hidden() {
                    let _ = writeln!(std::io::stderr(), "{words}");
                } else {
                    self.line.println(words);
                }
                self.next("looking at this side's network …");
            }
            Happening::Waiting { code, server } => self.invite(&code, &server),
            Happening::Met { version } => {
                self.done("✓", &format!("the other machine is there (talkie {version})"));
                self.next("looking at this side's network …");
            }
            Happening::Examined(side) => self.done("✓", &format!("this side: {}", words(&side))),
            Happening::Gathering => self.next("finding out where this side can be reached …"),
            Happening::Ready => self.next("waiting until the other side has looked at its own …"),
            Happening::Heard(side) => {
                self.done("✓", &format!("the other side: {}", words(&side)));
            }
            Happening::Trying => self.next("trying to reach each other …"),
            Happening::Found(found) => {
                self.done("✓", &found_words(&found));
                self.next("measuring …");
            }
            _ => {}
        }
    }

    /// Takes the spinner away.
    pub(super) fn clear(&self) {
        self.line.finish_and_clear();
    }

    /// Sets what is told next apart from what has happened.
    pub(super) fn part(&self) {
        if !self.line.is_hidden() {
            let _ = writeln!(std::io::stderr());
        }
    }

    fn invite(&self, code: &Code, server: &ServerUrl) {
        let command = meeting::invitation("talkie doctor", code, server);
        self.line.suspend(|| {
            if self.json {
                // The answer alone goes to standard output.
                let _ = writeln!(std::io::stderr(), "{command}");
            } else {
                terminal::say(&format!("Run this on the other machine:\n\n  {command}\n\n"));
            }
        });
        let minutes = match self.minutes {
            1 => "a minute".to_owned(),
            minutes => format!("{minutes} minutes"),
        };
        self.next(&format!("waiting for the other machine, {minutes} at most …"));
    }

    fn done(&self, sign: &str, words: &str) {
        self.line.println(format!("{sign} {words}"));
    }

    fn next(&self, words: &str) {
        self.line.set_message(words.to_owned());
    }
}

fn words(side: &Side) -> String {
    if side.udp == Some(false) {
        return "UDP is blocked".to_owned();
    }
    match side.nats.first() {
        Some(nat) => nat_in_short(nat),
        None => "its NAT could not be found out".to_owned(),
    }
}

fn found_words(found: &Found) -> String {
    let way = if found.direct { "a direct path" } else { "a path over the relay" };
    format!("{way}, {} to {}, after {}", found.local.as_str(), found.remote.as_str(), found.after)
}
