//! What an open session may ask for.

use std::time::Instant;

use serde_json::value::RawValue;

use super::super::backend::Command;
use super::super::ids::SessionId;
use super::super::message::{Incoming, Malformed, Request};
use super::super::session::{Arrival, Place};
use super::super::{Code, PeerId};
use super::Hub;

impl Hub {
    pub(super) fn session_frame(
        &mut self,
        now: Instant,
        id: SessionId,
        frame: Result<Incoming, Malformed>,
    ) {
        let allowed = self.charge(now, id);
        let Incoming { seq, ack, request } = match frame {
            Ok(incoming) => incoming,
            Err(malformed) if allowed => return self.bad_message(now, id, None, &malformed),
            Err(_) => return self.too_fast(now, id, None),
        };
        if ack.is_some_and(|ack| !self.acknowledged(id, ack)) {
            let malformed = Malformed("ack is ahead of what was sent".into());
            return self.bad_message(now, id, seq, &malformed);
        }
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let unsequenced =
            matches!(request, Ok(Request::Hello { .. } | Request::Ping | Request::Ack));
        let about = if unsequenced { None } else { seq };
        if let Some(seq) = about {
            let arrival = session.arrive(now, seq, self.config.ack_within);
            self.arm(id);
            match arrival {
                Arrival::New => {}
                Arrival::Again => return,
                Arrival::Gap => {
                    return self.fail(now, id, Code::BadSequence, "a sequence number is missing");
                }
            }
        }
        // Who goes may go in haste: nothing comes after it.
        if !allowed && !matches!(request, Ok(Request::Bye)) {
            return self.too_fast(now, id, about);
        }
        match request {
            Ok(request) => self.request(now, id, about.unwrap_or_default(), request),
            Err(malformed) => self.bad_message(now, id, about, &malformed),
        }
    }

    /// Frees what a client has received; false if it can't have.
    fn acknowledged(&mut self, id: SessionId, ack: u64) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        let in_range = session.outbox.handle_ack(ack).is_ok();
        self.weigh(id);
        in_range
    }

    fn request(&mut self, now: Instant, id: SessionId, about: u64, request: Request) {
        match request {
            Request::Hello { .. } => {
                self.bad_message(now, id, None, &Malformed("the session is open already".into()));
            }
            Request::Join(join) => self.join(now, id, about, join),
            Request::Peek { room, check } => self.peek(now, id, about, &room, check),
            Request::Signal { to, payload } => self.signal(now, id, about, &to, payload),
            Request::Lock { locked } => self.lock(now, id, about, locked),
            Request::AnswerKnock { id: knocker, admit } => {
                self.answer_knock(now, id, about, &knocker, admit);
            }
            Request::Leave => self.leave(now, id, about),
            Request::Bye => self.farewell(now, id),
            Request::Ping => self.pong(id),
            Request::Ack => {}
        }
    }

    fn signal(
        &mut self,
        now: Instant,
        id: SessionId,
        about: u64,
        to: &str,
        payload: Box<RawValue>,
    ) {
        let Some(from) = self.member(now, id, about) else { return };
        match to.parse() {
            Ok(to) => {
                let command = Command::Signal { from, to, payload, about };
                self.backend.handle_command(now, command);
            }
            Err(_) => self.undelivered(now, id, about),
        }
    }

    /// The session's own id in its room; who is in none is told so.
    pub(super) fn member(&mut self, now: Instant, id: SessionId, about: u64) -> Option<PeerId> {
        if let Place::In { peer, .. } = self.sessions.get(&id)?.place {
            return Some(peer);
        }
        self.refuse_request(now, id, about, Code::NotInRoom, "join a room first");
        None
    }

    pub(super) fn undelivered(&mut self, now: Instant, id: SessionId, about: u64) {
        let words = "the peer is not there";
        self.refuse_request(now, id, about, Code::NoSuchPeer, words);
    }

    fn pong(&mut self, id: SessionId) {
        let Some(socket) = self.sessions.get(&id).and_then(|session| session.socket()) else {
            return;
        };
        if let Some(state) = self.sockets.get_mut(&socket) {
            state.pong = true;
        }
        self.wake(socket);
    }

    /// Whether the rate allows one more message.
    pub(super) fn charge(&mut self, now: Instant, id: SessionId) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        if session.flooding_since.is_some() && session.bucket.has_recovered(now, self.rate) {
            session.flooding_since = None;
        }
        session.bucket.take(now, self.rate)
    }

    pub(super) fn too_fast(&mut self, now: Instant, id: SessionId, about: Option<u64>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let words = "more messages than limits.messagesPerSecond and limits.burst allow";
        let first = session.flooding_since.is_none();
        let since = *session.flooding_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= self.config.flood_patience {
            self.fail(now, id, Code::TooFast, words);
        } else if about.is_some() || first {
            // What has no number (a ping, nonsense) is answered once in a flood: there is no
            // request that waits for its answer, and the answers would only add to the flood.
            self.post_error(now, id, Code::TooFast, words, about);
        }
    }

    fn bad_message(
        &mut self,
        now: Instant,
        id: SessionId,
        about: Option<u64>,
        Malformed(words): &Malformed,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.bad += 1;
        if session.bad >= self.config.bad_messages {
            self.fail(now, id, Code::BadMessage, words);
        } else {
            self.post_error(now, id, Code::BadMessage, words, about);
        }
    }

    pub(super) fn refuse_request(
        &mut self,
        now: Instant,
        id: SessionId,
        about: u64,
        code: Code,
        words: &str,
    ) {
        self.post_error(now, id, code, words, Some(about));
    }
}
