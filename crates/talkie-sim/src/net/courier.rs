//! What carries messages between hosts outside of the network: signaling, by a server that both reach.
//! It knows nothing of what it carries. Messages take their time, overtake each other, get lost and are
//! sent again, and for seconds on end nothing may get through.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::dice::Dice;

/// How messages travel to one recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// How long a message takes.
    pub delay: Duration,
    /// How much longer it may take: evenly spread from nothing to this.
    pub jitter: Duration,
    /// Whether later messages wait for earlier ones, as on a stream.
    pub is_ordered: bool,
    /// The probability that a message is lost each time that it is sent.
    pub loss: f64,
    /// How long its sender waits before it sends again.
    pub retry: Duration,
    /// When nothing gets through.
    pub closed: Vec<Range<Instant>>,
}

/// Carries messages to numbered recipients.
#[derive(Debug)]
pub struct Courier<T> {
    post: Vec<Post>,
    /// When the newest message of each recipient arrives.
    last: Vec<Option<Instant>>,
    dice: Dice,
    /// By arrival, then in the order in which they were sent.
    bag: BTreeMap<(Instant, u64), (usize, T)>,
    sent: u64,
}

/// How often a message is sent until it is taken to have arrived, so that certain loss ends, too.
const MOST_TRIES: u32 = 1000;

impl Default for Post {
    /// Fifty milliseconds by way of some server, reliable and in order.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(50),
            jitter: Duration::ZERO,
            is_ordered: true,
            loss: 0.0,
            retry: Duration::from_millis(500),
            closed: Vec::new(),
        }
    }
}

impl Post {
    /// The default post with another delay.
    #[must_use]
    pub fn with_delay(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }
}

impl<T> Courier<T> {
    /// A courier with a recipient for each `post`, and a seed for what is chance.
    #[must_use]
    pub fn new(seed: u64, post: impl IntoIterator<Item = Post>) -> Self {
        let post: Vec<Post> = post.into_iter().collect();
        let last = vec![None; post.len()];
        Self { post, last, dice: Dice::new(seed), bag: BTreeMap::new(), sent: 0 }
    }

    /// Takes a message.
    ///
    /// # Panics
    /// If there is no such recipient.
    pub fn send(&mut self, now: Instant, to: usize, message: T) {
        let post = &self.post[to];
        let mut leaves = now;
        for _ in 0..MOST_TRIES {
            let is_closed = post.closed.iter().any(|closed| closed.contains(&leaves));
            if !is_closed && !self.dice.happens(post.loss) {
                break;
            }
            leaves += post.retry;
        }
        let jitter = u64::try_from(post.jitter.as_nanos()).unwrap_or(u64::MAX);
        let mut at = leaves + post.delay + Duration::from_nanos(self.dice.below(jitter));
        if post.is_ordered {
            at = self.last[to].map_or(at, |last| at.max(last));
        }
        self.last[to] = Some(at);
        self.bag.insert((at, self.sent), (to, message));
        self.sent += 1;
    }

    /// A message that has arrived by now, with its recipient.
    pub fn poll(&mut self, now: Instant) -> Option<(usize, T)> {
        let first = self.bag.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// When the next message arrives.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.bag.first_key_value().map(|((at, _), _)| *at)
    }
}
