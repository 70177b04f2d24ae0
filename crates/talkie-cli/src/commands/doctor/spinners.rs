//! Spinners on standard error while the examination runs; nothing where that is no terminal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use talkie_doctor::{Mark, Progress, Step};

use super::screen;

/// As slow as is still seen as moving.
const TURN: Duration = Duration::from_millis(100);

/// A line for each step.
pub(super) struct Spinners {
    all: MultiProgress,
    lines: Mutex<HashMap<Step, ProgressBar>>,
}

impl Spinners {
    /// Draws on a terminal only.
    pub(super) fn new() -> Self {
        let all = MultiProgress::with_draw_target(screen::target());
        Self { all, lines: Mutex::default() }
    }

    /// Shows what happens.
    pub(super) fn show(&self, progress: Progress) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Began(step) => {
                let line = self.all.add(ProgressBar::new_spinner());
                line.set_style(style("{spinner} {wide_msg}"));
                line.set_message(format!("{} …", title(&step)));
                line.enable_steady_tick(TURN);
                lines.insert(step, line);
            }
            Progress::Found(step, words) => {
                if let Some(line) = lines.get(&step) {
                    line.set_message(format!("{}: {words} …", title(&step)));
                }
            }
            Progress::Ended(step, mark, words) => {
                if let Some(line) = lines.get(&step) {
                    let sign = match mark {
                        Mark::Good => "✓",
                        Mark::Caution => "!",
                        Mark::Bad => "✗",
                        Mark::Unknown => "–",
                    };
                    line.set_style(style("{prefix} {wide_msg}"));
                    line.set_prefix(sign);
                    line.finish_with_message(format!("{}: {words}", title(&step)));
                }
            }
        }
    }

    /// Takes all lines away, for the answer to stand in their place.
    pub(super) fn clear(&self) {
        // A spinner that still turns would draw itself again.
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.values().for_each(ProgressBar::finish_and_clear);
        // A terminal that is gone shows nothing anyway.
        let _ = self.all.clear();
    }
}

pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn title(step: &Step) -> String {
    match step {
        Step::Host => "this machine".to_owned(),
        Step::Server(url) => url.clone(),
        Step::Nat(family) => format!("NAT, {family}"),
        Step::Mtu(family) => format!("packet size, {family}"),
        Step::PortMapping => "the router".to_owned(),
    }
}
