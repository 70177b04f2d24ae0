//! One end of a TCP connection (RFC 9293), as far as a simulation needs it: the handshake, also when both
//! open at once, numbers and acknowledgements, retransmission by timer (RFC 6298) and after three
//! duplicate acknowledgements, orderly and sudden ends.
//!
//! What is left out: congestion control (a fixed window of 64 KiB is in flight at most), delayed
//! acknowledgements, half-closed connections, TIME-WAIT, options. A message is one segment, or several of
//! which the last has the flag PSH; no segment has parts of two, so that the flag is all the framing
//! there is.
//!
//! Numbers are kept in 64 bits; the wire has the lower half.

use std::collections::{BTreeMap, VecDeque};

use talkie_sansio::Path;

use crate::nat::Flags;
use crate::packet::build::Segment;

/// The most bytes of payload in a segment: with headers no more than 1280 bytes, which every IPv6 link
/// carries. There is no path MTU discovery.
pub(super) const SEGMENT: usize = 1220;
const WINDOW: u64 = 65_535;
/// The most bytes that wait for their turn.
const MOST_WAITING: usize = 1 << 20;
const MILLISECOND: u64 = 1_000_000;
/// RFC 6298 §2.1.
const FIRST_TIMEOUT: u64 = 1000 * MILLISECOND;
/// RFC 6298 §2.4 asks for a second, all systems take less.
const LEAST_TIMEOUT: u64 = 200 * MILLISECOND;
const MOST_TIMEOUT: u64 = 60_000 * MILLISECOND;
/// Six more SYNs, as Linux sends them; after about two minutes a peer that does not answer is given up.
const MOST_TRIES_TO_OPEN: u32 = 7;
/// Fifteen more times, as Linux does it; RFC 9293 §3.8.3 asks for 100 seconds at least.
const MOST_TRIES: u32 = 16;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) path: Path,
    /// Sent and not acknowledged, oldest first.
    outstanding: VecDeque<Unit>,
    waiting: VecDeque<(Flags, Vec<u8>)>,
    waiting_bytes: usize,
    next: u64,
    has_begun: bool,
    has_ended: bool,
    is_heard: bool,
    is_open: bool,
    /// What the peer sends next, once it has sent its SYN.
    expected: Option<u64>,
    peer_has_ended: bool,
    early: BTreeMap<u64, (Flags, Vec<u8>)>,
    message: Vec<u8>,
    duplicates: u32,
    /// Up to where everything is sent again, one for each acknowledgement.
    recovers_to: Option<u64>,
    smoothed: Option<(u64, u64)>,
    timeout: u64,
    pub(super) deadline: Option<u64>,
}

/// What takes room in the stream: bytes, its beginning, its end.
#[derive(Debug)]
struct Unit {
    at: u64,
    flags: Flags,
    payload: Vec<u8>,
    sent: u64,
    tries: u32,
}

/// What comes out of a connection.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) segments: Vec<(Segment, Vec<u8>)>,
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) opened: bool,
    pub(super) ended: Option<End>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Both sides have said that they were done.
    Finished,
    /// Nobody listens there.
    Refused,
    /// The other side does not know the connection.
    Reset,
    /// The other side does not answer.
    TimedOut,
}

impl Unit {
    fn end(&self) -> u64 {
        self.at + length(self.flags, &self.payload)
    }
}

fn length(flags: Flags, payload: &[u8]) -> u64 {
    let marks = u64::from(flags.contains(Flags::SYN)) + u64::from(flags.contains(Flags::FIN));
    payload.len() as u64 + marks
}

/// The number near `near` that has these lower 32 bits.
fn widen(number: u32, near: u64) -> u64 {
    let distance = number.wrapping_sub(near as u32).cast_signed();
    near.wrapping_add_signed(distance.into())
}

impl Connection {
    /// A connection whose stream begins at `first`.
    pub(super) fn new(path: Path, first: u32) -> Self {
        Self {
            path,
            outstanding: VecDeque::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            // Nothing is ever before zero.
            next: u64::from(first) + (1 << 32),
            has_begun: false,
            has_ended: false,
            is_heard: false,
            is_open: false,
            expected: None,
            peer_has_ended: false,
            early: BTreeMap::new(),
            message: Vec::new(),
            duplicates: 0,
            recovers_to: None,
            smoothed: None,
            timeout: FIRST_TIMEOUT,
            deadline: None,
        }
    }

    pub(super) fn open(&mut self, now: u64, out: &mut Output) {
        if !self.has_begun {
            self.has_begun = true;
            self.waiting.push_front((Flags::SYN, Vec::new()));
            self.flush(now, out);
        }
    }

    /// Sends a message; `false` if too much is waiting, or the end has been sent.
    pub(super) fn send(&mut self, now: u64, message: &[u8], out: &mut Output) -> bool {
        if self.has_ended || self.waiting_bytes + message.len() > MOST_WAITING {
            return false;
        }
        self.waiting_bytes += message.len();
        let mut parts = message.chunks(SEGMENT).peekable();
        while let Some(part) = parts.next() {
            let flags = if parts.peek().is_none() { Flags::PSH } else { Flags::default() };
            self.waiting.push_back((flags, part.to_vec()));
        }
        self.flush(now, out);
        true
    }

    /// Ends the stream after what was sent.
    pub(super) fn close(&mut self, now: u64, out: &mut Output) {
        if !self.has_ended {
            self.has_ended = true;
            self.waiting.push_back((Flags::FIN, Vec::new()));
            self.flush(now, out);
        }
    }

    pub(super) fn handle_segment(
        &mut self,
        now: u64,
        segment: Segment,
        payload: &[u8],
        out: &mut Output,
    ) {
        let flags = segment.flags;
        let near = self.expected.unwrap_or_else(|| u64::from(segment.sequence) + (1 << 32));
        let at = widen(segment.sequence, near);
        let acknowledged =
            flags.contains(Flags::ACK).then(|| widen(segment.acknowledgement, self.next));
        if flags.contains(Flags::RST) {
            return self.handle_reset(at, acknowledged, out);
        }
        if acknowledged.is_some_and(|number| number > self.next)
            || (acknowledged.is_some() && !self.has_begun)
        {
            // RFC 9293 §3.10.7.3, §3.10.7.4: it speaks of what was never sent.
            if self.is_open {
                self.acknowledge(out);
            } else {
                let sequence = segment.acknowledgement;
                let reset = Segment { flags: Flags::RST, sequence, ..Segment::default() };
                out.segments.push((reset, Vec::new()));
            }
            return;
        }
        if flags.contains(Flags::SYN) && self.expected.is_none() {
            self.expected = Some(at + 1);
        }
        if self.expected.is_none() {
            return;
        }
        if let Some(number) = acknowledged {
            let is_bare = length(flags, payload) == 0;
            self.handle_acknowledgement(now, number, is_bare, out);
        }
        if !self.is_open && self.is_heard {
            self.is_open = true;
            out.opened = true;
        }
        if length(flags, payload) > 0 {
            self.receive(now, at, flags, payload, out);
            if self.is_heard {
                self.acknowledge(out);
            } else if self.has_begun {
                // RFC 9293 §3.5, figure 8: both have begun; now the SYN acknowledges as well.
                self.send_again(now, out);
            } else {
                self.open(now, out);
            }
        }
        self.flush(now, out);
        let is_done = self.outstanding.is_empty() && self.waiting.is_empty();
        if self.peer_has_ended && self.has_ended && is_done {
            out.ended = Some(End::Finished);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: u64, out: &mut Output) {
        if self.deadline.is_none_or(|at| at > now) {
            return;
        }
        let Some(first) = self.outstanding.front() else {
            self.deadline = None;
            return;
        };
        let most = if self.is_heard { MOST_TRIES } else { MOST_TRIES_TO_OPEN };
        if first.tries >= most {
            out.ended = Some(End::TimedOut);
            return;
        }
        // RFC 6298 §5.5 to §5.7.
        self.timeout = (self.timeout * 2).min(MOST_TIMEOUT);
        self.recovers_to = self.is_heard.then_some(self.next);
        self.duplicates = 0;
        self.send_again(now, out);
        self.deadline = Some(now + self.timeout);
    }

    fn handle_reset(&self, at: u64, acknowledged: Option<u64>, out: &mut Output) {
        // RFC 9293 §3.10.7.3, and RFC 5961 §3.2 for what is open: exactly the next number counts.
        let counts = match self.expected {
            None => acknowledged == Some(self.next) && self.has_begun,
            Some(expected) => at == expected,
        };
        if counts {
            out.ended = Some(match (self.is_open, self.peer_has_ended) {
                (_, true) => End::Finished,
                (true, false) => End::Reset,
                (false, false) => End::Refused,
            });
        }
    }

    fn handle_acknowledgement(&mut self, now: u64, number: u64, is_bare: bool, out: &mut Output) {
        let mut sample = None;
        let mut is_news = false;
        while let Some(unit) = self.outstanding.pop_front_if(|unit| unit.end() <= number) {
            self.is_heard |= unit.flags.contains(Flags::SYN);
            // RFC 6298 §3: what was sent again tells nothing of the round trip.
            sample = (unit.tries == 1).then(|| now - unit.sent).or(sample);
            is_news = true;
        }
        if is_news {
            self.duplicates = 0;
            sample.inspect(|sample| self.measure(*sample));
            self.relax();
            self.deadline = (!self.outstanding.is_empty()).then(|| now + self.timeout);
            if self.recovers_to.is_some_and(|end| number < end) {
                self.send_again(now, out);
            } else {
                self.recovers_to = None;
            }
        } else if is_bare && !self.outstanding.is_empty() {
            self.duplicates += 1;
            // RFC 5681 §3.2.
            if self.duplicates == 3 && self.recovers_to.is_none() {
                self.recovers_to = Some(self.next);
                self.send_again(now, out);
            }
        }
    }

    /// RFC 6298 §2.2, §2.3.
    fn measure(&mut self, sample: u64) {
        let (smoothed, variation) = match self.smoothed {
            None => (sample, sample / 2),
            Some((smoothed, variation)) => (
                smoothed - smoothed / 8 + sample / 8,
                variation - variation / 4 + smoothed.abs_diff(sample) / 4,
            ),
        };
        self.smoothed = Some((smoothed, variation));
    }

    /// The timeout as it is while the peer answers. RFC 6298 §5 would wait for a sample, which on a
    /// lossy link hardly comes.
    fn relax(&mut self) {
        self.timeout = self.smoothed.map_or(FIRST_TIMEOUT, |(smoothed, variation)| {
            (smoothed + 4 * variation).clamp(LEAST_TIMEOUT, MOST_TIMEOUT)
        });
    }

    fn receive(&mut self, now: u64, at: u64, flags: Flags, payload: &[u8], out: &mut Output) {
        let Some(expected) = self.expected else { return };
        if at > expected && at - expected < WINDOW {
            self.early.insert(at, (flags, payload.to_vec()));
        } else if at == expected {
            self.accept(now, flags, payload, out);
        }
        while let Some((flags, payload)) =
            self.expected.and_then(|expected| self.early.remove(&expected))
        {
            self.accept(now, flags, &payload, out);
        }
    }

    fn accept(&mut self, now: u64, flags: Flags, payload: &[u8], out: &mut Output) {
        self.message.extend_from_slice(payload);
        if flags.contains(Flags::PSH) {
            out.messages.push(std::mem::take(&mut self.message));
        }
        self.expected = self.expected.map(|expected| expected + length(flags, payload));
        if flags.contains(Flags::FIN) {
            self.peer_has_ended = true;
            self.close(now, out);
        }
    }

    fn acknowledge(&self, out: &mut Output) {
        out.segments.push((self.header(Flags::default(), self.next), Vec::new()));
    }

    /// Sends the oldest of what is outstanding again.
    fn send_again(&mut self, now: u64, out: &mut Output) {
        let Some(unit) = self.outstanding.front_mut() else { return };
        (unit.tries, unit.sent) = (unit.tries + 1, now);
        let (flags, at, payload) = (unit.flags, unit.at, unit.payload.clone());
        out.segments.push((self.header(flags, at), payload));
    }

    /// Sends what waits, as far as the window goes.
    fn flush(&mut self, now: u64, out: &mut Output) {
        while let Some((flags, payload)) = self.waiting.front() {
            let oldest = self.outstanding.front().map_or(self.next, |unit| unit.at);
            let is_begin = flags.contains(Flags::SYN);
            let fits = self.next - oldest + payload.len() as u64 <= WINDOW;
            if !(is_begin || self.is_open && fits) {
                return;
            }
            let Some((flags, payload)) = self.waiting.pop_front() else { return };
            self.waiting_bytes -= payload.len();
            out.segments.push((self.header(flags, self.next), payload.clone()));
            let unit = Unit { at: self.next, flags, payload, sent: now, tries: 1 };
            self.next = unit.end();
            self.outstanding.push_back(unit);
            self.deadline = self.deadline.or(Some(now + self.timeout));
        }
    }

    fn header(&self, flags: Flags, at: u64) -> Segment {
        let acknowledgement = self.expected.map_or(0, |expected| expected as u32);
        let flags = if self.expected.is_some() { flags | Flags::ACK } else { flags };
        Segment { flags, sequence: at as u32, acknowledgement, window: WINDOW as u16 }
    }
}
