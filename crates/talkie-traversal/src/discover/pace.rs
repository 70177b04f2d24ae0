use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When the next transaction may begin. RFC 5780 §5: no more than ten in a second.
#[derive(Debug, Default)]
pub(super) struct Pace {
    begun: VecDeque<Instant>,
}

const MOST: usize = 10;
const PERIOD: Duration = Duration::from_secs(1);
/// Mappings are made in the order of the requests: a moment apart, so that the network keeps it.
const APART: Duration = Duration::from_millis(10);

impl Pace {
    /// The earliest time; `None` before the first one.
    pub(super) fn next(&self) -> Option<Instant> {
        let apart = *self.begun.back()? + APART;
        let oldest = self.begun.front().filter(|_| self.begun.len() == MOST);
        Some(oldest.map_or(apart, |oldest| apart.max(*oldest + PERIOD)))
    }

    pub(super) fn note(&mut self, now: Instant) {
        if self.begun.len() == MOST {
            self.begun.pop_front();
        }
        self.begun.push_back(now);
    }
}
