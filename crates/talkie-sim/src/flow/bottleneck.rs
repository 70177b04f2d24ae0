//! The one queue of a run: packets in order of arrival, at the line's rate.

use std::collections::VecDeque;
use std::time::Duration;

use super::codel::{CoDel, Verdict};
use crate::net::{Dice, Loss, nanos};

/// A line that is slower than those before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottleneck {
    /// Bits per second.
    pub rate: u64,
    /// The most bytes that wait for the line.
    pub buffer: usize,
    /// Who has to leave a queue.
    pub discipline: Discipline,
    /// What is lost behind it, whatever the queue is like.
    pub loss: Loss,
}

/// Who has to leave a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// The packet for which there is no room.
    DropTail,
    /// Whoever has waited too long for too long (RFC 8289), beside the packet for which there is no room.
    CoDel {
        /// How long may be waited for ever.
        target: Duration,
        /// How long more than that is borne.
        interval: Duration,
        /// Whether packets are marked (RFC 3168) and not dropped.
        marks: bool,
    },
}

impl Bottleneck {
    /// A line of that rate that drops what does not fit its buffer and loses nothing else.
    #[must_use]
    pub fn new(rate: u64, buffer: usize) -> Self {
        Self { rate, buffer, discipline: Discipline::DropTail, loss: Loss::None }
    }

    /// The same, but losing packets.
    #[must_use]
    pub fn losing(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }
}

/// What a queue has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueBook {
    /// Packets that left it for the line.
    pub served: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Packets that it dropped.
    pub dropped: u64,
    /// Packets that it marked.
    pub marked: u64,
    /// Packets that the line lost.
    pub lost: u64,
    /// The waiting of all those served.
    pub waited: Duration,
    /// The longest of it.
    pub longest: Duration,
}

impl QueueBook {
    /// How long a packet waited on average.
    #[must_use]
    pub fn mean_wait(&self) -> Duration {
        let mean = self.waited.as_nanos() / u128::from(self.served.max(1));
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }
}

#[derive(Debug)]
pub(super) struct Line<P> {
    bottleneck: Bottleneck,
    codel: Option<CoDel>,
    dice: Dice,
    is_bad: bool,
    queue: VecDeque<Waiting<P>>,
    waiting: usize,
    on_line: Option<(u64, Waiting<P>, bool)>,
    book: QueueBook,
}

#[derive(Debug)]
struct Waiting<P> {
    since: u64,
    flow: usize,
    len: usize,
    packet: P,
}

/// A packet that has left the line.
pub(super) struct Gone<P> {
    pub(super) flow: usize,
    pub(super) marked: bool,
    pub(super) packet: P,
}

impl<P> Line<P> {
    pub(super) fn new(bottleneck: Bottleneck, seed: u64) -> Self {
        let mut line = Self {
            bottleneck: bottleneck.clone(),
            codel: None,
            dice: Dice::new(seed),
            is_bad: false,
            queue: VecDeque::new(),
            waiting: 0,
            on_line: None,
            book: QueueBook::default(),
        };
        line.change(bottleneck);
        line
    }

    pub(super) fn change(&mut self, bottleneck: Bottleneck) {
        self.codel = match bottleneck.discipline {
            Discipline::DropTail => None,
            Discipline::CoDel { target, interval, marks } => {
                Some(CoDel::new(nanos(target), nanos(interval), marks))
            }
        };
        self.bottleneck = bottleneck;
    }

    pub(super) fn book(&self) -> &QueueBook {
        &self.book
    }

    pub(super) fn open_book(&mut self) {
        self.book = QueueBook::default();
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) fn departure(&self) -> Option<u64> {
        self.on_line.as_ref().map(|(at, ..)| *at)
    }

    pub(super) fn arrive(&mut self, now: u64, flow: usize, len: usize, packet: P) {
        let waiting = Waiting { since: now, flow, len, packet };
        if self.on_line.is_none() {
            self.serve(now, waiting, false);
        } else if self.waiting + len > self.bottleneck.buffer {
            self.book.dropped += 1;
        } else {
            self.waiting += len;
            self.queue.push_back(waiting);
        }
    }

    /// The packet on the line has left it; the next one enters.
    pub(super) fn depart(&mut self, now: u64) -> Option<Gone<P>> {
        let (_, gone, marked) = self.on_line.take()?;
        while let Some(next) = self.queue.pop_front() {
            self.waiting -= next.len;
            let verdict = match &mut self.codel {
                Some(codel) => codel.judge(now, now - next.since, self.waiting),
                None => Verdict::Pass,
            };
            match verdict {
                Verdict::Drop => self.book.dropped += 1,
                Verdict::Pass | Verdict::Mark => {
                    self.serve(now, next, verdict == Verdict::Mark);
                    break;
                }
            }
        }
        if self.bottleneck.loss.strikes(&mut self.is_bad, &mut self.dice) {
            self.book.lost += 1;
            return None;
        }
        Some(Gone { flow: gone.flow, marked, packet: gone.packet })
    }

    fn serve(&mut self, now: u64, packet: Waiting<P>, marked: bool) {
        let waited = Duration::from_nanos(now - packet.since);
        self.book.served += 1;
        self.book.bytes += packet.len as u64;
        self.book.marked += u64::from(marked);
        self.book.waited += waited;
        self.book.longest = self.book.longest.max(waited);
        let span = packet.len as u64 * 8 * 1_000_000_000 / self.bottleneck.rate.max(1);
        self.on_line = Some((now + span.max(1), packet, marked));
    }
}
