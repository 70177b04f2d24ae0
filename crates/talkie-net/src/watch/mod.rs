//! Tells when this host's interfaces change, and when the host wakes from sleep.
//!
//! On Linux the kernel says so (netlink); elsewhere, and where a sandbox forbids that, the list is looked
//! at every two seconds. What
//! changes at once — an interface comes up, gets its addresses one by one — is waited for a moment and
//! told together. A list is told only if it differs from the last, or after a sleep: a laptop may wake
//! in another network that gives it the same address.

#[cfg(target_os = "linux")]
mod kernel;
mod signal;

use std::io;
use std::time::Duration;

use talkie_sansio::Interface;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use self::signal::Signal;
use crate::interfaces::usable;
use crate::sys;

/// Changes within this time are told together.
const TOGETHER: Duration = Duration::from_millis(100);
/// How often to look whether the host has slept, and how long it must have for it to count.
const LOOK: Duration = Duration::from_secs(1);
const NAP: Duration = Duration::from_millis(500);

/// Watches until it is dropped.
pub(crate) struct Watch {
    lists: mpsc::Receiver<Vec<Interface>>,
    task: AbortHandle,
}

impl Watch {
    /// Must be called in a tokio runtime.
    pub(crate) fn start() -> io::Result<Self> {
        Self::with(Signal::new(), usable, sys::time_asleep)
    }

    fn with(
        signal: Signal,
        look: fn() -> io::Result<Vec<Interface>>,
        asleep: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (sender, lists) = mpsc::channel(1);
        // After the signal: what changes in between is told twice and not missed.
        let first = look()?;
        let task = tokio::spawn(watch(signal, look, first, sender, asleep)).abort_handle();
        Ok(Self { lists, task })
    }

    /// The first list, then each that differs. Cancel safe.
    pub(crate) async fn changed(&mut self) -> Vec<Interface> {
        match self.lists.recv().await {
            Some(list) => list,
            // The task ends only with this.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(
    mut signal: Signal,
    list: fn() -> io::Result<Vec<Interface>>,
    mut last: Vec<Interface>,
    lists: mpsc::Sender<Vec<Interface>>,
    asleep: impl Fn() -> Duration,
) {
    let mut sleeps = Sleeps::new(asleep());
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if lists.send(last.clone()).await.is_err() {
        return;
    }
    loop {
        let mut woken = false;
        tokio::select! {
            () = signal.changed() => sleep(TOGETHER).await,
            _ = look.tick() => {
                woken = sleeps.woken(asleep());
                if !woken {
                    continue;
                }
            }
        }
        signal.settle();
        // A reader that is behind gets the list as it is by then.
        let Ok(permit) = lists.reserve().await else { return };
        match list() {
            Ok(list) if woken || list != last => {
                last.clone_from(&list);
                permit.send(list);
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot list the network interfaces"),
        }
    }
}

/// Notices sleep: while it lasts the monotonic clock stands still and the one since boot goes on.
struct Sleeps {
    asleep: Duration,
}

impl Sleeps {
    fn new(asleep: Duration) -> Self {
        Self { asleep }
    }

    /// Whether the host has slept since the last question.
    fn woken(&mut self, asleep: Duration) -> bool {
        let before = std::mem::replace(&mut self.asleep, asleep);
        asleep.saturating_sub(before) >= NAP
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::timeout;

    use super::*;

    #[test]
    fn a_sleep_is_noticed_once_and_the_clocks_jitter_is_none() {
        let at = Duration::from_millis;
        let mut sleeps = Sleeps::new(at(60_000));
        assert!(!sleeps.woken(at(60_000)));
        assert!(!sleeps.woken(at(60_001)));
        assert!(!sleeps.woken(at(60_000)));
        assert!(sleeps.woken(at(65_000)));
        assert!(!sleeps.woken(at(65_000)));
    }

    #[tokio::test]
    async fn after_a_sleep_the_same_list_is_told_again_and_otherwise_not() {
        let slept = Arc::new(AtomicU64::new(1));
        let clock = Arc::clone(&slept);
        let asleep = move || Duration::from_secs(clock.load(Ordering::Relaxed));
        let list = || -> io::Result<_> {
            Ok(vec![Interface { name: "eth0".into(), address: [10, 0, 0, 5].into() }])
        };
        let mut watch = Watch::with(Signal::looks(), list, asleep).unwrap();
        assert_eq!(watch.changed().await, list().unwrap());
        // Longer than one look at the list and two at the clocks.
        assert!(timeout(Duration::from_millis(2500), watch.changed()).await.is_err());
        slept.store(60, Ordering::Relaxed);
        let again = timeout(Duration::from_secs(5), watch.changed()).await.unwrap();
        assert_eq!(again, list().unwrap());
    }
}
