//! What is lost on the way out or in.

use std::sync::atomic::{AtomicU64, Ordering};

/// Datagrams that were dropped between a machine and the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drops {
    /// Those that the operating system did not take.
    pub refused: u64,
    /// Those for a stream whose queue was full, because its other side reads slowly.
    pub overrun: u64,
    /// Those for a socket or stream that there is not, or not any more.
    pub homeless: u64,
    /// Times that receiving failed, as it does after an ICMP error.
    pub unreceived: u64,
}

/// Counts them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    refused: AtomicU64,
    overrun: AtomicU64,
    homeless: AtomicU64,
    unreceived: AtomicU64,
}

impl Tally {
    pub(crate) fn refused(&self, count: usize) {
        self.refused.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn overrun(&self) {
        self.overrun.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn homeless(&self) {
        self.homeless.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn unreceived(&self) {
        self.unreceived.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn drops(&self) -> Drops {
        Drops {
            refused: self.refused.load(Ordering::Relaxed),
            overrun: self.overrun.load(Ordering::Relaxed),
            homeless: self.homeless.load(Ordering::Relaxed),
            unreceived: self.unreceived.load(Ordering::Relaxed),
        }
    }
}
