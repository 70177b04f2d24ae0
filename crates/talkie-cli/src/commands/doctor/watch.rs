//! `--watch`: the examination again and again, and what has changed since the last one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use talkie_doctor::{Config, Document, diagnose};

use super::changes::{Facts, changes};
use super::spinners::Spinners;
use super::{FAILURE, Output, examined, exit_code, page};
use crate::signals::Signals;
use crate::terminal;

/// Repeats until a signal comes; the exit code is that of the last examination.
pub(super) async fn run(config: &Config, every: Duration, output: &Output) -> u8 {
    let mut before: Option<Facts> = None;
    loop {
        let report = match examined(config, &Spinners::new()).await {
            Ok(report) => report,
            Err(code) => return code,
        };
        let diagnosis = diagnose(&report);
        let facts = Facts::of(&report, &diagnosis);
        if output.json {
            let document = Document { report: &report, diagnosis: &diagnosis };
            match serde_json::to_string(&document) {
                Ok(text) => terminal::say(&(text + "\n")),
                Err(error) => {
                    terminal::complain(&error);
                    return FAILURE;
                }
            }
        } else {
            match &before {
                None => terminal::say(&page::text(&report, &diagnosis, output.look)),
                Some(before) => {
                    let time = time_of_day();
                    for line in changes(before, &facts) {
                        terminal::say(&format!("{time}  {line}\n"));
                    }
                }
            }
            if before.is_none() {
                let seconds = every.as_secs();
                terminal::say(&format!(
                    "Watching: again every {seconds} s, and every change is told. Ctrl-C ends \
                     it.\n"
                ));
            }
        }
        before = Some(facts);
        let Ok(mut signals) = Signals::listen() else { return FAILURE };
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            // Nothing runs that could be cut short: this is the way to end it.
            _ = signals.next() => return exit_code(diagnosis.verdict),
        }
    }
}

/// `HH:MM:SS`, in UTC: what there is without a database of time zones.
fn time_of_day() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{:02}:{:02}:{:02} UTC", now / 3600 % 24, now / 60 % 60, now % 60)
}
