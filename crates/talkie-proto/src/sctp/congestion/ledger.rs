//! Which losses are congestion: those that come with a queue.
//!
//! A queue that overflows loses packets when it is full and none when it is empty. A bad radio link loses
//! them at all times. So two accounts are kept, of what was delivered and what was lost while packets had
//! to wait, and while they had not; chance alone makes the one as bad as the other. A loss counts as
//! congestion if the first account is worse than that, beyond what chance explains.
//!
//! A queue so short that nobody ever waits (a policer is one) shows in a third account: all that was lost
//! lately, against the rate of loss that was there when less was sent.

use std::time::Instant;

/// Packets that an account remembers; older ones fade.
const MEMORY: f64 = 4000.0;
/// How many standard deviations chance is granted.
const DEVIATIONS: f64 = 3.0;
/// draft-ietf-ccwg-bbr-06 §2.8, LossThresh: what may be lost more without a queue.
const TOLERANCE: f64 = 0.02;
/// Accidents that make a link a bad one.
const PROOF: f64 = 5.0;
/// More than this is no link's fault.
const WORST: f64 = 0.2;

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    packets: f64,
    lost: f64,
    /// Losses that were found out at different times: packets lost in a row are one accident.
    accidents: f64,
}

impl Account {
    fn add(&mut self, delivered: f64, lost: f64, is_new_accident: bool) {
        self.packets += delivered + lost;
        self.lost += lost;
        self.accidents += f64::from(u8::from(is_new_accident));
        if self.packets > MEMORY {
            for amount in [&mut self.packets, &mut self.lost, &mut self.accidents] {
                *amount /= 2.0;
            }
        }
    }

    /// The rate of loss.
    fn rate(&self) -> f64 {
        if self.packets > 0.0 { self.lost / self.packets } else { 0.0 }
    }

    /// Packets of an accident.
    fn lump(&self) -> f64 {
        if self.accidents > 0.0 { (self.lost / self.accidents).max(1.0) } else { 1.0 }
    }

    /// Whether more was lost than another account and chance explain, with so much tolerated beside.
    fn is_worse_than(&self, other: &Self, tolerance: f64) -> bool {
        // A few accidents do not prove that a link is bad: an overflowing queue may have left them.
        let proven = if other.accidents < PROOF { 0.0 } else { other.rate().min(WORST) };
        let expected = self.packets * (proven + tolerance);
        // Accidents are independent and their sizes geometric, so that the variance is larger than that of
        // single losses by this; and what is expected is itself an estimate.
        let excess = 2.0 * other.lump() - 1.0;
        let variance = expected * excess * (1.0 + self.packets / other.packets.max(1.0));
        // Where few are expected two come together more often than deviations tell; where none are, one
        // is enough.
        let few = if expected > 0.0 { 2.0 * other.lump() } else { 0.0 };
        self.lost > expected + DEVIATIONS * variance.sqrt() + few
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    waiting: Account,
    flowing: Account,
    /// Since the last judgment.
    lately: Account,
    /// After a reduction that had no queue for a reason: what is lost with less.
    after: Option<Account>,
    /// What is lost without a reason in what is sent.
    floor: f64,
    last_accident: Option<Instant>,
}

impl Ledger {
    /// Packets were delivered that had to wait or not.
    pub(super) fn deliver(&mut self, packets: f64, waited: bool) {
        self.add(packets, 0.0, false, waited);
    }

    /// So were packets lost.
    pub(super) fn lose(&mut self, now: Instant, packets: f64, waited: bool) {
        let is_new = self.last_accident.replace(now) != Some(now);
        self.add(0.0, packets, is_new, waited);
    }

    fn add(&mut self, delivered: f64, lost: f64, is_new: bool, waited: bool) {
        let account = if waited { &mut self.waiting } else { &mut self.flowing };
        account.add(delivered, lost, is_new);
        self.lately.add(delivered, lost, is_new);
        if let Some(after) = &mut self.after {
            after.add(delivered, lost, is_new);
        }
    }

    /// Whether losses of packets that had to wait are congestion.
    pub(super) fn blames_queue(&self) -> bool {
        self.waiting.is_worse_than(&self.flowing, 0.0)
    }

    /// A queue was full and is not any more: what it lost is settled.
    pub(super) fn settle(&mut self) {
        self.waiting = Account::default();
        self.lately = Account::default();
    }

    /// Once in a round trip: whether more is lost than a link loses that is merely bad.
    pub(super) fn exceeds(&mut self, tolerance: f64) -> bool {
        if self.lately.packets < 100.0 {
            return false;
        }
        let lately = std::mem::take(&mut self.lately);
        lately.is_worse_than(&self.flowing, self.floor + tolerance.max(TOLERANCE))
    }

    /// Less is sent now: will less be lost?
    pub(super) fn try_less(&mut self) {
        self.after = Some(Account::default());
    }

    /// Whether it has turned out that less did not help, once.
    pub(super) fn less_was_no_help(&mut self) -> bool {
        let Some(after) = self.after.filter(|after| after.packets >= 200.0) else { return false };
        self.after = None;
        let is_higher = after.rate() > self.floor + TOLERANCE / 2.0;
        self.floor = after.rate();
        is_higher
    }
}
