//! Which answer belongs to which request. The protocol numbers only its errors; the rest is known
//! by kind and order, for the server does what it is asked in order.

use std::collections::VecDeque;

use super::{Answer, Output};
use crate::error::Refusal;
use crate::event::Event;
use crate::message::{Error, Message, Request};

/// What is awaited of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Join,
    Peek,
    Leave,
}

/// Requests whose answer has not come. As many as the outbox lets through.
#[derive(Debug, Default)]
pub(super) struct Answers {
    awaited: VecDeque<(u64, Kind)>,
    /// The join that waits for somebody to open.
    knocking: Option<u64>,
}

impl Answers {
    pub(super) fn expect(&mut self, seq: u64, request: &Request) {
        let kind = match request {
            Request::Join(_) => Kind::Join,
            Request::Peek { .. } => Kind::Peek,
            Request::Leave => Kind::Leave,
            _ => return,
        };
        self.awaited.push_back((seq, kind));
    }

    /// What a message means here: an answer, an event, or nothing.
    pub(super) fn sort(&mut self, message: Message) -> Result<Option<Output>, &'static str> {
        let event = match message {
            Message::Joined(joined) if self.knocking.take().is_some() => Event::Joined(joined),
            Message::Joined(joined) => return self.answer(Kind::Join, Answer::Joined(joined)),
            Message::Knocking => return self.answer(Kind::Join, Answer::Knocking),
            Message::Peeked(glimpse) => return self.answer(Kind::Peek, Answer::Peeked(glimpse)),
            Message::Left => {
                self.knocking = None;
                return self.answer(Kind::Leave, Answer::Left);
            }
            Message::Error(error) => return Ok(Some(self.refused(error))),
            Message::Knock(peer) => Event::Knock(peer),
            Message::KnockEnded(it) => Event::KnockEnded { id: it.id, reason: it.reason },
            Message::RoomLocked(it) => Event::RoomLocked { locked: it.locked, by: it.by },
            Message::PeerJoined(peer) => Event::PeerJoined(peer),
            Message::PeerLeft(it) => Event::PeerLeft { peer: it.peer, reason: it.reason },
            Message::Signal(it) => Event::Signal { from: it.from, payload: it.payload },
            Message::IceServers(grant) => Event::IceServers(grant),
            Message::Draining(it) => Event::Draining { within: it.within },
            Message::Welcome(_) | Message::Pong | Message::Ack | Message::Unknown => {
                return Ok(None);
            }
        };
        Ok(Some(Output::Event(event)))
    }

    fn answer(&mut self, kind: Kind, answer: Answer) -> Result<Option<Output>, &'static str> {
        let at = self.awaited.iter().position(|(_, awaited)| *awaited == kind);
        let Some((seq, _)) = at.and_then(|at| self.awaited.remove(at)) else {
            return Err("an answer that nobody asked for");
        };
        if matches!(answer, Answer::Knocking) {
            self.knocking = Some(seq);
        }
        Ok(Some(Output::Answer(seq, Ok(answer))))
    }

    fn refused(&mut self, error: Error) -> Output {
        let refusal = Refusal { code: error.code, message: error.message };
        if self.knocking.is_some() && self.knocking == error.about {
            // It is about the join that was answered with `knocking`.
            self.knocking = None;
        }
        let at = self.awaited.iter().position(|(seq, _)| Some(*seq) == error.about);
        match at.and_then(|at| self.awaited.remove(at)) {
            Some((seq, _)) => Output::Answer(seq, Err(refusal)),
            None => Output::Event(Event::Refused(refusal)),
        }
    }
}
