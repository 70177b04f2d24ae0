//! Work that may take long: in a thread of its own, with a line on the terminal that tells how far it is,
//! and ended by signals as any program.

use std::io::{self, IsTerminal as _};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::commands::FAILURE;
use crate::signals::Signals;
use crate::terminal;

/// Does it, and hands it something to tell how far it is; the exit code if a signal ends it.
pub(super) fn wait_for<T: Send + 'static>(
    work: impl FnOnce(&dyn Fn(String)) -> T + Send + 'static,
) -> Result<T, u8> {
    let failed = |error: io::Error| {
        terminal::complain(&format_args!("cannot begin: {error}"));
        FAILURE
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(failed)?;
        let (told, mut outcome) = oneshot::channel();
        let (tell, mut far) = watch::channel(String::new());
        thread::spawn(move || {
            let result = work(&|words| {
                tell.send_replace(words);
            });
            // Nobody listens any more only if this program ends.
            let _ = told.send(result);
        });
        let is_seen = io::stderr().is_terminal() && io::stdout().is_terminal();
        let mut progress = Progress::new(Instant::now(), is_seen.then(io::stderr));
        loop {
            tokio::select! {
                result = &mut outcome => {
                    progress.clear();
                    return Ok(result.expect("the thread does not panic"));
                }
                signal = signals.next() => {
                    progress.wipe();
                    return Err(signal.exit_code());
                }
                Ok(()) = far.changed() => {
                    progress.show(Instant::now(), &far.borrow_and_update());
                }
            }
        }
    })
}

/// Tells on a terminal how far it is, if it takes long.
struct Progress<W> {
    began: Instant,
    told: Option<Instant>,
    /// `None` where nobody sees it.
    to: Option<W>,
}

impl<W: io::Write> Progress<W> {
    fn new(began: Instant, to: Option<W>) -> Self {
        Self { began, told: None, to }
    }

    fn show(&mut self, now: Instant, words: &str) {
        let Some(to) = &mut self.to else { return };
        let is_due = self.told.is_none_or(|told| now - told > Duration::from_millis(100));
        if now - self.began > Duration::from_secs(1) && is_due {
            self.told = Some(now);
            let _ = write!(to, "\r\x1b[K{words}");
        }
    }

    /// Takes the line away.
    fn clear(&mut self) {
        if self.told.take().is_some() {
            self.wipe();
        }
    }

    /// The same with what the terminal has written for Ctrl-C, be there a line or not.
    fn wipe(&mut self) {
        if let Some(to) = &mut self.to {
            let _ = write!(to, "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_is_told_how_far_it_is_and_nothing_stays() {
        let began = Instant::now();
        let mut progress = Progress::new(began, Some(Vec::new()));
        progress.show(began + Duration::from_millis(900), "1 of 9 pairs");
        progress.clear();
        assert_eq!(progress.to.as_deref(), Some(&b""[..]), "it was not long");
        progress.show(began + Duration::from_millis(1100), "2 of 9 pairs");
        progress.show(began + Duration::from_millis(1150), "3 of 9 pairs");
        progress.clear();
        progress.clear();
        assert_eq!(progress.to.as_deref(), Some(&b"\r\x1b[K2 of 9 pairs\r\x1b[K"[..]));
        progress.to = Some(Vec::new());
        progress.wipe();
        assert_eq!(progress.to.as_deref(), Some(&b"\r\x1b[K"[..]), "Ctrl-C has left its mark");
    }
}
