//! What comes in: TSNs are noted, fragments put together, messages brought in order and handed out.
//!
//! Everything that is held counts against one limit ([`window`]): runs of fragments, complete messages
//! that wait for an earlier one, and messages that the application has not fetched. Data beyond it is
//! dropped without being acknowledged, unless it is the very next TSN, which always helps, or within the limit
//! but for what messages take beside their bytes: the peer knows nothing of that when it sends them. A stream
//! costs one entry of two numbers however many there are; what waits for earlier messages is one map for all.

mod acknowledge;
mod assembly;
mod reset;
mod tracker;
mod window;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustc_hash::FxHashMap;

pub(crate) use self::acknowledge::Acknowledge;
use self::assembly::Assembly;
use self::reset::Deferred;
use self::tracker::{Seen, Tracker};
use self::window::Window;
use super::Message;
use super::serial::{self, Tsn, widen16, widen32};
use super::wire::data::{BEGINNING, END, UNORDERED};
use super::wire::forward::Forward;
use super::wire::{Data, IData, Sack, sack};

/// What a message that waits is reckoned to cost beside its bytes.
const MESSAGE: usize = 104;

/// The same beyond that for one that came before an earlier one.
const EARLY: usize = 48;

/// The count of a stream's first message.
const FIRST: u64 = 1 << 32;

/// How far beyond the limit the next TSN is still taken.
const SLACK: usize = 64 * 1024;

/// How far beyond it what messages take beside their bytes may go: as many as can be under way at once.
const BESIDE: usize = u16::MAX as usize * (MESSAGE + EARLY);

/// What the peer must not do; ends the association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A message longer than was agreed.
    TooLong,
    /// The same part of a message twice under two TSNs.
    Overlap,
    /// Beginnings, ends and streams that do not fit together.
    Fragmentation,
}

/// DATA or I-DATA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment<'a> {
    pub(crate) tsn: Tsn,
    flags: u8,
    pub(crate) stream: u16,
    interleaved: bool,
    /// SSN or MID.
    number: u32,
    /// FSN, or with DATA the TSN's count.
    position: u64,
    ppid: u32,
    payload: &'a [u8],
}

impl<'a> Fragment<'a> {
    fn message(&self, payload: Bytes) -> Message {
        Message {
            stream: self.stream,
            ppid: self.ppid,
            unordered: self.flags & UNORDERED != 0,
            number: self.number,
            payload,
        }
    }
}

impl<'a> From<Data<'a>> for Fragment<'a> {
    fn from(data: Data<'a>) -> Self {
        Self {
            tsn: data.tsn,
            flags: data.flags,
            stream: data.stream,
            interleaved: false,
            number: data.ssn.into(),
            position: 0,
            ppid: data.ppid,
            payload: data.payload,
        }
    }
}

impl<'a> From<IData<'a>> for Fragment<'a> {
    fn from(data: IData<'a>) -> Self {
        Self {
            tsn: data.tsn,
            flags: data.flags,
            stream: data.stream,
            interleaved: true,
            number: data.mid,
            position: data.fsn.into(),
            ppid: data.ppid,
            payload: data.payload,
        }
    }
}

/// What the application fetches next.
#[derive(Debug)]
enum Ready {
    Message(Message),
    /// The streams' messages begin anew; none for all.
    Reset(Vec<u16>),
}

/// The receiving half of an association.
#[derive(Debug)]
pub(crate) struct Receiver {
    tracker: Tracker,
    assembly: Assembly,
    /// By stream, the count of the ordered message that is to be handed out next, if any has been.
    next: FxHashMap<u16, u64>,
    /// With I-DATA: by stream, the count after that of the last unordered message that was given up, if any
    /// has been.
    next_unordered: FxHashMap<u16, u64>,
    /// Ordered messages that came before earlier ones.
    waiting: BTreeMap<(u16, u64), Message>,
    ready: VecDeque<Ready>,
    deferred: Option<Deferred>,
    /// Bytes of messages that wait, for an earlier one or for the application.
    queued: usize,
    /// Those of them that wait for the application.
    unread: usize,
    window: Window,
    most_message: usize,
    pub(crate) acknowledge: Acknowledge,
    /// Data that was refused for lack of room or for being out of reach.
    pub(crate) refused: u64,
}

impl Receiver {
    /// `first` is the peer's first TSN.
    pub(crate) fn new(now: Instant, first: Tsn, limits: Limits) -> Self {
        Self {
            tracker: Tracker::new(serial::beginning(first.0) - 1),
            assembly: Assembly::default(),
            next: FxHashMap::default(),
            next_unordered: FxHashMap::default(),
            waiting: BTreeMap::new(),
            ready: VecDeque::new(),
            deferred: None,
            queued: 0,
            unread: 0,
            window: Window::new(now, limits.initial, limits.most),
            most_message: limits.message,
            acknowledge: Acknowledge::default(),
            refused: 0,
        }
    }

    fn held(&self) -> usize {
        self.assembly.held() + self.queued
    }

    /// What of that is no payload.
    fn beside(&self) -> usize {
        let queued = self.ready.len() * MESSAGE + self.waiting.len() * (MESSAGE + EARLY);
        self.assembly.beside() + queued
    }

    /// Takes a fragment; tells whether the sender should hear of it at once.
    pub(crate) fn handle_fragment(
        &mut self,
        now: Instant,
        mut fragment: Fragment<'_>,
        round_trip: Duration,
    ) -> Result<bool, Violation> {
        let cumulative = self.tracker.cumulative();
        let tsn = fragment.tsn.widen(cumulative);
        match self.tracker.classify(tsn) {
            Seen::New => {}
            Seen::Duplicate => {
                self.tracker.record_duplicate(fragment.tsn);
                return Ok(true);
            }
            Seen::Beyond => {
                self.refused += 1;
                return Ok(true);
            }
        }
        // RFC 6525 §5.2.2 E2: nothing of a stream comes after the reset that is not done yet. It is not held
        // but has to come again; whoever asked for the reset waits anyway.
        if self.deferred.as_ref().is_some_and(|deferred| deferred.covers(fragment.stream, tsn)) {
            self.refused += 1;
            return Ok(true);
        }
        // RFC 9260 §6.2.1: the peer keeps to the window in bytes of payload. Until it hears how much more its
        // messages take, it has sent many that must not count as lost for that.
        let slack = if tsn == cumulative + 1 { SLACK } else { 0 };
        let heard = self.window.has_long_been_closed(now, round_trip);
        let beside = if heard { 0 } else { self.beside().min(BESIDE).min(self.window.most()) };
        let slack = slack + beside;
        if self.held() + fragment.payload.len() > self.window.limit().saturating_add(slack) {
            self.refused += 1;
            return Ok(true);
        }
        let had_gaps = self.tracker.has_gaps();
        self.tracker.insert(tsn);
        if !fragment.interleaved {
            fragment.position = tsn;
        }
        // An application that leaves its messages lying gets no larger window.
        if self.unread < self.window.limit() / 4 {
            // What is unread is reckoned with what messages take beside their bytes, and so is the limit.
            let beside = if fragment.flags & END != 0 { MESSAGE } else { 0 };
            let bytes = fragment.payload.len() + beside;
            self.window.handle_consumed(now, bytes, self.unread, round_trip);
        }
        // A message that is longer than the window has to fit in as well, and so has what waits for an earlier
        // one: the sender reckons with its bytes only, and what is refused counts as lost with it.
        let waiting = self.held() - self.unread;
        if self.unread < self.window.limit() / 4 && waiting > self.window.limit() / 2 {
            self.window.grow();
        }
        if self.is_given_up(&fragment) {
            return Ok(had_gaps || self.tracker.has_gaps());
        }
        if let Some(message) = self.assembly.insert(&fragment, self.most_message)? {
            self.handle_message(message, fragment.interleaved);
        }
        if !fragment.interleaved {
            self.skip_dead();
        }
        Ok(had_gaps || self.tracker.has_gaps())
    }

    /// Whether a piece belongs to a message that an I-FORWARD-TSN has named: the rest of it has been forgotten,
    /// and as its own TSN counts as received then, nothing would ever forget the piece.
    fn is_given_up(&self, fragment: &Fragment<'_>) -> bool {
        const WHOLE: u8 = BEGINNING | END;
        if !fragment.interleaved || fragment.flags & WHOLE == WHOLE {
            return false;
        }
        let unordered = fragment.flags & UNORDERED != 0;
        let next = if unordered { &self.next_unordered } else { &self.next };
        next.get(&fragment.stream).is_some_and(|next| widen32(fragment.number, *next) < *next)
    }

    /// A message is complete.
    fn handle_message(&mut self, message: Message, interleaved: bool) {
        if message.unordered {
            self.hand_out(message);
            return;
        }
        let next = self.next.get(&message.stream).copied().unwrap_or(FIRST);
        let count = widened(message.number, next, interleaved);
        if count < next {
            return;
        }
        if count > next {
            self.queued += message.payload.len() + MESSAGE + EARLY;
            if let Some(twice) = self.waiting.insert((message.stream, count), message) {
                self.queued -= twice.payload.len() + MESSAGE + EARLY;
            }
            return;
        }
        let stream = message.stream;
        self.hand_out(message);
        self.hand_out_waiting(stream, next + 1);
    }

    /// With DATA: messages that can never be whole are not waited for.
    fn skip_dead(&mut self) {
        let cumulative = self.tracker.cumulative();
        while let Some((stream, unordered, number)) = self.assembly.take_dead(cumulative) {
            let next = self.next.get(&stream).copied().unwrap_or(FIRST);
            let count = widened(number, next, false);
            if !unordered && count >= next {
                self.hand_out_waiting(stream, count + 1);
            }
        }
    }

    fn hand_out(&mut self, message: Message) {
        self.queued += message.payload.len() + MESSAGE;
        self.unread += message.payload.len() + MESSAGE;
        self.ready.push_back(Ready::Message(message));
    }

    /// Hands out what the stream has waited with, from the message `next` on.
    fn hand_out_waiting(&mut self, stream: u16, mut next: u64) {
        let first = |waiting: &BTreeMap<(u16, u64), Message>| {
            waiting.range((stream, 0)..=(stream, u64::MAX)).next().map(|(key, _)| *key)
        };
        while let Some(key) = first(&self.waiting).filter(|(_, count)| *count <= next) {
            let Some(message) = self.waiting.remove(&key) else { break };
            // What was skipped lies behind `next` and does not lead back.
            next = next.max(key.1 + 1);
            self.queued -= EARLY;
            self.unread += message.payload.len() + MESSAGE;
            self.ready.push_back(Ready::Message(message));
        }
        self.next.insert(stream, next);
    }

    /// RFC 3758 §3.6: what will not come any more is not waited for.
    pub(crate) fn handle_forward(&mut self, forward: &Forward<'_>, interleaved: bool) {
        let tsn = forward.cumulative.widen(self.tracker.cumulative());
        // What leaps further than a window was not made from a window.
        if tsn <= self.tracker.cumulative() || tsn > self.tracker.cumulative() + (1 << 20) {
            return;
        }
        self.tracker.advance(tsn);
        if !interleaved {
            self.skip_dead();
            self.assembly.forget_until(tsn, self.tracker.cumulative());
        }
        for skipped in forward.skipped() {
            if interleaved {
                self.assembly.forget_messages(skipped.stream, skipped.unordered, skipped.last);
            }
            if skipped.unordered {
                if interleaved {
                    let next = self.next_unordered.entry(skipped.stream).or_insert(FIRST);
                    *next = (*next).max(widen32(skipped.last, *next) + 1);
                }
                continue;
            }
            let next = self.next.get(&skipped.stream).copied().unwrap_or(FIRST);
            let last = widened(skipped.last, next, interleaved);
            // What had come of the skipped ones is handed out all the same, in order.
            if last >= next {
                self.hand_out_waiting(skipped.stream, last + 1);
            }
        }
    }

    /// The next message, in the order in which they may be handed out; none where a reset comes first.
    pub(crate) fn take_message(&mut self) -> Option<Message> {
        let is_message = |next: &mut Ready| matches!(next, Ready::Message(_));
        let Ready::Message(message) = self.ready.pop_front_if(is_message)? else { return None };
        self.queued -= message.payload.len() + MESSAGE;
        self.unread -= message.payload.len() + MESSAGE;
        if self.window.has_opened(self.held()) {
            self.acknowledge = Acknowledge::Now;
        }
        Some(message)
    }

    /// What [`take_message()`](Self::take_message) would give.
    pub(crate) fn peek_message(&self) -> Option<&Message> {
        match self.ready.front()? {
            Ready::Message(message) => Some(message),
            Ready::Reset(_) => None,
        }
    }

    /// The stream's next ordered message has this number.
    #[cfg(test)]
    pub(crate) fn begin_at(&mut self, stream: u16, number: u32) {
        self.next.insert(stream, FIRST + u64::from(number));
    }

    /// All up to this has come.
    pub(crate) fn cumulative(&self) -> u64 {
        self.tracker.cumulative()
    }

    /// Appends a SACK's value of at most `room` bytes.
    pub(crate) fn write_sack(&mut self, buf: &mut Vec<u8>, room: usize) {
        self.acknowledge = Acknowledge::Nothing;
        let duplicates = self.tracker.take_duplicates();
        let most = room.saturating_sub(sack::OVERHEAD + duplicates.len() * 4) / 4;
        let gaps = self.tracker.blocks(most);
        let window = self.window.advertise(self.held());
        let cumulative = Tsn::of(self.tracker.cumulative());
        Sack::write(buf, cumulative, window, &gaps, &duplicates);
    }
}

/// Bounds of a [`Receiver`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The window at first.
    pub(crate) initial: usize,
    /// How far it may grow.
    pub(crate) most: usize,
    /// The longest message.
    pub(crate) message: usize,
}

#[expect(clippy::cast_possible_truncation, reason = "an SSN has 16 bits")]
fn widened(number: u32, near: u64, interleaved: bool) -> u64 {
    if interleaved { widen32(number, near) } else { widen16(number as u16, near) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_reckoned_with_what_it_takes() {
        // Queues are half full or more, the nodes of a map six elevenths; what an allocator takes for the
        // shortest of payloads.
        let ready = size_of::<Ready>() * 3 / 2 + 32;
        let waiting = size_of::<((u16, u64), Message)>() * 11 / 6 + 32;
        assert!(ready <= MESSAGE && waiting <= MESSAGE + EARLY, "{ready}, {waiting}");
    }
}
