//! What was sent and has come, and how long it took to come back.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use talkie_traversal::ice::Pair;

use super::board::Board;
use super::view::Summary;

/// Datagrams whose return is waited for.
const WAITED_FOR: usize = 256;

/// Counts of one connection.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sent: u64,
    received: u64,
    bytes_sent: u64,
    bytes_received: u64,
    /// How many the other side has sent, by its own account.
    theirs: Option<u64>,
    /// Those that may come back.
    out: VecDeque<(Vec<u8>, Instant)>,
    echoes: u64,
    /// The shortest, the sum, the longest.
    spans: Option<[Duration; 3]>,
}

impl Tally {
    /// A datagram has left. If `returns`, the other side may send it back.
    pub(super) fn sent(&mut self, now: Instant, payload: Vec<u8>, returns: bool) {
        self.sent += 1;
        self.bytes_sent += payload.len() as u64;
        if !returns {
            return;
        }
        if self.out.len() == WAITED_FOR {
            self.out.pop_front();
        }
        self.out.push_back((payload, now));
    }

    /// A datagram has come; if it is one of ours, it took so long.
    pub(super) fn received(&mut self, now: Instant, payload: &[u8]) -> Option<Duration> {
        self.received += 1;
        self.bytes_received += payload.len() as u64;
        let at = self.out.iter().position(|(sent, _)| sent == payload)?;
        let (_, left_at) = self.out.remove(at)?;
        let span = now.saturating_duration_since(left_at);
        self.echoes += 1;
        let [least, sum, most] = self.spans.unwrap_or([span, Duration::ZERO, span]);
        self.spans = Some([least.min(span), sum + span, most.max(span)]);
        Some(span)
    }

    /// The other side has sent so many.
    pub(super) fn told(&mut self, sent: u64) {
        self.theirs = Some(sent);
    }

    /// How many were sent.
    pub(super) fn count(&self) -> u64 {
        self.sent
    }

    pub(super) fn summary(&self, pair: Option<Pair>, board: Board) -> Summary {
        let mean = |sum: Duration| sum / u32::try_from(self.echoes).unwrap_or(u32::MAX).max(1);
        Summary {
            sent: self.sent,
            received: self.received,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            lost: self.theirs.map(|theirs| theirs.saturating_sub(self.received)),
            echoes: self.echoes,
            there_and_back: self.spans.map(|[least, sum, most]| [least, mean(sum), most]),
            pair,
            board,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_timed_once() {
        let (start, mut tally) = (Instant::now(), Tally::default());
        let after = |millis| start + Duration::from_millis(millis);
        for at in [0, 10] {
            tally.sent(after(at), b"ping".to_vec(), true);
        }
        tally.sent(after(10), b"answer".to_vec(), false);
        let spans = [30, 50, 60].map(|at| tally.received(after(at), b"ping"));
        assert_eq!(spans, [Some(Duration::from_millis(30)), Some(Duration::from_millis(40)), None]);
        assert_eq!(tally.received(after(70), b"answer"), None);
        let summary = tally.summary(None, Board::default());
        assert_eq!((summary.sent, summary.received, summary.echoes), (3, 4, 2));
        assert_eq!(summary.lost, None);
        tally.told(6);
        assert_eq!(tally.summary(None, Board::default()).lost, Some(2));
        let expected = [30, 35, 40].map(Duration::from_millis);
        assert_eq!(summary.there_and_back, Some(expected));
    }

    #[test]
    fn what_never_comes_back_is_forgotten() {
        let (start, mut tally) = (Instant::now(), Tally::default());
        for number in 0..1000_u32 {
            tally.sent(start, number.to_be_bytes().to_vec(), true);
        }
        assert_eq!(tally.out.len(), WAITED_FOR);
        assert_eq!(tally.received(start, &0_u32.to_be_bytes()), None);
        assert!(tally.received(start, &999_u32.to_be_bytes()).is_some());
    }
}
