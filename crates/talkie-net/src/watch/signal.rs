//! When to look at the list again.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

#[cfg(target_os = "linux")]
use super::kernel::Kernel;

/// How often to look where the system does not tell.
const EVERY: Duration = Duration::from_secs(2);

pub(super) enum Signal {
    #[cfg(target_os = "linux")]
    Told(Kernel),
    Looks(Interval),
}

impl Signal {
    pub(super) fn new() -> Self {
        #[cfg(target_os = "linux")]
        match Kernel::listen() {
            Ok(kernel) => return Self::Told(kernel),
            Err(error) => tracing::debug!(%error, "no netlink: looking at the interfaces instead"),
        }
        Self::looks()
    }

    pub(super) fn looks() -> Self {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Looks(tick)
    }

    /// Waits for a change, or for the time to look for one. Cancel safe.
    pub(super) async fn changed(&mut self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Told(kernel) => kernel.changed().await,
            Self::Looks(tick) => {
                tick.tick().await;
            }
        }
    }

    /// Takes all that was said up to now, since the list is read after it.
    pub(super) fn settle(&mut self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Told(kernel) => kernel.settle(),
            Self::Looks(_) => {}
        }
    }
}
