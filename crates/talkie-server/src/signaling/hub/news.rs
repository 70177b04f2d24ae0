//! What a session is told: news from its room, errors, and what goes with them.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::super::backend::{News, Refusal, RoomEvent};
use super::super::ids::{SessionId, SocketId};
use super::super::message::Outgoing;
use super::super::session::Place;
use super::super::{Code, PeerId};
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
        match news {
            News::Joined { peers } => {
                let Some(session) = self.sessions.get_mut(&id) else { return };
                let Place::Joining { room, .. } = &session.place else { return };
                let room = room.clone();
                session.place = Place::In { peer: own, room: room.clone() };
                let joined = Outgoing::Joined { room: room.as_str(), own, peers: &peers };
                self.post(now, id, &joined);
            }
            News::Refused(refusal) => self.refused(now, id, own, refusal),
            News::PeerJoined(peer) => self.post(now, id, &Outgoing::PeerJoined { peer: &peer }),
            News::PeerLeft { peer, reason } => {
                self.post(now, id, &Outgoing::PeerLeft { peer, reason });
            }
            News::Signal { from, payload } => {
                self.post(now, id, &Outgoing::Signal { from, payload: &payload });
            }
            News::Undelivered { about } => self.undelivered(now, id, about),
        }
    }

    fn refused(&mut self, now: Instant, id: SessionId, own: PeerId, refusal: Refusal) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Place::Joining { about, .. } = session.place else { return };
        session.place = Place::Nowhere;
        self.members.remove(&own);
        let (code, words) = match refusal {
            Refusal::RoomFull => (Code::RoomFull, "the room is full"),
            Refusal::TooManyRooms => (Code::TooManyRooms, "too many rooms from this address"),
            Refusal::ServerFull => (Code::ServerFull, "the server has no place for another room"),
            Refusal::NoSuchRoom => (Code::Draining, "the server is about to stop"),
        };
        self.refuse_request(now, id, about, code, words);
    }

    /// Puts a message into a session's outbox. Who is too far behind loses the session.
    pub(super) fn post(&mut self, now: Instant, id: SessionId, message: &Outgoing<'_>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let frame = message.encode(Some(session.outbox.next_seq()));
        let (account, bytes) = (session.account(), frame.len());
        let kept = self.accounts.of(account).bytes + bytes;
        if kept <= self.config.replay_bytes_per_address && session.outbox.push(frame).is_ok() {
            self.accounts.change(account, |holding| holding.bytes = kept);
            self.wake_session(id);
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
