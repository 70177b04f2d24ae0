//! Has the gateway lost its mappings? Its answers carry the seconds since its table was empty, and those
//! have to go on as our own clock does.

use std::time::Instant;

/// What a gateway's clock said last, and when.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Epoch {
    last: Option<(u32, Instant)>,
}

impl Epoch {
    /// Whether the gateway has been heard at all.
    pub(super) fn is_known(&self) -> bool {
        self.last.is_some()
    }

    /// Takes a PCP gateway's clock; whether it has started anew since it was last heard (RFC 6887 §8.5).
    pub(super) fn observe_pcp(&mut self, now: Instant, epoch: u32) -> bool {
        self.observe(now, epoch, |last, ours, theirs| {
            // A second backwards is a packet that was overtaken.
            epoch.saturating_add(1) < last
                || ours + 2 < theirs - theirs / 16
                || theirs + 2 < ours - ours / 16
        })
    }

    /// The same for NAT-PMP, where only a clock that is behind counts (RFC 6886 §3.6).
    pub(super) fn observe_nat_pmp(&mut self, now: Instant, epoch: u32) -> bool {
        self.observe(now, epoch, |last, ours, _| {
            u64::from(epoch) + 2 < u64::from(last) + ours * 7 / 8
        })
    }

    fn observe(
        &mut self,
        now: Instant,
        epoch: u32,
        is_anew: impl Fn(u32, u64, u64) -> bool,
    ) -> bool {
        let last = self.last.replace((epoch, now));
        last.is_some_and(|(last, at)| {
            let ours = now.saturating_duration_since(at).as_secs();
            is_anew(last, ours, epoch.saturating_sub(last).into())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn after(last: u32, ours: u64, epoch: u32) -> (bool, bool) {
        let begin = talkie_sansio::conformance::genesis().now;
        let later = begin + Duration::from_secs(ours);
        let mut clock = Epoch::default();
        assert!(!clock.observe_pcp(begin, last), "the first says nothing");
        let pcp = clock.observe_pcp(later, epoch);
        let mut clock = Epoch::default();
        assert!(!clock.observe_nat_pmp(begin, last), "the first says nothing");
        (pcp, clock.observe_nat_pmp(later, epoch))
    }

    #[test]
    fn a_clock_that_goes_on_has_not_started_anew() {
        assert_eq!(after(1000, 300, 1300), (false, false));
        assert_eq!(after(1000, 300, 1290), (false, false), "slow by a few percent");
        assert_eq!(after(1000, 0, 999), (false, false), "overtaken by a second");
    }

    #[test]
    fn a_clock_that_begins_again_has() {
        assert_eq!(after(1000, 300, 3), (true, true));
        assert_eq!(after(1000, 3000, 1900), (true, true), "it has overtaken its old self");
        assert_eq!(after(u32::MAX, 10, 0), (true, true));
    }

    #[test]
    fn a_clock_that_leaps_ahead_is_another_one_to_pcp() {
        assert_eq!(after(1000, 300, 9000), (true, false));
    }
}
