//! What the line is like: who has to leave its queue, what it loses, and all of that in a few words.

use std::str::FromStr;
use std::time::Duration;

use talkie_sim::flow::Discipline;
use talkie_sim::net::Loss;

use super::Plan;
use super::panels::{Unit, span};

/// RFC 8289 §4.3 and §4.4.
const TARGET: Duration = Duration::from_millis(5);
const INTERVAL: Duration = Duration::from_millis(100);

/// Who has to leave the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Queue {
    /// The packet for which there is no room.
    #[default]
    DropTail,
    /// Whoever waits too long for too long (RFC 8289).
    CoDel,
    /// Nobody: packets are marked instead (RFC 3168), and associations are told.
    CoDelEcn,
}

/// A kind of queue that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no queue is called `{name}`; there are drop-tail, codel and codel-ecn")]
pub struct UnknownQueue {
    /// What was asked for.
    pub name: String,
}

impl Queue {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DropTail => "drop-tail",
            Self::CoDel => "codel",
            Self::CoDelEcn => "codel-ecn",
        }
    }

    pub(super) fn marks(self) -> bool {
        self == Self::CoDelEcn
    }

    pub(super) fn discipline(self) -> Discipline {
        match self {
            Self::DropTail => Discipline::DropTail,
            Self::CoDel | Self::CoDelEcn => {
                Discipline::CoDel { target: TARGET, interval: INTERVAL, marks: self.marks() }
            }
        }
    }
}

impl FromStr for Queue {
    type Err = UnknownQueue;

    fn from_str(name: &str) -> Result<Self, UnknownQueue> {
        let known = [Self::DropTail, Self::CoDel, Self::CoDelEcn];
        let named = known.into_iter().find(|queue| queue.name().eq_ignore_ascii_case(name.trim()));
        named.ok_or_else(|| UnknownQueue { name: name.to_owned() })
    }
}

impl Plan {
    /// The greatest loss that may come in bursts of this length: one packet at least arrives between two.
    #[must_use]
    pub fn most_loss(burst: f64) -> f64 {
        if burst > 1.0 { burst / (burst + 1.0) } else { 1.0 }
    }

    pub(super) fn losses(&self) -> Loss {
        if self.loss <= 0.0 {
            return Loss::None;
        }
        if self.burst <= 1.0 {
            return Loss::Random(self.loss);
        }
        // The model of Gilbert: a bad line loses all, and is bad for this share of the packets.
        let recovers = 1.0 / self.burst;
        let worsens = (self.loss * recovers / (1.0 - self.loss)).min(1.0);
        Loss::Burst { worsens, recovers, good: 0.0, bad: 1.0 }
    }

    /// In a few words: how it was played.
    pub(super) fn conditions(&self) -> String {
        let mut words = format!(
            "{}, {} there and back, {} of buffer",
            Unit::BitsPerSecond.say(self.rate as f64),
            span(self.rtt),
            Unit::Bytes.say(self.buffer as f64),
        );
        words += match self.queue {
            Queue::DropTail => "",
            Queue::CoDel => " with CoDel",
            Queue::CoDelEcn => " with CoDel and ECN",
        };
        if self.loss > 0.0 {
            words += &format!(", {}% loss", (self.loss * 1000.0).round() / 10.0);
        }
        if self.loss > 0.0 && self.burst > 1.0 {
            words += &format!(" in bursts of {}", (self.burst * 10.0).round() / 10.0);
        }
        words + &format!(", seed {}", self.seed)
    }
}
