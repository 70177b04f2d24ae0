//! Streams are reset and added (RFC 6525): what we ask of the peer.
//!
//! A stream that is to be reset is held in the outbox until what was queued before has left; then it goes
//! into a request. One request is outstanding at a time, and repeated until it is answered; the others wait
//! and are told together. [`super::reconfig`] is the other side: what the peer asks of us.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use super::{Association, End, Event, State};
use crate::sctp::serial::Tsn;
use crate::sctp::wire::reconfig::{Outcome, Reconfig, Streams as Numbers};
use crate::sctp::wire::{kind, packet};

/// Streams in one request: it fits into the shortest packet there is.
const MOST: usize = 240;

/// Requests for more streams that wait.
const ADDITIONS: usize = 8;

/// Why streams cannot be reset or added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReconfigError {
    /// The peer does not know how to.
    #[error("the peer cannot change streams")]
    Unsupported,
    /// There is no such stream, or there cannot be so many.
    #[error("there is no such stream")]
    NoSuchStream,
    /// Too many requests wait already.
    #[error("too many requests wait already")]
    Full,
    /// The association is over or is being shut down.
    #[error("the association is over or about to be")]
    Ended,
}

/// A request of ours that has not been answered.
#[derive(Debug)]
struct Outstanding {
    request: u32,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Ours begin anew; none for all. `answers` is the peer's request that wanted it.
    Reset {
        streams: Vec<u16>,
        last: Tsn,
        answers: Option<u32>,
    },
    /// The peer's shall begin anew.
    Pull {
        streams: Vec<u16>,
    },
    Add {
        count: u16,
        outgoing: bool,
    },
}

/// The peer's request that we reset streams (§5.2.3).
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: u32,
    /// None for all.
    pub(super) streams: Vec<u16>,
    /// Those that still have something to send.
    pub(super) waiting: BTreeSet<u16>,
}

impl Asked {
    fn names(&self, stream: u16) -> bool {
        self.streams.is_empty() || self.streams.contains(&stream)
    }
}

/// What is going on with streams.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// The number of our next request.
    next: u32,
    /// The number of the peer's next request, and what has come of the last two.
    pub(super) expected: u32,
    pub(super) outcomes: [Option<Outcome>; 2],
    /// The peer's request whose reset is deferred.
    pub(super) deferred: Option<u32>,
    pub(super) asked: Option<Asked>,
    /// Streams to be reset that still have something to send.
    wanted: BTreeSet<u16>,
    /// Streams to be reset that have nothing more to send.
    drained: BTreeSet<u16>,
    /// Streams of the peer's to be reset.
    pulled: BTreeSet<u16>,
    additions: VecDeque<(u16, bool)>,
    outstanding: Option<Outstanding>,
    pub(super) at: Option<Instant>,
    repeats: u32,
    /// How often in a row the peer has had something else to do, and when it is asked again.
    refusals: u32,
    put_off: Option<Instant>,
}

impl Streams {
    /// An association begins; what has been wanted before stays so. The numbers of requests begin with the
    /// TSNs (§4.1).
    pub(super) fn begin(&mut self, own: Tsn, peer: Tsn) {
        (self.next, self.expected) = (own.0, peer.0);
        self.outcomes = [None; 2];
        (self.outstanding, self.asked, self.deferred, self.at) = (None, None, None, None);
        (self.refusals, self.put_off) = (0, None);
    }

    /// Whether something is to be done before the end.
    pub(super) fn is_busy(&self) -> bool {
        self.outstanding.is_some()
            || self.asked.is_some()
            || !self.wanted.is_empty()
            || !self.drained.is_empty()
    }

    /// Whether a request of ours is outstanding.
    pub(super) fn has_outstanding(&self) -> bool {
        self.outstanding.is_some()
    }

    /// Streams that have been asked for, or are to be.
    fn added(&self, outgoing: bool) -> usize {
        let asked = match self.outstanding {
            Some(Outstanding { what: What::Add { count, outgoing }, .. }) => {
                Some((count, outgoing))
            }
            _ => None,
        };
        let all = self.additions.iter().copied().chain(asked);
        all.filter(|one| one.1 == outgoing).map(|(count, _)| usize::from(count)).sum()
    }

    /// Whether there may be something else to ask for.
    fn has_more(&self) -> bool {
        self.asked.is_some()
            || !self.drained.is_empty()
            || !self.pulled.is_empty()
            || !self.additions.is_empty()
    }

    /// The next thing to ask for.
    fn next(&mut self, last: Tsn) -> Option<What> {
        if self.asked.as_ref().is_some_and(|asked| asked.waiting.is_empty()) {
            let asked = self.asked.take()?;
            self.drained.retain(|stream| !asked.names(*stream));
            let answers = Some(asked.request);
            return Some(What::Reset { streams: asked.streams, last, answers });
        }
        if self.put_off.is_some() {
            return None;
        }
        // What the peer has asked for is reset with the rest of it.
        let asked = self.asked.as_ref();
        let own = |stream: &u16| asked.is_none_or(|asked| !asked.names(*stream));
        let streams: Vec<u16> = self.drained.iter().copied().filter(own).take(MOST).collect();
        if !streams.is_empty() {
            self.drained.retain(|stream| !streams.contains(stream));
            return Some(What::Reset { streams, last, answers: None });
        }
        let streams: Vec<u16> = self.pulled.iter().copied().take(MOST).collect();
        if !streams.is_empty() {
            self.pulled.retain(|stream| !streams.contains(stream));
            return Some(What::Pull { streams });
        }
        let (count, outgoing) = self.additions.pop_front()?;
        Some(What::Add { count, outgoing })
    }

    /// The request that is outstanding, as a chunk.
    fn chunk(&self) -> Option<Vec<u8>> {
        let Outstanding { request, what } = self.outstanding.as_ref()?;
        let request = *request;
        let bytes = |streams: &[u16]| -> Vec<u8> {
            streams.iter().flat_map(|stream| stream.to_be_bytes()).collect()
        };
        let mut chunk = Vec::new();
        packet::write_chunk(&mut chunk, kind::RE_CONFIG, 0, |buf| match what {
            What::Reset { streams, last, answers } => {
                // §5.1.2 A4: the last request of the peer's that has been seen to.
                let unfinished = u32::from(self.deferred.is_some());
                let response = answers.unwrap_or(self.expected.wrapping_sub(1 + unfinished));
                let (streams, last_tsn) = (bytes(streams), last.0);
                let streams = Numbers::new(&streams);
                Reconfig::OutgoingReset { request, response, last_tsn, streams }.write(buf);
            }
            What::Pull { streams } => {
                let streams = bytes(streams);
                Reconfig::IncomingReset { request, streams: Numbers::new(&streams) }.write(buf);
            }
            What::Add { count, outgoing } => {
                let (count, outgoing) = (*count, *outgoing);
                Reconfig::AddStreams { request, count, outgoing }.write(buf);
            }
        });
        Some(chunk)
    }
}

impl Association {
    /// Has streams begin anew once everything queued on them has been sent (RFC 6525 §5.1.2), and tells
    /// with [`Event::ResetDone`] what has come of it. Messages queued meanwhile wait.
    ///
    /// # Errors
    /// If the peer cannot, as far as is known, or there is no such stream.
    pub fn reset_streams(&mut self, now: Instant, streams: &[u16]) -> Result<(), ReconfigError> {
        self.now = now;
        self.may_reconfigure()?;
        let limit = self.streams().0;
        if streams.iter().any(|stream| *stream >= limit) {
            return Err(ReconfigError::NoSuchStream);
        }
        for &stream in streams {
            let state = &mut self.reconfig;
            if state.drained.contains(&stream) || !state.wanted.insert(stream) {
                continue;
            }
            // One that is being reset already is held anew when that is over.
            if !self.is_resetting(stream) {
                self.outbox.hold(stream, true);
            }
        }
        self.advance_streams(now);
        Ok(())
    }

    /// Asks the peer to reset streams that it sends on (RFC 6525 §5.1.3). What comes of it is
    /// [`Event::StreamsReset`], or [`Event::ResetRefused`].
    ///
    /// # Errors
    /// If the peer cannot, as far as is known, or there is no such stream.
    pub fn request_reset(&mut self, now: Instant, streams: &[u16]) -> Result<(), ReconfigError> {
        self.now = now;
        self.may_reconfigure()?;
        let limit = self.streams().1;
        if streams.iter().any(|stream| *stream >= limit) {
            return Err(ReconfigError::NoSuchStream);
        }
        self.reconfig.pulled.extend(streams);
        self.advance_streams(now);
        Ok(())
    }

    /// Asks the peer for more streams, to send on or to receive on (RFC 6525 §5.1.5, §5.1.6). What comes of
    /// it is [`Event::StreamsAdded`] or [`Event::StreamsRefused`].
    ///
    /// # Errors
    /// If the peer cannot, as far as is known, or there cannot be so many.
    pub fn add_streams(
        &mut self,
        now: Instant,
        count: u16,
        outgoing: bool,
    ) -> Result<(), ReconfigError> {
        self.now = now;
        self.may_reconfigure()?;
        let (outbound, inbound) = self.streams();
        let known = if outgoing { outbound } else { inbound };
        // Those that are asked for already count as well.
        let sum = usize::from(known) + self.reconfig.added(outgoing) + usize::from(count);
        if count == 0 || sum > usize::from(self.config.streams_most) {
            return Err(ReconfigError::NoSuchStream);
        }
        if self.reconfig.additions.len() >= ADDITIONS {
            return Err(ReconfigError::Full);
        }
        self.reconfig.additions.push_back((count, outgoing));
        self.advance_streams(now);
        Ok(())
    }

    /// How many streams we may send on and how many the peer may: as many as we would like until the peer
    /// has said what it can.
    #[must_use]
    pub fn streams(&self) -> (u16, u16) {
        let most = self.config.streams;
        self.link.as_ref().map_or((most, most), |link| (link.outbound, link.inbound))
    }

    pub(super) fn may_reconfigure(&self) -> Result<(), ReconfigError> {
        match self.state {
            State::Closed | State::CookieWait | State::CookieEchoed | State::Established => {}
            _ => return Err(ReconfigError::Ended),
        }
        match &self.link {
            Some(link) if !link.peer.capabilities.reconfiguration => {
                Err(ReconfigError::Unsupported)
            }
            _ => Ok(()),
        }
    }

    /// Whether a reset of the stream is wanted that has not been asked for yet.
    pub(crate) fn will_reset(&self, stream: u16) -> bool {
        self.reconfig.wanted.contains(&stream) || self.reconfig.drained.contains(&stream)
    }

    /// Whether a reset of the stream has been asked for and not been answered.
    fn is_resetting(&self, stream: u16) -> bool {
        let outstanding = match &self.reconfig.outstanding {
            Some(Outstanding { what: What::Reset { streams, .. }, .. }) => {
                streams.is_empty() || streams.contains(&stream)
            }
            _ => false,
        };
        outstanding || self.reconfig.asked.as_ref().is_some_and(|asked| asked.names(stream))
    }

    /// Sends the next request, if none is outstanding (RFC 6525 §5.1.1).
    pub(super) fn advance_streams(&mut self, now: Instant) {
        for stream in self.outbox.take_drained() {
            let state = &mut self.reconfig;
            if let Some(asked) = &mut state.asked {
                asked.waiting.remove(&stream);
            }
            if state.wanted.remove(&stream) {
                state.drained.insert(stream);
            }
        }
        let open = matches!(self.state, State::Established | State::ShutdownPending);
        let Some(link) = self.link.as_ref().filter(|_| open) else { return };
        self.reconfig.put_off.take_if(|at| *at <= now);
        if self.reconfig.outstanding.is_some() || !self.reconfig.has_more() {
            return;
        }
        // §5.1.2 A3: the last that has been sent.
        let Some(what) = self.reconfig.next(link.sender.last_tsn()) else { return };
        let request = self.reconfig.next;
        self.reconfig.next = request.wrapping_add(1);
        self.reconfig.outstanding = Some(Outstanding { request, what });
        self.reconfig.repeats = 0;
        self.send_request(now);
    }

    fn send_request(&mut self, now: Instant) {
        let Some(chunk) = self.reconfig.chunk() else { return };
        self.control(chunk);
        let wait = self.timeout() * (1 << self.reconfig.repeats.min(10));
        self.reconfig.at = Some(now + wait.min(self.config.timeout_most));
    }

    /// The request is sent again by then.
    pub(super) fn hasten_request(&mut self, by: Instant) {
        self.reconfig.repeats = 0;
        self.reconfig.at = self.reconfig.at.map(|at| at.min(by));
    }

    /// The request has not been answered (§5.1.1: as data that is not acknowledged).
    pub(super) fn repeat_request(&mut self, now: Instant) {
        self.reconfig.at = None;
        if self.reconfig.outstanding.is_none() {
            self.advance_streams(now);
            return;
        }
        self.reconfig.repeats += 1;
        if self.reconfig.repeats > self.config.retransmissions {
            self.end(End::Unreachable);
            return;
        }
        self.send_request(now);
    }

    /// The peer has answered a request (§5.2.7).
    pub(super) fn handle_outcome(&mut self, now: Instant, request: u32, outcome: Option<Outcome>) {
        let matching = |outstanding: &mut Outstanding| outstanding.request == request;
        if outcome == Some(Outcome::Later) {
            if self.reconfig.outstanding.as_mut().is_some_and(matching) {
                // It is there, and not ready: that counts as no failure.
                self.reconfig.repeats = 0;
                self.reconfig.at = Some(now + self.timeout());
            }
            return;
        }
        let Some(Outstanding { what, .. }) = self.reconfig.outstanding.take_if(matching) else {
            return;
        };
        self.reconfig.at = self.reconfig.put_off.filter(|at| *at > now);
        let what = match outcome {
            Some(Outcome::InProgress) => match self.put_off(now, what) {
                Some(what) => what,
                None => return,
            },
            _ => what,
        };
        self.reconfig.refusals = 0;
        let done = matches!(outcome, Some(Outcome::Performed | Outcome::Nothing));
        match what {
            What::Reset { streams, last, answers } => {
                self.finish_reset(now, streams, last, answers, done);
            }
            What::Pull { streams } if !done => {
                self.events.push_back(Event::ResetRefused(streams));
            }
            What::Pull { .. } => {}
            What::Add { count, outgoing } if !done => {
                self.events.push_back(Event::StreamsRefused { count, outgoing });
            }
            // More to receive on are there when the peer asks for more to send on.
            What::Add { outgoing: false, .. } => {}
            What::Add { count, outgoing: true } => {
                if let Some(link) = &mut self.link {
                    link.outbound = link.outbound.saturating_add(count);
                }
                self.events.push_back(Event::StreamsAdded { count, outgoing: true });
            }
        }
        self.advance_streams(now);
    }

    /// §5.2.3: the peer has a request of its own under way. Ours waits, so that the peer's is not refused for it,
    /// and is made again with another number; not for ever, and not by both at the same time.
    fn put_off(&mut self, now: Instant, what: What) -> Option<What> {
        let wait = self.timeout() * self.spread / 1000;
        let state = &mut self.reconfig;
        if state.refusals >= self.config.retransmissions {
            return Some(what);
        }
        match what {
            What::Reset { answers: Some(_), .. } => return Some(what),
            What::Reset { streams, .. } => state.drained.extend(streams),
            What::Pull { streams } => state.pulled.extend(streams),
            What::Add { count, outgoing } => state.additions.push_front((count, outgoing)),
        }
        state.refusals += 1;
        state.put_off = Some(now + wait);
        state.at = state.put_off;
        None
    }

    /// The peer's own reset answers our request for it (§5.2.2 E1). Such a request only: others it may
    /// name before it is done with them.
    pub(super) fn handle_implied(&mut self, now: Instant, request: u32) {
        let pull = |one: &Outstanding| matches!(one.what, What::Pull { .. });
        if self.reconfig.outstanding.as_ref().is_some_and(pull) {
            self.handle_outcome(now, request, Some(Outcome::Performed));
        }
    }

    fn finish_reset(
        &mut self,
        now: Instant,
        streams: Vec<u16>,
        last: Tsn,
        answers: Option<u32>,
        done: bool,
    ) {
        if done {
            // The peer had everything up to there. Were it not acknowledged, a later FORWARD TSN would name
            // old numbers as those to go on from.
            self.handle_cumulative(now, last);
        }
        if let Some(request) = answers {
            let outcome = if done { Outcome::Performed } else { Outcome::Denied };
            self.reconfig.settle(request, outcome);
        }
        if streams.is_empty() {
            self.outbox.release_all(done);
        }
        for &stream in &streams {
            self.outbox.release(stream, done);
        }
        let again: Vec<u16> = self.reconfig.wanted.iter().copied().collect();
        for stream in again {
            if streams.is_empty() || streams.contains(&stream) {
                self.outbox.hold(stream, true);
            }
        }
        self.events.push_back(Event::ResetDone { streams, done });
    }

    /// Nothing more is reset: the peer cannot, or the association ends.
    pub(super) fn cancel_resets(&mut self) {
        let state = &mut self.reconfig;
        let mut streams: Vec<u16> = state.wanted.iter().chain(&state.drained).copied().collect();
        streams.sort_unstable();
        let cancelled = state.outstanding.take().map(|outstanding| outstanding.what);
        if let Some(What::Reset { streams: more, .. }) = cancelled {
            streams.extend(more);
        }
        state.wanted.clear();
        state.drained.clear();
        state.pulled.clear();
        state.additions.clear();
        (state.asked, state.at, state.put_off) = (None, None, None);
        self.outbox.release_all(false);
        self.outbox.take_drained();
        if !streams.is_empty() {
            self.events.push_back(Event::ResetDone { streams, done: false });
        }
    }
}
