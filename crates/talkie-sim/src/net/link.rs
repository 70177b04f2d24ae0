//! A link: what happens to a packet between two boxes.
//!
//! In this order: a packet that is too big for the link does not enter it; one for which the queue has no
//! room is dropped; the sender's end puts the bytes on the line at the link's rate; the line may lose,
//! duplicate or hold back the packet; the rest arrives after the delay. Jitter makes packets late, and
//! those behind them as well: what is to overtake is `reordering`.

use std::time::Duration;

use super::dice::Dice;
use crate::trace::Cause;

/// One direction of a link.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// How long a packet travels.
    pub delay: Duration,
    /// How much longer it may take: evenly spread from nothing to this.
    pub jitter: Duration,
    /// What is lost on the way.
    pub loss: Loss,
    /// Bits per second, IP headers counted; `None` if it is never the bottleneck.
    pub rate: Option<u64>,
    /// The most bytes that wait for the line if there is a rate, with what has yet to leave of the packet
    /// that is on it. An idle line takes any packet.
    pub queue: usize,
    /// The largest IP packet, header included.
    pub mtu: usize,
    /// What becomes of a larger one.
    pub oversize: Oversize,
    /// Packets that are overtaken.
    pub reordering: Option<Reordering>,
    /// The probability that a packet arrives twice.
    pub duplication: f64,
}

/// What is lost on a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// Nothing.
    None,
    /// Each packet with this probability, whatever happened to the others.
    Random(f64),
    /// Packets in a row: the model of Gilbert and Elliott. The link is good or bad, and may change
    /// after each packet.
    Burst {
        /// The probability that a good link turns bad.
        worsens: f64,
        /// The probability that a bad link turns good; bursts are 1 / this long on average.
        recovers: f64,
        /// The loss while it is good.
        good: f64,
        /// The loss while it is bad.
        bad: f64,
    },
}

/// What becomes of a packet that is larger than the link's MTU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversize {
    /// It vanishes, as behind boxes that drop ICMP (a black hole for path MTU discovery).
    Vanishes,
    /// The box before the link says that fragmentation is needed (RFC 1191, RFC 8201), which the trace
    /// shows. Machines are not told: UDP sockets that do not ask for it are not told either.
    Reported,
    /// It is cut into fragments (RFC 791 §2.3), each of which the link may lose; what arrives is the
    /// whole packet or nothing.
    Fragmented,
}

impl Loss {
    /// Whether the next packet is lost; `is_bad` is the state of a link whose losses come in bursts.
    pub(crate) fn strikes(&self, is_bad: &mut bool, dice: &mut Dice) -> bool {
        match *self {
            Self::None => false,
            Self::Random(probability) => dice.happens(probability),
            Self::Burst { worsens, recovers, good, bad } => {
                let lost = dice.happens(if *is_bad { bad } else { good });
                *is_bad ^= dice.happens(if *is_bad { recovers } else { worsens });
                lost
            }
        }
    }
}

/// Packets that are held back, so that others overtake them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reordering {
    /// How many of them.
    pub probability: f64,
    /// How long they are held back.
    pub by: Duration,
}

/// Both directions of a link, seen from the box that is attached.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Duplex {
    /// Towards the network.
    pub up: Link,
    /// From the network.
    pub down: Link,
}

impl Default for Link {
    /// Five milliseconds, and nothing else that a packet would notice: Ethernet's MTU, no bottleneck.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(5),
            jitter: Duration::ZERO,
            loss: Loss::None,
            rate: None,
            // 50 packets of 1500 bytes, a small router's buffer.
            queue: 75_000,
            mtu: 1500,
            oversize: Oversize::Reported,
            reordering: None,
            duplication: 0.0,
        }
    }
}

impl Link {
    /// The default link with another delay.
    #[must_use]
    pub fn with_delay(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }
}

impl From<Link> for Duplex {
    fn from(link: Link) -> Self {
        Self { up: link.clone(), down: link }
    }
}

/// One direction of a link at work.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) link: Link,
    dice: Dice,
    /// Until when the sender's end is putting bytes on the line.
    busy_until: u64,
    /// When the packet before arrives.
    last_arrival: u64,
    is_bad: bool,
}

/// When a packet arrives, and when once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) at: u64,
    pub(super) again: Option<u64>,
}

const NANOS: u128 = 1_000_000_000;

impl Line {
    pub(super) fn new(link: Link, seed: u64) -> Self {
        let dice = Dice::new(seed);
        Self { link, dice, busy_until: 0, last_arrival: 0, is_bad: false }
    }

    /// Another link in place of this one; what waits in the queue is forgotten, what has left arrives.
    pub(super) fn replace(&mut self, link: Link) {
        self.link = link;
        (self.busy_until, self.last_arrival, self.is_bad) = (0, 0, false);
    }

    /// Carries an IP packet of `len` bytes with a header of `header` bytes.
    pub(super) fn carry(&mut self, now: u64, len: usize, header: usize) -> Result<Arrival, Cause> {
        let fragments = self.fragments(len, header)?;
        let on_the_line = len + (fragments - 1) * header;
        let sent = self.enqueue(now, on_the_line).ok_or(Cause::QueueFull)?;
        let mut is_lost = false;
        for _ in 0..fragments {
            is_lost |= self.link.loss.strikes(&mut self.is_bad, &mut self.dice);
        }
        if is_lost {
            return Err(Cause::Loss);
        }
        let again = self.dice.happens(self.link.duplication);
        let at = self.arrival(sent);
        Ok(Arrival { at, again: again.then(|| self.arrival(sent)) })
    }

    fn fragments(&self, len: usize, header: usize) -> Result<usize, Cause> {
        let mtu = self.link.mtu;
        if len <= mtu {
            return Ok(1);
        }
        match self.link.oversize {
            Oversize::Vanishes => Err(Cause::TooBig { mtu }),
            Oversize::Reported => Err(Cause::FragmentationNeeded { mtu }),
            Oversize::Fragmented => {
                // All fragments but the last carry a multiple of eight bytes.
                let room = mtu.saturating_sub(header) / 8 * 8;
                if room == 0 {
                    return Err(Cause::TooBig { mtu });
                }
                Ok((len - header).div_ceil(room))
            }
        }
    }

    /// When the last byte has left, if the queue has room.
    fn enqueue(&mut self, now: u64, len: usize) -> Option<u64> {
        let Some(rate) = self.link.rate else { return Some(now) };
        let rate = u128::from(rate.max(1));
        let start = self.busy_until.max(now);
        let waiting = (u128::from(start - now) * rate).div_ceil(8 * NANOS);
        if start > now && waiting + len as u128 > self.link.queue as u128 {
            return None;
        }
        let span = (len as u128 * 8 * NANOS).div_ceil(rate);
        self.busy_until = start.saturating_add(u64::try_from(span).unwrap_or(u64::MAX));
        Some(self.busy_until)
    }

    fn arrival(&mut self, sent: u64) -> u64 {
        let jitter = nanos(self.link.jitter);
        let late = if jitter == 0 { 0 } else { self.dice.below(jitter) };
        let at = sent.saturating_add(nanos(self.link.delay)).saturating_add(late);
        let held_back = self.link.reordering.filter(|it| self.dice.happens(it.probability));
        if let Some(reordering) = held_back {
            return at.saturating_add(nanos(reordering.by));
        }
        self.last_arrival = at.max(self.last_arrival);
        self.last_arrival
    }
}

pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
