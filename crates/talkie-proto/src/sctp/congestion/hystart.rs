//! HyStart++ (RFC 9406): slow start ends when the round trips grow, before the queue overflows.
//!
//! The shortest round trip of each round is compared with that of the round before. If it is longer by
//! more than an eighth, growth slows down to a quarter for five rounds (conservative slow start), and if
//! the round trips shrink again meanwhile it was a false alarm.

use std::time::Duration;

use super::Acked;

/// RFC 9406 §4.3.
const SHORTEST_RISE: Duration = Duration::from_millis(4);
const LONGEST_RISE: Duration = Duration::from_millis(16);
const RISE_DIVISOR: u32 = 8;
const SAMPLES: u32 = 8;
const SLOW_GROWTH: u64 = 4;
const SLOW_ROUNDS: u32 = 5;

#[derive(Clone, Debug, Default)]
pub(super) struct HyStart {
    /// What will have been delivered when the round is over.
    round_ends: u64,
    samples: u32,
    shortest: Option<Duration>,
    shortest_before: Option<Duration>,
    slow: Option<Slow>,
}

#[derive(Clone, Copy, Debug)]
struct Slow {
    baseline: Duration,
    rounds: u32,
}

/// What slow start may do with an acknowledgment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// The window may grow by this many bytes.
    By(u64),
    /// Slow start is over.
    Over,
}

impl HyStart {
    pub(super) fn on_acked(&mut self, acked: &Acked) -> Growth {
        let sent_after = acked.rate.map_or(acked.delivered, |rate| rate.delivered_at_send);
        if sent_after >= self.round_ends {
            self.round_ends = acked.delivered;
            self.shortest_before = self.shortest.take();
            self.samples = 0;
            if let Some(slow) = &mut self.slow {
                slow.rounds += 1;
                // RFC 9406 §4.2: the round in which it began counts.
                if slow.rounds >= SLOW_ROUNDS {
                    return Growth::Over;
                }
            }
        }
        if let Some(rtt) = acked.rtt {
            self.samples += 1;
            self.shortest = Some(self.shortest.map_or(rtt, |shortest| shortest.min(rtt)));
        }
        self.compare();
        // RFC 9406 §4.3: paced, so no other bound on how much one acknowledgment may add.
        Growth::By(if self.slow.is_some() { acked.bytes / SLOW_GROWTH } else { acked.bytes })
    }

    /// Whether the round trips have grown.
    pub(super) fn is_slow(&self) -> bool {
        self.slow.is_some()
    }

    fn compare(&mut self) {
        let (Some(shortest), Some(before)) = (self.shortest, self.shortest_before) else { return };
        if self.samples < SAMPLES {
            return;
        }
        if let Some(slow) = self.slow {
            if shortest < slow.baseline {
                self.slow = None;
            }
            return;
        }
        let rise = (before / RISE_DIVISOR).clamp(SHORTEST_RISE, LONGEST_RISE);
        if shortest >= before + rise {
            self.slow = Some(Slow { baseline: shortest, rounds: 0 });
        }
    }
}
