//! `--watch`: the examination again and again, and what has changed since the last one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use talkie_doctor::{Config, Document, diagnose};

use super::changes::{Facts, changes};
use super::spinners::Spinners;
use super::{FAILURE, Output, examined, exit_code, listen, page};
use crate::terminal;

/// Repeats until a signal comes, which is the way to end it; the exit code is then that of the last
/// examination that was done.
pub(super) async fn run(config: &Config, every: Duration, output: &Output) -> u8 {
    let mut signals = match listen() {
        Ok(signals) => signals,
        Err(code) => return code,
    };
    let mut before: Option<Facts> = None;
    let mut last = None;
    loop {
        let report = match examined(config, &Spinners::new(), &mut signals).await {
            Ok(report) => report,
            Err(signal) => return last.unwrap_or_else(|| signal.exit_code()),
        };
        let diagnosis = diagnose(&report);
        last = Some(exit_code(diagnosis.verdict));
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
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = signals.next() => return exit_code(diagnosis.verdict),
        }
    }
}

/// `HH:MM:SS`, in UTC: what there is without a database of time zones.
fn time_of_day() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{:02}:{:02}:{:02} UTC", now / 3600 % 24, now / 60 % 60, now % 60)
}
