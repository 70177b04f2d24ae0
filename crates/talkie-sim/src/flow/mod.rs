//! Flows through one bottleneck, in virtual time.
//!
//! A bulk transfer over a fast line is millions of packets, and all that matters to congestion control
//! happens in one queue. So there are no boxes, addresses and bytes here: a [`Flow`] says how large its
//! packets are, one [`Bottleneck`] serves them in order of arrival, and each flow has its own delay there
//! and back. Reports come back by a way that is never full. The packets' contents belong to the flow: a
//! model of a sender puts numbers there, a real association its datagrams.
//!
//! The next event is the earliest of a handful: the line's next departure and, for each flow, its
//! oldest packet and report under way, its timer and its beginning. Delays are constant, so that what a
//! flow has under way arrives in order and no heap is needed.

mod bottleneck;
mod codel;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use bottleneck::{Bottleneck, Discipline, QueueBook};

use bottleneck::Line;

use crate::net::nanos;

/// Both ends of a transfer.
pub trait Flow {
    /// What a packet carries.
    type Packet;

    /// The next packet of the sender, and its length on the line; none as long as it must wait.
    fn poll_data(&mut self, now: Instant) -> Option<(usize, Self::Packet)>;

    /// A packet reaches the receiver, marked by the bottleneck or not.
    fn handle_data(&mut self, now: Instant, packet: Self::Packet, marked: bool);

    /// The next report of the receiver.
    fn poll_report(&mut self, now: Instant) -> Option<Self::Packet>;

    /// A report reaches the sender.
    fn handle_report(&mut self, now: Instant, report: Self::Packet);

    /// When one of the two ends has something to do.
    fn poll_timeout(&self) -> Option<Instant>;

    /// It is that time, or later.
    fn handle_timeout(&mut self, now: Instant);

    /// What the sender thinks of the path.
    fn gauge(&self) -> Gauge;
}

/// What is worth drawing of a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauge {
    /// Bytes that may be in flight.
    pub window: u64,
    /// Bytes that are.
    pub in_flight: u64,
    /// Bytes per second.
    pub pacing_rate: u64,
    /// The last round trip measured.
    pub rtt: Duration,
    /// Bytes that the receiver has got, each once.
    pub delivered: u64,
    /// Bytes taken for lost.
    pub lost: u64,
}

/// A flow's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// From the bottleneck to the receiver.
    pub forth: Duration,
    /// From the receiver to the sender.
    pub back: Duration,
    /// When the flow begins.
    pub starts: Duration,
}

impl Route {
    /// As long there as back, from the beginning.
    #[must_use]
    pub fn each_way(delay: Duration) -> Self {
        Self { forth: delay, back: delay, starts: Duration::ZERO }
    }

    /// The same, but beginning later.
    #[must_use]
    pub fn starting(self, starts: Duration) -> Self {
        Self { starts, ..self }
    }
}

/// The state of everything at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Since the beginning.
    pub at: Duration,
    /// Bytes in the queue.
    pub queue: usize,
    /// Each flow.
    pub flows: Vec<Gauge>,
}

/// Flows at work.
#[derive(Debug)]
pub struct Run<F: Flow> {
    start: Instant,
    now: u64,
    line: Line<F::Packet>,
    ways: Vec<Way<F>>,
    samples: Vec<Sample>,
    sampled_every: u64,
}

#[derive(Debug)]
struct Way<F: Flow> {
    flow: F,
    forth: u64,
    back: u64,
    starts: u64,
    has_started: bool,
    timeout: Option<u64>,
    data: VecDeque<(u64, bool, F::Packet)>,
    reports: VecDeque<(u64, F::Packet)>,
}

/// What happens next.
#[derive(Clone, Copy)]
enum Next {
    Departure,
    Data(usize),
    Report(usize),
    Timeout(usize),
    Sample,
}

impl<F: Flow> Run<F> {
    /// Nothing but a bottleneck; `start` is only where the flows' clocks begin.
    #[must_use]
    pub fn new(start: Instant, seed: u64, bottleneck: Bottleneck) -> Self {
        let line = Line::new(bottleneck, seed);
        Self { start, now: 0, line, ways: Vec::new(), samples: Vec::new(), sampled_every: 0 }
    }

    /// One more flow; the number by which it is known.
    pub fn add(&mut self, flow: F, route: Route) -> usize {
        self.ways.push(Way {
            flow,
            forth: nanos(route.forth),
            back: nanos(route.back),
            starts: nanos(route.starts),
            has_started: false,
            timeout: Some(nanos(route.starts)),
            data: VecDeque::new(),
            reports: VecDeque::new(),
        });
        self.ways.len() - 1
    }

    /// Keeps the state of everything this often.
    pub fn sample_every(&mut self, span: Duration) {
        self.sampled_every = nanos(span);
    }

    /// Another bottleneck from now on; what waits in the queue stays there.
    pub fn change(&mut self, bottleneck: Bottleneck) {
        self.line.change(bottleneck);
    }

    /// Plays until this long after the beginning.
    pub fn run_until(&mut self, end: Duration) {
        let end = nanos(end);
        while let Some((at, next)) = self.next().filter(|(at, _)| *at <= end) {
            self.now = at;
            self.happen(next);
        }
        self.now = end;
    }

    /// A flow, by its number.
    #[must_use]
    pub fn flow(&self, number: usize) -> &F {
        &self.ways[number].flow
    }

    /// What the queue has seen.
    #[must_use]
    pub fn queue(&self) -> &QueueBook {
        self.line.book()
    }

    /// Forgets what the queue has seen so far.
    pub fn open_queue_book(&mut self) {
        self.line.open_book();
    }

    /// What was kept.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn next(&self) -> Option<(u64, Next)> {
        let mut next: Option<(u64, Next)> = None;
        let mut offer = |at: u64, what: Next| {
            if next.is_none_or(|(earliest, _)| at < earliest) {
                next = Some((at, what));
            }
        };
        if let Some(at) = self.line.departure() {
            offer(at, Next::Departure);
        }
        for (number, way) in self.ways.iter().enumerate() {
            if let Some((at, ..)) = way.data.front() {
                offer(*at, Next::Data(number));
            }
            if let Some((at, _)) = way.reports.front() {
                offer(*at, Next::Report(number));
            }
            if let Some(at) = way.timeout {
                offer(at.max(self.now), Next::Timeout(number));
            }
        }
        if self.sampled_every > 0 {
            offer(self.samples.len() as u64 * self.sampled_every, Next::Sample);
        }
        next
    }

    fn happen(&mut self, next: Next) {
        let now = self.start + Duration::from_nanos(self.now);
        let number = match next {
            Next::Departure => {
                if let Some(gone) = self.line.depart(self.now) {
                    let way = &mut self.ways[gone.flow];
                    way.data.push_back((self.now + way.forth, gone.marked, gone.packet));
                }
                return;
            }
            Next::Sample => return self.sample(),
            Next::Data(number) => {
                let way = &mut self.ways[number];
                if let Some((_, marked, packet)) = way.data.pop_front() {
                    way.flow.handle_data(now, packet, marked);
                }
                number
            }
            Next::Report(number) => {
                let way = &mut self.ways[number];
                if let Some((_, report)) = way.reports.pop_front() {
                    way.flow.handle_report(now, report);
                }
                number
            }
            Next::Timeout(number) => {
                let way = &mut self.ways[number];
                if way.has_started {
                    way.flow.handle_timeout(now);
                }
                way.has_started |= way.starts <= self.now;
                number
            }
        };
        self.empty(number, now);
    }

    /// Takes all that a flow wants to send.
    fn empty(&mut self, number: usize, now: Instant) {
        let way = &mut self.ways[number];
        while let Some((len, packet)) = way.flow.poll_data(now) {
            self.line.arrive(self.now, number, len, packet);
        }
        while let Some(report) = way.flow.poll_report(now) {
            way.reports.push_back((self.now + way.back, report));
        }
        way.timeout = way.flow.poll_timeout().map(|at| {
            // A timer is never due at once, or the run would stand still.
            nanos(at.saturating_duration_since(self.start)).max(self.now + 1)
        });
    }

    fn sample(&mut self) {
        let flows = self.ways.iter().map(|way| way.flow.gauge()).collect();
        let at = Duration::from_nanos(self.now);
        self.samples.push(Sample { at, queue: self.line.waiting(), flows });
    }
}
