//! CoDel (RFC 8289 §5): a queue in which packets have waited longer than a target for a whole interval
//! loses one, and then the next ones at intervals that shrink with the square root of their number.

/// What becomes of the packet at the head of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Mark,
    Drop,
}

#[derive(Debug)]
pub(super) struct CoDel {
    target: u64,
    interval: u64,
    marks: bool,
    /// When the waiting will have been too long for a whole interval.
    too_long_at: Option<u64>,
    is_dropping: bool,
    next_drop: u64,
    count: u64,
    last_count: u64,
}

impl CoDel {
    pub(super) fn new(target: u64, interval: u64, marks: bool) -> Self {
        Self {
            target,
            interval,
            marks,
            too_long_at: None,
            is_dropping: false,
            next_drop: 0,
            count: 0,
            last_count: 0,
        }
    }

    /// Judges a packet that waited for `waited` and leaves `behind` bytes in the queue.
    pub(super) fn judge(&mut self, now: u64, waited: u64, behind: usize) -> Verdict {
        let is_too_long = self.is_too_long(now, waited, behind);
        if !is_too_long {
            self.is_dropping = false;
            return Verdict::Pass;
        }
        if self.is_dropping {
            if now < self.next_drop {
                return Verdict::Pass;
            }
            self.count += 1;
            self.next_drop += self.gap();
        } else {
            self.is_dropping = true;
            // RFC 8289 §5.5: a new episode soon after the last one goes on at its pace.
            let recent = now.saturating_sub(self.next_drop) < 16 * self.interval;
            let episode = self.count - self.last_count;
            self.count = if recent && episode > 1 { episode } else { 1 };
            self.last_count = self.count;
            self.next_drop = now + self.gap();
        }
        if self.marks { Verdict::Mark } else { Verdict::Drop }
    }

    fn is_too_long(&mut self, now: u64, waited: u64, behind: usize) -> bool {
        // A queue of less than a packet is none.
        if waited < self.target || behind < 1500 {
            self.too_long_at = None;
            return false;
        }
        now >= *self.too_long_at.get_or_insert(now + self.interval)
    }

    /// RFC 8289 §5.6: the control law.
    fn gap(&self) -> u64 {
        (self.interval as f64 / (self.count as f64).sqrt()) as u64
    }
}
