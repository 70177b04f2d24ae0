//! What the peer asks for: streams that begin anew, and more of them (RFC 6525 §5.2).
//!
//! The last two of its requests are remembered with their outcomes, so that one that comes again is
//! answered again and not done twice. A reset waits until everything sent before it has come; its answer
//! until then is that it is in progress.

use std::collections::BTreeSet;
use std::time::Instant;

use super::streams::{Asked, Streams};
use super::{Association, Event, State};
use crate::sctp::serial::Tsn;
use crate::sctp::wire::packet::HEADER;
use crate::sctp::wire::reconfig::{Outcome, Reconfig, Streams as Numbers};
use crate::sctp::wire::{Parameters, kind, packet};

/// Bytes of an outgoing reset without its streams, with the chunk's header.
const RESET: usize = 20;

impl Streams {
    /// The outcome of one of the last two requests has changed.
    pub(super) fn settle(&mut self, request: u32, outcome: Outcome) {
        let age = self.expected.wrapping_sub(request).wrapping_sub(1);
        if let Some(known) = usize::try_from(age).ok().and_then(|age| self.outcomes.get_mut(age)) {
            *known = Some(outcome);
        }
    }

    /// Whether a request is the next; otherwise what to answer.
    fn take_number(&mut self, request: u32) -> Result<(), Outcome> {
        if request == self.expected {
            self.expected = request.wrapping_add(1);
            self.outcomes = [Some(Outcome::Later), self.outcomes[0]];
            return Ok(());
        }
        let age = self.expected.wrapping_sub(request).wrapping_sub(1);
        let known = usize::try_from(age).ok().and_then(|age| self.outcomes.get(age).copied());
        Err(known.flatten().unwrap_or(Outcome::BadSequence))
    }
}

impl Association {
    pub(super) fn handle_reconfig(&mut self, now: Instant, value: &[u8]) {
        let known = matches!(
            self.state,
            State::Established
                | State::ShutdownPending
                | State::ShutdownSent
                | State::ShutdownReceived
        );
        if !known || self.link.is_none() {
            self.counters.unexpected += 1;
            return;
        }
        let mut answers = Vec::new();
        // §3.1: one or two.
        for parameter in Parameters::new(value).take(2) {
            let Some(reconfig) = Reconfig::parse(&parameter) else {
                self.counters.unexpected += 1;
                break;
            };
            let (request, outcome) = match reconfig {
                Reconfig::Response { request, outcome } => {
                    self.handle_outcome(now, request, outcome);
                    continue;
                }
                Reconfig::OutgoingReset { request, .. }
                | Reconfig::IncomingReset { request, .. }
                | Reconfig::TsnReset { request }
                | Reconfig::AddStreams { request, .. } => {
                    if let Reconfig::OutgoingReset { response, .. } = reconfig {
                        self.handle_implied(now, response);
                    }
                    (request, self.handle_request(now, request, &reconfig))
                }
            };
            if let Some(outcome) = outcome {
                Reconfig::Response { request, outcome: Some(outcome) }.write(&mut answers);
            }
        }
        if !answers.is_empty() {
            self.answer_requests(&answers);
        }
        self.advance_streams(now);
    }

    fn answer_requests(&mut self, answers: &[u8]) {
        let mut chunk = Vec::new();
        packet::write_chunk(&mut chunk, kind::RE_CONFIG, 0, |buf| buf.extend_from_slice(answers));
        self.control(chunk);
    }

    /// What to answer, if it is not a request of ours that answers.
    fn handle_request(
        &mut self,
        now: Instant,
        request: u32,
        reconfig: &Reconfig<'_>,
    ) -> Option<Outcome> {
        if let Err(outcome) = self.reconfig.take_number(request) {
            return Some(outcome);
        }
        let outcome = match *reconfig {
            Reconfig::OutgoingReset { last_tsn, streams, .. } => {
                self.handle_outgoing_reset(request, Tsn(last_tsn), streams)
            }
            Reconfig::IncomingReset { streams, .. } => {
                match self.handle_incoming_reset(request, streams) {
                    Ok(()) => {
                        self.advance_streams(now);
                        return None;
                    }
                    Err(outcome) => outcome,
                }
            }
            Reconfig::AddStreams { count, outgoing, .. } => {
                self.handle_addition(now, count, outgoing)
            }
            // §5.2.4 lets it be denied; nothing in WebRTC asks for it.
            Reconfig::TsnReset { .. } | Reconfig::Response { .. } => Outcome::Denied,
        };
        self.reconfig.settle(request, outcome);
        Some(outcome)
    }

    /// §5.2.2: the peer's streams begin anew.
    fn handle_outgoing_reset(&mut self, request: u32, last: Tsn, streams: Numbers<'_>) -> Outcome {
        let limit = self.streams().1;
        let Some(link) = &mut self.link else { return Outcome::Denied };
        if streams.iter().any(|stream| stream >= limit) {
            return Outcome::WrongStream;
        }
        if link.receiver.is_reset_deferred() {
            return Outcome::InProgress;
        }
        if link.receiver.reset(last, streams.iter().collect(), link.interleaved) {
            return Outcome::Performed;
        }
        self.reconfig.deferred = Some(request);
        Outcome::Later
    }

    /// §5.2.2 E3 to E5: the reset that was deferred may be done by now.
    pub(super) fn advance_deferred(&mut self) {
        let Some(link) = &mut self.link else { return };
        if !link.receiver.advance_reset() {
            return;
        }
        if let Some(request) = self.reconfig.deferred.take() {
            self.reconfig.settle(request, Outcome::Performed);
            let mut answer = Vec::new();
            Reconfig::Response { request, outcome: Some(Outcome::Performed) }.write(&mut answer);
            self.answer_requests(&answer);
        }
    }

    /// §5.2.3: ours shall begin anew. What has not begun to be sent waits; the answer is our own request.
    fn handle_incoming_reset(&mut self, request: u32, streams: Numbers<'_>) -> Result<(), Outcome> {
        let limit = self.streams().0;
        if streams.iter().any(|stream| stream >= limit) {
            return Err(Outcome::WrongStream);
        }
        if self.reconfig.has_outstanding() || self.reconfig.asked.is_some() {
            return Err(Outcome::InProgress);
        }
        let streams: Vec<u16> = streams.iter().collect();
        if self.state != State::Established
            || HEADER + RESET + 2 * streams.len() > self.config.packet
        {
            return Err(Outcome::Denied);
        }
        let waiting: BTreeSet<u16> = if streams.is_empty() {
            self.outbox.hold_all().into_iter().collect()
        } else {
            streams.iter().for_each(|stream| self.outbox.hold(*stream, false));
            streams.iter().copied().collect()
        };
        self.reconfig.asked = Some(Asked { request, streams, waiting });
        Ok(())
    }

    /// §5.2.5, §5.2.6: more streams, from the peer or to it.
    fn handle_addition(&mut self, now: Instant, count: u16, outgoing: bool) -> Outcome {
        let most = self.config.streams_most;
        let Some(link) = &mut self.link else { return Outcome::Denied };
        if count == 0 {
            return Outcome::Nothing;
        }
        let known = if outgoing { link.inbound } else { link.outbound };
        let Some(sum) = known.checked_add(count).filter(|sum| *sum <= most) else {
            return Outcome::Denied;
        };
        if outgoing {
            link.inbound = sum;
            self.events.push_back(Event::StreamsAdded { count, outgoing: false });
            return Outcome::Performed;
        }
        // It is we who ask for them then.
        match self.add_streams(now, count, true) {
            Ok(()) => Outcome::Performed,
            Err(_) => Outcome::Denied,
        }
    }

    /// Tells the application of a reset, if that is what comes next.
    pub(super) fn tell_reset(&mut self) {
        let Some(link) = &self.link else { return };
        if let Some(streams) = link.receiver.peek_reset().filter(|_| !self.reset_told) {
            self.events.push_back(Event::StreamsReset(streams.to_vec()));
            self.reset_told = true;
        }
    }

    /// The application has heard of a reset: what comes after it may be fetched.
    pub(super) fn pass_reset(&mut self) {
        let Some(link) = &mut self.link else { return };
        link.receiver.pass_reset();
        self.reset_told = false;
        self.tell_readable();
    }
}
