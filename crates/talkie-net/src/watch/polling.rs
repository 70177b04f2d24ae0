//! No word from the system: a look every two seconds.

use std::io;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

const EVERY: Duration = Duration::from_secs(2);

pub(super) struct Signal {
    tick: Interval,
}

impl Signal {
    pub(super) fn new() -> io::Result<Self> {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { tick })
    }

    pub(super) async fn changed(&mut self) {
        self.tick.tick().await;
    }

    pub(super) fn settle(&mut self) {}
}
