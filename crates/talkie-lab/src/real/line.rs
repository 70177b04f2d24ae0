//! A line between two boxes: delay, jitter, loss and a rate with a queue before it.
//!
//! A packet waits until those before it have been put on the line at its rate, and is dropped if that
//! would take too long; then it is under way for the delay, more or less by the jitter. It never
//! overtakes another. Losses are independent of each other.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::plan::Line;

/// How long a packet may wait for those before it: the queue of a common home router.
const LONGEST_QUEUE: Duration = Duration::from_millis(200);
/// The most packets on the way, whatever the rate.
const MOST_PACKETS: usize = 10_000;

/// One direction of a line, and what is on it.
#[derive(Debug)]
pub(super) struct OneWay {
    line: Line,
    rng: ChaCha8Rng,
    /// When the last packet of the queue will have been put on the line.
    busy_until: Option<Instant>,
    under_way: VecDeque<(Instant, Vec<u8>)>,
    /// Packets that were dropped by chance.
    pub(super) lost: u64,
    /// Packets that found the queue full.
    pub(super) overflowed: u64,
}

impl OneWay {
    pub(super) fn new(line: Line, seed: [u8; 32]) -> Self {
        Self {
            line,
            rng: ChaCha8Rng::from_seed(seed),
            busy_until: None,
            under_way: VecDeque::new(),
            lost: 0,
            overflowed: 0,
        }
    }

    /// Puts a packet on the line.
    pub(super) fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        if self.line.loss > 0.0 && self.chance() < self.line.loss {
            self.lost += 1;
            return;
        }
        let free = self.busy_until.map_or(now, |until| until.max(now));
        let full = self.under_way.len() >= MOST_PACKETS;
        if full || free.saturating_duration_since(now) > LONGEST_QUEUE {
            self.overflowed += 1;
            return;
        }
        let sent = free + self.takes(packet.len());
        self.busy_until = Some(sent);
        let arrives = sent + self.delay();
        let last = self.under_way.back().map_or(arrives, |(last, _)| arrives.max(*last));
        self.under_way.push_back((last, packet.to_vec()));
    }

    /// The next packet that has arrived.
    pub(super) fn poll_packet(&mut self, now: Instant) -> Option<Vec<u8>> {
        let (arrives, _) = self.under_way.front()?;
        if *arrives > now {
            return None;
        }
        self.under_way.pop_front().map(|(_, packet)| packet)
    }

    /// When the next packet arrives.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.under_way.front().map(|(arrives, _)| *arrives)
    }

    fn takes(&self, len: usize) -> Duration {
        match self.line.rate {
            0 => Duration::ZERO,
            rate => Duration::from_secs_f64(len as f64 * 8.0 / rate as f64),
        }
    }

    fn delay(&mut self) -> Duration {
        if self.line.jitter.is_zero() {
            return self.line.delay;
        }
        // Evenly from -jitter to +jitter.
        self.line.delay - self.line.jitter + (self.line.jitter * 2).mul_f64(self.chance())
    }

    /// Evenly from 0 to 1.
    fn chance(&mut self) -> f64 {
        f64::from(self.rng.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [7; 32];

    /// When each of `count` packets of `len` bytes arrives, sent `apart` from each other.
    fn arrivals(line: Line, count: u32, len: usize, apart: Duration) -> (Vec<Duration>, OneWay) {
        let start = Instant::now();
        let mut way = OneWay::new(line, SEED);
        let mut arrived = Vec::new();
        for n in 0..count {
            way.handle_packet(start + apart * n, &vec![0; len]);
        }
        while let Some(next) = way.poll_timeout() {
            assert!(way.poll_packet(next - Duration::from_nanos(1)).is_none());
            assert_eq!(way.poll_packet(next).unwrap().len(), len);
            arrived.push(next - start);
        }
        (arrived, way)
    }

    #[test]
    fn a_plain_line_holds_nothing_up() {
        let (arrived, _) = arrivals(Line::default(), 3, 100, Duration::from_millis(1));
        assert_eq!(arrived, [0, 1, 2].map(Duration::from_millis));
    }

    #[test]
    fn a_rate_spreads_a_burst_and_its_queue_ends() {
        // 1,250 bytes at 1 Mbit/s take 10 ms; 20 of them fill 200 ms, and one is being sent.
        let line = Line { rate: 1_000_000, ..Line::default() };
        let (arrived, way) = arrivals(line, 100, 1250, Duration::ZERO);
        assert_eq!(arrived[..2], [10, 20].map(Duration::from_millis));
        assert_eq!((arrived.len(), way.overflowed), (21, 79));
    }

    #[test]
    fn jitter_stays_within_its_bounds_and_keeps_the_order() {
        let ms = Duration::from_millis;
        let line = Line { delay: ms(50), jitter: ms(10), ..Line::default() };
        let (arrived, _) = arrivals(line, 1000, 10, ms(30));
        let delays = arrived.iter().enumerate().map(|(n, at)| *at - ms(30) * n as u32);
        assert!(delays.clone().all(|delay| delay >= ms(40) && delay <= ms(60)));
        assert!(delays.clone().min() < Some(ms(41)) && delays.max() > Some(ms(59)));
        let (arrived, _) = arrivals(line, 1000, 10, ms(1));
        assert!(arrived.is_sorted());
    }

    #[test]
    fn so_many_are_lost_as_were_asked_for() {
        let line = Line { loss: 0.1, ..Line::default() };
        let (arrived, way) = arrivals(line, 10_000, 10, Duration::from_millis(1));
        assert!((900..1100).contains(&way.lost), "{}", way.lost);
        assert_eq!(arrived.len() as u64 + way.lost, 10_000);
    }
}
