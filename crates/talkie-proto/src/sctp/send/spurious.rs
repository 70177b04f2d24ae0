//! Timeouts that were none: what was in flight is late and not lost (RFC 5682 §3.1, F-RTO, of which RFC 4138 says
//! that it goes for SCTP as well).
//!
//! After a timeout only the oldest packet leaves again. When that has been acknowledged something new leaves, and
//! nothing else that was taken for lost. If the next acknowledgment tells of anything that has not been sent
//! again, that was under way all the time, and so is the rest: the books and the controller are as before. If
//! not, everything is sent again.

use std::time::Instant;

use super::flight::Settled;
use super::{Outbox, Sender};

/// RFC 5682 §3.1 step 2 b: new packets that leave before there is proof.
const FRESH: u8 = 2;

/// How far the judgment of a timeout has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trial {
    /// Nothing has been acknowledged since (step 1).
    Waiting,
    /// The oldest packet has been, or what left after it; so many new ones may leave (step 2 b).
    Proving(u8),
}

impl Sender {
    /// RFC 5682 §3.2: another timeout in a row changes nothing. After an acknowledgment it is a new one.
    pub(super) fn begin_trial(&mut self) {
        if matches!(self.trial, Some(Trial::Proving(_))) {
            self.end_trial();
        }
        if self.trial.is_none() {
            (self.told_before, self.told_first) = (self.forward_most, None);
        }
        self.trial = Some(Trial::Waiting);
    }

    pub(super) fn end_trial(&mut self) {
        self.trial = None;
        self.flight.release();
    }

    /// A SACK has come while it is not known whether a timeout was one. Tells if it was for nothing.
    pub(super) fn judge_timeout(
        &mut self,
        now: Instant,
        settled: &mut Settled,
        progress: bool,
        cumulative: u64,
    ) -> bool {
        let Some(trial) = self.trial else { return false };
        // What was given up meanwhile has come all the same, if this does not answer that it will not.
        if let Some((tsn, packet)) = settled.given_up
            && tsn > self.told_before
            && self.told_first.is_none_or(|told| cumulative < told)
        {
            self.flight.find(packet, settled);
        }
        let was_late = settled.original.is_some();
        if was_late {
            // Step 3 b. What the copy of the oldest packet says of the round trip is another's (RFC 9260 §6.3.1
            // C5), and packets that left before it have not been overtaken by it.
            settled.newest = settled.original;
            self.books.lost -= self.flight.revive(&mut self.books).min(self.books.lost);
            self.trial = None;
            self.recovery.handle_timeout();
            self.controller.on_spurious_timeout(now);
        } else if progress {
            match trial {
                Trial::Waiting => self.trial = Some(Trial::Proving(FRESH)),
                // Step 3 a.
                Trial::Proving(_) => self.end_trial(),
            }
        }
        was_late
    }

    /// Whether what was lost may leave again.
    pub(super) fn may_send_lost(&self, outbox: &Outbox) -> bool {
        let may = match self.trial {
            None => true,
            Some(_) if self.forced => true,
            Some(Trial::Waiting) => false,
            // Step 2 b: unless there is nothing new to send.
            Some(Trial::Proving(left)) => {
                left == FRESH && !(outbox.has_pieces() && self.has_room())
            }
        };
        may && self.flight.has_lost()
    }

    /// Whether something new may leave although something that was lost has not.
    pub(super) fn may_overtake(&self) -> bool {
        matches!(self.trial, Some(Trial::Proving(1..)))
    }

    /// A packet with something new has left.
    pub(super) fn handle_fresh(&mut self) {
        if let Some(Trial::Proving(left)) = &mut self.trial {
            *left = left.saturating_sub(1);
        }
    }
}
