//! How many packets met which fate. They are counted whether or not there is a trace.

use crate::trace::Cause;

/// What became of all packets. Those that are neither delivered nor dropped are on their way:
/// `sent + copies == delivered + dropped + in flight`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Those that hosts sent.
    pub sent: u64,
    /// Those that links duplicated.
    pub copies: u64,
    /// Those that reached a host's machine.
    pub delivered: u64,
    /// Those that went no further.
    pub dropped: u64,
    /// Messages that no stream took: too many were waiting for it, or the host has no such address.
    pub refused: u64,
    /// Everything that happened: arrivals at boxes, timers, changes.
    pub happenings: u64,
    /// How often hosts' machines were woken by their own timers.
    pub wakes: u64,
    /// Few causes ever occur in one network.
    by_cause: Vec<(Cause, u64)>,
}

impl Counters {
    /// How many packets went no further for this cause.
    #[must_use]
    pub fn dropped_for(&self, cause: Cause) -> u64 {
        self.by_cause.iter().find(|(known, _)| *known == cause).map_or(0, |(_, count)| *count)
    }

    /// Why packets went no further and how many, in the order in which it first happened.
    #[must_use]
    pub fn causes(&self) -> &[(Cause, u64)] {
        &self.by_cause
    }

    /// How many packets there have been, which is the next one's number.
    pub(super) fn packets(&self) -> u64 {
        self.sent + self.copies
    }

    pub(super) fn drop(&mut self, cause: Cause) {
        self.dropped += 1;
        match self.by_cause.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, count)) => *count += 1,
            None => self.by_cause.push((cause, 1)),
        }
    }
}
