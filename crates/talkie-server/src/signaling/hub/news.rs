//! What a session is told: news from its room, errors, and what goes with them.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::super::backend::{Glimpse, News, Peer, Refusal, RoomEvent};
use super::super::ids::{SessionId, SocketId};
use super::super::message::Outgoing;
use super::super::session::Place;
use super::super::{Code, Pass, PeerId};
use super::{Hub, Timer};

impl Hub {
    /// Hands the backend's news on and follows its deadline. What a piece of news sets off, such as
    /// the end of a session that is too far behind, may bring more news; it ends because each end
    /// leaves one session fewer.
    pub(super) fn deliver(&mut self, now: Instant) {
        while let Some(RoomEvent { to, news }) = self.backend.poll_event() {
            // Who is gone hears nothing more.
            if let Some(&id) = self.members.get(&to) {
                self.hear(now, id, to, news);
            }
        }
        self.timers.set(Timer::Backend, self.backend.poll_timeout());
    }

    fn hear(&mut self, now: Instant, id: SessionId, own: PeerId, news: News) {
        let message = match &news {
            News::Joined { peers, locked, pass } => {
                return self.entered(now, id, own, peers, *locked, pass);
            }
            News::Knocking => return self.knocks(now, id),
            News::Refused(refusal) => return self.refused(now, id, own, *refusal),
            News::Peeked(glimpse) => return self.peeked(now, id, own, *glimpse),
            News::Undelivered { about } => return self.undelivered(now, id, *about),
            News::NoPlace { about } => {
                return self.refuse_request(now, id, *about, Code::RoomFull, "the room is full");
            }
            News::PeerJoined(peer) => Outgoing::PeerJoined { peer },
            &News::PeerLeft { peer, reason } => Outgoing::PeerLeft { peer, reason },
            News::Knock(peer) => Outgoing::Knock { peer },
            &News::KnockEnded { peer, reason } => Outgoing::KnockEnded { id: peer, reason },
            &News::Locked { locked, by } => Outgoing::RoomLocked { locked, by },
            News::Signal { from, payload } => Outgoing::Signal { from: *from, payload },
        };
        self.post(now, id, &message);
    }

    fn entered(
        &mut self,
        now: Instant,
        id: SessionId,
        own: PeerId,
        peers: &[Peer],
        locked: bool,
        pass: &Pass,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let (Place::Joining { room, .. } | Place::Knocking { room, .. }) = &session.place else {
            return;
        };
        let room = room.clone();
        session.place = Place::In { peer: own, room: room.clone() };
        let joined = Outgoing::Joined { room: room.as_str(), own, peers, locked, pass };
        self.post(now, id, &joined);
    }

    fn knocks(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Place::Joining { peer, room, about } = session.place.clone() else { return };
        session.place = Place::Knocking { peer, room: room.clone(), about };
        self.post(now, id, &Outgoing::Knocking { room: room.as_str() });
    }

    fn peeked(&mut self, now: Instant, id: SessionId, asker: PeerId, glimpse: Glimpse) {
        self.members.remove(&asker);
        let Some(peek) = self.sessions.get_mut(&id).and_then(|it| it.peek.take()) else { return };
        self.post(now, id, &Outgoing::Peeked { room: peek.room.as_str(), glimpse });
    }

    fn refused(&mut self, now: Instant, id: SessionId, own: PeerId, refusal: Refusal) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let (Place::Joining { about, .. } | Place::Knocking { about, .. }) = session.place else {
            return;
        };
        session.place = Place::Nowhere;
        self.members.remove(&own);
        let (code, words) = match refusal {
            Refusal::RoomFull => (Code::RoomFull, "the room is full"),
            Refusal::TooManyRooms => (Code::TooManyRooms, "too many rooms from this address"),
            Refusal::ServerFull => (Code::ServerFull, "the server has no place for another room"),
            Refusal::NoSuchRoom => (Code::Draining, "the server is about to stop"),
            Refusal::WrongKey => (Code::WrongKey, "the room was opened with another key"),
            Refusal::TooManyKnocks => (Code::TooManyKnocks, "too many wait before the room"),
            Refusal::TurnedAway => (Code::Refused, "somebody in the room said no"),
        };
        self.refuse_request(now, id, about, code, words);
    }

    /// Puts a message into a session's outbox. Who is too far behind loses the session.
    pub(super) fn post(&mut self, now: Instant, id: SessionId, message: &Outgoing<'_>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let frame = message.encode(Some(session.outbox.next_seq()));
        let (account, bytes) = (session.account(), frame.len());
        let kept = self.backlog.of(account) + bytes;
        if kept <= self.config.replay_bytes_per_address && session.outbox.push(frame).is_ok() {
            self.weigh(id);
            self.wake_session(id);
            self.shed(now);
        } else {
            let words = "too many messages wait to be acknowledged";
            self.fail(now, id, Code::ReplayOverflow, words);
        }
    }

    pub(super) fn post_error(
        &mut self,
        now: Instant,
        id: SessionId,
        code: Code,
        words: &str,
        about: Option<u64>,
    ) {
        self.stats.count(code);
        self.post(now, id, &Outgoing::error(code, words, about, false));
    }

    pub(super) fn tell_draining(&mut self, now: Instant, id: SessionId, within: Duration) {
        // Whole seconds, rounded up, are all that anybody acts on.
        let within = Duration::from_secs(within.as_secs() + u64::from(within.subsec_nanos() > 0));
        self.post(now, id, &Outgoing::Draining { within });
    }

    /// The session's next frame for its socket.
    pub(super) fn next_frame(&mut self, socket: SocketId, id: SessionId) -> Option<Bytes> {
        let session = self.sessions.get_mut(&id)?;
        if session.welcome.is_some() {
            return None;
        }
        if let Some(frame) = session.outbox.give() {
            return Some(frame);
        }
        let state = self.sockets.get_mut(&socket)?;
        if std::mem::take(&mut state.pong) {
            return Some(Outgoing::Pong.encode(None));
        }
        // An acknowledgement waits for company, or for its deadline (`ack_is_due`).
        if state.wrote || session.ack_is_due() {
            let ack = session.take_ack()?;
            self.arm(id);
            return Some(Outgoing::Ack { ack }.encode(None));
        }
        None
    }
}
